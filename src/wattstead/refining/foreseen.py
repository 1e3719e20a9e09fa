"""Foreseen: points whose senders know of the future, such as forecasts and prices, and how far; keeps no reading.

The latest reading of such a point is the last one whose time has come, and so it changes
while nothing is received.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.quantity import Quality
from wattstead.refining.columns import Columns

SLACK_US = 5_000_000
"""A clock may be so far ahead of ours without knowing of the future."""


class Foreseen:
    """Points with readings still to come; any thread may ask and tell."""

    def __init__(self) -> None:
        self._until_us: dict[int, int] = {}
        self._lock = threading.Lock()

    def note(self, columns: Columns, now_us: int) -> None:
        """Remember points whose sender gave a quality to a reading of the future; before anybody else judges it.

        >>> from wattstead.metering.batch import ReadingBatch
        >>> prices, foreseen = Columns.of([ReadingBatch.of([7, 8], [10**9, 10**9], [1.0, 2.0], [1, 0])]), Foreseen()
        >>> foreseen.note(prices, 0), foreseen.points()
        (None, [7])
        """
        if not len(columns) or int(columns.time_us.max()) <= now_us + SLACK_US:
            return
        rows = (columns.time_us > now_us + SLACK_US) & (columns.quality != Quality.RAW)
        self.expect(columns.point[rows], columns.time_us[rows])

    def expect(self, point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> None:
        """Remember readings to come."""
        with self._lock:
            for one, us in zip(point.tolist(), time_us.tolist(), strict=True):
                self._until_us[one] = max(us, self._until_us.get(one, us))

    def among(self, columns: Columns) -> NDArray[np.bool_] | None:
        """Which rows are of such points; None: none."""
        if not self._until_us or not len(columns):
            return None
        rows = np.isin(columns.point, self.points())
        return rows if bool(rows.any()) else None

    def points(self) -> list[int]:
        """All of them."""
        with self._lock:
            return sorted(self._until_us)

    def passed(self, now_us: int) -> None:
        """Everything up to that instant is known to be the latest: forget points that have nothing more to come."""
        with self._lock:
            self._until_us = {point: us for point, us in self._until_us.items() if us > now_us}
