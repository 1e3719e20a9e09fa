"""Accounts: who may sign in, and counting failed attempts; what an account may do is not decided here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.errors import EmailTaken, LoginFailed, LoginLimited, NameInvalid, Unknown
from wattstead.registry.people import memberships
from wattstead.registry.places import organizations
from wattstead.registry.policy import Role
from wattstead.registry.records import Account

WINDOW = timedelta(minutes=15)
_FAILURES_OF_PAIR, _FAILURES_OF_ADDRESS, _FAILURES_OF_ACCOUNT = 10, 50, 100
"""Failed logins within the window after which more are refused: of one account from one network address, from one
network address whatever the account, of one account whatever the address (high, lest a stranger locks a person out)."""
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")


def folded(email: str) -> str:
    """An e-mail address as it is compared; raises `NameInvalid` when it is none."""
    plain = email.strip().lower()
    if not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise NameInvalid("e-mail address", email, "is none; give name@place")
    return plain


def create(
    session: Session, organization_id: int, email: str, password_hash: str, now: datetime, name: str = ""
) -> Account:
    """A new account; raises `EmailTaken`, `NameInvalid`."""
    plain = folded(email)
    if session.scalar(select(tables.Account.id).where(tables.Account.email == plain)) is not None:
        raise EmailTaken(plain)
    row = tables.Account(
        organization_id=organization_id,
        email=plain,
        password_hash=password_hash,
        created=now,
        name=names.checked_text("name", name)[: names.LONGEST_NAME],
    )
    session.add(row)
    session.flush()
    return record(row)


def first_owner(session: Session, email: str, password_hash: str, now: datetime) -> Account | None:
    """The owner of a new registry with its organization; None when there is an account already."""
    session.execute(select(tables.Dataset).with_for_update())  # one process at a time decides that it is the first
    if session.scalar(select(func.count()).select_from(tables.Account)):
        return None
    root = organizations.create(session, "Home", None, now)
    owner = create(session, root.id, email, password_hash, now)
    memberships.create(session, owner.id, Role.OWNER, now, organization_id=root.id)
    memberships.create(session, owner.id, Role.ADMINISTRATOR, now)
    return owner


def accounts(session: Session) -> list[Account]:
    """Every account, by id."""
    return [record(row) for row in session.scalars(select(tables.Account).order_by(tables.Account.id))]


def password_hash_of(session: Session, email: str) -> tuple[Account, str] | None:
    """The account of an e-mail address and its password's hash; None when there is none."""
    try:
        plain = folded(email)
    except NameInvalid:
        return None
    row = session.scalar(select(tables.Account).where(tables.Account.email == plain))
    return None if row is None else (record(row), row.password_hash)


def put_password_hash(session: Session, account_id: int, password_hash: str) -> None:
    """Set a new password's hash; raises `Unknown`."""
    row = session.get(tables.Account, account_id)
    if row is None:
        raise Unknown("account", account_id)
    row.password_hash = password_hash


def check_failures(session: Session, email: str, address: str, now: datetime) -> None:
    """Raise `LoginLimited` when too many logins have failed lately."""
    for subject, most in _subjects(email, address).items():
        failed = session.scalars(
            select(tables.LoginFailure.failed)
            .where(tables.LoginFailure.subject == subject, tables.LoginFailure.failed > now - WINDOW)
            .order_by(tables.LoginFailure.failed.desc())
            .limit(most)
        ).all()
        if len(failed) == most:
            raise LoginLimited(max(1, int((failed[-1] + WINDOW - now).total_seconds()) + 1))


def note_failure(session: Session, email: str, address: str, now: datetime) -> LoginFailed:
    """Count a failed login, forget those that count no more, and give the error to raise."""
    session.add_all([tables.LoginFailure(subject=subject, failed=now) for subject in _subjects(email, address)])
    session.execute(delete(tables.LoginFailure).where(tables.LoginFailure.failed <= now - WINDOW))
    return LoginFailed()


def forgive_failures(session: Session, email: str, address: str) -> None:
    """A right password ends the count of its account from this address; other counts stand."""
    pair = next(iter(_subjects(email, address)))
    session.execute(delete(tables.LoginFailure).where(tables.LoginFailure.subject == pair))


def _subjects(email: str, address: str) -> dict[str, int]:
    plain, address = (part[:254].encode("unicode_escape").decode() for part in (email.strip().lower(), address))
    return {
        f"pair {address} {plain}": _FAILURES_OF_PAIR,
        f"address {address}": _FAILURES_OF_ADDRESS,
        f"account {plain}": _FAILURES_OF_ACCOUNT,
    }


def record(row: tables.Account) -> Account:
    """The account without its password's hash."""
    return Account(
        id=row.id,
        organization_id=row.organization_id,
        email=row.email,
        created=row.created,
        version=row.version,
        name=row.name,
        state=row.state,
        verified=row.verified,
        phone=row.phone,
        mobile_phone=row.mobile_phone,
        phone_type=row.phone_type,
        operating_system=row.operating_system,
        application_version=row.application_version,
        privacy_state=row.privacy_state,
        locale=row.locale,
        last_seen=row.last_seen,
        has_totp=row.totp_sealed is not None,
    )
