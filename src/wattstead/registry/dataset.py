"""Which data set this is, its generation, and the ids of its points; holds nothing that a person names."""

from __future__ import annotations

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from wattstead.registry.tables import Dataset


def identity(session: Session) -> str:
    """The data set's id, made once; journal and store of another data set do not belong to it."""
    return session.scalars(select(Dataset.identity)).one()


def generation(session: Session) -> int:
    """A number that grows with every change that caches must see; not with each new address."""
    return session.scalars(select(Dataset.generation)).one()


def bump(session: Session) -> int:
    """Grow the generation inside the caller's transaction and give the new one; call it last, it locks."""
    grown = update(Dataset).values(generation=Dataset.generation + 1).returning(Dataset.generation)
    return session.scalars(grown, execution_options={"synchronize_session": False}).one()


def largest_point_id(session: Session) -> int:
    """The largest point id ever given, 0 before the first; deleted points count."""
    if _is_sqlite(session):
        return session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'point'")) or 0
    return session.scalar(text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM point_id_seq")) or 0


def next_point_ids(session: Session, count: int) -> list[int]:
    """Ids for new points, ascending, never given before and never again."""
    if _is_sqlite(session):  # this transaction holds the write lock; inserting the ids moves sqlite_sequence
        last = largest_point_id(session)
        return list(range(last + 1, last + 1 + count))
    taken = text("SELECT nextval('point_id_seq') FROM generate_series(1, :count)")
    return sorted(session.scalars(taken, {"count": count}))


def skip_point_ids(session: Session, beyond: int) -> None:
    """Make the next new point greater than ``beyond``: the remedy when a restored registry is older than the store."""
    if beyond <= largest_point_id(session):
        return
    if not _is_sqlite(session):
        session.execute(text("SELECT setval('point_id_seq', :beyond)"), {"beyond": beyond})
        return
    moved = session.execute(
        text("UPDATE sqlite_sequence SET seq = :beyond WHERE name = 'point' RETURNING 1"), {"beyond": beyond}
    )
    if moved.first() is None:
        session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('point', :beyond)"), {"beyond": beyond})


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
