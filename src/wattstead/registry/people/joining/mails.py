"""The outbox: mails that wait, and what became of them; sends nothing itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.records import DueMail, Letter

LEASE = timedelta(minutes=5)
"""Whoever takes a mail has so long to say what became of it; then somebody else may try."""

KEPT = timedelta(days=30)
"""How long it is known that a mail was sent to whom."""


def queue(session: Session, letter: Letter, now: datetime) -> None:
    """Have a letter sent, when the caller's transaction is committed; what is long past is swept away."""
    session.execute(delete(tables.Mail).where(tables.Mail.created <= now - KEPT))
    row = tables.Mail(to=letter.to, subject=letter.subject[:200], text=letter.text, created=now, due=now)
    session.add(row)


def next_due(session: Session) -> datetime | None:
    """When the first of the mails that wait is due; None when none waits."""
    waiting = select(tables.Mail.due).where(*_waiting()).order_by(tables.Mail.due).limit(1)
    return session.scalars(waiting).first()


def take_due(session: Session, most: int, now: datetime) -> list[DueMail]:
    """Mails that are due, for the caller alone until `LEASE` is over; the oldest first."""
    rows = session.scalars(
        select(tables.Mail)
        .where(*_due(now))
        .order_by(tables.Mail.due, tables.Mail.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    taken = [DueMail(row.id, Letter(row.to, row.subject, row.text), row.created, row.tries) for row in rows]
    for row in rows:
        row.due, row.tries = now + LEASE, row.tries + 1
    return taken


def sent(session: Session, mail_id: int, now: datetime) -> None:
    """A mail has gone: its text, which may hold a link, is dropped."""
    row = session.get(tables.Mail, mail_id)
    if row is not None:
        row.sent, row.text, row.error = now, "", ""


def failed(session: Session, mail_id: int, error: str, again: datetime | None) -> None:
    """A mail has not gone; it is tried ``again`` then, or never (None), and its text is dropped."""
    row = session.get(tables.Mail, mail_id)
    if row is not None:
        row.error = error[:500]
        row.due = again or row.due
        row.text = row.text if again else ""


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return tables.Mail.due <= now, *_waiting()


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return tables.Mail.sent.is_(None), tables.Mail.text != ""
