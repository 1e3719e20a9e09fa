"""Retention: removes what is older than it is kept, of some points, tier by tier; how long that is, the caller decides.

Whole partitions only (weeks of readings, months of rollups), so that each is rewritten once at most for a set of
points: bytes may stay up to a partition longer. What counts as expired, counts so at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from wattstead.series.connection import Connection
from wattstead.series.keeping.removing import delete
from wattstead.series.marks import ERA, Marks
from wattstead.series.rows import filled
from wattstead.series.rules import Expired, Rules
from wattstead.series.tiers import among, instant

_S = 1_000_000


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """The instants (µs) before which each tier is removed; 0: it is kept for ever."""

    raw_us: int = 0
    minute_us: int = 0
    quarter_us: int = 0
    day_us: int = 0
    replaced_us: int = 0


def apply(connection: Connection, marks: Marks, rules: Rules, points: Sequence[int], before: Retention) -> list[str]:
    """Removes what has expired of those points; answers the parts of tables that were rewritten or dropped.

    Coarser tiers are never computed again from what is left, and questions no longer look at what has expired.
    """
    if not points:
        return []
    rules.expire(points, Expired(before.raw_us, before.minute_us, before.quarter_us))
    found = {
        (table, partition): f"{among(points)} AND {column} < {instant(until_us)}"
        for table, column, until_us in _tables(before)
        if until_us > 0
        for partition in _partitions(connection, table, f"{among(points)} AND {column} < {instant(until_us)}")
    }
    commands: dict[str, list[str]] = {}
    for (table, partition), gone in found.items():
        if _has_others(connection, table, partition, gone):
            commands.setdefault(table, []).append(f"DELETE IN PARTITION ID '{partition}' WHERE {gone}")
        else:
            connection.run(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")
    delete(connection, commands)
    if found:
        marks.next(ERA)
    return [f"{table} {partition}" for table, partition in found]


def _tables(before: Retention) -> list[tuple[str, str, int]]:
    """Table, its column of time, and the start of the partition in which it is kept from."""
    return [
        ("reading", "time", _week_start_us(before.raw_us)),
        ("reading_replaced", "time", _month_start_us(before.replaced_us)),
        ("minute", "start", _month_start_us(before.minute_us)),
        ("quarter", "start", _month_start_us(before.quarter_us)),
        ("day", "start", _month_start_us(before.day_us)),
    ]


def _partitions(connection: Connection, table: str, gone: str) -> list[str]:
    """The partitions that have such rows."""
    found = connection.columns(filled("partitions", table=table, where=gone), slow=True)
    return [str(partition) for partition in found["partition"]] if found else []


def _has_others(connection: Connection, table: str, partition: str, gone: str) -> bool:
    others = filled("any_row", table=table, where=f"_partition_id = '{partition}' AND NOT ({gone})")
    return bool(connection.columns(others, slow=True))


def _week_start_us(time_us: int) -> int:
    at = datetime.fromtimestamp(time_us // _S, UTC)
    monday = at.date() - timedelta(days=at.weekday())
    return int(datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()) * _S


def _month_start_us(time_us: int) -> int:
    at = datetime.fromtimestamp(time_us // _S, UTC)
    return int(datetime(at.year, at.month, 1, tzinfo=UTC).timestamp()) * _S
