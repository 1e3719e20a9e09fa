"""OpenMinutes: the rollup rows of minutes that are not closed yet, kept up while readings pass; stores nothing.

Most minutes see each of their readings once, in order of time. Their rows are known when they end, and need not be
computed from the store. Whatever is not so regular (late, repeated, corrected, before the start of this process, under
a rule that has changed) is named instead, and computed from the store as ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point, StepMode, StepRule, step_rule
from wattstead.metering.rollup import MINUTE_US, RollupRows
from wattstead.metering.step import RuleColumns
from wattstead.refining.columns import MAX_POINT, Columns
from wattstead.refining.minutes.running import Running, rows_of
from wattstead.refining.minutes.spans import DirtySpans
from wattstead.series import KnownMinutes

_MOST_ROWS = 600_000
"""Rows of ended minutes that are kept; more, as after an import into the future, are left to the store."""


class OpenMinutes:
    """Rows of open minutes of all points. `take` belongs to one thread at a time, everything else to any."""

    def __init__(self, most_spans: int = 20_000) -> None:
        self._lock = threading.Lock()
        self._most_spans = most_spans
        self._running = Running()
        self._rules = RuleColumns.of([StepRule(StepMode.NONE)] * 2)
        self._ended: list[RollupRows] = []
        self._ended_rows = 0
        self._odd = DirtySpans(most_spans)
        self._closed_us = 0
        self.from_us = np.iinfo(np.int64).max
        """Minutes from this instant on are known here, but for points whose stored readings reach beyond it."""
        self.era = 0
        """How often readings had been removed from the store when what is known here began."""

    def begin(self, point: NDArray[np.uint32], time_us: NDArray[np.int64], now_us: int, era: int) -> None:
        """Start anew: the newest stored reading of each point that has one."""
        with self._lock:
            self.from_us = now_us // MINUTE_US * MINUTE_US
            self.era = era
            self._ended, self._ended_rows, self._odd = [], 0, DirtySpans(self._most_spans)
            self._running = Running(self._running.size)
            self._running.grow(_size(point))
            known = point < MAX_POINT
            self._running.seed(point[known], time_us[known])
            ahead = time_us >= self.from_us
            self._odd.add_spans(point[ahead], np.full(int(ahead.sum()), self.from_us), time_us[ahead] + 1)

    def learn(self, points: Sequence[Point]) -> None:
        """Take over what those points are; what has come together under another rule is not trusted."""
        points = [point for point in points if point.id < MAX_POINT]
        if not points:
            return
        ids = np.array([point.id for point in points], np.uint32)
        fresh = RuleColumns.of([step_rule(point) for point in points])
        with self._lock:
            self._grow(ids)
            before = self._rules.take(ids.astype(np.intp))
            differs = np.zeros(len(ids), bool)
            for field in fields(RuleColumns):
                values = getattr(fresh, field.name)
                differs |= getattr(before, field.name) != values
                getattr(self._rules, field.name)[ids] = values
            differs &= (before.mode != StepMode.NONE) | (fresh.mode != StepMode.NONE)
            changed = ids[differs]
            self._running.doubt(changed)
            self._drop(lambda rows: np.isin(rows.point, changed))

    def distrust(self, era: int) -> None:
        """Leave everything that has come together to the store: readings have been removed there."""
        with self._lock:
            self.era = era
            self._distrust()

    def take(self, columns: Columns) -> None:
        """Count readings in, in the order in which they came."""
        with self._lock:
            try:
                self._take(columns.point, columns.time_us, columns.value)
            except BaseException:  # whatever was counted by then may be counted again
                self._distrust()
                raise

    def until(self, end_us: int) -> KnownMinutes:
        """The rows of all minutes that are not closed and end by then, and the spans that are to be computed."""
        with self._lock:
            trusted, doubted = self._running.before(end_us // MINUTE_US)
            odd = DirtySpans(self._most_spans)
            odd.put_back(self._odd.spans())
            odd.add(doubted.point, doubted.start_us)
            spans = odd.spans().between(self._closed_us, end_us)
            rows = rows_of([*self._ended, trusted])
            inside = (rows.start_us >= self._closed_us) & (rows.start_us < end_us)
            inside &= ~spans.hold(rows.point, rows.start_us)
            return KnownMinutes(rows.rows(inside), spans.point, spans.start_us, spans.end_us, self.era)

    def close(self, end_us: int) -> None:
        """Those minutes are in the store."""
        with self._lock:
            self._closed_us = end_us
            self._odd.forget_before(end_us)
            self._ended = [rows.rows(rows.start_us >= end_us) for rows in self._ended]
            self._ended = [rows for rows in self._ended if len(rows)]
            self._ended_rows = sum(map(len, self._ended))

    def _take(self, point: NDArray[np.uint32], time_us: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        self._grow(point)
        minute = time_us // MINUTE_US
        room = self._running.size
        usual = minute >= self._running.minute[np.minimum(point, room - 1)]
        usual &= point < room
        if not usual.all():
            self._note_odd(point[~usual], time_us[~usual])
            point, time_us, value = point[usual], time_us[usual], value[usual]
        if len(point) > 1 and not bool((point[1:] > point[:-1]).all()):
            order = np.argsort(point, kind="stable")
            point, time_us, value = point[order], time_us[order], value[order]
        if not len(point):
            return
        newer = self._running.newer(point, time_us)
        if not newer.all():
            bad = np.isin(point, point[~newer])
            self._doubt(point[bad], time_us[bad])
            point, time_us, value = point[~bad], time_us[~bad], value[~bad]
        if len(point):
            self._count_in(point, time_us, value)

    def _distrust(self) -> None:
        self._running.doubt(slice(None))
        self._drop(lambda rows: np.ones(len(rows), bool))

    def _count_in(self, point: NDArray[np.uint32], time_us: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        ended, doubted = self._running.take(point, time_us, value, self._rules)
        self._note_odd(doubted.point, doubted.start_us)
        ended = ended.rows(ended.start_us >= self._closed_us)
        if len(ended):
            self._ended.append(ended)
            self._ended_rows += len(ended)
        if self._ended_rows > _MOST_ROWS:
            self._drop(lambda rows: np.ones(len(rows), bool))

    def _doubt(self, point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> None:
        """Rows of points whose readings came twice or out of order just now."""
        distinct = np.unique(point)
        ended, doubted = self._running.restart(distinct, point, time_us)
        self._note_odd(point, time_us)
        for rows in (ended, doubted):
            self._note_odd(rows.point, rows.start_us)

    def _note_odd(self, point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> None:
        open_ = time_us >= self._closed_us
        self._odd.add(point[open_], time_us[open_])

    def _drop(self, chosen: Callable[[RollupRows], NDArray[np.bool_]]) -> None:
        """Leave rows of ended minutes to the store."""
        kept = []
        for rows in self._ended:
            gone = chosen(rows)
            self._odd.add(rows.point[gone], rows.start_us[gone])
            kept.append(rows.rows(~gone))
        self._ended = [rows for rows in kept if len(rows)]
        self._ended_rows = sum(map(len, self._ended))

    def _grow(self, point: NDArray[np.uint32]) -> None:
        size = _size(point)
        if size > self._running.size:
            self._running.grow(min(max(size, 2 * self._running.size), MAX_POINT))
        room = self._running.size - len(self._rules.mode)
        if room > 0:
            none = RuleColumns.of([StepRule(StepMode.NONE)])
            self._rules = RuleColumns(
                *(
                    np.append(getattr(self._rules, field.name), np.repeat(getattr(none, field.name), room))
                    for field in fields(RuleColumns)
                )
            )


def _size(point: NDArray[np.uint32]) -> int:
    """Room for those points."""
    return int(point[point < MAX_POINT].max(initial=1)) + 1
