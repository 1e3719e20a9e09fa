"""Latest readings and spans of points, wherever they lie: raw, rolled up, long silent, expired."""

from __future__ import annotations

import numpy as np

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.rollup import DAY_US, MINUTE_US
from wattstead.series import Retention, Series

T0 = 1_774_569_600_000_000


def put(series: Series, point: int, *times_us: int) -> None:
    values = np.arange(len(times_us)) + point * 100.0
    series.append([ReadingBatch.of([point] * len(times_us), list(times_us), values, version=1)])


def test_an_empty_store_has_no_ends(series: Series) -> None:
    assert len(series.latest()) == len(series.latest([1, 2])) == len(series.span([1])) == len(series.span([])) == 0


def test_ends_of_points_alive_silent_and_new(series: Series) -> None:
    series.put_rules([Point(id=n, zone="Europe/Berlin") for n in (1, 2, 3, 4)])
    put(series, 1, T0 - 100 * DAY_US, T0 - 5, T0 + 30 * MINUTE_US)
    put(series, 2, T0 - 300 * DAY_US, T0 - 200 * DAY_US)
    put(series, 3, T0 + MINUTE_US)
    put(series, 4, T0 - 20 * MINUTE_US, T0 - 7 * MINUTE_US)
    expected = {
        1: (T0 - 100 * DAY_US, T0 + 30 * MINUTE_US, 102.0),
        2: (T0 - 300 * DAY_US, T0 - 200 * DAY_US, 201.0),
        3: (T0 + MINUTE_US, T0 + MINUTE_US, 300.0),
        4: (T0 - 20 * MINUTE_US, T0 - 7 * MINUTE_US, 401.0),
    }
    for closed_us in (0, T0):
        if closed_us:
            series.roll(T0 - 301 * DAY_US, closed_us)
        every, some = series.latest(), series.latest([4, 9, 2, 1, 3])
        spans = series.span([Point(id=n) for n in (1, 2, 3, 4, 5)])
        assert every.point.tolist() == some.point.tolist() == spans.point.tolist() == [1, 2, 3, 4]
        assert every.value.tolist() == some.value.tolist() == [expected[n][2] for n in expected]
        assert every.time_us.tolist() == some.time_us.tolist() == [expected[n][1] for n in expected]
        assert spans.first_us.tolist() == [expected[n][0] for n in expected]
        assert spans.last_us.tolist() == [expected[n][1] for n in expected]


def test_the_newest_version_of_the_latest_reading_is_the_latest(series: Series) -> None:
    for version, value in ((2, 2.0), (3, 3.0), (1, 1.0)):
        series.append([ReadingBatch.of([1], [T0], [value], version=version)])
    assert series.latest().value.tolist() == series.latest([1]).value.tolist() == [3.0]


def test_ends_outlive_expired_readings(series: Series) -> None:
    series.put_rules([Point(id=1)])
    put(series, 1, T0 - 100 * DAY_US, T0 - 50 * DAY_US)
    series.roll(T0 - 101 * DAY_US, T0)
    series.apply_retention([1], Retention(raw_us=T0 - 7 * DAY_US))
    assert len(series.raw(1, 0, T0)) == 0
    assert series.latest([1]).value.tolist() == [101.0]
    assert series.span([1]).first_us.tolist() == [T0 - 100 * DAY_US]


def test_the_newest_readings_before_an_instant(series: Series) -> None:
    times = [T0 - 400 * DAY_US, *(T0 + n * MINUTE_US for n in range(2000))]
    put(series, 1, *times)
    put(series, 2, T0)
    for end_us in (T0 + 9 * DAY_US, T0 + 1500 * MINUTE_US):
        before = [time for time in times if time < end_us]
        for limit in (1, 50, 1200, 5000):
            found = series.newest(1, 0, end_us, limit)
            assert found.time_us.tolist() == before[::-1][:limit]
            assert set(found.point.tolist()) == {1}
    assert series.newest(1, T0, T0 + 3 * MINUTE_US, 9).value.tolist() == [103.0, 102.0, 101.0]
    assert len(series.newest(3, 0, T0, 9)) == len(series.newest(1, T0 + 3 * DAY_US, T0 + 4 * DAY_US, 9)) == 0
