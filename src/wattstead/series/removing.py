"""Removing readings for good: of points that are erased, or of a span; after it their bytes are gone."""

from __future__ import annotations

from collections.abc import Sequence

from wattstead.series.connection import Connection
from wattstead.series.marks import ERA, Marks
from wattstead.series.rows import filled
from wattstead.series.tiers import Tier, among, within

_AT_A_TIME = 5_000
_WAIT = {"mutations_sync": 2}
ERASED = ("reading", "reading_replaced", "minute", "quarter", "day", "rule")
"""Every table that says something about a point."""


def erase(connection: Connection, marks: Marks, points: Sequence[int]) -> None:
    """Removes everything about those points from every table, and from the disk."""
    for at in range(0, len(points), _AT_A_TIME):
        for table in ERASED:
            delete(connection, table, among(points[at : at + _AT_A_TIME]))
    if points:
        marks.next(ERA)


def remove_span(connection: Connection, marks: Marks, point: int, start_us: int, end_us: int) -> None:
    """Removes the readings of one point in [start, end), and what they replaced; its rollups are then to be rolled."""
    where = within(Tier.RAW, start_us, end_us, [point])
    for table in ("reading", "reading_replaced"):
        delete(connection, table, where)
    marks.next(ERA)


def delete(connection: Connection, table: str, where: str, partition: str = "") -> None:
    """Removes rows for good and returns when they are gone; does nothing where there are none."""
    if connection.columns(filled("any_row", table=table, where=where), slow=True):
        within_partition = f"IN PARTITION ID '{partition}'" if partition else ""
        connection.run(filled("delete_rows", table=table, partition=within_partition, where=where), _WAIT)
