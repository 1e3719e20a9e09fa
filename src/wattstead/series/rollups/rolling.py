"""Rolling up: minutes from readings, quarter hours from minutes, local days from quarter hours, in the store.

Each row is computed from all of its bucket, so doing it again changes nothing; what and when, the caller decides.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.rollup import MINUTE_US, QUARTER_US
from wattstead.series.connection import Connection
from wattstead.series.marks import ERA, GENERATION, ROLLED_MINUTE, ROLLED_QUARTER, Marks, Reach
from wattstead.series.rollups.boxes import Box, Boxes
from wattstead.series.rollups.known import KnownMinutes, insert_minutes
from wattstead.series.rollups.levels import MINUTE, QUARTER, Level, Statements, among_cells, days_of
from wattstead.series.rollups.spans import Spans, boxes, cells, edge_cells
from wattstead.series.rules import Rules
from wattstead.series.tiers import FIRST_US, Tier, among

_CELLS_AT_A_TIME = 10_000
_HOUR_US = 3_600_000_000
_GENERATION_SHIFT = 32


class Rolled(msgspec.Struct, frozen=True):
    """How many rows of each tier were computed."""

    minutes: int = 0
    quarters: int = 0
    days: int = 0


class Roller:
    """Computes rollups; of one process at a time, and its calls follow one another."""

    def __init__(self, connection: Connection, marks: Marks, rules: Rules) -> None:
        self._connection, self._marks, self._rules = connection, marks, rules
        self._boxes = Boxes(connection)
        self._lock = threading.Lock()
        self._version = 0

    def close(self, start_us: int, end_us: int, known: KnownMinutes | None = None) -> Rolled:
        """Rolls up all whole minutes of all points in [start, end), then the quarter hours and days that are whole.

        What lies between the minutes rolled up so far and ``start_us`` is rolled up too. ``known``: the rows of
        exactly these minutes, where they need not be computed.
        """
        with self._lock:
            version, reach = self._begin()
            start_us, end_us = _floor(max(start_us, FIRST_US), MINUTE_US), _floor(end_us, MINUTE_US)
            if start_us > (reach.minute_us or start_us):
                start_us, known = reach.minute_us, None
            if start_us >= end_us:
                return Rolled()
            again = start_us < reach.minute_us
            if known is not None and not again and self._holds(known, start_us):
                minutes = self._known(known, version)
            else:
                minutes = self._box(MINUTE, Box(None, start_us, end_us), version, again)
            self._marks.set(ROLLED_MINUTE, end_us)
            reached_us = _floor(max(end_us, reach.minute_us), QUARTER_US)
            low_us = min(_floor(start_us, QUARTER_US), reach.quarter_us or start_us)
            high_us = min(_ceil(end_us, QUARTER_US), reached_us)
            quarters = self._box(QUARTER, Box(None, low_us, high_us), version, again)
            days = 0
            for zone in self._rules.zones():
                edges = edges_us(zone, low_us, reached_us + 1, Step.DAY).clip(min=FIRST_US)
                until = min(_next(edges, high_us), _last(edges, reached_us))
                days += self._box(days_of(zone, edges), Box(None, _last(edges, low_us), until), version, again)
            self._marks.set(ROLLED_QUARTER, reached_us)
            return Rolled(minutes, quarters, days)

    def again(self, spans: Spans, sweep: bool) -> Rolled:
        """Rolls up those spans again, so far as they have been rolled up before; ``sweep``: readings may be gone."""
        with self._lock:
            version, reach = self._begin()
            minute_spans = spans.on_grid(MINUTE_US).cut(reach.minute_us)
            if not len(minute_spans):
                return Rolled()
            quarter_spans = minute_spans.on_grid(QUARTER_US).cut(reach.quarter_us)
            minutes = self._spans(MINUTE, minute_spans, MINUTE_US, version, sweep)
            quarters = self._spans(QUARTER, quarter_spans, QUARTER_US, version, sweep)
            return Rolled(minutes, quarters, self._days(quarter_spans, reach, version, sweep))

    def forget(self) -> None:
        """Begins anew, as after a start of the process: the store has other contents."""
        with self._lock:
            self._version = 0

    def _holds(self, known: KnownMinutes, start_us: int) -> bool:
        """Whether what was counted is what would be computed: nothing removed since, nothing expired."""
        removed = known.era != self._marks.value(ERA)
        return known.few_odd and not removed and not self._rules.expired_from(Tier.RAW, None, start_us)

    def _known(self, known: KnownMinutes, version: int) -> int:
        """Minutes of known rows, and the few beside them that have to be computed."""
        rule_version = self._rules.versions(known.rows.point)
        rows = insert_minutes(self._connection, known.rows, version, rule_version)
        return rows + self._spans(MINUTE, known.odd.on_grid(MINUTE_US), MINUTE_US, version, False)

    def _days(self, spans: Spans, reach: Reach, version: int, sweep: bool) -> int:
        rows = 0
        if not len(spans):
            return rows
        for zone, points in self._rules.points_of_zones(np.unique(spans.point).tolist()).items():
            of_zone = spans.rows(np.isin(spans.point, points))
            edges = edges_us(zone, int(of_zone.start_us.min()), reach.quarter_us + 1, Step.DAY).clip(min=FIRST_US)
            whole = of_zone.on_edges(edges).cut(_last(edges, reach.quarter_us))
            if len(whole):
                near = edges[(edges >= whole.start_us.min()) & (edges <= whole.end_us.max())]
                rows += self._spans(days_of(zone, near), whole, 0, version, sweep)
        return rows

    def _begin(self) -> tuple[int, Reach]:
        """The version of this computation, greater than that of any before, and how far rollups are."""
        if not self._version:
            self._version = self._marks.next(GENERATION) << _GENERATION_SHIFT
        self._version += 1
        self._marks.forget()
        return self._version, self._marks.reach()

    def _spans(self, level: Level, spans: Spans, width_us: int, version: int, sweep: bool) -> int:
        """One level of some spans: the short ones cell by cell, the long ones box by box."""
        short, long = (spans.rows(np.zeros(len(spans), bool)), spans) if sweep else spans.long()
        rows = sum(self._box(level, Box(*box), version, sweep) for box in boxes(long))
        for point, start_us, cell_us in _cells(level, short, width_us):
            statements = self._statements(level, version, np.unique(point).tolist(), int(start_us.min()))
            where = among_cells(level, point, start_us, cell_us)
            rows += self._connection.compute(statements.roll(where, among(np.unique(point).tolist())))
        return rows

    def _box(self, level: Level, box: Box, version: int, sweep: bool) -> int:
        """One level of some points over one span, in as many statements as memory wants."""
        if box.start_us >= box.end_us:
            return 0
        statements = self._statements(level, version, box.points, box.start_us)
        rows = self._boxes.each(level, box, statements.roll)
        if sweep:
            self._connection.compute(statements.sweep(box.points, box.start_us, box.end_us))
        return rows

    def _statements(self, level: Level, version: int, points: Sequence[int] | None, start_us: int) -> Statements:
        return Statements(level, version, self._rules.expired_from(level.source, points, start_us))


def _cells(level: Level, spans: Spans, width_us: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64], int]]:
    """The cells of short spans, some at a time: points, starts and their length; many minutes are taken as hours."""
    if not len(spans):
        return
    if level.edges_us is not None:
        point, start_us = edge_cells(spans, level.edges_us)
    else:
        if level.tier is Tier.MINUTE and int((spans.end_us - spans.start_us).sum()) > len(spans) * _HOUR_US // 4:
            width_us = _HOUR_US
        point, start_us = cells(spans, width_us)
    most = _CELLS_AT_A_TIME if width_us != _HOUR_US else _CELLS_AT_A_TIME // 12
    for at in range(0, len(point), most):
        yield point[at : at + most], start_us[at : at + most], width_us


def _floor(time_us: int, width_us: int) -> int:
    return time_us // width_us * width_us


def _ceil(time_us: int, width_us: int) -> int:
    return -(-time_us // width_us) * width_us


def _last(edges: NDArray[np.int64], time_us: int) -> int:
    """The last edge at or before an instant, of edges that begin at or before it."""
    return int(edges[max(int(np.searchsorted(edges, time_us, side="right")) - 1, 0)])


def _next(edges: NDArray[np.int64], time_us: int) -> int:
    """The first edge at or after an instant, of edges that end at or after it."""
    return int(edges[min(int(np.searchsorted(edges, time_us, side="left")), len(edges) - 1)])
