"""Spans of points that are to be rolled up again: put on a tier's grid, and sorted into cells and boxes for the store.

Pure arithmetic; asks nothing. Covering more than was asked is harmless, since a row is computed from all of its bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.int64]
_LONG_US = 2 * 86_400_000_000
_SPREAD = 2.0


@dataclass(frozen=True, slots=True)
class Spans:
    """[start_us, end_us) of ``point``, as columns."""

    point: NDArray[np.uint32]
    start_us: Instants
    end_us: Instants

    def __len__(self) -> int:
        return len(self.point)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Spans:
        """Those spans alone."""
        return Spans(self.point[chosen], self.start_us[chosen], self.end_us[chosen])

    def cut(self, until_us: int) -> Spans:
        """What of them lies before an instant."""
        short = Spans(self.point, self.start_us, np.minimum(self.end_us, until_us))
        return short.rows(short.start_us < short.end_us)

    def on_grid(self, width_us: int) -> Spans:
        """Made longer to whole buckets of that width, and joined where they touch."""
        return self._joined(self.start_us // width_us * width_us, -(-self.end_us // width_us) * width_us)

    def on_edges(self, edges_us: Instants) -> Spans:
        """Made longer to whole buckets between those edges, and joined where they touch; all lie inside them."""
        first = np.searchsorted(edges_us, self.start_us, side="right") - 1
        return self._joined(edges_us[first], edges_us[np.searchsorted(edges_us, self.end_us, side="left")])

    def _joined(self, start_us: Instants, end_us: Instants) -> Spans:
        if not len(self):
            return self
        order = np.lexsort((end_us, start_us, self.point))
        point, start_us, end_us = self.point[order], start_us[order], end_us[order]
        begins = np.append(True, point[1:] != point[:-1])
        reached = end_us.copy()
        for first, last in _runs(begins):
            if last - first > 1:
                reached[first:last] = np.maximum.accumulate(end_us[first:last])
        begins[1:] |= start_us[1:] > reached[:-1]
        return Spans(point[begins], start_us[begins], reached[np.append(begins[1:], True)])

    def long(self) -> tuple[Spans, Spans]:
        """Those of at most two days, and the longer ones."""
        is_long = self.end_us - self.start_us > _LONG_US
        return self.rows(~is_long), self.rows(is_long)


def boxes(spans: Spans) -> Iterator[tuple[list[int], int, int]]:
    """Spans of about the same time together: points, start, end. A box is at most twice what its spans are."""
    order = np.argsort(spans.start_us, kind="stable")
    points: list[int] = []
    low = high = length = 0
    for at in order.tolist():
        start_us, end_us = int(spans.start_us[at]), int(spans.end_us[at])
        new_low, new_high = (min(low, start_us), max(high, end_us)) if points else (start_us, end_us)
        if points and (new_high - new_low) * (len(points) + 1) > _SPREAD * (length + end_us - start_us):
            yield sorted(set(points)), low, high
            points, length, new_low, new_high = [], 0, start_us, end_us
        points.append(int(spans.point[at]))
        low, high, length = new_low, new_high, length + end_us - start_us
    if points:
        yield sorted(set(points)), low, high


def cells(spans: Spans, width_us: int) -> tuple[NDArray[np.uint32], Instants]:
    """Every (point, start of a bucket of that width) that the spans cover, in order, each once."""
    first, last = spans.start_us // width_us, -(-spans.end_us // width_us)
    return _spread(spans.point, first, last - first, lambda number: number * width_us)


def edge_cells(spans: Spans, edges_us: Instants) -> tuple[NDArray[np.uint32], Instants]:
    """Every (point, start of a bucket between those edges) that the spans cover, in order, each once."""
    first = np.searchsorted(edges_us, spans.start_us, side="right") - 1
    last = np.searchsorted(edges_us, spans.end_us, side="left")
    return _spread(spans.point, first, last - first, lambda number: edges_us[number])


def _spread(
    point: NDArray[np.uint32], first: NDArray[np.int64], size: NDArray[np.int64], start: Callable[[Instants], Instants]
) -> tuple[NDArray[np.uint32], Instants]:
    """A row for each of the ``size`` bucket numbers from ``first`` on."""
    number = np.repeat(first, size) + np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    of_point, start_us = np.repeat(point, size), start(number)
    order = np.lexsort((start_us, of_point))
    of_point, start_us = of_point[order], start_us[order]
    once = np.append(True, (of_point[1:] != of_point[:-1]) | (start_us[1:] != start_us[:-1]))
    return of_point[once[: len(of_point)]], start_us[once[: len(of_point)]]


def _runs(begins: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First row, and first row after, of each run."""
    firsts = np.flatnonzero(begins).tolist()
    return zip(firsts, [*firsts[1:], len(begins)], strict=True)
