"""The step rules, against a second writing of them in plain Python and against what a meter may never do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.point import Point, StepMode, StepRule, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.step import (
    MAX_COUNT,
    RuleColumns,
    StepFlag,
    own_steps,
    pair_steps,
    power_steps,
    register_steps,
)

pytestmark = pytest.mark.unit

S = 1_000_000


def plain_register(rule: StepRule, dt_us: int, v0: float, v1: float) -> tuple[int, int]:
    """The contract read aloud, one pair at a time."""
    a, b = round(v0 / rule.quantum), round(v1 / rule.quantum)
    d = b - a
    gap = StepFlag.GAP if dt_us > rule.max_gap_us else 0
    most = abs(rule.max_rate) * (max(dt_us, 300 * S if rule.max_rate < 0 else 0) / 1e6)
    if max(abs(a), abs(b)) >= MAX_COUNT or (rule.max_rate and d > most):
        return 0, StepFlag.JUMP | gap
    if d >= 0:
        return d, gap
    c = d + rule.width
    if rule.width > 0 and c >= 0 and (c <= most if rule.max_rate > 0 else Fraction(c) <= Fraction(rule.width, 10)):
        return c, StepFlag.WRAP | gap
    if -d <= rule.tolerance:
        return d, StepFlag.BACKWARDS | gap
    return 0, (StepFlag.RESET if b * 100 <= a else StepFlag.EXCHANGE) | gap


register_rules = st.builds(
    StepRule,
    mode=st.just(StepMode.REGISTER),
    quantum=st.sampled_from([1.0, 0.5, 0.001, 1e-6]),
    width=st.sampled_from([0, 100, 10_000, 10**6, 2**8, 2**16, 2**32]),
    max_rate=st.sampled_from([0.0, 0.3, 5.0, 1000.0, -5.0, -1e6]),
    tolerance=st.integers(0, 5),
    max_gap_us=st.sampled_from([S, 60 * S, 1800 * S]),
)
counts = st.one_of(st.integers(0, 300), st.integers(0, 2**20), st.floats(-1e9, 1e12))


@given(register_rules, st.integers(1, 4000 * S), counts, counts)
def test_register_follows_the_contract(rule: StepRule, dt_us: int, v0: float, v1: float) -> None:
    got = register_steps(RuleColumns.of([rule]), [0], [v0 * rule.quantum], [dt_us], [v1 * rule.quantum])
    assert (got.step[0], got.flags[0]) == plain_register(rule, dt_us, v0 * rule.quantum, v1 * rule.quantum)


@given(register_rules, st.lists(st.tuples(counts, counts), min_size=1, max_size=20))
def test_one_rule_for_all_equals_a_rule_per_row(rule: StepRule, pairs: list[tuple[float, float]]) -> None:
    v0, v1 = np.array(pairs).T
    t = np.zeros(len(pairs), np.int64)
    together = pair_steps(RuleColumns.of([rule]), t, v0, t + S, v1)
    apart = pair_steps(RuleColumns.of([rule] * len(pairs)), t, v0, t + S, v1)
    assert together.step.tolist() == apart.step.tolist()
    assert together.flags.tolist() == apart.flags.tolist()


@given(register_rules, st.integers(1, 4000 * S), counts, counts)
def test_register_never_invents(rule: StepRule, dt_us: int, v0: float, v1: float) -> None:
    """A step is the difference shown, the difference through the width, or nothing."""
    got = register_steps(RuleColumns.of([rule]), [0], [v0 * rule.quantum], [dt_us], [v1 * rule.quantum])
    step, flags = int(got.step[0]), int(got.flags[0])
    shown = round(v1 * rule.quantum / rule.quantum) - round(v0 * rule.quantum / rule.quantum)
    assert step in (0, shown, shown + rule.width)
    if step < 0:
        assert -step <= rule.tolerance and flags & StepFlag.BACKWARDS
    if step > 0 and shown < 0:
        assert flags & StepFlag.WRAP
        if rule.max_rate == 0:
            assert step * 10 <= rule.width
    if rule.max_rate > 0 and step > 0:
        assert step <= rule.max_rate * (dt_us / 1e6)


@pytest.mark.parametrize("width", [10**n for n in (4, 5, 6, 9, 12)] + [2**n for n in (8, 16, 24, 32, 48)])
def test_wrap_at_every_width(width: int) -> None:
    rule = RuleColumns.of([StepRule(StepMode.REGISTER, 1.0, width=width)])
    got = register_steps(rule, [0], [float(width - 3)], [S], [4.0])
    assert (got.step[0], got.flags[0]) == (7, StepFlag.WRAP)


@pytest.mark.parametrize(
    ("v0", "v1", "step", "flags"),
    [
        (5000.0, 12.0, 0, StepFlag.RESET),
        (5000.0, 50.0, 0, StepFlag.RESET),
        (5000.0, 51.0, 0, StepFlag.EXCHANGE),
        (5000.0, 4800.0, 0, StepFlag.EXCHANGE),
        (5000.0, 4999.0, -1, StepFlag.BACKWARDS),
        (5000.0, 4998.0, 0, StepFlag.EXCHANGE),
        (5000.0, 5000.0, 0, 0),
        (0.0, 0.0, 0, 0),
    ],
)
def test_falls_without_a_width(v0: float, v1: float, step: int, flags: int) -> None:
    got = register_steps(RuleColumns.of([StepRule(StepMode.REGISTER, 1.0, tolerance=1)]), [0], [v0], [S], [v1])
    assert (got.step[0], got.flags[0]) == (step, flags)


def test_a_jump_counts_nothing_and_a_register_counts_across_a_gap() -> None:
    rule = RuleColumns.of([StepRule(StepMode.REGISTER, 1.0, max_rate=2.0, max_gap_us=60 * S)])
    got = register_steps(rule, [0, 0, 0], [0, 0, 0], [10 * S, 10 * S, 100 * S], [20, 21, 150])
    assert got.step.tolist() == [20, 0, 150]
    assert got.flags.tolist() == [0, StepFlag.JUMP, StepFlag.GAP]


@given(st.lists(st.integers(0, 3), min_size=4, max_size=40), st.data())
def test_a_spike_of_one_reading_costs_the_way_to_it_and_back(used: list[int], data: st.DataObject) -> None:
    """A meter that nobody told a bound of: what no meter can show counts nothing, on the way up and on the way down."""
    point = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=1.0, width=10**5)
    shown = 70_000.0 + np.cumsum(used)
    at = data.draw(st.integers(1, len(used) - 2))
    spiked = shown.copy()
    spiked[at] += data.draw(st.sampled_from([9e9, 1e12, 1e300]))
    rule, t = RuleColumns.of([step_rule(point)]), np.arange(len(used)) * 60 * S
    plain, got = (register_steps(rule, t[:-1], v[:-1], t[1:], v[1:]) for v in (shown, spiked))
    assert plain.step.sum() == shown[-1] - shown[0]
    assert got.step[at - 1] == got.step[at] == 0 and got.flags[at - 1] & StepFlag.JUMP
    assert got.step.sum() == plain.step.sum() - plain.step[at - 1] - plain.step[at]


def test_readings_of_a_register_that_waited_and_come_at_once_count_all_they_say() -> None:
    """A broker held what has no time of its own: each is a microsecond after the one before, and none is absurd."""
    point = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh")
    shown, t = 1234.5 + 25.0 * np.arange(96), np.arange(96)  # a quarter hour each, of 100 kW
    got = register_steps(RuleColumns.of([step_rule(point)]), t[:-1], shown[:-1], t[1:], shown[1:])
    assert got.step.sum() == 95 * 25_000_000 and not got.flags.any()


def test_what_no_meter_exceeds_tells_no_wrap() -> None:
    """A new meter near zero is not the old one that went round, only because a power station could have done it."""
    point = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=1.0, width=10**5)
    rule = RuleColumns.of([step_rule(point)])
    got = register_steps(rule, [0, 0], [70_000.0, 99_990.0], [60 * S, 60 * S], [3.0, 15.0])
    assert got.step.tolist() == [0, 25] and got.flags.tolist() == [StepFlag.RESET, StepFlag.WRAP]


def test_numbers_no_register_can_show_do_not_overflow() -> None:
    rule = RuleColumns.of([StepRule(StepMode.REGISTER, 1e-6, width=10**30)])
    got = register_steps(rule, [0, 0], [-1e300, 1e300], [S, S], [1e300, -1e300])
    assert got.step.tolist() == [0, 0] and got.flags.tolist() == [StepFlag.JUMP, StepFlag.JUMP]
    rule = RuleColumns.of([StepRule(StepMode.REGISTER, 1.0)])
    got = register_steps(rule, [0, 0], [0.0, 0.0], [S, S], [2.0**53 - 1, 2.0**53])
    assert got.step.tolist() == [MAX_COUNT - 1, 0] and got.flags.tolist() == [0, StepFlag.JUMP]
    rule = RuleColumns.of([StepRule(StepMode.POWER)])
    power = power_steps(rule, [0, 0, 0], [1e300, -1.01e11, 1e11], [S, S, 600 * S], [1e308, 0.0, 1e11])
    assert power.step.tolist() == [0, 0, 10**11 * 600_000]
    assert power.flags.tolist() == [StepFlag.JUMP, StepFlag.JUMP, 0]


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.integers(1, 3600 * S))
def test_power_is_the_trapezoid_rounded(v0: float, v1: float, dt_us: int) -> None:
    got = power_steps(RuleColumns.of([StepRule(StepMode.POWER, max_gap_us=1800 * S)]), [0], [v0], [dt_us], [v1])
    if dt_us > 1800 * S:
        assert (got.step[0], got.flags[0]) == (0, StepFlag.GAP)
    else:
        exact = (Fraction(v0) + Fraction(v1)) * dt_us / 2000
        assert abs(Fraction(int(got.step[0])) - exact) <= Fraction(1, 2) + abs(exact) / 2**50
        assert got.flags[0] == 0


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.integers(1, 2 * 86_400 * S))
def test_a_mean_counts_since_the_reading_before_rounded(v0: float, v1: float, dt_us: int) -> None:
    rules = RuleColumns.of([StepRule(StepMode.MEAN, max_gap_us=86_400 * S), StepRule(StepMode.POWER)])
    got = pair_steps(rules, [0, 0], [v0, v0], [dt_us, dt_us], [v1, v1])
    if dt_us > 86_400 * S:
        assert (got.step[0], got.flags[0]) == (0, StepFlag.GAP)
    else:
        exact = Fraction(v1) * dt_us / 1000
        assert abs(Fraction(int(got.step[0])) - exact) <= Fraction(1, 2) + abs(exact) / 2**50
        assert got.flags[0] == 0


def test_halves_go_to_the_even_number() -> None:
    rule = RuleColumns.of([StepRule(StepMode.POWER)])
    assert power_steps(rule, [0, 0], [1.0, 3.0], [500, 500], [1.0, 3.0]).step.tolist() == [0, 2]
    assert own_steps(RuleColumns.of([StepRule(StepMode.DELTA, 2.0)]), [1.0, 3.0, 5.0]).tolist() == [0, 2, 2]


def test_delta_counts_itself_and_none_counts_nothing() -> None:
    rules = RuleColumns.of([StepRule(StepMode.DELTA, 1.0), StepRule(StepMode.NONE)])
    assert own_steps(rules, [7.0, 7.0]).tolist() == [7, 0]
    pairs = pair_steps(rules, [0, 0], [7.0, 7.0], [10**10, 10**10], [9.0, 9.0])
    assert pairs.step.tolist() == [0, 0] and pairs.flags.tolist() == [0, 0]
