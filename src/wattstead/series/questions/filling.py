"""Filling: rollup rows laid into buckets, point by bucket, and the steps between rows shared out at the edges.

Pure numpy; asks nothing. Columns are matrices of points × buckets. The first and the last bucket are only there for
the nearest readings on each side of the span and are left out of answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import INTEGRATED, StepMode, StepRule
from wattstead.metering.rollup import RollupRows, crossings, merge
from wattstead.metering.step import RuleColumns, StepFlag, own_steps
from wattstead.series.native import Columns

Matrix = NDArray[np.float64]
_SAFE = 2**62


@dataclass(frozen=True, slots=True)
class Filled:
    """Buckets of points in the points' own units: one row per point, one column per bucket. Empty ones are NaN or 0."""

    count: NDArray[np.int64]
    min: Matrix
    max: Matrix
    sum: Matrix
    first: Matrix
    last: Matrix
    first_time_us: NDArray[np.int64]
    last_time_us: NDArray[np.int64]
    steps: NDArray[np.int64]
    flags: NDArray[np.uint16]
    known: NDArray[np.bool_]
    """Whether the steps of a bucket say anything."""


def rollup_rows(columns: Columns, rules: Mapping[int, StepRule]) -> RollupRows:
    """The rows of an answer in order of (point, time); a reading of amounts carries its own steps."""
    order = np.lexsort((columns["first_time"], columns["point"]))
    column = {name: values[order] for name, values in columns.items()}
    step = column["step"].astype(np.int64)
    singles = np.flatnonzero(column["count"] == 1)
    if len(singles) and any(rule.mode is StepMode.DELTA for rule in rules.values()):
        none = StepRule(StepMode.NONE)
        distinct, place = np.unique(column["point"][singles], return_inverse=True)
        of_rows = RuleColumns.of([rules.get(int(p), none) for p in distinct]).take(place)
        own = own_steps(of_rows, column["first_value"][singles])
        step[singles] = np.where(of_rows.mode == StepMode.DELTA, own, step[singles])
    size = len(order)
    return RollupRows(
        column["point"], column["bucket"], column["count"].astype(np.uint64), column["min"], column["max"],
        column["sum"], column["first_time"], column["first_value"], column["last_time"], column["last_value"], step,
        column["flags"], np.zeros(size, np.uint64), np.zeros(size, np.uint32),
    )  # fmt: skip


def fill(rows: RollupRows, points: Sequence[int], rules: Mapping[int, StepRule], edges_us: NDArray[np.int64]) -> Filled:
    """The rows in the buckets in which they begin, with their steps and those between them.

    A crossing from one bucket to a later one is shared at each edge between by time, as in `metering.rollup`, so that
    the steps of any run of buckets are the difference of the cumulative steps at its ends.
    """
    bucket = np.searchsorted(edges_us, rows.start_us, side="right") - 1
    if bool(((rows.point[1:] == rows.point[:-1]) & (bucket[1:] == bucket[:-1])).any()):
        rows = merge(rows, edges_us[bucket], rules)
        bucket = np.searchsorted(edges_us, rows.start_us, side="right") - 1
    place = _places(points, rows.point)
    shape = (len(points), len(edges_us) - 1)

    def laid(values: NDArray[np.float64]) -> Matrix:
        matrix = np.full(shape, np.nan)
        matrix[place, bucket] = values
        return matrix

    def laid_whole(values: NDArray[np.int64]) -> NDArray[np.int64]:
        matrix = np.zeros(shape, np.int64)
        matrix[place, bucket] = values
        return matrix

    filled = Filled(
        count=laid_whole(rows.count.astype(np.int64)), min=laid(rows.min), max=laid(rows.max), sum=laid(rows.sum),
        first=laid(rows.first_value), last=laid(rows.last_value), first_time_us=laid_whole(rows.first_time_us),
        last_time_us=laid_whole(rows.last_time_us), steps=laid_whole(rows.step),
        flags=laid_whole(rows.flags.astype(np.int64)).astype(np.uint16), known=np.zeros(shape, bool),
    )  # fmt: skip
    filled.known[place, bucket] = True
    modes = np.array([rules[point].mode for point in points], np.uint8)
    _share(filled, rows, crossings(rows, rules), modes, place, bucket, edges_us)
    _forget_amountless(filled, points, rules)
    return filled


def fill_nothing(points: Sequence[int], edges_us: NDArray[np.int64]) -> Filled:
    """Empty buckets."""
    shape = (len(points), len(edges_us) - 1)

    def none() -> Matrix:
        return np.full(shape, np.nan)

    def zeros() -> NDArray[np.int64]:
        return np.zeros(shape, np.int64)

    return Filled(
        count=zeros(), min=none(), max=none(), sum=none(), first=none(), last=none(), first_time_us=zeros(),
        last_time_us=zeros(), steps=zeros(), flags=np.zeros(shape, np.uint16), known=np.zeros(shape, bool),
    )  # fmt: skip


def _share(
    filled: Filled, rows: RollupRows, between: tuple[NDArray[np.int64], NDArray[np.uint16]], modes: NDArray[np.uint8],
    place: NDArray[np.intp], bucket: NDArray[np.intp], edges_us: NDArray[np.int64],
) -> None:  # fmt: skip
    """Adds the steps ``between`` neighbouring rows to the buckets they run through."""
    pair = np.flatnonzero(rows.point[1:] == rows.point[:-1])
    step, flags, place = between[0][pair], between[1][pair], place[pair]
    from_bucket, to_bucket = bucket[pair], bucket[pair + 1]
    t0, t1 = rows.last_time_us[pair], rows.first_time_us[pair + 1]
    np.add.at(filled.steps, (place, to_bucket), step)
    np.bitwise_or.at(filled.flags, (place, to_bucket), flags)
    spans = to_bucket - from_bucket
    each = np.repeat(np.arange(len(pair)), spans)
    edge = from_bucket[each] + 1 + np.arange(len(each)) - np.repeat(np.cumsum(spans) - spans, spans)
    before = _part(step[each], edges_us[edge] - t0[each], (t1 - t0)[each])
    np.add.at(filled.steps, (place[each], edge - 1), before)
    np.subtract.at(filled.steps, (place[each], edge), before)
    inner = edge - 1 > from_bucket[each]
    silent = (place[each][inner], edge[inner] - 1)
    gap = flags[each][inner] & np.uint16(StepFlag.GAP)
    np.bitwise_or.at(filled.flags, silent, gap)
    filled.known[silent] |= (gap == 0) | ~np.isin(modes[silent[0]], list(INTEGRATED))


def _places(points: Sequence[int], of: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Where in ``points`` each is."""
    ids = np.array(points, np.int64)
    order = np.argsort(ids)
    return np.asarray(order[np.searchsorted(ids[order], of)], np.intp)


def _part(step: NDArray[np.int64], since_us: NDArray[np.int64], whole_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """floor(step · since / whole) in exact integers, since held within [0, whole]."""
    since_us = np.clip(since_us, 0, whole_us)
    safe = np.abs(step).astype(np.float64) * whole_us < _SAFE
    part = np.zeros(len(step), np.int64)
    part[safe] = step[safe] * since_us[safe] // whole_us[safe]
    for row in np.flatnonzero(~safe).tolist():
        part[row] = int(step[row]) * int(since_us[row]) // int(whole_us[row])
    return part


def _forget_amountless(filled: Filled, points: Sequence[int], rules: Mapping[int, StepRule]) -> None:
    """Points without a step rule have no amount, amounts of intervals only where there are any."""
    for row, point in enumerate(points):
        mode = rules[point].mode
        if mode is StepMode.NONE:
            filled.known[row] = False
        elif mode is StepMode.DELTA:
            filled.known[row] = filled.count[row] > 0
