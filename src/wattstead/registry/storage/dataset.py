"""Which data set this is, its generation, and the ids of its points; holds nothing that a person names.

Both counters are one row, locked until the transaction ends: a smaller id or generation is never committed after a
greater one, so whoever has seen all up to a number has missed nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.registry.storage.database import Database
from wattstead.registry.tables import Dataset

_PLAIN = {"synchronize_session": False}


def identity(session: Session) -> str:
    """The data set's id, made once; journal and store of another data set do not belong to it."""
    return session.scalars(select(Dataset.identity)).one()


class Counters(NamedTuple):
    """Both counters at one instant."""

    generation: int
    """Grows with every change that caches must see; not with each new address."""
    last_point_id: int
    """The largest point id ever given, 0 before the first; deleted points count."""


class Watched:
    """The counters for those who ask many times a second: read again only when something has been committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[tuple[int, int], Counters] | None = None

    def look(self) -> Counters:
        """Both as they are now; from any thread."""
        stamp, known = self._database.stamp.look(), self._known
        if known is not None and stamp == known[0]:
            return known[1]
        with self._database.reading() as session:
            row = session.execute(select(Dataset.generation, Dataset.last_point_id)).one()
        found = Counters(*row)
        self._known = None if stamp is None else (stamp, found)
        return found


def bump(session: Session) -> int:
    """Grow the generation inside the caller's transaction and give the new one; lock nothing else after it."""
    grown = update(Dataset).values(generation=Dataset.generation + 1).returning(Dataset.generation)
    return session.scalars(grown, execution_options=_PLAIN).one()


def next_point_ids(session: Session, count: int) -> range:
    """Ids for new points, never given before and, once committed, never again."""
    taken = update(Dataset).values(last_point_id=Dataset.last_point_id + count).returning(Dataset.last_point_id)
    last = session.scalars(taken, execution_options=_PLAIN).one()
    return range(last - count + 1, last + 1)


def skip_point_ids(session: Session, beyond: int) -> None:
    """Make the next new point greater than ``beyond``: the remedy when a restored registry is older than the store."""
    skipped = update(Dataset).where(Dataset.last_point_id < beyond).values(last_point_id=beyond)
    session.execute(skipped, execution_options=_PLAIN)
