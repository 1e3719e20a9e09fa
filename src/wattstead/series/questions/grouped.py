"""Groups: buckets of several points put together, in base units; asks nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point, amount_per_step
from wattstead.metering.quantity import Unit, unit
from wattstead.series.native import Columns
from wattstead.series.questions.answers import Buckets
from wattstead.series.questions.filling import Filled

_LOW = np.int64(0xFFFF_FFFF)


class Group:
    """Buckets that points are added to; whole steps are added as such, so that an amount does not depend on order."""

    def __init__(self, start_us: NDArray[np.int64]) -> None:
        size = len(start_us)
        self._start_us = start_us
        self._count = np.zeros(size, np.int64)
        self._min, self._max = np.full(size, np.inf), np.full(size, -np.inf)
        self._sum, self._total = np.zeros(size), np.zeros(size)
        self._first, self._last = np.full(size, np.nan), np.full(size, np.nan)
        self._first_us, self._last_us = np.full(size, np.iinfo(np.int64).max), np.zeros(size, np.int64)
        self._steps: dict[float, NDArray[np.int64]] = {}
        self._known = np.zeros(size, bool)
        self._flags = np.zeros(size, np.uint16)

    def add(self, points: Sequence[Point], rows: NDArray[np.intp], filled: Filled) -> None:
        """Adds some of the points of an answer: ``rows`` are their places in it, beside ``points``."""
        factor = np.array([[unit(p.unit).factor] for p in points])
        offset = np.array([[unit(p.unit).offset] for p in points])
        count = filled.count[rows]
        there = count > 0
        sums = np.where(there, filled.sum[rows] * factor + count * offset, 0)
        self._count += count.sum(0)
        self._sum += sums.sum(0)
        self._total += (sums / np.where(there, count, 1)).sum(0)
        self._min = np.minimum(self._min, np.where(there, filled.min[rows] * factor + offset, np.inf).min(0))
        self._max = np.maximum(self._max, np.where(there, filled.max[rows] * factor + offset, -np.inf).max(0))
        self._flags |= np.bitwise_or.reduce(filled.flags[rows], 0)
        self._add_ends(rows, filled, factor, offset)
        self._add_steps(points, rows, filled)

    def add_means(self, base: Unit, rows: Columns) -> None:
        """Adds rows of means of points in one unit: all those of one cell, at most one row per bucket."""
        at = np.searchsorted(self._start_us, rows["bucket"], side="right") - 1
        count, points = rows["count"].astype(np.int64), rows["points"].astype(np.int64)
        self._count[at] += count
        self._sum[at] += rows["sum"] * base.factor + count * base.offset
        self._total[at] += rows["total"] * base.factor + points * base.offset
        self._min[at] = np.minimum(self._min[at], rows["min"] * base.factor + base.offset)
        self._max[at] = np.maximum(self._max[at], rows["max"] * base.factor + base.offset)

    def add_sums(self, base: Unit, rows: Columns) -> None:
        """Adds rows of sums of points in one unit: all those of one cell, any number per bucket; no totals,
        and smallest and largest values only where they are given."""
        at = np.searchsorted(self._start_us, rows["bucket"], side="right") - 1
        count = rows["counts"].astype(np.int64)
        np.add.at(self._count, at, count)
        np.add.at(self._sum, at, rows["sums"] * base.factor + count * base.offset)
        self._total[at] = np.nan
        if "lowest" in rows:
            np.minimum.at(self._min, at, rows["lowest"] * base.factor + base.offset)
            np.maximum.at(self._max, at, rows["highest"] * base.factor + base.offset)
        else:
            self._min[at] = self._max[at] = np.nan

    def _add_ends(
        self, rows: NDArray[np.intp], filled: Filled, factor: NDArray[np.float64], offset: NDArray[np.float64]
    ) -> None:
        seen = filled.last_time_us[rows] > 0
        first_us = np.where(seen, filled.first_time_us[rows], np.iinfo(np.int64).max)
        last_us = np.where(seen, filled.last_time_us[rows], 0)
        at = np.arange(len(self._start_us))
        earliest, latest = first_us.argmin(0), last_us.argmax(0)
        earlier, later = first_us[earliest, at] < self._first_us, last_us[latest, at] > self._last_us
        self._first = np.where(earlier, (filled.first[rows] * factor + offset)[earliest, at], self._first)
        self._last = np.where(later, (filled.last[rows] * factor + offset)[latest, at], self._last)
        self._first_us = np.minimum(self._first_us, first_us[earliest, at])
        self._last_us = np.maximum(self._last_us, last_us[latest, at])

    def _add_steps(self, points: Sequence[Point], rows: NDArray[np.intp], filled: Filled) -> None:
        known = filled.known[rows]
        self._known |= known.any(0)
        steps = np.where(known, filled.steps[rows], 0)
        worths = np.array([amount_per_step(p) for p in points])
        for worth in np.unique(worths).tolist():
            of_worth = steps[worths == worth]
            halves = np.stack([(of_worth >> 32).sum(0), (of_worth & _LOW).sum(0)])
            self._steps[worth] = self._steps.get(worth, np.zeros((2, len(self._start_us)), np.int64)) + halves

    def buckets(self) -> Buckets:
        """What has come together."""
        amount = np.zeros(len(self._start_us))
        for worth, (high, low) in self._steps.items():
            amount += (high.astype(np.longdouble) * 2**32 + low).astype(np.float64) * worth
        empty, unseen = self._count == 0, self._last_us == 0
        return Buckets(
            start_us=self._start_us,
            count=self._count,
            min=np.where(empty, np.nan, self._min),
            mean=np.where(empty, np.nan, self._sum / np.where(empty, 1, self._count)),
            sum=np.where(empty, np.nan, self._sum),
            max=np.where(empty, np.nan, self._max),
            first=self._first,
            last=self._last,
            first_time_us=np.where(unseen, 0, self._first_us),
            last_time_us=self._last_us,
            total=np.where(empty, np.nan, self._total),
            amount=np.where(self._known, amount, np.nan),
            steps=np.zeros(len(self._start_us), np.int64),
            flags=self._flags,
        )


def members(groups: Mapping[str, Sequence[Point]]) -> dict[Point, tuple[str, ...]]:
    """Every point that is in a group, once, and the groups it is in."""
    found: dict[int, tuple[Point, list[str]]] = {}
    for name, group in groups.items():
        for point in {p.id: p for p in group}.values():
            found.setdefault(point.id, (point, []))[1].append(name)
    return {point: tuple(names) for point, names in found.values()}


def cells(groups_of: Mapping[Point, tuple[str, ...]]) -> tuple[dict[Point, int], list[tuple[tuple[str, ...], Unit]]]:
    """The cell of each point, and each cell's groups and unit: points of the same groups and unit are one cell."""
    number: dict[tuple[tuple[str, ...], Unit], int] = {}
    cell_of = {point: number.setdefault((names, unit(point.unit)), len(number)) for point, names in groups_of.items()}
    return cell_of, list(number)


def by_cell(rows: Columns) -> Iterator[tuple[int, Columns]]:
    """The rows of each cell."""
    if not rows:
        return
    order = np.argsort(rows["cell"], kind="stable")
    found, first = np.unique(rows["cell"][order], return_index=True)
    for cell, chosen in zip(found.tolist(), np.split(order, first[1:]), strict=True):
        yield cell, {name: values[chosen] for name, values in rows.items()}
