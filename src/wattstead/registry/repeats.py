"""Repeated requests: the answer to a creating request that carried a token, given again when the request comes again.

It knows no request; what is a secret in an answer must have been taken out before it comes here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wattstead.registry.door import Door
from wattstead.registry.errors import Conflict
from wattstead.registry.tables import Dataset, Repeatable

KEPT = timedelta(days=1)
_ABANDONED = timedelta(minutes=1)
"""A request that has no answer after that long was lost with its process, and may be made again."""


class Given(msgspec.Struct, frozen=True):
    """An answer that was given before."""

    status: int
    body: bytes


def begin(session: Session, account_id: int, token: str, digest: bytes, now: datetime) -> Given | None:
    """The answer of before, or None: then it is this caller's to make, and `finish` or `forget`.

    Raises `Conflict` when the token came with another request, or the first one is still being answered.
    """
    session.execute(select(Dataset.one).with_for_update())  # one at a time finds that it is the first
    session.execute(delete(Repeatable).where(Repeatable.created <= now - KEPT))
    row = session.get(Repeatable, (account_id, token))
    if row is None:
        session.add(
            Repeatable(account_id=account_id, token=token, request_digest=digest, status=0, body=b"", created=now)
        )
        return None
    if row.request_digest != digest:
        raise Conflict(
            "repeat.other", "this Idempotency-Key came with another request before; use a new one for each thing"
        )
    if row.status:
        return Given(row.status, row.body)
    if row.created > now - _ABANDONED:
        raise Conflict(
            "repeat.open", "the first request with this Idempotency-Key is still being answered; try again in a moment"
        )
    row.created = now
    return None


class Repeats(Door):
    """Requests that may come twice."""

    def begin_request(self, account_id: int, token: str, digest: bytes) -> Given | None:
        """The answer of before, or None for a request that is to be answered; raises `Conflict`."""
        with self._db.writing() as s:
            return begin(s, account_id, token, digest, self._clock())

    def finish_request(self, account_id: int, token: str, status: int, body: bytes) -> None:
        """Keep the answer for a day."""
        with self._db.writing() as s:
            row = s.get(Repeatable, (account_id, token))
            if row is not None:
                row.status, row.body = status, body

    def forget_request(self, account_id: int, token: str) -> None:
        """Nothing was made: the request may come again."""
        with self._db.writing() as s:
            s.execute(delete(Repeatable).where(Repeatable.account_id == account_id, Repeatable.token == token))
