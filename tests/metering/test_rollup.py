"""Rollup rows: one set of readings has one result, levels agree, edges telescope."""

from __future__ import annotations

import random
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import StepMode, StepRule
from wattstead.metering.rollup import (
    DAY_US,
    MINUTE_US,
    QUARTER_US,
    RollupRows,
    UnsortedError,
    amounts,
    bucket_starts,
    cumulative,
    edge_starts,
    merge,
    ordered_sums,
    roll,
    settle,
)
from wattstead.metering.step import RuleColumns, StepFlag, own_steps, pair_steps

pytestmark = pytest.mark.unit

S = 1_000_000
RULES = {
    1: StepRule(StepMode.REGISTER, 1.0, width=10_000, max_rate=50.0, tolerance=2, max_gap_us=600 * S),
    2: StepRule(StepMode.POWER, max_gap_us=300 * S),
    3: StepRule(StepMode.DELTA, 0.5),
    4: StepRule(StepMode.NONE),
    5: StepRule(StepMode.REGISTER, 0.001, width=2**16, max_rate=-7e3, tolerance=1),
    6: StepRule(StepMode.MEAN, max_gap_us=7200 * S),
}


def same(a: RollupRows, b: RollupRows) -> bool:
    """Equal to the last bit in every column."""
    return all(getattr(a, f.name).tobytes() == getattr(b, f.name).tobytes() for f in fields(RollupRows))


def minutes(batch: ReadingBatch) -> RollupRows:
    return roll(batch, bucket_starts(batch.time_us, MINUTE_US), RULES)


def coarser(rows: RollupRows, width_us: int) -> RollupRows:
    return merge(rows, bucket_starts(rows.start_us, width_us), RULES)


@st.composite
def readings(draw: st.DrawFn, most: int = 60) -> ReadingBatch:
    """Readings of six points over some hours: distinct (point, time), registers that fall, wrap and jump."""
    keys = draw(
        st.lists(
            st.tuples(st.integers(1, 6), st.integers(-3600, 4 * 3600).map(lambda s: s * S)),
            min_size=1,
            max_size=most,
            unique=True,
        )
    )
    values = draw(
        st.lists(
            st.one_of(
                st.integers(0, 9_999), st.integers(9_900, 9_999), st.floats(0, 60), st.sampled_from([0.1, 1e9, 1e300])
            ),
            min_size=len(keys),
            max_size=len(keys),
        )
    )
    return ReadingBatch.of([p for p, _ in keys], [t for _, t in keys], [float(v) for v in values], version=1)


def plain_sum(batch: ReadingBatch, rule: StepRule) -> int:
    """All steps of one point's readings in order, in Python integers."""
    columns = RuleColumns.of([rule])
    total = sum(own_steps(columns, batch.value).tolist())
    pairs = pair_steps(columns, batch.time_us[:-1], batch.value[:-1], batch.time_us[1:], batch.value[1:])
    return total + sum(pairs.step.tolist())


def of_point(batch: ReadingBatch, point: int) -> ReadingBatch:
    rows = batch.point == point
    return ReadingBatch.of([point] * int(rows.sum()), batch.time_us[rows], batch.value[rows])


@given(readings(), st.randoms(use_true_random=False), st.integers(1, 8))
def test_order_repetition_splitting_and_merging_change_nothing(
    batch: ReadingBatch, chance: random.Random, pieces: int
) -> None:
    order = np.array(chance.sample(range(len(batch)), len(batch)))
    cuts = np.array_split(order, pieces)
    parts = [ReadingBatch.of(batch.point[c], batch.time_us[c], batch.value[c], version=1) for c in cuts]
    repeated = parts + [chance.choice(parts) for _ in range(3)]
    chance.shuffle(repeated)
    assert same(minutes(settle(repeated)), minutes(settle([batch])))
    assert same(minutes(settle([settle(repeated[:2]), *repeated[2:]])), minutes(settle([batch])))


@given(readings(), st.data())
def test_late_and_corrected_readings_end_as_if_right_at_once(right: ReadingBatch, data: st.DataObject) -> None:
    """Whatever arrives late, and whatever was first told wrong, the stored rows are those of the truth."""
    first = np.array(data.draw(st.lists(st.booleans(), min_size=len(right), max_size=len(right))))
    wrong = np.where(data.draw(st.booleans()), right.value + 7.25, -right.value)
    early = ReadingBatch.of(right.point[first], right.time_us[first], wrong[first], version=5)
    late = ReadingBatch.of(right.point, right.time_us, right.value, version=6)
    truth = minutes(settle([ReadingBatch.of(right.point, right.time_us, right.value, version=6)]))
    for arrived in ([early, late], [late, early], [late, early, late, early]):
        assert same(minutes(settle(arrived)), truth)


@given(readings())
def test_levels_agree_and_equal_the_readings(batch: ReadingBatch) -> None:
    settled = settle([batch])
    quarters = coarser(minutes(settled), QUARTER_US)
    straight = roll(settled, bucket_starts(settled.time_us, QUARTER_US), RULES)
    for name in ("point", "start_us", "count", "min", "max", "first_value", "last_time_us", "step", "flags"):
        assert getattr(quarters, name).tolist() == getattr(straight, name).tolist(), name
    days = coarser(quarters, DAY_US)
    direct_days = coarser(minutes(settled), DAY_US)
    assert days.step.tolist() == direct_days.step.tolist()
    assert days.flags.tolist() == direct_days.flags.tolist()


@given(readings(), st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe"]))
def test_amounts_telescope_from_quarters_to_local_days(batch: ReadingBatch, zone: str) -> None:
    settled = settle([batch])
    low, high = int(settled.time_us.min()) - QUARTER_US, int(settled.time_us.max()) + 2 * QUARTER_US
    days = edges_us(zone, low, high, Step.DAY)
    hours = edges_us(zone, int(days[0]), int(days[-1]), Step.H1)
    quarters = edges_us(zone, int(days[0]), int(days[-1]), Step.MIN15)
    assert set(days.tolist()) <= set(hours.tolist()) <= set(quarters.tolist())
    for point in np.unique(settled.point).tolist():
        own = of_point(settled, point)
        rows = coarser(minutes(own), QUARTER_US)
        rule = RULES[point]
        by_quarter, by_hour, by_day = (amounts(rows, rule, edges) for edges in (quarters, hours, days))
        assert _regrouped(by_quarter, quarters, hours) == by_hour
        assert _regrouped(by_hour, hours, days) == by_day
        assert sum(by_day) == plain_sum(own, rule)
        assert cumulative(minutes(own), rule, quarters) == cumulative(rows, rule, quarters)


def _regrouped(amount: list[int], fine: NDArray[np.int64], coarse: NDArray[np.int64]) -> list[int]:
    group = np.searchsorted(coarse, fine[:-1], side="right") - 1
    return [sum(a for a, g in zip(amount, group.tolist(), strict=True) if g == k) for k in range(len(coarse) - 1)]


def test_days_equal_the_register_difference_to_the_unit() -> None:
    """A register of a year that wraps: the sum of local days is what it counted, over both clock changes."""
    chance = random.Random(7)
    width, true, at, rows = 100_000, 0, 0, []
    while at < 366 * DAY_US:
        rows.append((at, true % width))
        at += chance.randrange(60 * S, 7200 * S)
        true += chance.randrange(0, 900)
    batch = ReadingBatch.of([1] * len(rows), [t for t, _ in rows], [float(v) for _, v in rows])
    rule = StepRule(StepMode.REGISTER, 1.0, width=width)
    table = roll(batch, bucket_starts(batch.time_us, QUARTER_US), {1: rule})
    edges = edges_us("Europe/Berlin", 0, 367 * DAY_US, Step.DAY)
    counted = true if rows[-1][1] == true % width else plain_sum(batch, rule)
    assert sum(amounts(table, rule, edges)) == counted
    assert any(int(f) & StepFlag.WRAP for f in table.flags.tolist()) or len(table) > 300


def test_a_crossing_is_shared_by_time_and_floors() -> None:
    rule = StepRule(StepMode.REGISTER, 1.0, tolerance=5)
    batch = ReadingBatch.of([1, 1, 1], [0, 3 * MINUTE_US, 4 * MINUTE_US], [10.0, 20.0, 19.0])
    rows = roll(batch, bucket_starts(batch.time_us, MINUTE_US), {1: rule})
    assert cumulative(rows, rule, np.arange(6) * MINUTE_US) == [0, 3, 6, 10, 9, 9]
    assert amounts(rows, rule, np.array([0, 3 * MINUTE_US + MINUTE_US])) == [9]


@given(st.lists(st.tuples(st.integers(1, 180), st.integers(0, 9_000)), min_size=2, max_size=30), st.randoms())
def test_a_mean_counts_for_all_the_time_since_the_reading_before(
    told: list[tuple[int, int]], chance: random.Random
) -> None:
    """Minutes between readings, and watts: each minute has its watts · 60 s, in whatever order the readings came."""
    rule = StepRule(StepMode.MEAN, max_gap_us=DAY_US)
    ends = np.cumsum([minutes for minutes, _ in told])
    sent = [
        ReadingBatch.of([6], [int(end) * MINUTE_US], [float(w)], version=1)
        for end, (_, w) in zip(ends, told, strict=True)
    ]
    chance.shuffle(sent)
    batch = settle(sent + sent[:3])
    rows = roll(batch, bucket_starts(batch.time_us, MINUTE_US), {6: rule})
    edges = np.arange(int(ends[0]), int(ends[-1]) + 1) * MINUTE_US
    wanted = [watts * 60_000 for minutes, watts in told[1:] for _ in range(minutes)]
    assert amounts(rows, rule, edges) == wanted
    before_first = amounts(rows, rule, np.array([-DAY_US, int(ends[0]) * MINUTE_US]))
    assert before_first == [0]


def test_an_empty_point_and_edges_outside_its_readings() -> None:
    rule = RULES[1]
    assert cumulative(minutes(ReadingBatch.of([], [], [])), rule, np.array([0, 5])) == [0, 0]
    rows = minutes(ReadingBatch.of([1, 1], [0, S], [5.0, 7.0]))
    assert cumulative(rows, rule, np.array([-MINUTE_US, 0, MINUTE_US])) == [0, 0, 2]


def test_products_beyond_64_bits_stay_exact() -> None:
    rule = StepRule(StepMode.REGISTER, 1.0, max_gap_us=10**18)
    span = 10 * 365 * DAY_US
    batch = ReadingBatch.of([1, 1], [0, span], [0.0, 2.0**53 - 1])
    rows = roll(batch, bucket_starts(batch.time_us, DAY_US), {1: rule})
    edge = 777 * DAY_US
    assert cumulative(rows, rule, np.array([edge])) == [(2**53 - 1) * edge // span]


def test_an_edge_through_a_row_is_an_error() -> None:
    rows = minutes(ReadingBatch.of([1, 1, 1], [0, 30 * S, 2 * MINUTE_US], [5.0, 7.0, 8.0]))
    with pytest.raises(UnsortedError):
        cumulative(rows, RULES[1], np.array([10 * S]))


def test_unsorted_readings_and_rows_are_errors() -> None:
    with pytest.raises(UnsortedError):
        minutes(ReadingBatch.of([1, 1], [5, 5], [0.0, 0.0]))
    with pytest.raises(UnsortedError):
        minutes(ReadingBatch.of([2, 1], [0, 5], [0.0, 0.0]))
    rows = minutes(ReadingBatch.of([1, 1], [0, MINUTE_US], [0.0, 0.0]))
    with pytest.raises(UnsortedError):
        coarser(rows.rows(np.array([1, 0])), QUARTER_US)


def test_rows_between_edges_of_a_calendar() -> None:
    edges = np.array([0, 10, 40])
    assert edge_starts(np.array([0, 9, 10, 39]), edges).tolist() == [0, 0, 10, 10]
    for outside in (-1, 40):
        with pytest.raises(UnsortedError):
            edge_starts(np.array([outside]), edges)


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), min_size=1, max_size=40))
def test_sums_run_from_left_to_right(parts: list[list[float]]) -> None:
    first = np.cumsum([0, *(len(p) for p in parts[:-1])])
    expected = []
    for part in parts:
        total = part[0]
        for number in part[1:]:
            total += number
        expected.append(total)
    assert ordered_sums(np.concatenate(parts), first).tolist() == expected
    assert ordered_sums(np.array(parts[0]), np.array([0])).tolist() == expected[:1]
