"""DirtySpans: which minutes of which points have to be rolled up again, as few spans rather than many pairs.

Only remembers; what is done about them is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.rollup import MINUTE_US

_POINT_SHIFT = np.uint64(32)
_MINUTES = np.uint64(0xFFFF_FFFF)
_WIDER = 8


@dataclass(frozen=True, slots=True)
class Spans:
    """Whole minutes of points as columns, in order of (point, start): [start_us, end_us) of ``point``."""

    point: NDArray[np.uint32]
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)

    def between(self, start_us: int, end_us: int) -> Spans:
        """The parts of the spans inside [start, end)."""
        first, last = self.start_us.clip(min=start_us), self.end_us.clip(max=end_us)
        left = first < last
        return Spans(self.point[left], first[left], last[left])

    def hold(self, point: NDArray[np.uint32], start_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the minutes of points, a row each, lie in a span."""
        if not len(self):
            return np.zeros(len(point), bool)
        begins, key = _keys(self.point, self.start_us // MINUTE_US), _keys(point, start_us // MINUTE_US)
        at = np.searchsorted(begins, key, side="right") - 1
        found = np.maximum(at, 0)
        return np.asarray((at >= 0) & (self.point[found] == point) & (self.end_us[found] > start_us), bool)

    def touch(
        self, points: Collection[int], start_us: NDArray[np.int64], end_us: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which of the buckets [start, end) any span of those points touches."""
        rows = np.flatnonzero(np.isin(self.point, np.array(list(points), np.uint32)))
        if not len(rows):
            return np.zeros(len(start_us), bool)
        rows = rows[np.argsort(self.start_us[rows], kind="stable")]
        reaches_us = np.maximum.accumulate(self.end_us[rows])
        before = np.searchsorted(self.start_us[rows], end_us, side="left")
        return np.asarray((before > 0) & (reaches_us[before - 1] > start_us), bool)

    def within_us(self, points: Collection[int], start_us: int, end_us: int) -> int:
        """How much of [start, end) the spans of one of those points cover, the most of any."""
        rows = np.isin(self.point, np.array(list(points), np.uint32))
        inside = np.minimum(self.end_us[rows], end_us) - np.maximum(self.start_us[rows], start_us)
        _, number = np.unique(self.point[rows], return_inverse=True)
        return int(np.bincount(number, np.maximum(inside, 0)).max(initial=0))


class DirtySpans:
    """A growing set of (point, minute), kept within ``most`` spans by closing small gaps between them."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._first = np.zeros(0, np.uint64)
        self._last = np.zeros(0, np.uint64)

    def __len__(self) -> int:
        return len(self._first)

    def __bool__(self) -> bool:
        return len(self._first) > 0

    def add(self, point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> None:
        """The minutes of those readings are dirty; times from 1970 on."""
        if len(point):
            keys = _keys(point, time_us // MINUTE_US)
            keys = np.unique(keys[np.append(True, keys[1:] != keys[:-1])])
            self._include(keys, keys)

    def add_spans(self, point: NDArray[np.uint32], start_us: NDArray[np.int64], end_us: NDArray[np.int64]) -> None:
        """All minutes that touch [start, end) are dirty, a row per span; end after start."""
        if len(point):
            self._include(_keys(point, start_us // MINUTE_US), _keys(point, (end_us - 1) // MINUTE_US))

    def touch(
        self, points: Collection[int], start_us: NDArray[np.int64], end_us: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which of the buckets [start, end) have a dirty minute of those points; from any thread."""
        if not self:
            return np.zeros(len(start_us), bool)
        return self.spans().touch(points, start_us, end_us)

    def spans(self) -> Spans:
        """All spans; from any thread."""
        first, last = self._first, self._last
        size = min(len(first), len(last))
        return _columns(first[:size], last[:size])

    def clear(self) -> None:
        """None are left."""
        self._first, self._last = self._first[:0], self._last[:0]

    def forget_before(self, time_us: int) -> None:
        """Only what lies at or after that instant stays."""
        later = self.spans().between(time_us, np.iinfo(np.int64).max)
        self.clear()
        self.put_back(later)

    def put_back(self, spans: Spans) -> None:
        """What was taken and could not be done."""
        self.add_spans(spans.point, spans.start_us, spans.end_us)

    def _include(self, first: NDArray[np.uint64], last: NDArray[np.uint64]) -> None:
        first, last = np.append(self._first, first), np.append(self._last, last)
        order = np.argsort(first, kind="stable")
        first, last = _joined(first[order], last[order], 1)
        gap_minutes = 1
        while len(first) > self._most and gap_minutes < 2**31:
            gap_minutes *= _WIDER
            first, last = _joined(first, last, gap_minutes)
        self._first, self._last = first, last


def _columns(first: NDArray[np.uint64], last: NDArray[np.uint64]) -> Spans:
    return Spans(
        (first >> _POINT_SHIFT).astype(np.uint32),
        (first & _MINUTES).astype(np.int64) * MINUTE_US,
        ((last & _MINUTES).astype(np.int64) + 1) * MINUTE_US,
    )


def _keys(point: NDArray[np.uint32], minute: NDArray[np.int64]) -> NDArray[np.uint64]:
    return (point.astype(np.uint64) << _POINT_SHIFT) | minute.astype(np.uint64)


def _joined(
    first: NDArray[np.uint64], last: NDArray[np.uint64], gap_minutes: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Spans in order of their first minute, those of one point at most that far apart made one."""
    last = np.maximum.accumulate(last)
    apart = (first[1:] > last[:-1] + np.uint64(gap_minutes)) | (first[1:] >> _POINT_SHIFT != first[:-1] >> _POINT_SHIFT)
    begins = np.append(True, apart)
    ends = np.append(apart, True)
    return first[begins], last[ends]
