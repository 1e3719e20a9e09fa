"""Rows of readings: those of several series put together by time and tags, the first so many; asks nobody."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Rows:
    """Rows, each with a time, a number that stands for its tags, and values by the number of their field.

    >>> rows = Rows(2)
    >>> rows.add(np.array([10, 20]), np.array([1.0, 2.0]), 0, 0)
    >>> rows.add(np.array([10, 15]), np.array([3.0, 4.0]), 0, 1)
    >>> list(rows.between(0, 9))
    [(10, 0, {0: 1.0, 1: 3.0}), (15, 0, {1: 4.0})]
    """

    def __init__(self, wanted: int, descending: bool = False) -> None:
        self.wanted = wanted
        """Rows that are kept: the first ones, or in descending order the last."""
        self._sign = -1 if descending else 1
        self._time = np.zeros(0, np.int64)
        self._tags, self._field = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._value = np.zeros(0)
        self._number = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return int(self._number[-1]) + 1 if len(self._number) else 0

    def add(self, time_us: NDArray[np.int64], value: NDArray[np.float64], tags: int, field: int) -> None:
        """Readings of one series; of two values for one place the later added stands."""
        size = len(time_us)
        time = np.concatenate([self._time, time_us])
        tag = np.concatenate([self._tags, np.full(size, tags, np.int32)])
        order = np.lexsort((tag * self._sign, time * self._sign))
        time, tag = time[order], tag[order]
        new = (time[1:] != time[:-1]) | (tag[1:] != tag[:-1])
        number = np.concatenate([np.zeros(min(1, len(time)), np.int64), np.cumsum(new, dtype=np.int64)])
        kept = slice(0, int(np.searchsorted(number, self.wanted)))
        self._time, self._tags, self._number = time[kept], tag[kept], number[kept]
        self._field = np.concatenate([self._field, np.full(size, field, np.int32)])[order][kept]
        self._value = np.concatenate([self._value, value])[order][kept]

    def between(self, first: int, end: int) -> Iterator[tuple[int, int, dict[int, float]]]:
        """Time, tags and values of the rows from the first up to, not including, the end."""
        low, high = np.searchsorted(self._number, [first, end]).tolist()
        columns = (self._number, self._time, self._tags, self._field, self._value)
        at, row = -1, (0, 0, dict[int, float]())
        for number, time_us, tags, field, value in zip(*(c[low:high].tolist() for c in columns), strict=True):
            if number != at:
                if at >= 0:
                    yield row
                at, row = number, (time_us, tags, {})
            row[2][field] = value
        if at >= 0:
            yield row
