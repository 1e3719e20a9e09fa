"""Retention: which rule is whose, what is refused, and what the store then no longer has."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.refining.bookkeeping.retention import EXPIRED, Keep, Retention, expiry_us
from wattstead.refining.columns import Columns
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.taking.judge import Judge
from wattstead.series.errors import StoreRefused
from wattstead.status import refining_part

if TYPE_CHECKING:
    from conftest import House

DAY_US = 86_400_000_000
NOW_US = 1_780_000_000_000_000
RULES = Retention(
    (Keep(kind=Kind.STATE), Keep(quantity=Quantity.VOLTAGE, raw_days=30), Keep(raw_days=400, minute_days=800))
)


@pytest.mark.unit
def test_the_first_rule_that_concerns_a_point_is_its_rule() -> None:
    assert RULES.of(Point(id=1, kind=Kind.STATE)).raw_days == 0
    assert RULES.of(Point(id=1, quantity=Quantity.VOLTAGE, unit="V")).raw_days == 30
    assert RULES.of(Point(id=1)).minute_days == 800
    assert Retention().of(Point(id=1)) == Keep()


@pytest.mark.unit
def test_classes_leave_out_what_is_kept_for_ever() -> None:
    points = [Point(id=1, kind=Kind.STATE), Point(id=2), Point(id=3), Point(id=4, quantity=Quantity.VOLTAGE)]
    assert sorted(RULES.classes(points).values()) == [[2, 3], [4]]


@pytest.mark.unit
def test_expiry_is_the_beginning_of_a_day() -> None:
    assert expiry_us(NOW_US, 30) % DAY_US == 0
    assert NOW_US - 31 * DAY_US < expiry_us(NOW_US, 30) <= NOW_US - 30 * DAY_US


@pytest.mark.unit
def test_a_late_reading_is_refused_a_day_before_its_time_expires() -> None:
    judge = Judge(retention=RULES)
    judge.learn([Point(id=1, kind=Kind.STATE), Point(id=2, quantity=Quantity.VOLTAGE, unit="V")])
    edge_us = expiry_us(NOW_US, 30) + DAY_US
    times = [edge_us - 1, edge_us, edge_us - 1, edge_us - 1]
    got = judge.judge(Columns.of([ReadingBatch.of([2, 2, 1, 77], times, [1.0] * 4, version=NOW_US << 8)]))
    assert list(zip(got.point.tolist(), got.time_us.tolist(), strict=True)) == [
        (2, edge_us), (1, edge_us - 1), (77, edge_us - 1),
    ]  # fmt: skip
    assert judge.refused == {EXPIRED: 1}


async def test_what_has_expired_goes_and_its_rollups_stay(house: House) -> None:
    """Raw readings go by whole weeks; the days made of them still answer, and a point of another class keeps all."""
    begin_us = (time.time_ns() // 1000 // DAY_US - 60) * DAY_US
    house.declare(Point(id=5, kind=Kind.STATE))
    times = [begin_us + k * DAY_US // 4 for k in range(40)]
    async with house.refinery() as refinery:
        await house.send([1] * 40, times, [float(k) for k in range(40)])
        await house.send([5] * 40, times, [1.0] * 40)
        await house.settled(refinery)
    retention = Retention((Keep(kind=Kind.STATE), Keep(raw_days=30)))
    limits = RefiningLimits(store_every_s=0.1, retention_s=3600)

    def raw(point: int) -> int:
        return len(house.series.raw(point, 0, begin_us + 30 * DAY_US))

    async with house.refinery(limits, retention) as refinery:
        deadline = time.monotonic() + 60
        while await asyncio.to_thread(raw, 1):
            assert time.monotonic() < deadline, f"nothing expired; {refinery.state}"
            await asyncio.sleep(0.1)
        assert refinery.state.last_error == ""
    assert await asyncio.to_thread(raw, 5) == 40
    latest = await asyncio.to_thread(house.series.latest, [1])
    assert latest.value.tolist() == [39.0]


async def test_readings_do_not_wait_for_what_cannot_be_removed(house: House) -> None:
    """The store refuses that for as long as a table is missing which no reading needs."""
    retention = Retention((Keep(replaced_days=30),))
    rename = house.series._connection.run
    await asyncio.to_thread(rename, "RENAME TABLE reading_replaced TO elsewhere")
    house.declare(Point(id=1))

    async def until_said(error: bool) -> None:
        async with asyncio.timeout(60):
            while bool(refinery.state.last_error) is not error:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)

    async with house.refinery(retention=retention) as refinery:
        await until_said(True)
        assert refinery.state.last_error.startswith("expiry: the store refuses (code 60)")
        await house.send([1, 1], [NOW_US, NOW_US + 1], [1.0, 2.0])
        await house.settled(refinery)
        told = refining_part(refinery)
        assert not told.ok and not refinery.state.stands_still
        assert told.text.startswith("readings reach the store, and what is done beside is tried again: expiry: ")
        await asyncio.to_thread(rename, "RENAME TABLE elsewhere TO reading_replaced")
        await until_said(False)
        assert refining_part(refinery).ok
        await house.check(refinery)


async def test_readings_do_not_wait_for_a_removal_that_the_store_refuses(house: House) -> None:
    """Whoever asked for it is told, and may ask again."""
    rename = house.series._connection.run
    house.declare(Point(id=1))
    async with house.refinery() as refinery:
        await house.send([1, 1], [NOW_US, NOW_US + 1], [1.0, 2.0])
        await house.settled(refinery)
        await asyncio.to_thread(rename, "RENAME TABLE reading_replaced TO elsewhere")
        with pytest.raises(StoreRefused):
            await asyncio.wait_for(refinery.remove([1], (NOW_US, NOW_US + 1)), 60)
        await house.send([1], [NOW_US + 2], [3.0])
        await house.settled(refinery)
        assert refinery.state.last_error.startswith("removal: the store refuses") and not refinery.state.stands_still
        await asyncio.to_thread(rename, "RENAME TABLE elsewhere TO reading_replaced")
        await asyncio.wait_for(refinery.remove([1], (NOW_US, NOW_US + 1)), 60)
        assert not refinery.state.last_error
        first = await asyncio.to_thread(house.series.span, [1])
        assert first.first_us.tolist() == [NOW_US + 1] and first.last_us.tolist() == [NOW_US + 2]
