"""Challenges that were given and wait for their answer, each good for one; what they mean is the caller's."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import LinkInvalid
from wattstead.registry.people.tokens import fresh, token_hash

_Row = tables.Ceremony


def open_(session: Session, purpose: str, content: bytes, now: datetime, life: timedelta) -> str:
    """Keep what a challenge is about until its token comes back."""
    session.execute(delete(_Row).where(_Row.expires <= now))
    token = fresh()
    session.add(_Row(token_hash=token_hash(token), purpose=purpose, content=content, expires=now + life))
    return token


def take(session: Session, token: str, purpose: str, now: datetime) -> bytes:
    """What a challenge was about; its token works no more; raises `LinkInvalid`."""
    row = session.get(_Row, token_hash(token), with_for_update=True)
    if row is None or row.purpose != purpose or row.expires <= now or row.account_id is not None:
        raise LinkInvalid("challenge")
    session.delete(row)
    session.flush()
    return row.content


def open_for(
    session: Session, account_id: int, purpose: str, content: bytes, now: datetime, life: timedelta
) -> None:  # fmt: skip
    """Keep a challenge to somebody who is signed in; an earlier one for the same ends."""
    session.execute(delete(_Row).where(_Row.expires <= now))
    close_for(session, account_id, purpose)
    row = _Row(token_hash=token_hash(fresh()), account_id=account_id, purpose=purpose, content=content)
    row.expires = now + life
    session.add(row)


def content_for(session: Session, account_id: int, purpose: str, now: datetime) -> bytes:
    """What the open challenge to an account is about; raises `LinkInvalid`."""
    own = (_Row.account_id == account_id, _Row.purpose == purpose, _Row.expires > now)
    content = session.scalars(select(_Row.content).where(*own)).first()
    if content is None:
        raise LinkInvalid("challenge")
    return content


def close_for(session: Session, account_id: int, purpose: str) -> None:
    """End an account's challenge."""
    session.execute(delete(_Row).where(_Row.account_id == account_id, _Row.purpose == purpose))
