"""The step rules: how two neighbouring readings become a whole number of steps and flags; the oracle for the SQL.

Does not know buckets, calendars or storage: `wattstead.metering.rollup` adds the steps up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattstead.metering.point import StepMode, StepRule

MAX_COUNT = 2**53
"""A register's reading is held within ± this many steps: beyond it a float64 no longer counts single steps. What
reaches it is no reading to count from or to."""
BURST_US = 300_000_000
"""What no meter of a quantity exceeds is asked of at least five minutes: readings without a time of their own that
waited somewhere come a microsecond apart, and each may be what a quarter of an hour has counted."""
MAX_POWER = 1e11
"""More than ± this is no power that one point measures (the largest power station makes a fifth): it is not integrated.
A day of less stays in 64 bits of unit · milliseconds."""
MAX_POWER_STEP = 2**60
"""One integrated interval is held within ± this many unit · milliseconds."""


class StepFlag(IntFlag):
    """What happened inside a step; a rollup row carries the OR of all steps inside it."""

    WRAP = 1
    """The register went through its highest number and began again: the step is counted."""
    RESET = 2
    """The register began again near zero: the step is 0."""
    EXCHANGE = 4
    """The register shows an unrelated smaller number (another meter): the step is 0."""
    JUMP = 8
    """More steps than the point can make in that time, or than can be counted, or a power that no point has: the step
    is 0."""
    BACKWARDS = 16
    """The register fell back within its tolerance: counted with its sign."""
    GAP = 32
    """A longer silence than the point's longest gap: nothing is integrated across it, a register is counted."""


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """Step rules as columns, one row per pair of readings; columns of one row stand for all pairs."""

    mode: NDArray[np.uint8]
    quantum: NDArray[np.float64]
    width: NDArray[np.int64]
    max_rate: NDArray[np.float64]
    tolerance: NDArray[np.int64]
    max_gap_us: NDArray[np.int64]

    @staticmethod
    def of(rules: Sequence[StepRule]) -> RuleColumns:
        """The rules as columns, in the order given; a width beyond 2^53 steps cannot be seen and counts as none."""
        return RuleColumns(
            np.array([r.mode for r in rules], np.uint8),
            np.array([r.quantum for r in rules], np.float64),
            np.array([r.width if 0 < r.width <= MAX_COUNT else 0 for r in rules], np.int64),
            np.array([r.max_rate for r in rules], np.float64),
            np.array([r.tolerance for r in rules], np.int64),
            np.array([r.max_gap_us for r in rules], np.int64),
        )

    def take(self, rows: NDArray[np.intp]) -> RuleColumns:
        """The rules at those rows; a single rule stays the rule of all."""
        if len(self.mode) == 1:
            return self
        return RuleColumns(
            self.mode[rows],
            self.quantum[rows],
            self.width[rows],
            self.max_rate[rows],
            self.tolerance[rows],
            self.max_gap_us[rows],
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps between pairs of readings: ``step`` int64, ``flags`` uint16 of `StepFlag`."""

    step: NDArray[np.int64]
    flags: NDArray[np.uint16]


def register_count(value: ArrayLike, quantum: ArrayLike) -> NDArray[np.int64]:
    """Register readings as whole steps: value / quantum, rounded half to even, held within ± 2^53.

    >>> register_count([0.0125, 0.5, 1.5, 2.5], [0.001, 1, 1, 1]).tolist()
    [12, 0, 2, 2]
    """
    count = np.rint(np.asarray(value, np.float64) / np.asarray(quantum, np.float64))
    return np.clip(count, -MAX_COUNT, MAX_COUNT).astype(np.int64)


def register_steps(rule: RuleColumns, time0_us: ArrayLike, v0: ArrayLike, time1_us: ArrayLike, v1: ArrayLike) -> Steps:
    """Steps a register made between two readings, time0 < time1; falls are wraps, jitter, resets or exchanges.

    >>> rule = RuleColumns.of([StepRule(StepMode.REGISTER, 1.0, width=100_000)])
    >>> got = register_steps(rule, [0, 0], [99_990.0, 500.0], [10**6, 10**6], [15.0, 520.0])
    >>> got.step.tolist(), got.flags.tolist()
    ([25, 20], [1, 0])
    """
    dt_us = np.asarray(time1_us, np.int64) - np.asarray(time0_us, np.int64)
    a, b = register_count(v0, rule.quantum), register_count(v1, rule.quantum)
    d = b - a
    most = np.abs(rule.max_rate) * (np.where(rule.max_rate < 0, np.maximum(dt_us, BURST_US), dt_us) / 1e6)
    limited, beyond = rule.max_rate > 0, np.maximum(np.abs(a), np.abs(b)) >= MAX_COUNT
    wrapped = d + rule.width
    believable = np.where(limited, wrapped <= most, wrapped <= rule.width // 10)
    cases: list[NDArray[np.bool_]] = [
        beyond | ((rule.max_rate != 0) & (d > most)),
        d >= 0,
        (rule.width > 0) & (wrapped >= 0) & believable,
        -d <= rule.tolerance,
        b * 100 <= a,
    ]
    zero = np.zeros_like(d)
    step = np.select(cases, [zero, d, wrapped + zero, d, zero], 0)
    flags = np.select(cases, [StepFlag.JUMP, 0, StepFlag.WRAP, StepFlag.BACKWARDS, StepFlag.RESET], StepFlag.EXCHANGE)
    gap = np.where(dt_us > rule.max_gap_us, int(StepFlag.GAP), 0)
    return Steps(step.astype(np.int64), (flags | gap).astype(np.uint16))


def power_steps(rule: RuleColumns, time0_us: ArrayLike, v0: ArrayLike, time1_us: ArrayLike, v1: ArrayLike) -> Steps:
    """Trapezoids of power in unit · milliseconds, rounded half to even; nothing across a gap or beyond `MAX_POWER`.

    >>> rule = RuleColumns.of([StepRule(StepMode.POWER, max_gap_us=60_000_000)])
    >>> power_steps(rule, [0, 0], [100.0, 5.0], [10**6, 10**9], [300.0, 5.0]).step.tolist()
    [200000, 0]
    """
    v0, v1 = np.asarray(v0, np.float64), np.asarray(v1, np.float64)
    with np.errstate(over="ignore"):
        twice = v0 + v1
    return _areas(rule, time0_us, time1_us, twice, 2000.0, np.maximum(np.abs(v0), np.abs(v1)))


def mean_steps(rule: RuleColumns, time0_us: ArrayLike, time1_us: ArrayLike, v1: ArrayLike) -> Steps:
    """Means over the time since the reading before, in unit · milliseconds; limits as of power.

    >>> rule = RuleColumns.of([StepRule(StepMode.MEAN, max_gap_us=3_600_000_000)])
    >>> mean_steps(rule, [0, 0], [10**6, 7200 * 10**6], [300.0, 5.0]).step.tolist()
    [300000, 0]
    """
    v1 = np.asarray(v1, np.float64)
    return _areas(rule, time0_us, time1_us, v1, 1000.0, np.abs(v1))


def _areas(
    rule: RuleColumns, time0_us: ArrayLike, time1_us: ArrayLike, height: NDArray[np.float64], per_us: float,
    greatest: NDArray[np.float64],
) -> Steps:  # fmt: skip
    """Height · time / ``per_us``, rounded half to even; nothing across a gap or beyond `MAX_POWER`."""
    dt_us = np.asarray(time1_us, np.int64) - np.asarray(time0_us, np.int64)
    gap, absurd = dt_us > rule.max_gap_us, greatest > MAX_POWER
    with np.errstate(over="ignore"):
        area = np.rint(height * (dt_us / per_us))
    step = np.where(gap | absurd, 0.0, np.clip(area, -MAX_POWER_STEP, MAX_POWER_STEP))
    flags = np.where(gap, int(StepFlag.GAP), 0) | np.where(absurd, int(StepFlag.JUMP), 0)
    return Steps(step.astype(np.int64), flags.astype(np.uint16))


def delta_steps(rule: RuleColumns, value: ArrayLike) -> NDArray[np.int64]:
    """Steps that readings of amounts carry themselves; between readings of amounts there is nothing.

    >>> delta_steps(RuleColumns.of([StepRule(StepMode.DELTA, 0.001)]), [0.25, 0.0005]).tolist()
    [250, 0]
    """
    return register_count(value, rule.quantum)


def own_steps(rule: RuleColumns, value: ArrayLike) -> NDArray[np.int64]:
    """What each reading counts by itself: amounts of a delta, 0 under any other rule."""
    return np.where(rule.mode == StepMode.DELTA, delta_steps(rule, value), 0)


def pair_steps(rule: RuleColumns, time0_us: ArrayLike, v0: ArrayLike, time1_us: ArrayLike, v1: ArrayLike) -> Steps:
    """Steps between neighbouring readings of one point, each row under its own rule; 0 for delta and none.

    Used inside a bucket and between buckets alike: the crossing from one row's last to the next row's first
    reading is the same function.
    """
    for mode, steps in ((StepMode.POWER, power_steps), (StepMode.REGISTER, register_steps)):
        if len(rule.mode) and bool((rule.mode == mode).all()):
            return steps(rule, time0_us, v0, time1_us, v1)
    is_mode = [rule.mode == mode for mode in (StepMode.REGISTER, StepMode.POWER, StepMode.MEAN)]
    found = [
        register_steps(rule, time0_us, v0, time1_us, v1),
        power_steps(rule, time0_us, v0, time1_us, v1),
    ]
    if bool(is_mode[2].any()):
        found.append(mean_steps(rule, time0_us, time1_us, v1))
    of = is_mode[: len(found)]
    return Steps(
        np.select(of, [one.step for one in found], 0),
        np.select(of, [one.flags for one in found], 0).astype(np.uint16),
    )
