"""Which data set this is, its generation, and the ids of its points; holds nothing that a person names.

Both counters are one row, locked until the transaction ends: a smaller id or generation is never committed after a
greater one, so whoever has seen all up to a number has missed nothing.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.registry.tables import Dataset

_PLAIN = {"synchronize_session": False}


def identity(session: Session) -> str:
    """The data set's id, made once; journal and store of another data set do not belong to it."""
    return session.scalars(select(Dataset.identity)).one()


def generation(session: Session) -> int:
    """A number that grows with every change that caches must see; not with each new address."""
    return session.scalars(select(Dataset.generation)).one()


def bump(session: Session) -> int:
    """Grow the generation inside the caller's transaction and give the new one; lock nothing else after it."""
    grown = update(Dataset).values(generation=Dataset.generation + 1).returning(Dataset.generation)
    return session.scalars(grown, execution_options=_PLAIN).one()


def largest_point_id(session: Session) -> int:
    """The largest point id ever given, 0 before the first; deleted points count."""
    return session.scalars(select(Dataset.last_point_id)).one()


def next_point_ids(session: Session, count: int) -> range:
    """Ids for new points, never given before and, once committed, never again."""
    taken = update(Dataset).values(last_point_id=Dataset.last_point_id + count).returning(Dataset.last_point_id)
    last = session.scalars(taken, execution_options=_PLAIN).one()
    return range(last - count + 1, last + 1)


def skip_point_ids(session: Session, beyond: int) -> None:
    """Make the next new point greater than ``beyond``: the remedy when a restored registry is older than the store."""
    skipped = update(Dataset).where(Dataset.last_point_id < beyond).values(last_point_id=beyond)
    session.execute(skipped, execution_options=_PLAIN)
