"""Appending: once however often it is sent, the newest version stands, what it replaced stays known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Quality
from wattstead.metering.rollup import DAY_US
from wattstead.series import Series, TimeOutOfRange
from wattstead.series.appending.appending import MOST_PARTITIONS
from wattstead.series.appending.readings import Readings
from wattstead.series.appending.replaced import write_replaced
from wattstead.series.connection import Connection

S = 1_000_000
T0 = 1_774_569_600 * S
NOW = 1_790_000_000 * S


def version(seconds: float, worker: int = 0) -> int:
    """The version of what was received so long after now."""
    return (NOW + int(seconds * S) << 8) + worker


def batch(value: float, seconds: float, time_us: int = T0, point: int = 1, worker: int = 0) -> ReadingBatch:
    return ReadingBatch.of([point], [time_us], [value], version=version(seconds, worker))


def stored(series: Series, point: int = 1) -> list[float]:
    return series.raw(point, 0, 9 * 10**15).value.tolist()


def replaced(address: str) -> list[tuple[Any, ...]]:
    found = Connection(address).columns("SELECT point, value, quality FROM reading_replaced FINAL ORDER BY version")
    return list(zip(*(column.tolist() for column in found.values()), strict=True)) if found else []


def test_every_column_is_stored_and_comes_back(series: Series) -> None:
    sent = ReadingBatch.of(
        [1, 1, 1], [T0, T0 + 1, T0 + 2], [0.1, -1e300, 5.0], np.array([0, 3, 4], np.uint8), version=version(0)
    )
    series.append([sent])
    found = series.raw(1, T0, T0 + 3)
    assert found.time_us.tolist() == sent.time_us.tolist()
    assert found.value.tolist() == sent.value.tolist()
    assert found.quality.tolist() == [Quality.RAW, Quality.EDITED, Quality.SUSPECT]
    assert 0 <= sent.version - found.version < 1024 << 8


def test_the_same_again_changes_nothing_in_any_order(series: Series, stories: Callable[..., Any]) -> None:
    story = stories(50, days=1.0)
    for batches in (story.batches, story.batches[::-1], story.batches[3:5]):
        series.append(batches)
    for one in story.batches:
        series.append([one])
    for point in np.unique(story.settled.point).tolist():
        right = story.of_point(point)
        found = series.raw(point, 0, 9 * 10**15)
        assert found.time_us.tolist() == right.time_us.tolist()
        assert found.value.tolist() == right.value.tolist()


def test_the_newest_version_stands_whatever_comes_last(series: Series) -> None:
    series.append([batch(2.0, 2)])
    series.append([batch(1.0, 1)])
    assert stored(series) == [2.0]
    series.append([batch(3.0, 3, worker=7), batch(2.5, 2.5)])
    assert stored(series) == [3.0]


def test_within_one_millisecond_what_is_appended_later_stands(series: Series) -> None:
    series.append([batch(1.0, 0), batch(2.0, 0.0001)])
    assert stored(series) == [2.0]
    series.append([batch(3.0, 0.0002)])
    assert stored(series) == [3.0]


def test_versions_in_one_block_alone_in_its_week_are_one_reading(series: Series) -> None:
    """The store leaves them in the block until it merges it with another: every question has to tell them apart."""
    series.put_rules([Point(id=5, unit="W")])
    times = T0 + np.arange(6) * S
    old, new = (
        ReadingBatch.of([5] * 6, times, np.full(6, value), version=version << 8)
        for value, version in ((1.0, 1), (2.0, 2))
    )
    series.append([new, old])
    edges = np.array([T0, T0 + 3 * S, T0 + 6 * S])
    for _ in range(2):
        assert series.raw(5, T0, T0 + DAY_US).value.tolist() == [2.0] * 6
        assert series.newest(5, T0, T0 + DAY_US).value.tolist() == [2.0] * 6
        [few] = series.buckets([Point(id=5, unit="W")], edges)
        [group] = series.grouped({"all": [Point(id=5, unit="W")]}, edges, amounts=False).values()
        assert few.count.tolist() == group.count.tolist() == [3, 3]
        assert few.sum.tolist() == group.sum.tolist() == [6.0, 6.0]
        series.roll(T0 - DAY_US, T0 + DAY_US)


def test_what_is_replaced_is_written_down_once(series: Series, address: str) -> None:
    series.append([batch(1.0, 0)])
    for _ in range(2):
        assert series.append([batch(2.0, 1)], np.array([True])) in (0, 1)
    assert replaced(address) == [(1, 1.0, 0)]
    assert stored(series) == [2.0]


def test_a_crash_between_writing_down_and_storing_is_made_good(series: Series, address: str) -> None:
    """The same call again after the first half of it: one row, and the right one."""
    series.append([batch(1.0, 0)])
    newer = [batch(2.0, 1)]
    assert write_replaced(Connection(address), Readings.of(newer), np.array([True])) == 1
    assert series.append(newer, np.array([True])) == 1
    assert series.append(newer, np.array([True])) == 0
    assert replaced(address) == [(1, 1.0, 0)]


def test_a_correction_older_than_what_stands_is_written_down_itself(series: Series, address: str) -> None:
    series.append([batch(3.0, 3)])
    assert series.append([batch(2.0, 2)], np.array([True])) == 1
    assert replaced(address) == [(1, 2.0, 0)]
    assert stored(series) == [3.0]


def test_corrections_inside_one_call_are_written_down_too(series: Series, address: str) -> None:
    batches = [batch(2.0, 2), batch(1.0, 1), batch(7.0, 1, T0 + S), batch(3.0, 3)]
    assert series.append(batches, np.array([True, False, False, True])) == 2
    assert [row[1] for row in replaced(address)] == [1.0, 2.0]
    assert stored(series) == [3.0, 7.0]


def test_as_known_at(series: Series) -> None:
    for value, seconds in ((1.0, 0), (2.0, 60), (3.0, 120)):
        series.append([batch(value, seconds)], np.array([seconds > 0]))
    series.append([batch(9.0, 90, T0 + S)])
    known = [series.raw_known(1, T0, T0 + 9 * S, NOW + s * S).value.tolist() for s in (-1, 0, 59, 60, 90, 500)]
    assert known == [[], [1.0], [1.0], [2.0], [2.0, 9.0], [3.0, 9.0]]


def test_many_corrections_are_looked_up_where_much_is_stored(series: Series, address: str) -> None:
    """More readings between first and last than are fetched whole: exactly those in question are."""
    size = 210_000
    times = T0 + np.arange(size) * S
    series.append([ReadingBatch.of(np.ones(size), times, np.zeros(size), version=version(0))])
    late = np.append(times[::5000], T0 - 5)
    wrong = ReadingBatch.of(np.ones(len(late)), late, np.ones(len(late)), version=version(5))
    assert series.append([wrong], np.ones(len(late), bool)) == len(late) - 1
    assert len(replaced(address)) == len(late) - 1


def test_readings_of_many_weeks_go_in_several_inserts(series: Series) -> None:
    weeks = 3 * MOST_PARTITIONS + 7
    times = T0 - np.arange(weeks) * 7 * DAY_US
    many = ReadingBatch.of(np.ones(weeks), times, np.arange(weeks), version=version(0))
    series.append([many])
    series.append([many])
    assert sorted(stored(series)) == list(range(weeks))


def test_nothing_is_nothing(series: Series) -> None:
    assert series.append([]) == 0
    assert series.append([ReadingBatch.of([], [], [])], np.zeros(0, bool)) == 0


@pytest.mark.parametrize("time_us", [-1, 4_260_211_200 * S])
def test_a_time_no_table_can_hold_is_refused_and_nothing_is_stored(series: Series, time_us: int) -> None:
    with pytest.raises(TimeOutOfRange) as caught:
        series.append([batch(1.0, 0), batch(1.0, 0, time_us, point=8)])
    assert (caught.value.point, caught.value.time_us) == (8, time_us)
    assert stored(series) == []
    series.append([batch(1.0, 0, 0), batch(2.0, 0, 4_260_211_200 * S - 1)])
    assert stored(series) == [1.0, 2.0]
    series.roll(0, 3600 * S)


def test_erased_readings_can_be_sent_again(series: Series) -> None:
    series.append([batch(1.0, 0)])
    series.erase([1])
    assert stored(series) == []
    series.append([batch(1.0, 0)])
    assert stored(series) == [1.0]
