"""Thinning: many readings of a stretch of time become few that make the same rollups; pure.

A register keeps its first and last reading of each bucket, amounts become their sum, a state keeps its changes, a
level keeps its first and last reading and between them its mean, a mean over the time before its first reading and the
mean since: so energy across any edge of buckets is what it was.
Where a register was reset, wrapped or fell silent a bucket is cut: the readings on both sides stay. What is of an
unknown kind stays as it came. What was thinned can be thinned further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point, StepMode, StepRule, step_rule, usual_gap_s
from wattstead.metering.quantity import Kind, Quality, UnitError, conversion
from wattstead.metering.rollup import RollupRows, bucket_starts, pairs_of, roll, settle
from wattstead.metering.suggestion import suggestion

_MS_US = 1_000
_ROWS = 20_000
"""Readings that are thinned at once, about."""


class Meaning(NamedTuple):
    """What thinning must know of a series: its kind, and its step rule in the unit in which it is kept on site."""

    kind: Kind | None
    """None: nobody has said, and nothing tells."""
    rule: StepRule

    @classmethod
    def of(cls, point: Point, unit: str) -> Meaning:
        """Of a point whose readings come in ``unit`` (empty: its own).

        >>> Meaning.of(Point(id=1, kind=Kind.REGISTER, unit="Wh", resolution=1.0), "kWh").rule.quantum
        0.001
        """
        rule = step_rule(point)
        if point.kind in (Kind.GAUGE, Kind.MEAN):
            mode = StepMode.MEAN if point.kind is Kind.MEAN else StepMode.POWER
            return cls(point.kind, StepRule(mode, max_gap_us=rule.max_gap_us))
        try:
            factor, _ = conversion(unit, point.unit) if unit and point.unit else (1.0, 0.0)
        except UnitError:
            factor = 1.0
        return cls(point.kind, msgspec.structs.replace(rule, quantum=rule.quantum / factor))

    @classmethod
    def guessed(cls, address: str, unit: str) -> Meaning:
        """Of an address of which nobody has said anything, by what the server will propose for it.

        >>> Meaning.guessed("pulse/7/blinks", "pulse").kind, Meaning.guessed("x/17", "").kind
        (<Kind.DELTA: 'delta'>, None)
        """
        found = suggestion(address.rpartition("/")[2], unit)
        if found is None:
            return UNKNOWN
        gap_s = usual_gap_s(found.kind)
        return cls.of(Point(id=0, kind=found.kind, quantity=found.quantity, unit=found.unit, max_gap_s=gap_s), unit)


UNKNOWN = Meaning(None, StepRule(StepMode.NONE))


def thinned(
    batch: ReadingBatch, meanings: Mapping[int, Meaning], width_us: int, strictly: bool = False
) -> ReadingBatch:
    """The readings with each bucket of ``width_us`` thinned, in order of time; what has no meaning stays as it came.

    ``strictly``: of a level no reading but a bucket's first and last stays, even where that makes more of them.

    >>> seconds = ReadingBatch.of([1] * 60, [s * 1_000_000 for s in range(60)], [100.0] * 60)
    >>> thinned(seconds, {1: Meaning.guessed("power", "W")}, 60_000_000).value.tolist()
    [100.0, 100.0, 100.0, 100.0]
    """
    if not len(batch):
        return batch
    settled = settle([batch])
    few, starts_us = _Few(), bucket_starts(settled.time_us, width_us)
    begins = np.flatnonzero((settled.point[1:] != settled.point[:-1]) | (starts_us[1:] != starts_us[:-1])) + 1
    begin = 0
    while begin < len(settled):  # whole buckets, few at once: what is computed between takes twenty times their room
        at = int(np.searchsorted(begins, begin + _ROWS))
        end = int(begins[at]) if at < len(begins) else len(settled)
        _thin(few, rows_of(settled, slice(begin, end)), meanings, width_us, strictly)
        begin = end
    return few.batch(batch.version)


def _thin(few: _Few, settled: ReadingBatch, meanings: Mapping[int, Meaning], width_us: int, strictly: bool) -> None:
    """Put what remains of whole buckets into ``few``."""
    known = {int(point): meanings.get(int(point), UNKNOWN) for point in np.unique(settled.point)}
    rules = {one: known[one].rule for one in known}
    rows = roll(settled, _pieces(settled, width_us, rules), rules)
    last = np.cumsum(rows.count.astype(np.int64)) - 1
    first = np.append(0, last[:-1] + 1)
    is_kind = {kind: np.array([known[int(p)].kind is kind for p in rows.point], np.bool_) for kind in (*Kind, None)}
    gap_us = np.array([known[int(point)].rule.max_gap_us for point in rows.point], np.int64)
    stretches = np.maximum(1, -(-(rows.last_time_us - rows.first_time_us) // np.maximum(gap_us, 1)))
    level = 2 if strictly else 3 + stretches
    least = np.select([is_kind[one] for one in (Kind.REGISTER, Kind.GAUGE, Kind.MEAN)], [2, level, 1 + stretches], 1)
    as_it_came = (rows.count <= least) | is_kind[Kind.STATE] | is_kind[None]
    kept = np.repeat(as_it_came, rows.count.astype(np.int64)) & _changes(settled, first, last, is_kind[Kind.STATE])
    few.add(settled.point[kept], settled.time_us[kept], settled.value[kept], settled.quality[kept])
    some = np.flatnonzero(is_kind[Kind.REGISTER] & ~as_it_came)
    few.take(settled, first[some])
    few.take(settled, last[some])
    some = np.flatnonzero(is_kind[Kind.DELTA] & ~as_it_came)
    quantum = np.array([known[int(point)].rule.quantum for point in rows.point[some]], np.float64)
    few.add(rows.point[some], rows.first_time_us[some], rows.step[some] * quantum)
    some = np.flatnonzero(is_kind[Kind.GAUGE] & ~as_it_came)
    few.take(settled, first[some])
    few.take(settled, last[some])
    _levels(few, rows.rows(some), stretches[some])
    some = np.flatnonzero(is_kind[Kind.MEAN] & ~as_it_came)
    few.take(settled, first[some])
    _means(few, rows.rows(some), stretches[some])


def _pieces(settled: ReadingBatch, width_us: int, rules: Mapping[int, StepRule]) -> NDArray[np.int64]:
    """Which piece of a bucket each reading is in: one is cut where a step is odd, so that no flag is inside of any."""
    start_us = bucket_starts(settled.time_us, width_us)
    cut = np.append(False, (pairs_of(settled, rules).flags != 0) | (start_us[1:] != start_us[:-1]))
    return np.cumsum(cut)


def _means(few: _Few, rows: RollupRows, stretches: NDArray[np.int64]) -> None:
    """The mean since the first reading at the last one, and after each of so many stretches: the area stays."""
    span_us = rows.last_time_us - rows.first_time_us
    mean = np.clip(rows.step / (span_us / _MS_US), rows.min, rows.max)  # steps are rounded
    row = np.repeat(np.arange(len(rows)), stretches)
    number = np.arange(len(row)) - np.repeat(np.cumsum(stretches) - stretches, stretches) + 1
    few.add(rows.point[row], rows.first_time_us[row] + span_us[row] * number // stretches[row], mean[row])


def _levels(few: _Few, rows: RollupRows, stretches: NDArray[np.int64]) -> None:
    """The mean of levels from a millisecond after the first to one before the last reading: the area stays.

    It is said again after each of so many stretches, so that no silence is longer than the longest gap of its point.
    """
    span_ms = (rows.last_time_us - rows.first_time_us) / _MS_US
    wide = span_ms > 3
    corners = (rows.first_value + rows.last_value) / 2
    mean = np.clip((rows.step - corners) / np.where(wide, span_ms - 1, 1), rows.min, rows.max)  # steps are rounded
    row = np.repeat(np.flatnonzero(wide), stretches[wide] + 1)
    number = np.arange(len(row)) - np.repeat(
        np.cumsum(stretches[wide] + 1) - (stretches[wide] + 1), stretches[wide] + 1
    )
    inside_us = rows.last_time_us[row] - rows.first_time_us[row] - 2 * _MS_US
    few.add(rows.point[row], rows.first_time_us[row] + _MS_US + inside_us * number // stretches[row], mean[row])


def _changes(
    settled: ReadingBatch, first: NDArray[np.int64], last: NDArray[np.int64], states: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which readings of states say something: the first and last of a bucket, and what is another than before."""
    says = np.append(True, settled.value[1:] != settled.value[:-1])
    says[first] = says[last] = True
    size = last - first + 1
    return says | ~np.repeat(states, size)


class _Few:
    """What remains, collected."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]] = []

    def add(
        self, point: NDArray[np.uint32], time_us: NDArray[np.int64], value: NDArray[np.float64],
        quality: NDArray[np.uint8] | None = None,
    ) -> None:  # fmt: skip
        """Readings; without a quality they were computed."""
        made = np.full(len(point), Quality.ESTIMATED, np.uint8) if quality is None else quality
        self._parts.append((point, time_us, value, made))

    def take(self, batch: ReadingBatch, rows: NDArray[np.int64]) -> None:
        """Readings as they came."""
        self.add(batch.point[rows], batch.time_us[rows], batch.value[rows], batch.quality[rows])

    def batch(self, version: int) -> ReadingBatch:
        """All of them in order of time."""
        point, time_us, value, quality = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        return in_order(ReadingBatch(point, time_us, value, quality, version))


def in_order(batch: ReadingBatch) -> ReadingBatch:
    """By time; of one series and instant the later stays behind."""
    order = np.lexsort((batch.point, batch.time_us))
    return ReadingBatch(
        batch.point[order], batch.time_us[order], batch.value[order], batch.quality[order], batch.version
    )


def joined(batches: list[ReadingBatch]) -> ReadingBatch:
    """Batches as one, in their order."""
    if not batches:
        return ReadingBatch.of([], [], [])
    return ReadingBatch(
        np.concatenate([one.point for one in batches]),
        np.concatenate([one.time_us for one in batches]),
        np.concatenate([one.value for one in batches]),
        np.concatenate([one.quality for one in batches]),
    )


def rows_of(batch: ReadingBatch, rows: slice | NDArray[np.intp]) -> ReadingBatch:
    """Those rows, in that order."""
    return ReadingBatch(batch.point[rows], batch.time_us[rows], batch.value[rows], batch.quality[rows], batch.version)


def chosen(batch: ReadingBatch, rows: NDArray[np.bool_]) -> ReadingBatch:
    """Only those rows."""
    if bool(rows.all()):
        return batch
    return ReadingBatch(batch.point[rows], batch.time_us[rows], batch.value[rows], batch.quality[rows], batch.version)


Meanings = Callable[[], Mapping[int, Meaning]]
"""What the series of an edge mean at present."""
