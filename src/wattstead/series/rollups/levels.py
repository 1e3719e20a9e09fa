"""Levels of rolling up: from which rows each tier is made, in which buckets, and the statements that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.rollup import MINUTE_US
from wattstead.series.rows import filled, from_readings, from_rows
from wattstead.series.tiers import Tier, within

_S = 1_000_000
_HOUR_US, _DAY_US, _WEEK_US, _MONDAY_US = 3600 * _S, 86_400 * _S, 7 * 86_400 * _S, 4 * 86_400 * _S


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A tier and the finer one it is made from. Of local days the edges of one zone, and the points of that zone."""

    tier: Tier
    source: Tier
    bucket_sql: str
    """Start of the bucket, over ``time`` or ``start`` of the source."""
    edges_us: NDArray[np.int64] | None = None
    of_zone_sql: str = ""
    most_rows: int = 1_000_000
    """Rows of the source in one statement: what fits into its memory."""


MINUTE = Level(Tier.MINUTE, Tier.RAW, "toStartOfMinute(time)", most_rows=3_000_000)
QUARTER = Level(Tier.QUARTER, Tier.MINUTE, "toStartOfFifteenMinutes(start)")


def days_of(zone: str, edges_us: NDArray[np.int64]) -> Level:
    """The level of local days between those edges, for the points of that zone; points without a rule are in UTC."""
    starts = ", ".join(str(us // _S) for us in edges_us.tolist())
    bucket = f"toDateTime(roundDown(toInt64(toUnixTimestamp(start)), [{starts}]::Array(Int64)), 'UTC')"
    among, sign = ("NOT IN", "!=") if zone == "UTC" else ("IN", "=")
    of_zone = filled("points_of_zone", among=among, sign=sign, zone=zone)
    return Level(Tier.DAY, Tier.QUARTER, bucket, edges_us, of_zone)


class Statements:
    """The statements of one computation, whose rows take the place of all earlier ones.

    ``expired_us``: of some points the instant before which the level's source has expired: what was rolled up then
    stays.
    """

    def __init__(self, level: Level, version: int, expired_us: Mapping[int, int]) -> None:
        self._level, self._version, self._expired_us = level, version, expired_us

    def roll(self, where: str, rule_where: str = "1") -> str:
        """Computes the rows of buckets of which ``where`` takes all of the source."""
        level = self._level
        where = f"{where} AND {level.of_zone_sql}" if level.of_zone_sql else where
        if level.source is Tier.RAW:
            rows = from_readings(level.bucket_sql, where, rule_where)
        else:
            rows = from_rows(level.source, level.bucket_sql, where, rule_where)
        return filled("roll", table=level.tier.value, version=str(self._version), rows=rows, left=self._left("bucket"))

    def sweep(self, points: Sequence[int] | None, start_us: int, end_us: int) -> str:
        """Empties the rows of [start, end) that this computation has not made again."""
        level = self._level
        where = within(level.tier, start_us, end_us, points)
        where = f"{where} AND {level.of_zone_sql}" if level.of_zone_sql else where
        return filled("sweep", table=level.tier.value, version=str(self._version), where=where,
                      left=self._left("start"))  # fmt: skip

    def _left(self, start: str) -> str:
        """A condition for buckets whose source has not expired."""
        if not self._expired_us:
            return "1"
        points, times = ", ".join(map(str, self._expired_us)), ", ".join(map(str, self._expired_us.values()))
        begins = f"toInt64(toUnixTimestamp({start})) * 1000000"
        return f"{begins} >= transform(point, [{points}]::Array(UInt32), [{times}]::Array(Int64), toInt64(0))"


def among_cells(level: Level, point: NDArray[np.uint32], start_us: NDArray[np.int64], width_us: int) -> str:
    """A condition for the source rows in those cells, (point, start), which are ``width_us`` long (0: local days)."""
    if level.source is Tier.RAW:
        cell = "toStartOfMinute(time)" if width_us == MINUTE_US else "toStartOfHour(time)"
        span = within(Tier.RAW, int(start_us.min()), int(start_us.max()) + width_us)
        return f"{span} AND (point, {cell}) IN {_pairs(point, start_us)}"
    longest_us = width_us or 28 * _HOUR_US
    span = within(level.source, int(start_us.min()), int(start_us.max()) + longest_us)
    locality = "toStartOfHour(start)" if level.source is Tier.MINUTE else "toMonday(start)"
    near = _localities(level.source, point, start_us, longest_us)
    return f"{span} AND ({locality}, point) IN {near} AND (point, {level.bucket_sql}) IN {_pairs(point, start_us)}"


def _localities(source: Tier, point: NDArray[np.uint32], start_us: NDArray[np.int64], longest_us: int) -> str:
    """The (hour, point) or (week, point) in which those cells lie, as a set."""
    ends_us = start_us + longest_us - 1
    if source is Tier.MINUTE:
        begin = np.concatenate([start_us, ends_us]) // _HOUR_US * _HOUR_US
    else:
        begin = (np.concatenate([start_us, ends_us]) - _MONDAY_US) // _WEEK_US * _WEEK_US + _MONDAY_US
        begin = begin.clip(min=0)  # as toMonday has it: dates begin on a Thursday
    both = np.unique(np.stack([begin // _S, np.concatenate([point, point]).astype(np.int64)]), axis=1)
    to = "toDateTime(s, 'UTC')" if source is Tier.MINUTE else "toDate(toDateTime(s, 'UTC'))"
    return _set(f"arrayMap(s -> {to}, [{_listed(both[0])}]::Array(UInt32))", f"[{_listed(both[1])}]::Array(UInt32)")


def _pairs(point: NDArray[np.uint32], start_us: NDArray[np.int64]) -> str:
    starts = f"arrayMap(s -> toDateTime(s, 'UTC'), [{_listed(start_us // _S)}]::Array(UInt32))"
    return _set(f"[{_listed(point)}]::Array(UInt32)", starts)


def _set(first: str, second: str) -> str:
    return f"(SELECT arrayJoin(arrayZip({first}, {second})) AS cell)"


def _listed(numbers: NDArray[np.uint32] | NDArray[np.int64]) -> str:
    return ", ".join(map(str, numbers.tolist()))
