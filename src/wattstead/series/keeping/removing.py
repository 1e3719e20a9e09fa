"""Removing readings for good: of points that are erased, or of a span; after it their bytes are gone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from wattstead.series.connection import LONG_STATEMENTS, Connection
from wattstead.series.errors import StoreUnavailable
from wattstead.series.marks import ERA, Marks
from wattstead.series.rows import filled, text
from wattstead.series.tiers import Tier, among, within

_POLL_S, _PATIENCE_S = 0.1, 1200.0
ERASED = ("reading", "reading_replaced", "minute", "quarter", "day", "rule")
"""Every table that says something about a point."""


def erase(connection: Connection, marks: Marks, points: Sequence[int]) -> None:
    """Removes everything about those points from every table, and from the disk."""
    if points:
        marks.next(ERA)  # before too: minutes that are counted meanwhile are not trusted
        delete(connection, {table: _there(connection, table, among(points)) for table in ERASED})
        marks.next(ERA)


def remove_span(connection: Connection, marks: Marks, points: Sequence[int], start_us: int, end_us: int) -> None:
    """Removes the readings of points in [start, end), and what they replaced; their rollups are then to be rolled."""
    where = within(Tier.RAW, start_us, end_us, points)
    marks.next(ERA)
    delete(connection, {table: _there(connection, table, where) for table in ("reading", "reading_replaced")})
    marks.next(ERA)


def delete(connection: Connection, commands: Mapping[str, Sequence[str]]) -> None:
    """Removes rows for good and returns when they are gone: by table, commands like ``DELETE WHERE point = 7``.

    The store rewrites the parts of a table once for all commands together, beside its other work. Raises
    `StoreUnavailable` when it does not come to an end: what has begun goes on, and may be asked for again.
    """
    for table, parts in commands.items():
        if parts:
            connection.run(f"ALTER TABLE {table} {', '.join(parts)}", {"mutations_sync": 0, **LONG_STATEMENTS})
    if any(commands.values()):
        _wait(connection)


def _there(connection: Connection, table: str, where: str) -> list[str]:
    """What deletes those rows, where there are any."""
    found = connection.columns(filled("any_row", table=table, where=where), slow=True)
    return [f"DELETE WHERE {where}"] if found else []


def _wait(connection: Connection) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        found = connection.columns(text("open_mutations"))
        if not found or not int(found["open"][0]):
            return
        if time.monotonic() > until_s:
            reason = found["reason"][0] or f"removals take longer than {_PATIENCE_S:g} s"
            raise StoreUnavailable(str(reason), 341)
        time.sleep(_POLL_S)
