"""The tiers readings are kept in, from raw to local days: their tables, grids and how to ask for a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US

_S = 1_000_000
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
        return {Tier.RAW: 1, Tier.MINUTE: MINUTE_US, Tier.QUARTER: QUARTER_US, Tier.DAY: DAY_US}[self]

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


_LOCALITY = {
    Tier.MINUTE: "toStartOfHour(start)",
    Tier.QUARTER: "toMonday(start)",
    Tier.DAY: "toStartOfMonth(start)",
}
"""What rollup tables are sorted by before the point, so that many points over a short span lie together."""

ROLLUPS = (Tier.MINUTE, Tier.QUARTER, Tier.DAY)


def within(tier: Tier, start_us: int, end_us: int, points: Sequence[int] | None = None) -> str:
    """A condition for the rows of those points that begin in [start, end); on sorted columns only, so that it may stand
    in PREWHERE beside FINAL.

    >>> within(Tier.RAW, 0, 60_000_000, [7])
    "point IN (7) AND time >= fromUnixTimestamp64Micro(0, 'UTC') AND time < fromUnixTimestamp64Micro(60000000, 'UTC')"
    """
    parts = [] if points is None else [among(points)]
    if tier is Tier.RAW:
        parts += [f"time >= {instant(start_us)}", f"time < {instant(end_us)}"]
        return " AND ".join(parts)
    low, high = (f"toDateTime({min(max(s, 0), 2**32 - 1)}, 'UTC')" for s in (-(-start_us // _S), (end_us - 1) // _S))
    locality = _LOCALITY[tier]
    parts += [f"{locality} >= {_at(locality, low)}", f"{locality} <= {_at(locality, high)}"]
    parts += [f"start >= {low}", f"start <= {high}"]
    return " AND ".join(parts)


def _at(locality: str, instant_sql: str) -> str:
    return locality.replace("(start)", f"({instant_sql})")


def among(points: Sequence[int]) -> str:
    """A condition for those points; none at all for no points."""
    return f"point IN ({', '.join(map(str, points))})" if points else "0"


def instant(time_us: int) -> str:
    """An instant as SQL, of the type of ``reading.time``."""
    return f"fromUnixTimestamp64Micro({time_us}, 'UTC')"
