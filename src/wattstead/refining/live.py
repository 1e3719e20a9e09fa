"""Live: hands new readings to whoever watches their points, through bounded queues; never holds storage up.

What a slow watcher misses is made good from the latest values, not kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from types import TracebackType

import numpy as np

from wattstead.refining.columns import MAX_POINT
from wattstead.refining.latest import Latest, Readings


class Subscription:
    """New readings of some points as an async iterator; the first item is their latest values.

    Items that wait are handed out as one. When more than ``most`` readings wait, the oldest are dropped and the next
    item begins anew with the latest values of all points. Close it, or use it in ``with``.
    """

    def __init__(self, live: Live, points: Iterable[int], most: int) -> None:
        self.points = np.unique(np.fromiter((p for p in points if 0 <= p < MAX_POINT), np.int64))
        self.missed = 0
        """Readings that were dropped so far because nobody fetched them."""
        self._live, self._most = live, most
        self._waiting: deque[Readings] = deque()
        self._rows = 0
        self._anew = True
        self._closed = False
        self._wake = asyncio.Event()
        self._wake.set()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Readings:
        await self._wake.wait()
        if self._closed:
            raise StopAsyncIteration
        self._wake.clear()
        waiting, self._rows = list(self._waiting), 0
        self._waiting.clear()
        if self._anew:
            self._anew = False
            return self._live.latest.of(self.points)
        return Readings(
            np.concatenate([r.point for r in waiting]),
            np.concatenate([r.time_us for r in waiting]),
            np.concatenate([r.value for r in waiting]),
        )

    def close(self) -> None:
        """End the iteration and give the queue up; may be called twice."""
        self._closed = True
        self._wake.set()
        self._live.leave(self)

    def put(self, readings: Readings) -> None:
        """Queue readings of this subscription's points; never waits."""
        if self._anew and self._wake.is_set():
            return
        self._waiting.append(readings)
        self._rows += len(readings)
        if self._rows > self._most:
            self.missed += self._rows
            self._waiting.clear()
            self._rows, self._anew = 0, True
        self._wake.set()


class Live:
    """All subscriptions of one event loop, and which points they watch."""

    def __init__(self, latest: Latest, most: int = 10_000) -> None:
        self.latest = latest
        self._most = most
        self._members: list[Subscription] = []
        self._stale = False
        self._watched = np.zeros(0, bool)
        self._pair_point = np.zeros(0, np.int64)
        self._pair_member = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._members)

    def subscribe(self, points: Iterable[int]) -> Subscription:
        """A subscription to those points; its first item comes at once."""
        subscription = Subscription(self, points, self._most)
        self._members.append(subscription)
        self._stale = True
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        if subscription in self._members:
            self._members.remove(subscription)
            self._stale = True

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._members):
            subscription.close()

    def publish(self, readings: Readings) -> None:
        """Queue each reading with those who watch its point."""
        if not self._members or not len(readings):
            return
        if self._stale:
            self._index()
        inside = readings.point < len(self._watched)
        rows = np.flatnonzero(inside & self._watched[np.where(inside, readings.point, 0)])
        if not len(rows):
            return
        point = readings.point[rows]
        begin = np.searchsorted(self._pair_point, point, "left")
        times = np.searchsorted(self._pair_point, point, "right") - begin
        row = np.repeat(rows, times)
        place = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times) + np.repeat(begin, times)
        member = self._pair_member[place]
        order = np.argsort(member, kind="stable")
        row, member = row[order], member[order]
        cuts = np.flatnonzero(np.diff(member)) + 1
        for part in np.split(np.arange(len(row)), cuts):
            chosen = row[part]
            self._members[int(member[part[0]])].put(
                Readings(readings.point[chosen], readings.time_us[chosen], readings.value[chosen])
            )

    def _index(self) -> None:
        """Pairs of (point, subscription) in order of points."""
        sizes = [len(member.points) for member in self._members]
        point = np.concatenate([member.points for member in self._members])
        member = np.repeat(np.arange(len(self._members)), sizes)
        order = np.argsort(point, kind="stable")
        self._pair_point, self._pair_member = point[order], member[order]
        self._watched = np.zeros(int(point.max(initial=0)) + 1, bool)
        self._watched[point] = True
        self._stale = False
