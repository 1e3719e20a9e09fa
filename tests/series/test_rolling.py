"""Rolling up in the store against metering's rollups: equal in every column, however the readings came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import (
    DAY_US,
    MINUTE_US,
    QUARTER_US,
    RollupRows,
    bucket_starts,
    edge_starts,
    merge,
    roll,
)
from wattstead.metering.step import StepFlag
from wattstead.series import Limits, Series
from wattstead.series.connection import Connection
from wattstead.series.tiers import Tier

T0 = 1_774_569_600_000_000
COLUMNS = (
    "point",
    "start",
    "count",
    "min",
    "max",
    "sum",
    "first_time",
    "first_value",
    "last_time",
    "last_value",
    "step",
    "flags",
)


def kept(address: str, tier: Tier) -> list[tuple[Any, ...]]:
    """The rows of a tier."""
    found = Connection(address).columns(
        f"SELECT {', '.join(COLUMNS)} FROM {tier.value} FINAL WHERE count > 0 ORDER BY point, start"
    )
    return list(zip(*(column.tolist() for column in found.values()), strict=True)) if found else []


def expected(rows: RollupRows) -> list[tuple[Any, ...]]:
    """Rollup rows of metering as rows of a table."""
    columns = (
        rows.point, rows.start_us // 1_000_000, rows.count, rows.min, rows.max, rows.sum, rows.first_time_us,
        rows.first_value, rows.last_time_us, rows.last_value, rows.step, rows.flags,
    )  # fmt: skip
    return list(zip(*(column.tolist() for column in columns), strict=True))


def oracle(story: Any, points: list[Point], until_us: int) -> dict[Tier, list[tuple[Any, ...]]]:
    """All tiers of the readings before an instant, computed by metering: quarters and days that end by then."""
    before = story.settled.time_us < until_us
    batch = type(story.settled)(*(getattr(story.settled, n)[before] for n in ("point", "time_us", "value", "quality")))
    minutes = roll(batch, bucket_starts(batch.time_us, MINUTE_US), story.rules)
    whole = minutes.rows(minutes.start_us < until_us // QUARTER_US * QUARTER_US)
    quarters = merge(whole, bucket_starts(whole.start_us, QUARTER_US), story.rules)
    days = [days_of(quarters.rows(quarters.point == p.id), p, story, until_us) for p in points]
    return {
        Tier.MINUTE: expected(minutes),
        Tier.QUARTER: expected(quarters),
        Tier.DAY: [row for rows in days for row in rows],
    }


def days_of(rows: RollupRows, point: Point, story: Any, until_us: int) -> list[tuple[Any, ...]]:
    edges = edges_us(point.zone, T0 - DAY_US, until_us // QUARTER_US * QUARTER_US + 1, Step.DAY)
    edges = edges[edges <= until_us // QUARTER_US * QUARTER_US]
    whole = rows.rows(rows.start_us < edges[-1])
    return expected(merge(whole, edge_starts(whole.start_us, edges), story.rules))


def assert_tiers(address: str, right: dict[Tier, list[tuple[Any, ...]]]) -> None:
    for tier, rows in right.items():
        found = kept(address, tier)
        assert len(found) == len(rows), tier
        for ours, theirs in zip(found, rows, strict=True):
            assert ours == theirs, (tier, dict(zip(COLUMNS, zip(ours, theirs, strict=True), strict=True)))


@pytest.mark.parametrize("seed", range(4))
def test_all_at_once_equals_metering_to_the_last_bit(
    series: Series, address: str, stories: Callable[..., Any], points: list[Point], seed: int
) -> None:
    story = stories(seed)
    series.put_rules(points)
    series.append(story.batches)
    until = T0 + 4 * DAY_US + 7 * MINUTE_US
    series.roll(T0 - DAY_US, until)
    assert_tiers(address, oracle(story, points, until))


@pytest.mark.parametrize("seed", [10, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (11, 12))])
def test_minute_by_minute_with_late_and_corrected_readings_ends_the_same(
    series: Series, address: str, stories: Callable[..., Any], points: list[Point], seed: int
) -> None:
    """Batches come in mixed while time is closed bit by bit; what was closed already is rolled up again."""
    story = stories(seed)
    series.put_rules(points)
    closed = T0
    for number, batch in enumerate(story.batches):
        series.append([batch])
        late = batch.time_us < closed
        series.roll_spans(batch.point[late], batch.time_us[late], batch.time_us[late] + 1)
        ahead = T0 + number * DAY_US // 3 + 11 * MINUTE_US
        if ahead > closed:
            series.roll(closed, ahead)
            closed = ahead
    series.roll(closed, T0 + 5 * DAY_US)
    assert_tiers(address, oracle(story, points, T0 + 5 * DAY_US))


def test_again_gives_the_same_and_emptied_buckets_are_gone(
    series: Series, address: str, stories: Callable[..., Any], points: list[Point]
) -> None:
    story = stories(20)
    series.put_rules(points)
    series.append(story.batches)
    until = T0 + 4 * DAY_US
    series.roll(T0, until)
    once = {tier: kept(address, tier) for tier in (Tier.MINUTE, Tier.QUARTER, Tier.DAY)}
    series.roll(T0, until, [p.id for p in points])
    series.roll(T0 + 3 * MINUTE_US, until - DAY_US)
    assert {tier: kept(address, tier) for tier in once} == once
    low, high = T0 + DAY_US + 5 * MINUTE_US, T0 + 3 * DAY_US
    series.remove(12, low, high)
    gone = (story.settled.point == 12) & (story.settled.time_us >= low) & (story.settled.time_us < high)
    left = type(story.settled)(*(getattr(story.settled, n)[~gone] for n in ("point", "time_us", "value", "quality")))
    assert_tiers(address, oracle(type(story)([], left, story.rules), points, until))


def test_a_new_rule_and_zone_leave_no_old_days(series: Series, address: str, stories: Callable[..., Any]) -> None:
    before = Point(id=12, kind=Kind.GAUGE, unit="", zone="UTC")
    after = Point(id=12, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", zone="Asia/Kathmandu")
    story = stories(21, points=[after])
    series.put_rules([before])
    series.append(story.batches)
    series.roll(T0, T0 + 4 * DAY_US)
    assert series.put_rules([after]) == [12]
    series.roll(0, T0 + 9 * DAY_US, [12])
    assert_tiers(address, oracle(story, [after], T0 + 4 * DAY_US))
    versions: NDArray[Any] = Connection(address).columns("SELECT DISTINCT rule_version FROM day FINAL WHERE count > 0")[
        "rule_version"
    ]
    assert versions.tolist() == [2]


def test_what_was_left_out_is_rolled_up_by_the_next_call(
    series: Series, stories: Callable[..., Any], points: list[Point], address: str
) -> None:
    story = stories(22)
    series.put_rules(points)
    series.append(story.batches)
    series.roll(T0, T0 + DAY_US)
    series.roll(T0 + 2 * DAY_US, T0 + 3 * DAY_US)
    assert_tiers(address, oracle(story, points, T0 + 3 * DAY_US))
    assert series.reach.minute_us == T0 + 3 * DAY_US


def test_a_long_import_is_rolled_up_in_boxes(
    series: Series, address: str, points: list[Point], stories: Callable[..., Any]
) -> None:
    """Readings of years, sparse, in one call: more weeks than one insert, more months than one statement may have."""
    chance = np.random.default_rng(5)
    times = np.unique(chance.integers(T0 - 9 * 365 * DAY_US, T0, 5000))
    story = stories(23, days=0.5)
    batch = type(story.settled).of(np.full(len(times), 12), times, chance.normal(0, 100, len(times)), version=9 << 40)
    series.put_rules(points)
    series.roll(T0 - 10 * 365 * DAY_US, T0)
    series.append([batch])
    series.roll_spans(np.array([12], np.uint32), times[:1], times[-1:] + 1)
    minutes = roll(batch, bucket_starts(batch.time_us, MINUTE_US), story.rules)
    assert kept(address, Tier.MINUTE) == expected(minutes)
    edges = edges_us("Europe/Berlin", int(times[0]), T0 + 1, Step.DAY)
    quarters = merge(minutes, bucket_starts(minutes.start_us, QUARTER_US), story.rules)
    days = merge(quarters, edge_starts(quarters.start_us, edges), story.rules)
    assert kept(address, Tier.DAY) == expected(days.rows(days.start_us < edges[-2]))


def book(series: Series) -> ReadingBatch:
    """Typed in at once, a reading a month of a gas meter: more months than the engine takes by itself in one block."""
    times = T0 - np.arange(105, 0, -1) * 31 * DAY_US
    series.put_rules([Point(id=7, quantity=Quantity.GAS, unit="m³", kind=Kind.REGISTER)])
    series.roll(T0 - DAY_US, T0)
    batch = ReadingBatch.of(np.full(len(times), 7), times, np.arange(len(times), dtype=float), version=1)
    series.append([batch])
    series.roll_spans(batch.point, times, times + 1)
    return batch


def test_a_reading_a_month_of_many_years_comes_and_is_corrected(series: Series, address: str) -> None:
    batch = book(series)
    for tier in (Tier.MINUTE, Tier.QUARTER, Tier.DAY):
        assert sum(row[2] for row in kept(address, tier)) == len(batch)
    corrected = ReadingBatch.of(batch.point, batch.time_us, batch.value + 1, version=2)
    assert series.append([corrected], np.ones(len(batch), bool)) == len(batch)


@pytest.mark.prove
def test_a_reading_a_month_of_many_years_goes(series: Series, address: str) -> None:
    batch = book(series)
    series.remove(7, int(batch.time_us[0]), T0)
    assert not any(kept(address, tier) for tier in (Tier.MINUTE, Tier.QUARTER, Tier.DAY))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York", "Pacific/Kiritimati"])
def test_the_first_days_that_can_be_stored(address: str, series: Series, zone: str) -> None:
    """A device whose clock was never set: its readings begin in the middle of a week and, in places, of a day."""
    point = Point(id=7, quantity=Quantity.ELECTRICITY, unit="W", zone=zone)
    times = np.array([0, 12, 3_600, 20_000, 86_399, 259_200, 345_600, 400_000, 604_800, 950_400]) * 1_000_000
    batch = ReadingBatch.of(np.full(len(times), 7, np.uint32), times, np.arange(len(times), dtype=float), version=1)
    series.put_rules([point])
    series.roll(T0, T0 + MINUTE_US)
    series.append([batch])
    series.roll_spans(batch.point, times, times + 1)
    edges = np.append(edges_us(zone, 0, 12 * DAY_US, Step.DAY).clip(min=0), 20 * DAY_US)
    (found,) = series.buckets([point], edges)
    assert found.count.tolist() == np.histogram(times, edges)[0].tolist()
    assert sum(row[2] for row in kept(address, Tier.DAY)) == len(times)


def test_power_that_no_point_has_is_not_integrated(address: str, series: Series) -> None:
    point = Point(id=8, quantity=Quantity.ELECTRICITY, unit="W")
    value = np.array([100, 1e300, 100, 100, -5e11, 0xFFFFFFFF, 1e11, 40, 60, 1.7e308, 1.7e308, 50], float)
    times = T0 + np.arange(len(value), dtype=np.int64) * 7_000_000
    batch = ReadingBatch.of(np.full(len(value), 8, np.uint32), times, value, version=1)
    series.put_rules([point])
    series.append([batch])
    series.roll(T0, T0 + 15 * MINUTE_US)
    minutes = roll(batch, bucket_starts(times, MINUTE_US), {8: step_rule(point)})
    assert {row[-1] for row in kept(address, Tier.MINUTE)} == {int(StepFlag.JUMP)}
    assert kept(address, Tier.MINUTE) == expected(minutes)
    (found,) = series.buckets([point], np.array([T0, T0 + 15 * MINUTE_US]))
    right = merge(minutes, np.full(len(minutes), T0), {8: step_rule(point)})
    assert found.steps.tolist() == right.step.tolist()


def test_what_no_register_shows_counts_nothing(address: str, series: Series) -> None:
    point = Point(id=8, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", width=10**11)
    value = np.array([70_000, 9e9, 70_001, 70_002, 1e300, 70_003, 3, 4, 9_000_000_000.0, 9_007_199_254.740991], float)
    times = T0 + np.arange(len(value), dtype=np.int64) * 7_000_000
    batch = ReadingBatch.of(np.full(len(value), 8, np.uint32), times, value, version=1)
    series.put_rules([point])
    series.append([batch])
    series.roll(T0, T0 + 15 * MINUTE_US)
    minutes = roll(batch, bucket_starts(times, MINUTE_US), {8: step_rule(point)})
    assert kept(address, Tier.MINUTE) == expected(minutes)
    (found,) = series.buckets([point], np.array([T0, T0 + 15 * MINUTE_US]))
    assert found.steps.tolist() == [2_000_000]


def test_what_does_not_fit_into_memory_is_rolled_up_in_halves(address: str) -> None:
    days = 90
    tight = Series(address, Limits(slow_memory_bytes=24 << 20))
    tight.migrate()
    tight.put_rules([Point(id=1, quantity=Quantity.ELECTRICITY, unit="W")])
    times = T0 + np.arange(days * 1440, dtype=np.int64) * MINUTE_US
    tight.append([ReadingBatch.of(np.ones(len(times), np.uint32), times, np.full(len(times), 100.0), version=1)])
    rolled = tight.roll(T0, T0 + days * DAY_US)
    assert (rolled.minutes, rolled.quarters, rolled.days) == (days * 1440, days * 96, days)
    tight.close()
