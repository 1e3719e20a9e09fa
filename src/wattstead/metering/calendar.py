"""The site calendar: edges of buckets that follow local days, weeks, months and years, as instants in UTC.

Knows IANA zones through zoneinfo and nothing of readings. Every edge lies on a UTC quarter hour (finer steps on their
own UTC multiples), because no zone since 1972 is off by less; where older local time was, the quarter hour before is
taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.errors import WattsteadError

_S = 1_000_000
_QUARTER_US = 900 * _S
_DAY_US = 86_400 * _S
_CENTURY_US = 36_525 * _DAY_US
_EDGE_LIMIT_US = 7_000_000_000 * _S
MAX_EDGES = 2_000_000
"""More edges than this in one question are refused."""


class CalendarError(WattsteadError):
    """A zone that does not exist, or a span no calendar can be made for."""


class Step(StrEnum):
    """How long a bucket is; from half an hour on in the wall clock of the site."""

    S1 = "1s"
    S5 = "5s"
    S10 = "10s"
    S30 = "30s"
    MIN1 = "1min"
    MIN5 = "5min"
    MIN10 = "10min"
    MIN15 = "15min"
    MIN30 = "30min"
    H1 = "1h"
    H3 = "3h"
    H6 = "6h"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    @property
    def length_s(self) -> float:
        """Its usual length in seconds; a month and a year by their average in the Gregorian calendar."""
        return _LENGTH_S[self]


_LENGTH_S: dict[Step, float] = {
    Step.S1: 1,
    Step.S5: 5,
    Step.S10: 10,
    Step.S30: 30,
    Step.MIN1: 60,
    Step.MIN5: 300,
    Step.MIN10: 600,
    Step.MIN15: 900,
    Step.MIN30: 1800,
    Step.H1: 3600,
    Step.H3: 10_800,
    Step.H6: 21_600,
    Step.DAY: 86_400,
    Step.WEEK: 604_800,
    Step.MONTH: 2_629_746,
    Step.YEAR: 31_556_952,
}


def choose_step(span_s: float, buckets: int) -> Step:
    """The step whose number of buckets over the span is nearest, as a ratio, to the number wanted.

    >>> choose_step(31 * 86_400, 1600), choose_step(10 * 365 * 86_400, 1600), choose_step(60, 1600)
    (<Step.MIN30: '30min'>, <Step.DAY: 'day'>, <Step.S1: '1s'>)
    """
    wanted_s = max(span_s, 1e-6) / max(buckets, 1)
    return min(Step, key=lambda step: abs(np.log(step.length_s / wanted_s)))


@lru_cache(maxsize=1024)
def zone_info(zone: str) -> ZoneInfo:
    """The zone of that IANA name; `CalendarError` when there is none."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError(f"time zone {zone!r} is not known; expected an IANA name such as Europe/Berlin") from error


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """The calendar of a site: its IANA time zone."""

    zone: str

    def edges_us(self, start_us: int, end_us: int, step: Step) -> NDArray[np.int64]:
        """See `edges_us`."""
        return edges_us(self.zone, start_us, end_us, step)

    def day_us(self, instant_us: int) -> tuple[int, int]:
        """First instant of the local day that holds ``instant_us``, and first instant of the next."""
        edges = self.edges_us(instant_us, instant_us + 1, Step.DAY)
        return int(edges[0]), int(edges[-1])


def edges_us(zone: str, start_us: int, end_us: int, step: Step) -> NDArray[np.int64]:
    """Edges of all buckets that touch [start, end), strictly growing, from at or before start to at or after end.

    A bucket begins at the first instant at which the wall clock of the zone shows its first moment or a later one: a
    midnight that does not exist becomes the first instant after it, a day that does not exist has no bucket, and of a
    midnight that happens twice the first counts. An hour or half hour that happens twice makes two buckets. Weeks
    begin on Monday. Raises `CalendarError` for an unknown zone, an empty span, times outside years 1750–2190 or more
    than `MAX_EDGES` buckets.

    >>> spring = edges_us("Europe/Berlin", 1_774_738_800 * _S, 1_774_821_600 * _S, Step.DAY)
    >>> (np.diff(spring) // (3600 * _S)).tolist()
    [23]
    """
    _check(start_us, end_us, step.length_s)
    if step.length_s <= 900:
        zone_info(zone)
        width = int(step.length_s) * _S
        return np.arange(start_us // width, -(-end_us // width) + 1, dtype=np.int64) * width
    slack = int(step.length_s * _S) + 3 * _DAY_US
    edges = _wall_edges(_Stretches.of(zone, start_us - slack, end_us + slack), step)
    return _around(edges, start_us, end_us)


def _check(start_us: int, end_us: int, length_s: float) -> None:
    if not start_us < end_us or start_us < -_EDGE_LIMIT_US or end_us > _EDGE_LIMIT_US:
        raise CalendarError(f"span {start_us} to {end_us} µs; expected start before end, both in years 1750 to 2190")
    if (end_us - start_us) / _S / length_s > MAX_EDGES:
        raise CalendarError(f"more than {MAX_EDGES} buckets of {length_s:g} s; ask for a shorter span or a longer step")


def _around(edges: NDArray[np.int64], start_us: int, end_us: int) -> NDArray[np.int64]:
    """Those edges from the last at or before start to the first at or after end."""
    first = int(np.searchsorted(edges, start_us, side="right")) - 1
    last = int(np.searchsorted(edges, end_us, side="left"))
    return edges[first : last + 1]


def wall_edges_us(zone: str, start_us: int, end_us: int, every_us: int) -> NDArray[np.int64]:
    """Edges of buckets of one length in the wall clock of the zone, counted from its 1970, that touch [start, end).

    Strictly growing, from at or before start to at or after end. A bucket over a change of the clock is longer or
    shorter by that; where the clock goes back by at least a bucket, what happens twice makes buckets of its own. Raises
    `CalendarError` as `edges_us` does, and for buckets shorter than a quarter of an hour or longer than a century.

    >>> autumn = wall_edges_us("Europe/Paris", 1_792_879_200 * _S, 1_792_969_200 * _S, 12 * 3600 * _S)
    >>> (np.diff(autumn) // (3600 * _S)).tolist()
    [13, 12]
    """
    if not _QUARTER_US <= every_us <= _CENTURY_US:
        raise CalendarError(f"buckets of {every_us / _S:g} s by the wall clock; expected 900 s to 100 years")
    _check(start_us, end_us, every_us / _S)

    def walls(low_us: int, high_us: int) -> NDArray[np.int64]:
        return np.arange(-(-low_us // every_us), -(-high_us // every_us), dtype=np.int64) * every_us

    spans = _Stretches.of(zone, start_us - every_us - 3 * _DAY_US, end_us + every_us + 3 * _DAY_US)
    edges = _distinct(_instants(spans, walls, lambda back_us: every_us <= back_us))
    return _around(edges, start_us, end_us)


@dataclass(frozen=True, slots=True)
class _Stretches:
    """The stretches of constant offset from UTC that cover a span: where each begins and ends, and its offset."""

    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    offset_us: NDArray[np.int64]

    @staticmethod
    def of(zone: str, start_us: int, end_us: int) -> _Stretches:
        first_year = int(np.datetime64(start_us, "us").astype("datetime64[Y]").astype(int)) + 1970
        last_year = int(np.datetime64(end_us, "us").astype("datetime64[Y]").astype(int)) + 1970
        changes: list[tuple[int, int]] = []
        for year in range(first_year, last_year + 1):
            for at, offset in _offsets(zone, year):
                if not changes or changes[-1][1] != offset:
                    changes.append((at, offset))
        starts = np.array([at for at, _ in changes], np.int64)
        ends = np.append(starts[1:], _year_start_s(last_year + 1) * _S)
        return _Stretches(starts, ends, np.array([offset for _, offset in changes], np.int64))


def _wall_edges(spans: _Stretches, step: Step) -> NDArray[np.int64]:
    """Edges inside the stretches: the first instant the wall clock shows each bucket's first moment or a later one."""
    edges = _instants(spans, lambda low, high: _wall_starts(low, high, step), lambda _: step.length_s <= 3600)
    return _distinct(edges // _QUARTER_US * _QUARTER_US)


def _instants(
    spans: _Stretches, walls_of: Callable[[int, int], NDArray[np.int64]], twice: Callable[[int], bool]
) -> NDArray[np.int64]:
    """The first instants at which the wall clock shows those walls or later; where it goes back by so much that
    ``twice`` says so, also the second ones; in no order. ``walls_of`` gives the walls in [low, high)."""
    wall_end = np.maximum.accumulate(spans.end_us + spans.offset_us)
    walls = walls_of(int(spans.start_us[0] + spans.offset_us[0]), int(wall_end[-1]))
    at = np.searchsorted(wall_end, walls, side="right")
    edges = [np.maximum(spans.start_us[at], walls - spans.offset_us[at])]
    for i in np.flatnonzero(spans.offset_us[1:] < spans.offset_us[:-1]) + 1:
        if twice(int(spans.offset_us[i - 1] - spans.offset_us[i])):
            again = walls_of(int(spans.start_us[i] + spans.offset_us[i]), int(wall_end[i - 1]))
            edges.append(again - spans.offset_us[i])
    return np.concatenate(edges)


def _distinct(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges in order, each once; they nearly are already, which is sooner sorted than looked up."""
    edges = np.sort(edges, kind="stable")
    return np.asarray(edges[np.append(True, edges[1:] != edges[:-1])[: len(edges)]], np.int64)


def _wall_starts(low_us: int, high_us: int, step: Step) -> NDArray[np.int64]:
    """The wall-clock starts of buckets in [low, high), as if the wall clock were UTC."""
    unit = {Step.MONTH: "datetime64[M]", Step.YEAR: "datetime64[Y]"}.get(step)
    if unit is not None:
        first, last = (np.datetime64(us, "us").astype(unit).astype(np.int64) for us in (low_us, high_us))
        starts = np.arange(first, last + 1).astype(unit).astype("datetime64[us]").astype(np.int64)
    else:
        width = int(step.length_s) * _S
        origin = -3 * _DAY_US if step is Step.WEEK else 0
        starts = np.arange((low_us - origin) // width, (high_us - origin) // width + 1, dtype=np.int64) * width + origin
    return np.asarray(starts[(starts >= low_us) & (starts < high_us)], np.int64)


@lru_cache(maxsize=65_536)
def _offsets(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """(instant, offset from then on) in µs: at the start of the UTC year, and at each change in it."""
    start_s, end_s = _year_start_s(year), _year_start_s(year + 1)
    found = [(start_s, _offset_s(zone, start_s))]
    for next_s in range(start_s + 21_600, end_s + 1, 21_600):
        while _offset_s(zone, next_s) != found[-1][1]:
            change_s = _change(zone, max(next_s - 21_600, found[-1][0]), next_s, found[-1][1])
            if change_s >= end_s:
                break
            found.append((change_s, _offset_s(zone, change_s)))
    return tuple((at * _S, offset * _S) for at, offset in found)


def _change(zone: str, low_s: int, high_s: int, offset_s: int) -> int:
    """The first second in (low, high] whose offset is another, by halving."""
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if _offset_s(zone, middle_s) == offset_s:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s


def _offset_s(zone: str, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, zone_info(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _year_start_s(year: int) -> int:
    return int(np.datetime64(year - 1970, "Y").astype("datetime64[s]").astype(np.int64))
