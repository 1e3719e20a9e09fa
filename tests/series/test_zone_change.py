"""While a point's zone changes its local days are right at every moment, or it is said that they are not there."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import DAY_US
from wattstead.series import Series
from wattstead.series.errors import RollupsChange

T0 = 1_774_569_600_000_000
DAYS = 12
HOUR_US = 3_600_000_000
BERLIN = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", zone="Europe/Berlin")
AUCKLAND = msgspec.structs.replace(BERLIN, zone="Pacific/Auckland")


def meter() -> ReadingBatch:
    """A kilowatt hour each hour."""
    times = T0 + np.arange(DAYS * 24 + 1, dtype=np.int64) * HOUR_US
    return ReadingBatch.of(np.ones(len(times), np.uint32), times, np.arange(len(times), dtype=float), version=1)


def local_days(point: Point) -> NDArray[np.int64]:
    return edges_us(point.zone, T0 + DAY_US, T0 + (DAYS - 1) * DAY_US, Step.DAY)


def assert_right(series: Series, point: Point) -> None:
    edges = local_days(point)
    [found] = series.buckets([point], edges)
    hours = ((edges[1:] - edges[:-1]) // HOUR_US).tolist()
    assert found.count.tolist() == hours
    assert (found.amount / 1000).tolist() == hours
    grouped = series.grouped({"all": [point]}, edges, amounts=False)["all"]
    assert grouped.count.tolist() == hours


def test_days_are_right_before_during_and_after(series: Series, address: str) -> None:
    series.put_rules([BERLIN])
    series.append([meter()])
    series.roll(T0, T0 + (DAYS + 2) * DAY_US)
    assert_right(series, BERLIN)
    assert_right(series, AUCKLAND)  # whoever asks knows of the change before the store does
    series.days_change([1])
    series.put_rules([AUCKLAND])
    other = Series(address)  # a process that knows nothing of it
    clashes = 0
    for day in range(DAYS + 2):
        assert_right(series, AUCKLAND)
        assert_right(series, BERLIN)
        try:
            [found] = other.buckets([AUCKLAND], local_days(AUCKLAND))
        except RollupsChange as clash:
            assert clash.retryable
            assert clash.retry_after_s > 0
            clashes += 1
        else:
            assert int(found.count.sum()) > 0
        series.roll(T0 + day * DAY_US, T0 + (day + 1) * DAY_US, [1])
    assert clashes > 0
    series.days_stand([1])
    for one in (series, other):
        assert_right(one, AUCKLAND)
    assert_right(series, BERLIN)
    other.close()


def test_a_change_back_again_and_a_start_in_between(series: Series, address: str) -> None:
    series.put_rules([BERLIN])
    series.append([meter()])
    series.roll(T0, T0 + (DAYS + 2) * DAY_US)
    series.days_change([1])
    series.put_rules([AUCKLAND])
    series.roll(T0, T0 + 5 * DAY_US, [1])
    again = Series(address)
    again.days_change([1])
    assert again.differing_rules([BERLIN]) == [1]
    again.put_rules([BERLIN])
    assert_right(again, BERLIN)
    assert_right(again, AUCKLAND)
    again.roll(T0, T0 + (DAYS + 1) * DAY_US, [1])
    again.days_stand([1])
    assert_right(again, BERLIN)
    again.close()
