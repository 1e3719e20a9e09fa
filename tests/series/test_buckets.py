"""Buckets against metering: the same whichever tiers answer, exact to the step, telescoping, live tail included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point, StepMode, StepRule, amount_per_step, step_rule
from wattstead.metering.quantity import Kind, Quantity, unit
from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US, RollupRows, amounts, edge_starts, roll
from wattstead.series import AnswerTooLarge, Buckets, Retention, Series, SeriesError, TooManyBuckets
from wattstead.series.connection import Limits

S = 1_000_000
T0 = 1_774_569_600 * S


def rows_between(batch: ReadingBatch, edges: NDArray[np.int64], rules: dict[int, StepRule]) -> RollupRows:
    """One point's readings as rows of the buckets between the edges, and of two more around all."""
    around = np.concatenate([[-DAY_US], edges, [9 * 10**15]])
    return roll(batch, edge_starts(batch.time_us, around), rules)


def assert_right(point: Point, batch: ReadingBatch, edges: NDArray[np.int64], found: Buckets) -> None:
    """What was found is what metering makes of the readings."""
    rule = step_rule(point)
    rows = rows_between(batch, edges, {point.id: rule})
    assert found.start_us.tolist() == edges[:-1].tolist()
    assert found.steps.tolist() == amounts(rows, rule, edges)
    at = np.searchsorted(edges, rows.start_us, side="right") - 1
    inside = (rows.start_us >= edges[0]) & (rows.start_us < edges[-1])
    at, rows = at[inside], rows.rows(inside)
    count = np.zeros(len(edges) - 1, np.int64)
    count[at] = rows.count
    assert found.count.tolist() == count.tolist()
    base = unit(point.unit)
    own_numbers = {"min": rows.min, "max": rows.max, "first": rows.first_value, "last": rows.last_value}
    for name, own in own_numbers.items():
        right = np.full(len(count), np.nan)
        right[at] = own * base.factor + base.offset
        np.testing.assert_array_equal(getattr(found, name), right, name)
    mean = np.full(len(count), np.nan)
    mean[at] = rows.sum / rows.count * base.factor + base.offset
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12, atol=1e-9)
    assert (found.flags[at] & rows.flags == rows.flags).all()
    known = ~np.isnan(found.amount)
    if rule.mode is StepMode.NONE:
        assert not known.any()
    else:
        assert known[at].all()
        np.testing.assert_array_equal(found.amount[known], found.steps[known] * amount_per_step(point))


def questions(chance: np.random.Generator, zone: str) -> Iterator[NDArray[np.int64]]:
    """Edges of every kind: of the calendar from years to seconds, odd ones, one bucket, far before and after."""
    yield edges_us(zone, T0 - 40 * DAY_US, T0 + 40 * DAY_US, Step.DAY)
    yield edges_us(zone, T0, T0 + 4 * DAY_US, Step.H6)
    yield edges_us("UTC", T0, T0 + 4 * DAY_US, Step.MIN15)
    yield edges_us("UTC", T0 + DAY_US, T0 + 2 * DAY_US, Step.MIN5)
    at = T0 + int(chance.integers(0, 4 * 86_400)) * S
    yield edges_us("UTC", at, at + 1800 * S, Step.S10)
    yield edges_us(zone, T0 - 400 * DAY_US, T0 + 400 * DAY_US, Step.MONTH)
    yield np.unique(T0 + chance.integers(-DAY_US, 5 * DAY_US, 40))
    yield np.unique(T0 + chance.integers(-1440, 5 * 1440, 60) * MINUTE_US)
    low = T0 + int(chance.integers(0, 2 * DAY_US))
    yield np.array([low, low + int(chance.integers(S, 2 * DAY_US))])
    yield np.array([low, low + 1])


@pytest.mark.parametrize(("seed", "few_rows"), [(30, 20_000), (31, 0)])
def test_buckets_equal_metering_before_during_and_after_rolling(
    address: str, stories: Callable[..., Any], points: list[Point], seed: int, few_rows: int
) -> None:
    """``few_rows`` 0: the store merges everything; else what is little is merged here. Both are the same."""
    series = Series(address, Limits(few_rows=few_rows))
    series.migrate()
    series.put_rules(points)
    story = stories(seed)
    series.append(story.batches)
    chance = np.random.default_rng(seed)
    for closed_us, zone in (
        (0, "Europe/Berlin"),
        (T0 + 2 * DAY_US + 7 * MINUTE_US, "Asia/Kathmandu"),
        (T0 + 5 * DAY_US, "Europe/Berlin"),
    ):
        if closed_us:
            series.roll(T0 - DAY_US, closed_us)
        for edges in questions(chance, zone):
            for point, found in zip(points, series.buckets(points, edges), strict=True):
                assert_right(point, story.of_point(point.id), edges, found)
    series.close()


@pytest.mark.parametrize("closed_days", [12.3, 15])
def test_hundreds_of_edges_anywhere_are_exact(
    series: Series, stories: Callable[..., Any], points: list[Point], closed_days: float
) -> None:
    """Over so long a time readings are asked near the edges alone, and nothing counts on the wrong side of one."""
    chosen = points[:2]
    series.put_rules(chosen)
    story = stories(50, days=13, points=chosen)
    series.append(story.batches)
    series.roll(T0 - DAY_US, T0 + int(closed_days * DAY_US))
    chance = np.random.default_rng(50)
    for edges in (
        np.unique(T0 + chance.integers(-DAY_US, 14 * DAY_US, 300)),
        T0 + 17 + np.arange(301) * (3_777 * S),
        np.unique(T0 + chance.integers(-1440, 14 * 1440, 200) * MINUTE_US),
    ):
        for point in chosen:
            [found] = series.buckets([point], edges)
            assert_right(point, story.of_point(point.id), edges, found)


def test_energy_of_quarters_hours_days_and_the_register_is_one(
    series: Series, stories: Callable[..., Any], points: list[Point]
) -> None:
    """Quarter hours sum to hours, hours to local days, days to the whole span, to the step."""
    story = stories(40)
    series.put_rules(points)
    series.append(story.batches)
    series.roll(T0, T0 + 4 * DAY_US)
    days = edges_us("Europe/Berlin", T0, T0 + 4 * DAY_US, Step.DAY)
    for step in (Step.MIN15, Step.H1, Step.H6):
        edges = edges_us("Europe/Berlin", int(days[0]), int(days[-1]), step)
        place = np.searchsorted(days, edges[:-1], side="right") - 1
        for point in points[:4]:
            [fine] = series.buckets([point], edges)
            [coarse] = series.buckets([point], days)
            sums = np.zeros(len(days) - 1, np.int64)
            np.add.at(sums, place, fine.steps)
            assert sums.tolist() == coarse.steps.tolist()
            [whole] = series.buckets([point], days[[0, -1]])
            assert int(whole.steps[0]) == int(coarse.steps.sum())


def test_amounts_alone_are_the_same(address: str, stories: Callable[..., Any], points: list[Point]) -> None:
    series = Series(address, Limits(few_rows=0))
    series.migrate()
    series.put_rules(points)
    series.append(stories(33).batches)
    series.roll(T0 - DAY_US, T0 + 3 * DAY_US)
    edges = T0 + np.arange(20) * 7 * 3_600_000_000
    both = zip(series.buckets(points, edges), series.buckets(points, edges, numbers=False), strict=True)
    for whole, lean in both:
        for name in ("amount", "steps", "flags", "count", "first", "last_time_us"):
            assert np.array_equal(getattr(whole, name), getattr(lean, name), equal_nan=True), name
    series.close()


def test_a_register_silent_for_months_shares_its_energy_over_them(series: Series) -> None:
    point = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh")
    series.put_rules([point])
    times = [T0 - 200 * DAY_US, T0 + 200 * DAY_US]
    series.append([ReadingBatch.of([1, 1], times, [1000.0, 1400.0], version=1)])
    series.roll(T0 - 201 * DAY_US, T0 + 300 * DAY_US)
    edges = T0 + np.arange(3) * DAY_US
    [found] = series.buckets([point], edges)
    assert found.count.tolist() == [0, 0]
    assert found.amount.tolist() == [1000.0, 1000.0]
    assert found.flags.tolist() == [32, 32]
    assert np.isnan(found.mean).all()


@pytest.mark.parametrize(
    ("hours", "rolled_days", "raw_gone", "quarters_gone"),
    [(2, 0, 0, 0), (168, 0, 0, 0), (9600, 0, 0, 0), (2, 500, 0, 0), (2, 0, 1, 0), (168, 8, 1, 1), (9600, 8, 1, 1)],
)
def test_a_register_that_falls_silent_is_found_again_however_late(
    series: Series, hours: int, rolled_days: int, raw_gone: int, quarters_gone: int
) -> None:
    """By readings, by quarter hours or by days, whatever is kept and short: a watt hour an hour, over one local day."""
    point = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="Wh", zone="Europe/Berlin")
    series.put_rules([point])
    at_hour = np.array([0, 1, 48 + hours, 49 + hours])
    times = T0 + at_hour * 3_600_000_000
    series.append([ReadingBatch.of([1] * 4, times, at_hour.astype(float), version=1)])
    now = int(times[-1]) + rolled_days * DAY_US + 7 * MINUTE_US
    series.roll(T0 - DAY_US, now)
    if raw_gone:
        gone = now + 40 * DAY_US  # whole weeks and months, so that their bytes are gone too
        series.apply_retention([1], Retention(raw_us=gone, minute_us=gone, quarter_us=gone * quarters_gone))
    [found] = series.buckets([point], edges_us("Europe/Berlin", T0 + DAY_US, T0 + DAY_US + 1, Step.DAY))
    assert found.amount.tolist() == [24.0]
    assert found.count.tolist() == [0]


def test_power_is_not_known_across_a_gap_nor_before_the_first_reading(series: Series) -> None:
    point = Point(id=1, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=60)
    series.put_rules([point])
    times = T0 + np.array([0, 30, 300]) * S
    series.append([ReadingBatch.of([1] * 3, times, [100.0, 100.0, 100.0], version=1)])
    [found] = series.buckets([point], T0 + np.arange(-1, 7) * MINUTE_US)
    assert found.count.tolist() == [0, 2, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(np.isnan(found.amount), [True, False, True, True, True, True, False])
    assert found.amount[1] == pytest.approx(100 * 30 / 3600)
    assert found.flags.tolist() == [0, 0, 32, 32, 32, 32, 32]


def test_no_points_and_bad_edges(series: Series, points: list[Point]) -> None:
    assert series.buckets([], np.array([0, 1])) == []
    for edges in ([0], [], [1, 0], [0, 0]):
        with pytest.raises(SeriesError, match="edges"):
            series.buckets(points, np.array(edges))
    with pytest.raises(TooManyBuckets) as caught:
        series.buckets(points, np.arange(1_000_000))
    assert (caught.value.asked, caught.value.most) == (999_999 * len(points), 4_000_000)
    [first, again] = series.buckets([points[0], points[0]], np.array([T0, T0 + S]))
    assert first.count.tolist() == again.count.tolist() == [0]


def test_more_than_the_store_gives_at_once_is_asked_in_halves(narrow_store: str, stories: Callable[..., Any]) -> None:
    """Nothing is rolled up: each bucket is asked of the readings."""
    chosen = [Point(id=n, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W") for n in range(1, 9)]
    series = Series(f"{narrow_store}/narrow")
    series.migrate()
    series.put_rules(chosen)
    story = stories(60, days=8, points=chosen)
    series.append(story.batches)
    edges = T0 + np.arange(1153) * 10 * MINUTE_US
    for point, found in zip(chosen, series.buckets(chosen, edges), strict=True):
        assert_right(point, story.of_point(point.id), edges, found)
    with pytest.raises(AnswerTooLarge):
        series.buckets(chosen[:1], T0 + np.arange(0, 8 * DAY_US, 30 * S))
    series.close()


def test_times_before_1970_and_far_ahead_are_empty_buckets(series: Series, points: list[Point]) -> None:
    series.put_rules(points)
    series.append([ReadingBatch.of([12], [T0], [5.0], version=1)])
    [found] = series.buckets([points[1]], np.array([-DAY_US, 0, T0, T0 + QUARTER_US, 5 * 10**15]))
    assert found.count.tolist() == [0, 0, 1, 0]
