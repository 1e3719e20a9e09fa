"""Accounts: who may sign in; what an account may do is not decided here, nor who may change it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.errors import EmailAlike, EmailTaken, NameInvalid, Unknown
from wattstead.registry.people import emails, memberships
from wattstead.registry.places import organizations
from wattstead.registry.policy import Role
from wattstead.registry.records import Account


def create(
    session: Session,
    organization_id: int,
    email: str,
    password_hash: str,
    now: datetime,
    name: str = "",
    *,
    state: str = "active",
    verified: datetime | None = None,
) -> Account:
    """A new account; raises `EmailTaken`, `NameInvalid`."""
    row = tables.Account(
        organization_id=organization_id,
        password_hash=password_hash,
        created=now,
        name=checked_name(name),
        state=state,
        verified=verified,
    )
    put_email(session, row, email)
    session.add(row)
    session.flush()
    return record(row)


def put_email(session: Session, row: tables.Account, email: str) -> None:
    """Give an account its address; raises as `free_email`."""
    row.email = free_email(session, email)
    row.look = emails.look(row.email)


def free_email(session: Session, email: str) -> str:
    """An address that no account has, folded.

    Raises `EmailTaken`, `EmailAlike` when it passes for another's, `NameInvalid`.
    """
    plain = emails.checked(email)
    row = tables.Account
    alike = or_(row.email == plain, row.look == emails.look(plain))
    with session.no_autoflush:
        taken = set(session.scalars(select(row.email).where(alike)))
    if plain in taken:
        raise EmailTaken(plain)
    if taken:
        raise EmailAlike(plain)
    return plain


def checked_name(name: str) -> str:
    """A person's name, which may be empty; raises `NameInvalid`."""
    return names.checked("name", name.strip()) if name.strip() else ""


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
    row = of_email(session, email)
    return None if row is None else (record(row), row.password_hash)


def account(session: Session, account_id: int) -> Account:
    """The account of that id; raises `Unknown`."""
    row = session.get(tables.Account, account_id)
    if row is None:
        raise Unknown("person", account_id)
    return record(row)


def of_email(session: Session, email: str) -> tables.Account | None:
    """The account of an e-mail address; None when there is none, or it is no address."""
    try:
        plain = emails.folded(email)
    except NameInvalid:
        return None
    return session.scalar(select(tables.Account).where(tables.Account.email == plain))


def row_of(session: Session, account_id: int) -> tables.Account:
    """The row of an account, locked until the transaction ends; raises `Unknown`."""
    row = session.get(tables.Account, account_id, with_for_update=True)
    if row is None:
        raise Unknown("person", account_id)
    return row


def put_password_hash(session: Session, account_id: int, password_hash: str) -> None:
    """Set a new password's hash; raises `Unknown`."""
    row_of(session, account_id).password_hash = password_hash


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
        has_password=bool(row.password_hash),
    )
