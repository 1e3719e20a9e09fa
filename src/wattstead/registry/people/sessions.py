"""Signed-in browsers: opaque tokens, stored as hashes, that expire when unused; cookies are the web's affair."""

from __future__ import annotations

import math
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import AccountNotActive, Unknown
from wattstead.registry.people import memberships
from wattstead.registry.people.accounts import record
from wattstead.registry.people.tokens import fresh, token_hash
from wattstead.registry.places.closed import is_closed_to
from wattstead.registry.policy import Role
from wattstead.registry.records import OpenSession, Signed

UNUSED = timedelta(days=14)
"""A session that nobody uses for so long ends."""
LONGEST = timedelta(days=180)
"""Every session ends then."""
IMPERSONATED = timedelta(hours=1)
"""A session in which an administrator looks through somebody's eyes ends then."""
_NOTED_EVERY = timedelta(hours=1)
"""How often use is written down; between these a request only reads."""


def create(
    session: Session,
    account_id: int,
    now: datetime,
    *,
    agent: str = "",
    address: str = "",
    impersonator_id: int | None = None,
) -> str:
    """The token of a new session; ended sessions are swept away.

    Raises `AccountNotActive` for a person of a disabled branch.
    """
    if is_closed_to(session, account_id):
        raise AccountNotActive("disabled")
    token = fresh()
    session.execute(delete(tables.Session).where(tables.Session.expires <= now))
    row = tables.Session(token_hash=token_hash(token), account_id=account_id, created=now, last_used=now)
    row.expires = now + (UNUSED if impersonator_id is None else IMPERSONATED)
    row.name, row.agent, row.address = secrets.token_hex(8), agent[:200], address[:60]
    row.impersonator_id = impersonator_id
    session.add(row)
    if impersonator_id is None:
        _note_seen(session, account_id, now)
    return token


def signed(session: Session, token: str, now: datetime) -> tuple[Signed, bool] | None:
    """Who a token stands for and whether its use should be noted; None when it has ended or the person is disabled."""
    row = session.execute(
        select(tables.Account, tables.Session)
        .join(tables.Session, tables.Session.account_id == tables.Account.id)
        .where(
            tables.Session.token_hash == token_hash(token),
            tables.Session.expires > now,
            tables.Account.state == "active",
        )
    ).one_or_none()
    if row is None:
        return None
    account, own = row
    if is_closed_to(session, account.id):
        return None
    if own.impersonator_id is not None and not _may_impersonate(session, own.impersonator_id, now):
        return None
    found = Signed(
        account=record(account),
        authority=memberships.authority(session, account.id, now, own.reason),
        session=own.name,
        impersonator_id=own.impersonator_id,
        ends_s=min(memberships.first_end_s(session, account.id, now) or math.inf, own.expires.timestamp()),
    )
    return found, now - own.last_used >= _NOTED_EVERY


def note_use(session: Session, token: str, now: datetime) -> None:
    """Let the session live on from now, never beyond its longest life."""
    row = session.get(tables.Session, token_hash(token))
    if row is not None:
        row.last_used = now
        if row.impersonator_id is None:
            row.expires = min(now + UNUSED, row.created + LONGEST)
            _note_seen(session, row.account_id, now)


def end(session: Session, token: str) -> bool:
    """End the session of a token, and with an own one the eyes that were opened; whether there was one."""
    row = session.get(tables.Session, token_hash(token))
    if row is None:
        return False
    _end(session, row)
    return True


def end_all(session: Session, account_id: int) -> None:
    """End every session of an account, and those in which it looks through others' eyes."""
    session.execute(delete(tables.Session).where(_of(account_id)))


def sessions(session: Session, account_id: int, now: datetime) -> list[OpenSession]:
    """The living sessions of an account and those in which it looks through others' eyes, the one used last first."""
    rows = session.execute(
        select(tables.Session, tables.Account.email)
        .join(tables.Account, tables.Account.id == tables.Session.account_id)
        .where(_of(account_id), tables.Session.expires > now)
        .order_by(tables.Session.last_used.desc(), tables.Session.name)
    )
    return [
        OpenSession(
            row.name, row.created, row.last_used, row.expires, row.agent, row.address, row.impersonator_id,
            email if row.account_id != account_id else "",
        )
        for row, email in rows
    ]  # fmt: skip


def end_named(session: Session, account_id: int, name: str) -> None:
    """End one of the `sessions` of an account by its name, and with an own one the eyes; raises `Unknown`."""
    named = select(tables.Session).where(_of(account_id), tables.Session.name == name)
    row = session.scalars(named).first() if name.isalnum() else None
    if row is None:
        raise Unknown("session", name)
    _end(session, row)


def end_others(session: Session, account_id: int, name: str) -> int:
    """End all of the `sessions` of an account but one; how many there were."""
    others = (_of(account_id), tables.Session.name != name)
    return len(session.scalars(delete(tables.Session).where(*others).returning(tables.Session.name)).all())


def tell_reason(session: Session, account_id: int, name: str, reason: str) -> None:
    """Write down why an operator looks, for the rest of the session; raises `Unknown`."""
    own = (tables.Session.account_id == account_id, tables.Session.name == name)
    told = update(tables.Session).where(*own).values(reason=reason).returning(tables.Session.name)
    if not session.scalars(told).all():
        raise Unknown("session", name)


def _of(account_id: int) -> ColumnElement[bool]:
    """The sessions of an account, and those in which it looks through others' eyes."""
    return or_(tables.Session.account_id == account_id, tables.Session.impersonator_id == account_id)


def _end(session: Session, row: tables.Session) -> None:
    """End a session; eyes were opened from one of the administrator's own, and are not left behind when one ends."""
    if row.impersonator_id is None:
        session.execute(delete(tables.Session).where(tables.Session.impersonator_id == row.account_id))
    session.delete(row)
    session.flush()


def _note_seen(session: Session, account_id: int, now: datetime) -> None:
    session.execute(
        update(tables.Account).where(tables.Account.id == account_id).values(last_seen=now),
        execution_options={"synchronize_session": False},
    )


def _may_impersonate(session: Session, account_id: int, now: datetime) -> bool:
    """Whether the administrator behind a session still is one."""
    row = session.get(tables.Account, account_id)
    stands = memberships.authority(session, account_id, now).stands
    return row is not None and row.state == "active" and any(stand.role is Role.ADMINISTRATOR for stand in stands)
