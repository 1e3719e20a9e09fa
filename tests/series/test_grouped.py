"""Groups of points against the same points one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.quantity import Quantity
from wattstead.metering.rollup import DAY_US, MINUTE_US
from wattstead.series import Series

T0 = 1_774_569_600_000_000


@pytest.mark.parametrize("closed_us", [0, T0 + 3 * DAY_US + 5 * MINUTE_US])
def test_a_group_is_its_points_together(
    series: Series, stories: Callable[..., Any], points: list[Point], closed_us: int
) -> None:
    story = stories(60)
    series.put_rules(points)
    series.append(story.batches)
    if closed_us:
        series.roll(T0, closed_us)
    groups = {"all": points, "power": points[1:3], "one": points[:1], "twice": [points[1], points[1]], "none": []}
    edges = edges_us("Europe/Berlin", T0 - DAY_US, T0 + 5 * DAY_US, Step.H3)
    single = dict(zip((p.id for p in points), series.buckets(points, edges), strict=True))
    found = series.grouped(groups, edges)
    means = series.grouped(groups, edges, amounts=False)
    sums = series.grouped(groups, edges, amounts=False, totals=False)
    assert list(found) == list(means) == list(sums) == list(groups)
    for name, members in groups.items():
        each = [single[p.id] for p in {p.id: p for p in members}.values()]
        together = found[name]
        if not each:
            assert not together.count.any() and np.isnan(together.total).all()
            continue
        count = sum(b.count for b in each)
        assert together.count.tolist() == count.tolist() == means[name].count.tolist()
        with np.errstate(all="ignore"):
            mean = sum(np.nan_to_num(b.mean) * b.count for b in each) / count
        total = np.where(count > 0, sum(np.nan_to_num(b.mean) for b in each), np.nan)
        amount = sum(np.nan_to_num(b.amount) for b in each)
        known = ~np.all([np.isnan(b.amount) for b in each], 0)
        for answer in (together, means[name]):
            np.testing.assert_allclose(answer.mean, mean, rtol=1e-9)
            np.testing.assert_allclose(answer.total, total, rtol=1e-9)
            np.testing.assert_array_equal(answer.min, np.fmin.reduce([b.min for b in each]))
            np.testing.assert_array_equal(answer.max, np.fmax.reduce([b.max for b in each]))
        assert sums[name].count.tolist() == count.tolist() and np.isnan(sums[name].total).all()
        for column in ("min", "max", "mean"):
            np.testing.assert_allclose(getattr(sums[name], column), getattr(together, column), rtol=1e-9)
        np.testing.assert_array_equal(np.isnan(together.amount), ~known)
        np.testing.assert_allclose(together.amount[known], amount[known], rtol=1e-12)
        last = np.max([b.last_time_us for b in each], 0)
        assert together.last_time_us.tolist() == last.tolist()
        assert together.flags.tolist() == np.bitwise_or.reduce([b.flags for b in each]).tolist()


def test_points_in_kilowatts_and_watts_add_up_in_watts(series: Series) -> None:
    points = [
        Point(id=1, quantity=Quantity.ELECTRICITY, unit="kW"),
        Point(id=2, quantity=Quantity.ELECTRICITY, unit="W"),
    ]
    series.put_rules(points)
    times = T0 + np.arange(0, 3601, 60) * 1_000_000
    for point, value in ((1, 2.0), (2, 500.0)):
        series.append([ReadingBatch.of([point] * 61, times, [value] * 61, version=1)])
    found = series.grouped({"home": points}, np.array([T0, T0 + 3_600_000_000]))["home"]
    assert found.total.tolist() == [2500.0]
    assert found.amount.tolist() == [2500.0]


def test_thousands_of_points_are_asked_in_parts(series: Series) -> None:
    size = 2500
    points = [Point(id=n, quantity=Quantity.ELECTRICITY, unit="W") for n in range(1, size + 1)]
    series.put_rules(points)
    ids = np.arange(1, size + 1)
    for minute in range(8):
        at = np.full(size, T0 + minute * MINUTE_US)
        series.append([ReadingBatch.of(ids, at, ids.astype(float), version=1)])
    series.roll(T0, T0 + 5 * MINUTE_US)
    groups = {str(n): points[n::10] for n in range(10)}
    found = series.grouped(groups, T0 + np.arange(3) * 5 * MINUTE_US)
    others = {"some": points[100:200] + points[300:350]}
    (some,) = series.grouped(others, T0 + np.arange(3) * 5 * MINUTE_US, amounts=False, totals=False).values()
    (lean,) = series.grouped(
        others, T0 + np.arange(3) * 5 * MINUTE_US, amounts=False, totals=False, extremes=False
    ).values()
    assert lean.mean.tolist() == some.mean.tolist() and np.isnan(lean.max).all() and some.max.tolist() == [350, 350]
    assert some.count.tolist() == [750, 450] and some.mean[0] == np.mean([p.id for p in others["some"]])
    for name, members in groups.items():
        power = float(sum(p.id for p in members))
        assert found[name].total.tolist() == [power, power]
        np.testing.assert_allclose(found[name].amount, [power * 5 / 60, power * 2 / 60])
