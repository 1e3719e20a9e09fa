"""Signed-in browsers: opaque tokens, stored as hashes, that expire when unused; cookies are the web's affair."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.accounts import record
from wattstead.registry.records import Account

UNUSED = timedelta(days=14)
"""A session that nobody uses for so long ends."""
LONGEST = timedelta(days=180)
"""Every session ends then."""
_NOTED_EVERY = timedelta(hours=1)
"""How often use is written down; between these a request only reads."""


def create(session: Session, account_id: int, now: datetime) -> str:
    """The token of a new session; ended sessions are swept away."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(tables.Session).where(tables.Session.expires <= now))
    session.add(
        tables.Session(
            token_hash=_token_hash(token), account_id=account_id, created=now, last_used=now, expires=now + UNUSED
        )
    )
    return token


def account(session: Session, token: str, now: datetime) -> tuple[Account, bool] | None:
    """The account of a token and whether its use should be noted; None when there is none or it has ended."""
    row = session.execute(
        select(tables.Account, tables.Session.last_used)
        .join(tables.Session, tables.Session.account_id == tables.Account.id)
        .where(tables.Session.token_hash == _token_hash(token), tables.Session.expires > now)
    ).one_or_none()
    return None if row is None else (record(row[0]), now - row[1] >= _NOTED_EVERY)


def note_use(session: Session, token: str, now: datetime) -> None:
    """Let the session live on from now, never beyond its longest life."""
    row = session.get(tables.Session, _token_hash(token))
    if row is not None:
        row.last_used = now
        row.expires = min(now + UNUSED, row.created + LONGEST)


def end(session: Session, token: str) -> None:
    """End the session of a token, if there is one."""
    session.execute(delete(tables.Session).where(tables.Session.token_hash == _token_hash(token)))


def end_all(session: Session, account_id: int) -> None:
    """End every session of an account."""
    session.execute(delete(tables.Session).where(tables.Session.account_id == account_id))


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
