"""Running: one unfinished rollup row per point, counted on reading by reading; the sums are those of `metering.rollup`.

It is told only of readings that are newer than all before of their point; what to do with others is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import StepMode
from wattstead.metering.rollup import MINUTE_US, RollupRows
from wattstead.metering.step import RuleColumns, own_steps, pair_steps, power_steps
from wattstead.refining.columns import place_of

_COLUMNS: dict[str, type[np.generic]] = {
    "count": np.uint64, "min": np.float64, "max": np.float64, "sum": np.float64, "first_time_us": np.int64,
    "first_value": np.float64, "last_time_us": np.int64, "last_value": np.float64, "step": np.int64,
    "flags": np.uint16,
}  # fmt: skip
_NEVER_US = np.iinfo(np.int64).min
_Times = NDArray[np.int64]
_Points = NDArray[np.uint32]


class Running:
    """The newest minute of each point; a row is trusted when it has seen all of the minute's readings."""

    def __init__(self, size: int = 2) -> None:
        self.size = 0
        self.minute = np.zeros(0, np.int64)
        """The minute (since 1970) of each point's row; -1 without one."""
        self._trusted = np.zeros(0, bool)
        self._column: dict[str, NDArray[Any]] = {name: np.zeros(0, kind) for name, kind in _COLUMNS.items()}
        self.grow(size)

    def grow(self, size: int) -> None:
        """Room for points below ``size``."""
        room = size - self.size
        if room <= 0:
            return
        self.minute = np.append(self.minute, np.full(room, -1))
        self._trusted = np.append(self._trusted, np.zeros(room, bool))
        for name, kind in _COLUMNS.items():
            fill = _NEVER_US if name == "last_time_us" else 0
            self._column[name] = np.append(self._column[name], np.full(room, fill, kind))
        self.size = size

    def seed(self, point: _Points, time_us: _Times) -> None:
        """The newest readings that were counted elsewhere: rows of their minutes are not trusted."""
        self.minute[point] = time_us // MINUTE_US
        self._trusted[point] = False
        self._column["count"][point] = 1
        self._column["last_time_us"][point] = time_us

    def doubt(self, point: _Points | slice) -> None:
        """The rows of those points are not trusted any more."""
        self._trusted[point] = False

    def newer(self, point: _Points, time_us: _Times) -> NDArray[np.bool_]:
        """Which readings, in order of points, are newer than all before them of their point."""
        before_us = self._column["last_time_us"][point]
        same = point[1:] == point[:-1]
        before_us[1:] = np.where(same, time_us[:-1], before_us[1:])
        return np.asarray(time_us > before_us, np.bool_)

    def restart(self, distinct: _Points, point: _Points, time_us: _Times) -> tuple[RollupRows, RollupRows]:
        """Those points go on from the newest of those readings with a row that is not trusted; answers their rows
        so far, trusted ones and others.
        """
        found = self._split(distinct)
        newest_us = self._column["last_time_us"]
        np.maximum.at(newest_us, point, time_us)
        self.seed(distinct, newest_us[distinct])
        return found

    def before(self, minute: int) -> tuple[RollupRows, RollupRows]:
        """Rows of minutes before that one: trusted ones, and others."""
        return self._split(np.flatnonzero((self.minute >= 0) & (self.minute < minute)).astype(np.uint32))

    def take(
        self, point: _Points, time_us: _Times, value: NDArray[np.float64], rules: RuleColumns
    ) -> tuple[RollupRows, RollupRows]:
        """Counts readings in order of (point, time), all `newer`; answers rows that ended, trusted ones and others.

        ``rules`` are by point.
        """
        minute = time_us // MINUTE_US
        other = point[1:] != point[:-1]
        at = place_of(point)
        if bool(other.all()) and bool((minute == self.minute[at]).all()):
            self._go_on(point, at, time_us, value, rules)
            none = _rows(point[:0], time_us[:0], {name: column[:0] for name, column in self._column.items()})
            return none, none
        first = np.flatnonzero(np.concatenate(([True], other | (minute[1:] != minute[:-1]))))
        of_point, of_minute = point[first], minute[first]
        leads = np.concatenate(([True], of_point[1:] != of_point[:-1]))
        ends = np.concatenate((leads[1:], [True]))
        goes_on = leads & (of_minute == self.minute[of_point])
        made = self._made(point, time_us, value, rules, first, goes_on)
        trusted = self._trusted[of_point] | ~goes_on
        left = of_point[leads & ~goes_on & (self.minute[of_point] >= 0)]
        ended, doubted = self._split(left)
        over = made.rows(~ends)
        if len(over):
            ended, doubted = rows_of([ended, over.rows(trusted[~ends])]), rows_of([doubted, over.rows(~trusted[~ends])])
        kept, at = made if len(over) == 0 else made.rows(ends), place_of(of_point[ends])
        self.minute[at], self._trusted[at] = of_minute[ends], trusted[ends]
        for name, column in self._column.items():
            column[at] = getattr(kept, name)
        return ended, doubted

    def _go_on(
        self, point: _Points, at: _Points | slice, time_us: _Times, value: NDArray[np.float64], rules: RuleColumns
    ) -> None:
        """`take` where each point has one reading, in the minute of its row: most of the time."""
        state = self._column
        counted = np.flatnonzero(rules.mode[at])
        if len(counted):
            of = point[counted]
            before = state["last_time_us"][of], state["last_value"][of]
            step, flags = _steps(rules.take(of.astype(np.intp)), *before, time_us[counted], value[counted])
            state["step"][of] += step
            state["flags"][of] |= flags
        state["count"][at] += np.uint64(1)
        state["min"][at] = np.minimum(state["min"][at], value)
        state["max"][at] = np.maximum(state["max"][at], value)
        state["sum"][at] += value
        state["last_time_us"][at], state["last_value"][at] = time_us, value

    def _made(
        self, point: _Points, time_us: _Times, value: NDArray[np.float64], rules: RuleColumns,
        first: NDArray[np.intp], goes_on: NDArray[np.bool_],
    ) -> RollupRows:  # fmt: skip
        """The rows of all runs of one point and minute, on top of what has been counted where a run goes on."""
        last = np.append(first[1:], len(point)) - 1
        on, of_point = np.flatnonzero(goes_on), point[first]
        before = of_point[on]
        state = self._column
        made: dict[str, NDArray[Any]] = {
            "count": (last - first + 1).astype(np.uint64),
            "min": np.minimum.reduceat(value, first), "max": np.maximum.reduceat(value, first),
            "sum": self._sums(value, first, last, on, before),
            "first_time_us": time_us[first], "first_value": value[first],
            "last_time_us": time_us[last], "last_value": value[last],
        }  # fmt: skip
        made["step"], made["flags"] = self._steps(point, time_us, value, rules, first, on, before)
        made["count"][on] += state["count"][before]
        made["min"][on] = np.minimum(made["min"][on], state["min"][before])
        made["max"][on] = np.maximum(made["max"][on], state["max"][before])
        for name in ("first_time_us", "first_value"):
            made[name][on] = state[name][before]
        made["step"][on] += state["step"][before]
        made["flags"][on] |= state["flags"][before]
        return _rows(of_point, time_us[first] // MINUTE_US * MINUTE_US, made)

    def _sums(
        self, value: NDArray[np.float64], first: NDArray[np.intp], last: NDArray[np.intp], on: NDArray[np.intp],
        before: _Points,
    ) -> NDArray[np.float64]:  # fmt: skip
        """Sums from the first reading to the last, one after another."""
        total = value[first].copy()
        total[on] = self._column["sum"][before] + total[on]
        longest = int((last - first).max(initial=0))
        for place in range(1, longest + 1):
            longer = np.flatnonzero(last - first >= place)
            total[longer] += value[first[longer] + place]
        return total

    def _steps(
        self, point: _Points, time_us: _Times, value: NDArray[np.float64], rules: RuleColumns,
        first: NDArray[np.intp], on: NDArray[np.intp], before: _Points,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:  # fmt: skip
        """Steps and flags inside each run, and from what was counted before to its first reading."""
        counted = np.flatnonzero(rules.mode[point])
        if not len(counted):
            return np.zeros(len(first), np.int64), np.zeros(len(first), np.uint16)
        from_us, from_value = np.empty_like(time_us), np.empty_like(value)
        from_us[1:], from_value[1:] = time_us[:-1], value[:-1]
        inside = np.ones(len(point), bool)
        inside[first] = False
        from_us[first], from_value[first] = time_us[first], value[first]
        inside[first[on]] = True
        from_us[first[on]] = self._column["last_time_us"][before]
        from_value[first[on]] = self._column["last_value"][before]
        of_row = rules.take(point[counted].astype(np.intp))
        between = from_us[counted], from_value[counted], time_us[counted], value[counted]
        step, flags = np.zeros(len(point), np.int64), np.zeros(len(point), np.uint16)
        step[counted], flags[counted] = _steps(of_row, *between, inside[counted])
        return np.add.reduceat(step, first), np.bitwise_or.reduceat(flags, first)

    def _split(self, point: _Points) -> tuple[RollupRows, RollupRows]:
        """The rows of those points: trusted ones, and others."""
        rows = _rows(point, self.minute[point] * MINUTE_US, {n: column[point] for n, column in self._column.items()})
        trusted = self._trusted[point]
        return (rows, rows.rows(slice(0, 0))) if trusted.all() else (rows.rows(trusted), rows.rows(~trusted))


def _steps(
    rules: RuleColumns, from_us: _Times, from_value: NDArray[np.float64], time_us: _Times, value: NDArray[np.float64],
    inside: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:  # fmt: skip
    """Steps and flags from the readings before to these, where there is one ``inside``, and those they carry."""
    only_power = bool((rules.mode == StepMode.POWER).all())
    pairs = (power_steps if only_power else pair_steps)(rules, from_us, from_value, time_us, value)
    step = pairs.step if inside is None else np.where(inside, pairs.step, 0)
    flags = pairs.flags if inside is None else np.where(inside, pairs.flags, np.uint16(0))
    return step if only_power else step + own_steps(rules, value), flags


def _rows(point: _Points, start_us: _Times, column: dict[str, NDArray[Any]]) -> RollupRows:
    size = len(point)
    none, rule = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
    return RollupRows(point, start_us, **column, version=none, rule_version=rule)


def rows_of(parts: Sequence[RollupRows]) -> RollupRows:
    """Rows put together, in the order in which the store keeps minutes: by hour, point and start."""
    joined = RollupRows(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(RollupRows)))
    hour = joined.start_us // (60 * MINUTE_US)
    return joined.rows(np.lexsort((joined.start_us, joined.point, hour)))
