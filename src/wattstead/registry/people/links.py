"""Mailed links: they verify an address or let a new password be set; each works once. Mails are written elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import LinkInvalid
from wattstead.registry.people.tokens import fresh, token_hash


class Purpose(StrEnum):
    """What a link is for."""

    VERIFY = "verify"
    """Shows that the address of a new account is its person's."""
    EMAIL = "email"
    """Shows the same of an address that is to become the account's."""
    RECOVER = "recover"
    """Lets a new password be set."""


_LIFE = {Purpose.VERIFY: timedelta(days=3), Purpose.EMAIL: timedelta(days=1), Purpose.RECOVER: timedelta(hours=1)}


def create(session: Session, account_id: int, purpose: Purpose, email: str, now: datetime) -> str:
    """The token of a new link; an earlier one for the same ends, and so do those that are too old."""
    link = tables.MailedLink
    session.execute(delete(link).where(link.expires <= now))
    session.execute(delete(link).where(link.account_id == account_id, link.purpose == purpose.value))
    token = fresh()
    row = link(token_hash=token_hash(token), account_id=account_id, purpose=purpose.value, email=email)
    row.expires = now + _LIFE[purpose]
    session.add(row)
    return token


def check(session: Session, token: str, now: datetime, *purposes: Purpose) -> None:
    """Raise `LinkInvalid` unless `take` would give the link now."""
    row = session.get(tables.MailedLink, token_hash(token))
    if row is None or row.expires <= now or row.purpose not in purposes:
        raise LinkInvalid


def take(session: Session, token: str, now: datetime, *purposes: Purpose) -> tables.MailedLink:
    """What a link was for; it works no more after this; raises `LinkInvalid`."""
    row = session.get(tables.MailedLink, token_hash(token), with_for_update=True)
    if row is None or row.expires <= now or row.purpose not in purposes:
        raise LinkInvalid
    session.delete(row)
    session.flush()
    return row


def void(session: Session, account_id: int) -> None:
    """End every link of an account: its address or password is another now."""
    session.execute(delete(tables.MailedLink).where(tables.MailedLink.account_id == account_id))
