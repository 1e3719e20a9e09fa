"""What expires is gone and stays gone: coarser rows keep what they knew, questions look at what is left."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import DAY_US, MINUTE_US
from wattstead.series import Retention, Series
from wattstead.series.connection import Connection

S = 1_000_000
T0 = 1_774_828_800 * S
"""2026-03-30T00:00Z, a Monday."""
KEPT, GONE = (Point(id=n, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=7200) for n in (1, 2))


@pytest.fixture
def filled(series: Series) -> Series:
    """Two points with a reading every half hour for 100 days before T0, rolled up."""
    series.put_rules([KEPT, GONE])
    times = np.arange(T0 - 100 * DAY_US, T0, 1800 * S)
    for point in (1, 2):
        values = 100 + np.arange(len(times)) % 7
        series.append([ReadingBatch.of(np.full(len(times), point), times, values, version=1 << 8)])
    series.roll(T0 - 101 * DAY_US, T0)
    return series


def rows(address: str, table: str, point: int) -> int:
    return int(Connection(address).value(f"SELECT count() FROM {table} WHERE point = {point}"))


def test_only_the_chosen_points_expire_and_answers_stay(filled: Series, address: str) -> None:
    edges = edges_us("UTC", T0 - 90 * DAY_US, T0, Step.DAY)
    before = filled.buckets([KEPT, GONE], edges)
    retention = Retention(raw_us=T0 - 14 * DAY_US, minute_us=T0 - 30 * DAY_US, quarter_us=T0 - 60 * DAY_US)
    touched = filled.apply_retention([GONE.id], retention)
    assert touched and filled.apply_retention([GONE.id], retention) == []
    after = filled.buckets([KEPT, GONE], edges)
    for one, other in zip(before, after, strict=True):
        assert one.steps.tolist() == other.steps.tolist()
        assert one.count.tolist() == other.count.tolist()
    assert rows(address, "reading", 1) == 4800 and rows(address, "reading", 2) == 14 * 48
    assert len(filled.raw(2, 0, T0)) == 14 * 48
    assert rows(address, "quarter", 2) < rows(address, "quarter", 1) == 4800


def test_fine_buckets_of_expired_time_come_from_what_is_left(filled: Series) -> None:
    filled.apply_retention([2], Retention(raw_us=T0 - 14 * DAY_US, minute_us=T0 - 14 * DAY_US))
    edges = edges_us("UTC", T0 - 20 * DAY_US, T0 - 19 * DAY_US, Step.MIN5)
    [found] = filled.buckets([GONE], edges)
    assert found.count.sum() == 48
    [whole] = filled.buckets([KEPT], edges)
    assert int(found.steps.sum()) == int(whole.steps.sum())


def test_expired_buckets_are_never_computed_from_what_is_left(filled: Series, address: str) -> None:
    """The raw readings of a week that expired in part, and one that comes in late, change no old row."""
    old = T0 - 30 * DAY_US
    filled.apply_retention([2], Retention(raw_us=old + 3 * DAY_US))
    edges = edges_us("UTC", old - 5 * DAY_US, old + 5 * DAY_US, Step.DAY)
    [before] = filled.buckets([GONE], edges)
    filled.append([ReadingBatch.of([2], [old + 61 * MINUTE_US], [9999.0], version=2 << 8)])
    filled.roll_spans(np.array([2], np.uint32), np.array([old]), np.array([old + DAY_US]))
    filled.roll(old - 9 * DAY_US, old + 9 * DAY_US, [2])
    [after] = filled.buckets([GONE], edges)
    assert after.steps.tolist() == before.steps.tolist()
    assert after.max.tolist() == before.max.tolist()


def test_partitions_in_which_nothing_else_is_are_dropped(filled: Series, address: str) -> None:
    touched = filled.apply_retention([1, 2], Retention(raw_us=T0 - 49 * DAY_US, day_us=T0 - 20 * DAY_US))
    assert len([name for name in touched if name.startswith("reading ")]) == 8
    assert rows(address, "reading", 1) == 49 * 48
    assert rows(address, "day", 1) == 29 + 31 - 31
    assert Connection(address).value("SELECT count() FROM system.mutations WHERE table = 'reading'") is not None


def test_nothing_to_keep_is_kept_for_ever(filled: Series, address: str) -> None:
    assert filled.apply_retention([1, 2], Retention()) == []
    assert filled.apply_retention([], Retention(raw_us=T0)) == []
    assert rows(address, "reading", 1) == 4800


def test_what_was_replaced_expires_by_itself(filled: Series, address: str) -> None:
    times = [T0 - 90 * DAY_US, T0 - DAY_US]
    filled.append([ReadingBatch.of([1, 1], times, [1.0, 2.0], version=5 << 8)], np.ones(2, bool))
    filled.apply_retention([1], Retention(replaced_us=T0 - 20 * DAY_US))
    assert rows(address, "reading_replaced", 1) == 1
    assert rows(address, "reading", 1) >= 4800
