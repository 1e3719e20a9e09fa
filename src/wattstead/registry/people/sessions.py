"""Signed-in browsers: opaque tokens, stored as hashes, that expire when unused; cookies are the web's affair."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.people import memberships
from wattstead.registry.people.accounts import record
from wattstead.registry.records import Signed

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
    """The token of a new session; ended sessions are swept away."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(tables.Session).where(tables.Session.expires <= now))
    row = tables.Session(token_hash=_token_hash(token), account_id=account_id, created=now, last_used=now)
    row.expires = now + (UNUSED if impersonator_id is None else IMPERSONATED)
    row.name, row.agent, row.address = secrets.token_hex(8), agent[:200], address[:60]
    row.impersonator_id = impersonator_id
    session.add(row)
    return token


def signed(session: Session, token: str, now: datetime) -> tuple[Signed, bool] | None:
    """Who a token stands for and whether its use should be noted; None when it has ended or the person is disabled."""
    row = session.execute(
        select(tables.Account, tables.Session)
        .join(tables.Session, tables.Session.account_id == tables.Account.id)
        .where(
            tables.Session.token_hash == _token_hash(token),
            tables.Session.expires > now,
            tables.Account.state == "active",
        )
    ).one_or_none()
    if row is None:
        return None
    account, own = row
    found = Signed(
        account=record(account),
        authority=memberships.authority(session, account.id, now, own.reason),
        session=own.name,
        impersonator_id=own.impersonator_id,
    )
    return found, now - own.last_used >= _NOTED_EVERY


def note_use(session: Session, token: str, now: datetime) -> None:
    """Let the session live on from now, never beyond its longest life."""
    row = session.get(tables.Session, _token_hash(token))
    if row is not None:
        row.last_used = now
        if row.impersonator_id is None:
            row.expires = min(now + UNUSED, row.created + LONGEST)


def end(session: Session, token: str) -> None:
    """End the session of a token, if there is one."""
    session.execute(delete(tables.Session).where(tables.Session.token_hash == _token_hash(token)))


def end_all(session: Session, account_id: int) -> None:
    """End every session of an account."""
    session.execute(delete(tables.Session).where(tables.Session.account_id == account_id))


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
