"""Latest: the newest reading of each point in memory, by point number; history is the store's affair."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattstead.refining.columns import MAX_POINT, Columns, place_of
from wattstead.refining.foreseen import SLACK_US, Foreseen

NEVER_US = np.iinfo(np.int64).min
_BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Readings:
    """Some points' readings as columns: ``point`` uint32, ``time_us`` int64, ``value`` float64."""

    point: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.point)


class Latest:
    """Newest time, value and version per point; of equal times the greater version stands.

    One thread takes readings over, any thread may ask: no answer mixes two readings of one point.
    """

    def __init__(self) -> None:
        self.foreseen = Foreseen()
        """Points of which readings of the future are known; they are not taken over before their time."""
        self._time_us = np.zeros(0, np.int64)
        self._value = np.zeros(0, np.float64)
        self._version = np.zeros(0, np.uint64)
        self._row = np.zeros(0, np.int32)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many points have a reading."""
        with self._lock:
            return int(np.count_nonzero(self._time_us != NEVER_US))

    def of(self, points: ArrayLike | None = None) -> Readings:
        """The latest reading of those points (all by default) that have one, in the order asked."""
        with self._lock:
            asked = np.arange(len(self._time_us)) if points is None else np.asarray(points, np.int64).ravel()
            asked = asked[(asked >= 0) & (asked < len(self._time_us))]
            asked = asked[self._time_us[asked] != NEVER_US]
            return Readings(asked.astype(np.uint32), self._time_us[asked], self._value[asked])

    def take_come(self, columns: Columns, now_us: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """`take` without what is still to come: that is not newer. What has come of a point of which more was foreseen
        may be stored already, however new it is here.
        """
        repeated = self.foreseen.among(columns)
        if repeated is None:
            return self.take(columns)
        newer = np.zeros(len(columns), bool)
        come = ~repeated | (columns.time_us <= now_us + SLACK_US)
        newer[come], again = self.take(columns if come.all() else columns.rows(come))
        repeated[come] |= again
        return newer, repeated

    def take(self, columns: Columns) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Take readings over, in order of versions; answers per row whether it was newer than all before it of its
        point, and whether one at its very (point, time) may be there already: told before, or earlier in these rows.
        """
        newer = np.zeros(len(columns), bool)
        repeated = np.zeros(len(columns), bool)
        with self._lock:
            self._grow(columns.point)
        for begin in range(0, len(columns), _BLOCK_ROWS):
            block = slice(begin, begin + _BLOCK_ROWS)
            with self._lock:
                newer[block], repeated[block] = self._take_block(columns.rows(block))
        return newer, repeated

    def forget(self, points: ArrayLike) -> None:
        """Know nothing of those points: their readings were removed."""
        with self._lock:
            known = np.asarray(points, np.int64).ravel()
            known = known[(known >= 0) & (known < len(self._time_us))]
            self._time_us[known], self._version[known] = NEVER_US, 0

    def _take_block(self, block: Columns) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        point, time_us = block.point, block.time_us
        known = point < len(self._time_us)
        if not known.all():
            newer, repeated = np.zeros(len(block), bool), np.ones(len(block), bool)
            newer[known], repeated[known] = self._take_block(block.rows(known))
            return newer, repeated
        at = place_of(point)
        if isinstance(at, slice) and bool((time_us > self._time_us[at]).all()):  # most of the time
            self._time_us[at], self._value[at], self._version[at] = time_us, block.value, block.version
            return np.ones(len(block), bool), np.zeros(len(block), bool)
        before = self._time_us[point]
        newer = time_us > before
        repeated = ~newer
        several = self._several(point)
        if several is None and not repeated.any():
            self._time_us[point], self._value[point], self._version[point] = time_us, block.value, block.version
            return newer, repeated
        if several is None:
            self._time_us[point] = np.where(newer, time_us, before)
            stands = time_us >= before
        else:
            repeated[several] |= _seen_before(point[several], time_us[several])
            np.maximum.at(self._time_us, point, time_us)
            stands = time_us == self._time_us[point]
        stands &= newer | (block.version >= self._version[point])
        rows = np.flatnonzero(stands)
        self._value[point[rows]] = block.value[rows]
        self._version[point[rows]] = block.version[rows]
        return newer, repeated

    def _several(self, point: NDArray[np.uint32]) -> NDArray[np.intp] | None:
        """The rows of points that have several rows; None when each has one."""
        if bool((point[1:] > point[:-1]).all()):
            return None
        row = np.arange(len(point), dtype=np.int32)
        self._row[point] = row
        earlier = self._row[point] != row
        if not earlier.any():
            return None
        self._row[point[earlier]] = -1
        return np.flatnonzero(self._row[point] == -1)

    def _grow(self, point: NDArray[np.uint32]) -> None:
        size = int(point[point < MAX_POINT].max(initial=0)) + 1
        if size <= len(self._time_us):
            return
        room = min(max(size, 2 * len(self._time_us)), MAX_POINT) - len(self._time_us)
        self._time_us = np.append(self._time_us, np.full(room, NEVER_US))
        self._value = np.append(self._value, np.full(room, np.nan))
        self._version = np.append(self._version, np.zeros(room, np.uint64))
        self._row = np.append(self._row, np.zeros(room, np.int32))


def _seen_before(point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows whose (point, time) occurs in an earlier row too."""
    seen = np.zeros(len(point), bool)
    grows = (point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (time_us[1:] > time_us[:-1]))
    if not bool(grows.all()):
        order = np.lexsort((time_us, point))
        same = (point[order[1:]] == point[order[:-1]]) & (time_us[order[1:]] == time_us[order[:-1]])
        seen[order[1:][same]] = True
    return seen
