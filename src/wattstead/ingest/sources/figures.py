"""Figures: what came through one source since it was last started here, for people; it decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

_WINDOW_S = 60


class Minute:
    """How many there were in the last minute, second by second.

    >>> clock = [100.0]
    >>> minute = Minute(lambda: clock[0])
    >>> minute.add(30), minute.per_s()
    (None, 30.0)
    >>> clock[0] = 159.0
    >>> minute.per_s()
    0.5
    >>> clock[0] = 161.0
    >>> minute.per_s()
    0.0
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._second = int(clock())
        self._counts = [0] * _WINDOW_S

    def add(self, count: int) -> None:
        """So many now."""
        second = int(self._clock())
        if second != self._second:
            self._turn(second)
        self._counts[second % _WINDOW_S] += count

    def per_s(self) -> float:
        """The mean of the last minute, or of the time since the beginning, per second."""
        second = int(self._clock())
        over = {passed % _WINDOW_S for passed in range(self._second + 1, min(second, self._second + _WINDOW_S) + 1)}
        count = sum(count for at, count in enumerate(self._counts) if at not in over)
        return round(count / min(_WINDOW_S, second - self._first + 1), 3)

    def _turn(self, second: int) -> None:
        for passed in range(max(self._second, second - _WINDOW_S) + 1, second + 1):
            self._counts[passed % _WINDOW_S] = 0
        self._second = second


class Figures:
    """Counts of one source; they outlive its restarts and changes, not the process."""

    def __init__(self) -> None:
        self.messages = 0
        self.readings = 0
        """Kept."""
        self.rejected = 0
        """Readings that were not kept."""
        self.refused = 0
        """Messages of which nothing could be kept."""
        self.last_message_us = 0
        self.last_rejected = ""
        """Why the last reading or message was not kept."""
        self.lag_s: float | None = None
        self.waiting_for = ""
        """Why readings are not taken at this moment; empty: they are."""
        self.slowed = ""
        """Which of those behind a connection is slowed while the others are not; empty: nobody."""
        self.minute = Minute()
        """Readings kept."""
