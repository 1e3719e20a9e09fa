"""Adoption: follows what points mean; uploads changed rules and has the history of changed points rolled up again.

It learns of points through two callables and writes nothing but rules and rollups; raw readings stay as they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import structlog

from wattstead.metering.point import Point
from wattstead.refining.judge import Judge
from wattstead.series import Series

_log = structlog.get_logger("wattstead.refining")
_PIECE_US = 31 * 86_400_000_000


class Adoption:
    """Keeps the store's rules equal to the registry's points. One thread at a time; each step may be called again."""

    def __init__(
        self,
        series: Series,
        points: Callable[[], Iterable[Point]],
        generation: Callable[[], int],
        judge: Judge,
        pending: Iterable[int] = (),
    ) -> None:
        self._series, self._points, self._generation, self._judge = series, points, generation, judge
        self._seen: int | None = None
        self._known: dict[int, Point] = {}
        self._waiting = dict.fromkeys(pending)
        self._pieces: deque[tuple[int, int, int]] = deque()

    @property
    def pending(self) -> tuple[int, ...]:
        """Points whose history is not rolled up under their present rule yet."""
        return tuple(sorted(self._waiting))

    def refresh(self) -> None:
        """Take over what changed since the last time, if anything did."""
        generation = self._generation()
        if generation == self._seen:
            return
        points = {point.id: point for point in self._points()}
        changed = [point for point in points.values() if self._known.get(point.id) != point]
        self._judge.learn(changed)
        different = self._series.put_rules(changed)
        self._known, self._seen = points, generation
        if different:
            self._again(different)

    def work(self, until_us: int) -> bool:
        """Roll up one piece of the history, before ``until_us``, of a point that waits; False when none does."""
        if not self._waiting:
            return False
        if not self._pieces:
            self._cut(until_us)
        if self._pieces:
            point, start_us, end_us = self._pieces[0]
            self._series.roll_spans(np.array([point], np.uint32), np.array([start_us]), np.array([end_us]))
            self._pieces.popleft()
        left = {point for point, _, _ in self._pieces}
        self._waiting = {point: None for point in self._waiting if point in left}
        return True

    def _again(self, points: Iterable[int]) -> None:
        self._waiting.update(dict.fromkeys(points))
        self._pieces.clear()
        _log.info("rollups_begin_anew", points=len(self._waiting))

    def _cut(self, until_us: int) -> None:
        """The history of all waiting points in pieces of a month."""
        points = [self._known.get(point, Point(id=point)) for point in self._waiting]
        first, last = self._series.span(points)
        for point, first_us, last_us in zip(points, first.tolist(), last.tolist(), strict=True):
            start_us, end_us = first_us, min(last_us + 1, until_us)
            while start_us < end_us:
                self._pieces.append((point.id, start_us, min(start_us + _PIECE_US, end_us)))
                start_us += _PIECE_US
