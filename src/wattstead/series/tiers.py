"""The tiers readings are kept in, from raw to local days: their tables, grids and how to ask for a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US

_S = 1_000_000
_EPOCH = datetime(1970, 1, 1)  # of UTC, as the store's columns are
FIRST_US = 0
LAST_US = 4_260_211_200_000_000
"""Readings from 1970 up to, not including, 2105-01-01 can be kept: a rollup row's start is 32 bits of seconds."""

LONGEST_DAY_US = 28 * 3_600_000_000
"""No local day is longer."""


class Tier(StrEnum):
    """A table of readings or of rollup rows; its value is the table's name."""

    RAW = "reading"
    MINUTE = "minute"
    QUARTER = "quarter"
    DAY = "day"

    @property
    def length_us(self) -> int:
        """The length of its buckets; of a local day the usual one, of readings the smallest."""
        return _LENGTH_US[self]

    @property
    def start_sql(self) -> str:
        """The column that says where a row belongs in time, in µs since 1970."""
        if self is Tier.RAW:
            return "toUnixTimestamp64Micro(time)"
        return "toInt64(toUnixTimestamp(start)) * 1000000"

    @property
    def order_sql(self) -> str:
        """The order rows are kept in; within it the rows of one point are in order of time."""
        return ", ".join(filter(None, (_LOCALITY.get(self, ""), "point", "time" if self is Tier.RAW else "start")))


_LENGTH_US = {Tier.RAW: 1, Tier.MINUTE: MINUTE_US, Tier.QUARTER: QUARTER_US, Tier.DAY: DAY_US}
_LOCALITY = {
    Tier.MINUTE: "toStartOfHour(start)",
    Tier.QUARTER: "toMonday(start)",
    Tier.DAY: "toStartOfMonth(start)",
}
"""What rollup tables are sorted by before the point, so that many points over a short span lie together."""
_FEW_POINTS = 8
"""For so few points the engine finds days and quarter hours by start alone, and a shorter condition is cheaper."""

ROLLUPS = (Tier.MINUTE, Tier.QUARTER, Tier.DAY)


def within(tier: Tier, start_us: int, end_us: int, points: Sequence[int] | None = None) -> str:
    """A condition for the rows of those points that begin in [start, end); on sorted columns only, so that it may stand
    in PREWHERE beside FINAL. Constants are written out: the engine takes longer to compute them than to read the rows.

    >>> within(Tier.RAW, 0, 60_000_000, [7])
    "point = 7 AND time < '1970-01-01 00:01:00.000000'"
    """
    parts = [] if points is None else [among(points)]
    start_us, end_us = max(start_us, FIRST_US), min(end_us, LAST_US)
    if tier is Tier.RAW:
        parts += [f"time >= {_written(start_us)}"] if start_us > FIRST_US else []
        parts += [f"time < {_written(end_us)}"] if end_us < LAST_US else []
        return " AND ".join(parts) or "1"
    low, high = -(-start_us // _S), (end_us - 1) // _S
    if points is None or len(points) > _FEW_POINTS or tier is Tier.MINUTE:
        locality = _LOCALITY[tier]
        parts += [f"{locality} >= {_begin(tier, low)}", f"{locality} <= {_begin(tier, high)}"]
    return " AND ".join([*parts, f"start >= {low}", f"start <= {high}"])


def _begin(tier: Tier, time_s: int) -> str:
    """The locality of an instant, as SQL."""
    if tier is Tier.MINUTE:
        return str(time_s // 3600 * 3600)
    day = (_EPOCH + timedelta(seconds=time_s)).date()
    return f"'{day.replace(day=1) if tier is Tier.DAY else day - timedelta(days=day.weekday())}'"


def _written(time_us: int) -> str:
    """An instant as the engine reads it into the type of ``reading.time``."""
    return f"'{(_EPOCH + timedelta(microseconds=time_us)).isoformat(' ', 'microseconds')}'"


def among(points: Sequence[int]) -> str:
    """A condition for those points; none at all for no points."""
    if len(points) == 1:
        return f"point = {points[0]}"
    return f"point IN ({', '.join(map(str, points))})" if points else "0"


def instant(time_us: int) -> str:
    """An instant as SQL, of the type of ``reading.time``."""
    return f"fromUnixTimestamp64Micro({time_us}, 'UTC')"
