"""Rollup rows: readings summed into buckets, rows merged into coarser rows, exact amounts between edges.

The oracle for what the store computes in SQL, and what the agent on site uses; it stores nothing and chooses no
buckets. Every sum of floats runs from the first reading (or row) to the last, one after another, so that one set of
readings has one result to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.errors import WattsteadError
from wattstead.metering.point import StepMode, StepRule
from wattstead.metering.step import RuleColumns, Steps, own_steps, pair_steps

_T = TypeVar("_T", bound=np.generic)

MINUTE_US, QUARTER_US, DAY_US = 60_000_000, 900_000_000, 86_400_000_000


class UnsortedError(WattsteadError):
    """Readings or rows that are not in order of point and time; `settle` puts readings in order."""


@dataclass(frozen=True, slots=True)
class RollupRows:
    """Buckets as columns, in order of (point, start); a row knows only the readings inside its own bucket.

    Empty buckets have no row. Times are µs, values in the point's own unit, ``step`` int64 in the steps of its rule,
    ``flags`` the OR of `StepFlag` inside. ``version`` orders recomputations of one row, the greatest stands.
    """

    point: NDArray[np.uint32]
    start_us: NDArray[np.int64]
    count: NDArray[np.uint64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    sum: NDArray[np.float64]
    first_time_us: NDArray[np.int64]
    first_value: NDArray[np.float64]
    last_time_us: NDArray[np.int64]
    last_value: NDArray[np.float64]
    step: NDArray[np.int64]
    flags: NDArray[np.uint16]
    version: NDArray[np.uint64]
    rule_version: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.point)

    def rows(self, chosen: slice | NDArray[np.intp] | NDArray[np.bool_]) -> RollupRows:
        """Those rows alone."""
        return RollupRows(*(getattr(self, f.name)[chosen] for f in fields(self)))


def settle(batches: Sequence[ReadingBatch]) -> ReadingBatch:
    """What stands after all those batches, in order of (point, time): of one (point, time) the newest version.

    Within one batch the later row stands. The order of batches and repeated batches change nothing, as long as no two
    different batches have one version.

    >>> old, new = ReadingBatch.of([1], [0], [5.0], version=1), ReadingBatch.of([1], [0], [7.0], version=2)
    >>> settle([new, old, old]).value.tolist()
    [7.0]
    """
    if not batches:
        return ReadingBatch.of([], [], [])
    in_order = sorted(batches, key=lambda batch: batch.version)
    point = np.concatenate([b.point for b in in_order])
    time_us = np.concatenate([b.time_us for b in in_order])
    order = np.lexsort((time_us, point))
    point, time_us = point[order], time_us[order]
    stands = np.ones(len(point), bool)
    stands[:-1] = (point[1:] != point[:-1]) | (time_us[1:] != time_us[:-1])
    kept = order[stands]
    value = np.concatenate([b.value for b in in_order])
    quality = np.concatenate([b.quality for b in in_order])
    return ReadingBatch(point[stands], time_us[stands], value[kept], quality[kept], in_order[-1].version)


def bucket_starts(time_us: NDArray[np.int64], width_us: int) -> NDArray[np.int64]:
    """The start of the UTC bucket of that width each instant is in.

    >>> bucket_starts(np.array([-1, 59_999_999, 60_000_000]), MINUTE_US).tolist()
    [-60000000, 0, 60000000]
    """
    return np.asarray((time_us // width_us) * width_us, np.int64)


def edge_starts(time_us: NDArray[np.int64], edges_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The start of the bucket between two edges each instant is in; `UnsortedError` for instants outside all."""
    at = np.searchsorted(edges_us, time_us, side="right") - 1
    if len(at) and (int(at.min()) < 0 or int(at.max()) >= len(edges_us) - 1):
        raise UnsortedError("instants before the first or at and after the last edge; ask for edges around all of them")
    return np.asarray(edges_us[at], np.int64)


def roll(
    batch: ReadingBatch,
    starts_us: NDArray[np.int64],
    rules: Mapping[int, StepRule],
    version: int = 0,
    rule_version: int = 0,
) -> RollupRows:
    """One row per bucket from readings in order of (point, time), ``starts_us`` being each reading's bucket.

    A point that has no rule makes no steps. Raises `UnsortedError` when (point, time) does not strictly grow.

    >>> batch = ReadingBatch.of([1, 1, 1], [0, 30_000_000, 60_000_000], [100.0, 200.0, 50.0])
    >>> rows = roll(batch, bucket_starts(batch.time_us, MINUTE_US), {1: StepRule(StepMode.POWER)})
    >>> rows.count.tolist(), rows.sum.tolist(), rows.step.tolist()
    ([2, 1], [300.0, 50.0], [4500000, 0])
    """
    point, time_us, value = batch.point, batch.time_us, batch.value
    same_point = point[1:] == point[:-1]
    if not bool(np.where(same_point, time_us[1:] > time_us[:-1], point[1:] > point[:-1]).all()):
        raise UnsortedError("readings not in order of (point, time), or repeated; settle() them first")
    inside = same_point & (starts_us[1:] == starts_us[:-1])
    first, last = _segments(len(point), inside)
    step = own_steps(_rule_columns(point, rules), value) + np.zeros(len(point), np.int64)
    flags = np.zeros(len(point), np.uint16)
    pairs = pairs_of(batch, rules)
    step[1:] += np.where(inside, pairs.step, 0)
    flags[1:] = np.where(inside, pairs.flags, 0)
    return RollupRows(
        point[first],
        starts_us[first],
        (last - first + 1).astype(np.uint64),
        _reduced(np.minimum, value, first),
        _reduced(np.maximum, value, first),
        ordered_sums(value, first),
        time_us[first],
        value[first],
        time_us[last],
        value[last],
        _reduced(np.add, step, first),
        _reduced(np.bitwise_or, flags, first),
        np.full(len(first), version, np.uint64),
        np.full(len(first), rule_version, np.uint32),
    )


def pairs_of(batch: ReadingBatch, rules: Mapping[int, StepRule]) -> Steps:
    """Steps and flags from each reading to the next, one fewer than readings; no sense where the point changes."""
    columns = _rule_columns(batch.point, rules).take(np.arange(1, len(batch)))
    return pair_steps(columns, batch.time_us[:-1], batch.value[:-1], batch.time_us[1:], batch.value[1:])


def merge(
    rows: RollupRows, starts_us: NDArray[np.int64], rules: Mapping[int, StepRule], version: int = 0
) -> RollupRows:
    """Coarser rows from finer ones in order of (point, start), ``starts_us`` being each row's coarser bucket.

    A coarser step is the finer steps plus the crossings between them (one row's last to the next row's first
    reading), so it equals what `roll` makes of the readings themselves. Raises `UnsortedError`.
    """
    same_point = rows.point[1:] == rows.point[:-1]
    ordered = np.where(same_point, rows.first_time_us[1:] > rows.last_time_us[:-1], rows.point[1:] > rows.point[:-1])
    if not bool(ordered.all()):
        raise UnsortedError("rollup rows not in order of (point, start), or repeated")
    inside = same_point & (starts_us[1:] == starts_us[:-1])
    first, last = _segments(len(rows), inside)
    between, between_flags = crossings(rows, rules)
    step, flags = rows.step.copy(), rows.flags.copy()
    step[1:] += np.where(inside, between, 0)
    flags[1:] |= np.where(inside, between_flags, 0).astype(np.uint16)
    return RollupRows(
        rows.point[first],
        starts_us[first],
        _reduced(np.add, rows.count, first),
        _reduced(np.minimum, rows.min, first),
        _reduced(np.maximum, rows.max, first),
        ordered_sums(rows.sum, first),
        rows.first_time_us[first],
        rows.first_value[first],
        rows.last_time_us[last],
        rows.last_value[last],
        _reduced(np.add, step, first),
        _reduced(np.bitwise_or, flags, first),
        np.full(len(first), version, np.uint64),
        _reduced(np.maximum, rows.rule_version, first),
    )


def crossings(rows: RollupRows, rules: Mapping[int, StepRule]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Steps and flags from each row's last reading to the next row's first, 0 where the point changes."""
    columns = _rule_columns(rows.point, rules).take(np.arange(1, len(rows)))
    pairs = pair_steps(
        columns, rows.last_time_us[:-1], rows.last_value[:-1], rows.first_time_us[1:], rows.first_value[1:]
    )
    same_point = rows.point[1:] == rows.point[:-1]
    return np.where(same_point, pairs.step, 0), np.where(same_point, pairs.flags, 0).astype(np.uint16)


def cumulative(rows: RollupRows, rule: StepRule, edges_us: NDArray[np.int64]) -> list[int]:
    """Steps of one point since its first row, at each edge, in exact integers.

    An edge must not cut a row. The crossing over an edge is shared by time: floor(crossing · (edge − t0) / (t1 − t0)),
    with t0 the last reading before the edge and t1 the first at or after it; so differences telescope.
    """
    if not len(rows):
        return [0] * len(edges_us)
    between, _ = crossings(rows, {int(rows.point[0]): rule})
    before = np.zeros(len(rows) + 1, object)
    before[1:] = np.cumsum(rows.step.astype(object))
    through = np.zeros(len(rows), object)
    through[1:] = np.cumsum(between.astype(object))
    found = []
    for edge in edges_us.tolist():
        at = int(np.searchsorted(rows.start_us, edge, side="left"))
        total = int(before[at]) + int(through[max(at - 1, 0)])
        if 0 < at < len(rows):
            t0, t1 = int(rows.last_time_us[at - 1]), int(rows.first_time_us[at])
            if t0 >= edge:
                raise UnsortedError(f"edge {edge} cuts the row that begins at {int(rows.start_us[at - 1])}")
            total += int(between[at - 1]) * (edge - t0) // (t1 - t0)
        found.append(total)
    return found


def amounts(rows: RollupRows, rule: StepRule, edges_us: NDArray[np.int64]) -> list[int]:
    """Steps of one point between each edge and the next: one fewer than edges; any run of them adds up exactly.

    >>> batch = ReadingBatch.of([1, 1], [0, 120_000_000], [10.0, 16.0])
    >>> rows = roll(batch, bucket_starts(batch.time_us, MINUTE_US), {1: StepRule(StepMode.REGISTER)})
    >>> amounts(rows, StepRule(StepMode.REGISTER), np.array([0, 60_000_000, 120_000_000, 180_000_000]))
    [3, 3, 0]
    """
    at = cumulative(rows, rule, edges_us)
    return [b - a for a, b in pairwise(at)]


def ordered_sums(value: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sums of the segments that begin at ``first``, each added from left to right, one number after another.

    NumPy's own sum adds in pairs, which gives other last bits than a database that reads in order of time.
    """
    if not len(first):
        return np.zeros(0)
    size = np.diff(np.append(first, len(value)))
    total = value[first].copy()
    ordered = np.sort(size)
    most = int(ordered[np.argmin(ordered + np.arange(len(size))[::-1])])  # longer ones one by one, the rest together
    for place in range(1, most):
        longer = np.flatnonzero((size > place) & (size <= most))
        total[longer] += value[first[longer] + place]
    for row in np.flatnonzero(size > most).tolist():
        total[row] = np.add.accumulate(value[first[row] : first[row] + size[row]])[-1]
    return total


def _segments(rows: int, joined: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last row of each run, where ``joined[i]`` says that row i + 1 belongs to row i."""
    if rows == 0:
        empty = np.zeros(0, np.intp)
        return empty, empty
    breaks = np.flatnonzero(~joined)
    return np.concatenate(([0], breaks + 1)).astype(np.intp), np.append(breaks, rows - 1).astype(np.intp)


def _reduced(function: np.ufunc, column: NDArray[_T], first: NDArray[np.intp]) -> NDArray[_T]:
    if not len(first):
        return column[:0]
    return np.asarray(function.reduceat(column, first), column.dtype)


def _rule_columns(point: NDArray[np.uint32], rules: Mapping[int, StepRule]) -> RuleColumns:
    """The rule of each row, from the distinct points only."""
    none = StepRule(StepMode.NONE)
    distinct, place = np.unique(point, return_inverse=True)
    if not len(distinct):
        return RuleColumns.of([none])
    return RuleColumns.of([rules.get(int(p), none) for p in distinct]).take(place)
