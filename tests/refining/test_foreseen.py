"""Prices and forecasts: the latest reading is the one whose time has come, and the next one comes by itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Quality
from wattstead.refining.columns import Columns
from wattstead.refining.foreseen import SLACK_US
from wattstead.refining.latest import Latest
from wattstead.refining.live import Subscription
from wattstead.refining.taking.stored import take_come

if TYPE_CHECKING:
    from conftest import House

S = 1_000_000
HOUR = 3600 * S


def test_only_who_gives_a_quality_knows_of_the_future() -> None:
    latest, now_us = Latest(), 1_700_000_000 * S
    times = [now_us - HOUR, now_us, now_us + HOUR]
    for point, quality in ((1, Quality.VALID), (2, Quality.RAW)):
        columns = Columns.of([ReadingBatch.of([point] * 3, times, [1.0, 2.0, 3.0], quality, version=5)])
        latest.foreseen.note(columns, now_us)
        newer, repeated = latest.take_come(columns, now_us)
        assert newer.tolist() == [True, True, point == 2]
        assert repeated.tolist() == [point == 1] * 3
    assert latest.of([1, 2]).value.tolist() == [2.0, 3.0]
    assert latest.foreseen.points() == [1]
    latest.foreseen.passed(now_us + HOUR - 1)
    assert latest.foreseen.points() == [1]
    latest.foreseen.passed(now_us + HOUR)
    assert latest.foreseen.points() == []


def test_what_was_foreseen_may_be_stored_when_it_comes_again() -> None:
    """The price of an hour is sent again, corrected, just as the hour begins and before it is the latest."""
    latest, hour_us = Latest(), 1_700_000_000 * S
    for now_us, price in ((hour_us - HOUR, 20.0), (hour_us + S, 30.0)):
        times_us = [hour_us, hour_us + HOUR, now_us]
        columns = Columns.of([ReadingBatch.of([1, 1, 2], times_us, [price] * 3, Quality.VALID)])
        latest.foreseen.note(columns, now_us)
        newer, repeated = latest.take_come(columns, now_us)
    assert newer.tolist() == [True, False, True]
    assert repeated.tolist() == [True, True, False]
    assert latest.of([1]).value.tolist() == [30.0]


async def test_the_next_price_comes_when_its_time_has_come(house: House) -> None:
    begun = time.time_ns() // 1000
    soon = begun + SLACK_US + 2 * S
    prices = ([4] * 3, [begun - HOUR, soon, begun + HOUR], [20.0, 30.0, 40.0])
    async with house.refinery() as refinery:
        with refinery.subscribe([4]) as subscription:
            assert not len(await asyncio.wait_for(anext(subscription), 30))
            await house.send(*prices, Quality.VALID)
            assert await told(subscription) == (begun - HOUR, 20.0)
            await house.settled(refinery)
    async with house.refinery() as refinery:
        with refinery.subscribe([4]) as subscription:
            while (found := await told(subscription)) != (soon, 30.0):
                assert found == (begun - HOUR, 20.0)
        assert time.time_ns() // 1000 >= soon
        assert refinery.latest.foreseen.points() == [4]
        await house.check(refinery)


async def test_what_has_come_before_it_is_stored_is_waited_for(house: House) -> None:
    latest, come_us = Latest(), time.time_ns() // 1000 - S
    batch = ReadingBatch.of([4], [come_us], [30.0], Quality.VALID, version=1)
    latest.foreseen.note(Columns.of([batch]), come_us - HOUR)
    await asyncio.to_thread(take_come, latest, house.series, come_us - 1)
    assert latest.foreseen.points() == [4] and not len(latest)
    await asyncio.to_thread(house.series.append, [batch])
    await asyncio.to_thread(take_come, latest, house.series, come_us)
    assert latest.foreseen.points() == [] and latest.of([4]).value.tolist() == [30.0]


async def told(subscription: Subscription) -> tuple[int, float]:
    """The next reading that somebody who watches is told."""
    while True:
        readings = await asyncio.wait_for(anext(subscription), 30)
        if len(readings):
            assert len(readings) == 1
            return int(readings.time_us[0]), float(readings.value[0])
