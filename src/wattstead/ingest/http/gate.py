"""Gates: how many readings a second one key may send, and how many bytes all requests together may hold in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from wattstead.ingest.errors import RateExceeded, TooBusy

_MOST_KEYS = 100_000


class Buckets:
    """A bucket of tokens per key, one token a reading. A batch may empty it below zero; then the key has to wait.

    >>> clock = [0.0]
    >>> buckets = Buckets(rate=10, burst_s=1, clock=lambda: clock[0])
    >>> buckets.charge(1, 15)
    >>> buckets.admit(1)
    Traceback (most recent call last):
    wattstead.ingest.errors.RateExceeded: this key sends more than 10 readings a second; send the same again in 1 s
    >>> clock[0] = 1.0
    >>> buckets.admit(1)
    """

    def __init__(self, rate: float, burst_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, rate * burst_s, clock
        self._tokens: dict[Hashable, tuple[float, float]] = {}

    def admit(self, key: Hashable) -> None:
        """Raises `RateExceeded` when the key has sent more than it may."""
        held = self._tokens.get(key)
        if held is not None and held[0] <= 0:
            tokens = held[0] + (self._clock() - held[1]) * self._rate
            if tokens <= 0:
                raise RateExceeded(self._rate, max(1.0, -tokens / self._rate))

    def charge(self, key: Hashable, readings: int) -> None:
        """The key has sent so many readings."""
        now, held = self._clock(), self._tokens.get(key)
        tokens = self._burst if held is None else held[0] + (now - held[1]) * self._rate
        if tokens > self._burst:
            tokens = self._burst
        if len(self._tokens) >= _MOST_KEYS:
            self._tokens.clear()
        self._tokens[key] = tokens - readings, now


class Room:
    """Bytes of request bodies held in memory by all requests of this process.

    >>> room = Room(10)
    >>> room.take(8)
    >>> room.held_bytes
    8
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more; raises `TooBusy` when there is no room for them beside what is held already."""
        if self.held_bytes and self.held_bytes + size > self.limit_bytes:
            raise TooBusy(self.held_bytes + size, self.limit_bytes)
        self.held_bytes += size

    def give_back(self, size: int) -> None:
        """Hold them no longer."""
        self.held_bytes -= size
