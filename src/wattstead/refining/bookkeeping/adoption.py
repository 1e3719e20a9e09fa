"""Adoption: follows what points mean; uploads changed rules and has the history of changed points rolled up again.

It learns of points through two callables and writes nothing but rules and rollups; raw readings stay as they came.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import structlog

from wattstead.metering.point import Point
from wattstead.refining.bookkeeping.progress import Progress, ProgressFile
from wattstead.refining.latest import Latest
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.taking.judge import Judge
from wattstead.refining.taking.stored import take_stored
from wattstead.series import Series

_log = structlog.get_logger("wattstead.refining")
_DAY_US = 86_400_000_000
_TOGETHER, _TOGETHER_SHORT = 64, 2_048
"""Points whose history is rolled up together; more of them when all of it is of the last day."""
_SHORT_S, _LONG_S = 0.5, 2.0


@dataclass(slots=True)
class _History:
    """Points whose history is rolled up together, and from when on it still has to be."""

    points: tuple[int, ...]
    at_us: int
    end_us: int


class Adoption:
    """Keeps the store's rules equal to the registry's points. One thread at a time; each step may be done again."""

    def __init__(
        self,
        series: Series,
        points: Callable[[int | None], Iterable[Point]],
        generation: Callable[[], int],
        judge: Judge,
        latest: Latest,
        minutes: OpenMinutes,
        progress: ProgressFile,
    ) -> None:
        self._series, self._points, self._ask_generation = series, points, generation
        self._judge, self._latest, self._minutes, self._progress = judge, latest, minutes, progress
        self.generation: int | None = None
        """The generation that is followed."""
        self._known: dict[int, Point] = {}
        self._waiting = set(progress.load().adopting)
        self._histories: deque[_History] = deque()
        self._piece_us = _DAY_US
        series.days_change(self._waiting)

    @property
    def pending(self) -> int:
        """How many points' history is not rolled up under their present rule yet."""
        return len(self._waiting)

    @property
    def points(self) -> Collection[Point]:
        """All points as last seen."""
        return self._known.values()

    def refresh(self) -> None:
        """Take over what changed since the last time, if anything did.

        What has to be rolled up again is noted down before the rules change, so that a crash between leaves no row
        under an old rule.
        """
        generation = self._ask_generation()
        if generation == self.generation:
            return
        grown = self.generation is not None and generation > self.generation
        points = {point.id: point for point in self._points(self.generation if grown else None)}
        changed = [point for point in points.values() if self._known.get(point.id) != point]
        self._judge.learn(changed)
        self._minutes.learn(changed)
        different = self._series.differing_rules(changed)
        with_history = self._with_history(different) if different else []
        if with_history:
            self._waiting.update(with_history)
            self._histories.clear()
            self._series.days_change(with_history)
            self._note()
            _log.info("rollups_begin_anew", points=len(with_history))
        if different:
            self._series.put_rules([points[point] for point in different])
        self._known = self._known | points if grown else points
        self.generation = generation

    def look_again(self, points: Sequence[int]) -> None:
        """Readings of those points were removed: their newest are those that are left."""
        self._latest.forget(points)
        take_stored(self._latest, self._series, self._series.latest(points))

    def work(self) -> bool:
        """Roll up the next piece of the history of points that wait; False when none does."""
        if not self._waiting:
            return False
        if not self._histories:
            self._begin()
        if self._histories:
            self._piece(self._histories[0])
        left = {point for history in self._histories for point in history.points}
        if left != self._waiting:
            self._series.days_stand(self._waiting - left)
            self._waiting = left
            self._note()
        return True

    def _with_history(self, points: Sequence[int]) -> list[int]:
        """Those of which a reading is known, come or to come."""
        return sorted({*self._latest.of(points).point.tolist(), *self._latest.foreseen.points()} & set(points))

    def _begin(self) -> None:
        spans = self._series.span(sorted(self._waiting))
        reach_us = self._series.reach.minute_us  # who began after it, as points that just appeared, has no rollups yet
        found = zip(spans.first_us.tolist(), spans.last_us.tolist(), spans.point.tolist(), strict=True)
        rows = sorted(row for row in found if row[0] < reach_us)
        at = 0
        while at < len(rows):
            together = rows[at : at + (_TOGETHER if rows[at][0] < reach_us - _DAY_US else _TOGETHER_SHORT)]
            at += len(together)
            first_us, last_us = min(row[0] for row in together), max(row[1] for row in together)
            self._histories.append(_History(tuple(row[2] for row in together), first_us, last_us + 1))

    def _piece(self, history: _History) -> None:
        """Some days of a history; as many as take about a second, so that new readings need not wait long."""
        begun = time.monotonic()
        end_us = min(history.end_us, (history.at_us // _DAY_US) * _DAY_US + self._piece_us)
        self._series.roll(history.at_us, end_us, history.points)
        history.at_us = end_us
        if history.at_us >= history.end_us:
            self._histories.popleft()
        took_s = time.monotonic() - begun
        if took_s < _SHORT_S:
            self._piece_us = min(2 * self._piece_us, 4096 * _DAY_US)
        elif took_s > _LONG_S:
            self._piece_us = max(self._piece_us // 2, _DAY_US)

    def _note(self) -> None:
        self._progress.save(Progress(tuple(sorted(self._waiting))))
