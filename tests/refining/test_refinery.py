"""The refinery between a real journal and a real store: everything sent stands in raw and rollups, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quality, Quantity
from wattstead.refining.arrivals import Need
from wattstead.refining.bookkeeping.progress import Progress, ProgressFile
from wattstead.refining.bookkeeping.retention import EXPIRED, Keep, Retention
from wattstead.refining.limits import RefiningLimits
from wattstead.stream import PositionFile

if TYPE_CHECKING:
    from conftest import House

S = 1_000_000
HOUR = 3600 * S


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it; how long it takes decides nothing but failure."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


def now_us() -> int:
    return time.time_ns() // 1000


async def send_some(house: House, seed: int, batches: int, since_us: int, until_us: int) -> None:
    """Batches of readings of all points at random whole seconds, some of them told again with another value."""
    chance = random.Random(seed)
    for _ in range(batches):
        size = chance.randrange(1, 60)
        times = [chance.randrange(since_us // S, until_us // S) * S for _ in range(size)]
        points = [chance.choice(list(house.points)) for _ in range(size)]
        await house.send(points, times, [float(chance.randrange(0, 9999)) for _ in range(size)])


async def test_late_early_repeated_and_corrected_readings_end_as_the_ledger_says(house: House) -> None:
    async with house.refinery() as refinery:
        for seed in range(4):
            await send_some(house, seed, 10, now_us() - 3 * HOUR, now_us())
            await house.settled(refinery)
        await house.send(house.sent[0].point, house.sent[0].time_us, house.sent[0].value + 1)
        await house.settled(refinery)
        assert refinery.state.replaced_rows > 0
        await house.check(refinery)


async def test_a_register_counts_the_same_whatever_the_order(house: House) -> None:
    """A day of a meter that arrives hour by hour, backwards."""
    begin = (now_us() - 30 * HOUR) // HOUR * HOUR
    times = begin + np.arange(0, 24 * 3600, 30, dtype=np.int64) * S
    values = np.cumsum(np.random.default_rng(5).integers(0, 4, len(times))) / 1000
    async with house.refinery() as refinery:
        for part in reversed(np.array_split(np.arange(len(times)), 24)):
            await house.send([1] * len(part), times[part], values[part])
        await house.settled(refinery)
        await house.check(refinery)
        edges = np.array([begin - HOUR, begin + 12 * HOUR, begin + 25 * HOUR])
        [found] = await asyncio.to_thread(house.series.buckets, [house.points[1]], edges)
    assert int(found.steps.sum()) == round(float(values[-1] - values[0]) * 1000)


async def test_a_restart_goes_on_where_it_stopped_and_reading_again_changes_nothing(house: House) -> None:
    async with house.refinery() as refinery:
        await send_some(house, 1, 10, now_us() - HOUR, now_us())
        await house.settled(refinery)
        before = house.rows
    await send_some(house, 2, 10, now_us() - HOUR, now_us())
    async with house.refinery() as refinery:
        await house.settled(refinery, house.rows - before)
        assert refinery.state.stored_rows == house.rows - before
    replaced = await asyncio.to_thread(house.replaced)
    PositionFile(house.folder / "journal", "refining").forget()
    async with house.refinery() as refinery:
        await house.settled(refinery)
        assert await asyncio.to_thread(house.replaced) == replaced
        await house.check(refinery)


async def test_an_import_of_years_is_rolled_up(house: House) -> None:
    begin = now_us() // HOUR * HOUR - 3 * 365 * 24 * HOUR
    times = begin + np.arange(0, 3 * 365 * 24, dtype=np.int64) * HOUR
    async with house.refinery() as refinery:
        for part in np.array_split(times, 5):
            await house.send([1] * len(part), part, (part - begin) / HOUR)
            await house.send([2] * len(part), part, np.full(len(part), 50.0))
        await house.settled(refinery)
        await house.check(refinery)


async def test_adopting_a_point_rolls_its_history_up_under_the_new_rule(house: House) -> None:
    async with house.refinery() as refinery:
        await send_some(house, 3, 20, now_us() - 50 * HOUR, now_us())
        await house.settled(refinery)
        adopted = Point(id=4, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="kW", zone="America/St_Johns")
        house.declare(adopted, Point(id=1, kind=Kind.REGISTER, unit="kWh", resolution=0.01, max_rate=1e9))
        await house.adopted(refinery)
        await house.check(refinery)


@pytest.mark.parametrize("moves", [2, pytest.param(6, marks=pytest.mark.prove)])
async def test_days_are_right_at_every_moment_of_a_change_of_zone(house: House, moves: int) -> None:
    """A meter's site moves from zone to zone; whoever asks by day gets the days of the zone asked for."""
    begin = (now_us() - 14 * 24 * HOUR) // HOUR * HOUR  # several pieces of a history, which begin with a day and double
    times = begin + np.arange(0, 12 * 24, dtype=np.int64) * HOUR
    points = [Point(id=1, kind=Kind.REGISTER, unit="kWh", zone=zone) for zone in ("Asia/Kathmandu", "Pacific/Apia")]
    async with house.refinery() as refinery:
        await house.send([1] * len(times), times, np.arange(len(times)) / 10)
        await house.settled(refinery)
        for point in itertools.islice(itertools.cycle(points), moves):
            house.declare(point)
            adopted = False
            while not adopted:
                adopted = refinery.state.generation == house.generation and not refinery.state.adopting
                edges = edges_us(point.zone, begin + 25 * HOUR, begin + 10 * 24 * HOUR, Step.DAY)
                [found] = await asyncio.to_thread(house.series.buckets, [point], edges)
                assert found.count.tolist() == ((edges[1:] - edges[:-1]) // HOUR).tolist()
        await house.check(refinery)


async def test_nothing_is_called_empty_before_it_was_looked_at(house: House) -> None:
    """What was in the journal before the first start, and what comes late: told as pending until it can be found."""
    begin = (now_us() - 20 * 24 * HOUR) // HOUR * HOUR
    times = begin + np.arange(0, 19 * 24 * 60, dtype=np.int64) * 60 * S
    edges = edges_us("UTC", begin, begin + 19 * 24 * HOUR, Step.DAY)
    nothing = np.zeros(len(edges) - 1, bool)
    await house.send([1] * len(times), times, np.zeros(len(times)))
    async with house.refinery() as refinery:
        for point in (1, 2):
            if point == 2:
                await house.settled(refinery)
                assert not refinery.pending([2], edges)(nothing)
                await house.send([2] * len(times), times, np.zeros(len(times)))
            whole, since = False, now_us()
            while not whole:
                missing = refinery.pending([point], edges, since_us=since)
                [found] = await asyncio.to_thread(house.series.buckets, [house.points[point]], edges)
                filled = found.count > 0
                whole = int(found.count.sum()) == len(times)
                assert missing(filled) or int(filled.sum()) * 2 > len(filled)
        await house.settled(refinery)
        assert not refinery.pending([1, 2], edges)(nothing)
        assert not refinery.pending([], edges)(nothing)


async def test_a_number_is_never_told_before_an_import_is_whole(house: House) -> None:
    """Beside history that is there already an import of days comes: a count of all, and the readings themselves."""
    begin = (now_us() - 20 * 24 * HOUR) // HOUR * HOUR
    times = begin + np.arange(0, 9 * 24 * 60, dtype=np.int64) * 60 * S
    all_of_it = np.array([begin, begin + 19 * 24 * HOUR])
    filled = np.ones(1, bool)
    async with house.refinery() as refinery:
        await house.send([2] * 60, times[:60], np.zeros(60))
        await house.settled(refinery)
        for need in (Need.ALL, Need.STORED):
            assert not refinery.pending([2], all_of_it, need)(filled)
        await house.send([2] * len(times), times, np.ones(len(times)))
        await until(lambda: refinery.state.read_rows == house.rows, "the journal to be read")
        seen: set[bool] = set()
        while True not in seen:
            missing, unstored = (refinery.pending([2], all_of_it, need) for need in (Need.ALL, Need.STORED))
            [found] = await asyncio.to_thread(house.series.buckets, [house.points[2]], all_of_it)
            raw = await asyncio.to_thread(house.series.raw, 2, begin, int(all_of_it[-1]))
            whole = int(found.count.sum()) == len(times)
            assert missing(filled) or whole
            assert unstored(filled) or len(raw) == len(times)
            seen.add(whole and not missing(filled) and not unstored(filled))
        assert not refinery.pending([1], all_of_it, Need.ALL)(filled)
        await house.settled(refinery)
        for need in Need:
            assert not refinery.pending([1, 2], all_of_it, need)(np.zeros(1, bool))


async def test_a_change_while_nobody_looked_is_found_at_the_start(house: House) -> None:
    async with house.refinery() as refinery:
        await send_some(house, 3, 10, now_us() - 5 * HOUR, now_us())
        await house.settled(refinery)
    house.declare(Point(id=4, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W"))
    async with house.refinery() as refinery:
        await house.adopted(refinery)
        await house.check(refinery)


async def test_an_adoption_cut_off_by_a_crash_is_finished_by_the_next_start(house: House) -> None:
    """The rule is in the store already, the rollups are not: what is noted down is done."""
    async with house.refinery() as refinery:
        await send_some(house, 6, 10, now_us() - 30 * HOUR, now_us())
        await house.settled(refinery)
    house.declare(Point(id=4, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W"))
    await asyncio.to_thread(house.series.put_rules, [house.points[4]])
    progress = ProgressFile(house.folder / "refining.json")
    progress.save(Progress((4,)))
    async with house.refinery() as refinery:
        await house.adopted(refinery)
        await house.check(refinery)
    assert progress.load() == Progress()


async def test_live_readings_come_before_they_are_stored_and_latest_is_there_after_a_restart(house: House) -> None:
    async with house.refinery() as refinery:
        begun = now_us()
        with refinery.subscribe([1, 2]) as subscription:
            await asyncio.wait_for(anext(subscription), 30)
            await house.send([1, 3], [begun, begun], [7.0, 9.0])
            readings = await asyncio.wait_for(anext(subscription), 30)
            assert (readings.point.tolist(), readings.value.tolist()) == ([1], [7.0])
        await house.settled(refinery)
    async with house.refinery() as refinery:
        with refinery.subscribe([1, 3]) as subscription:
            await until(lambda: len(refinery.latest.of([1, 3])) == 2, "the latest readings")
            readings = await asyncio.wait_for(anext(subscription), 30)
        assert refinery.latest.of([1, 3]).time_us.tolist() == [begun, begun]


async def test_judged_quality_is_stored_and_what_cannot_be_is_counted(house: House) -> None:
    house.declare(Point(id=9, quantity=Quantity.HUMIDITY, unit="%"))
    begun = now_us() - HOUR
    async with house.refinery() as refinery:
        await house.send([9, 9], [begun, begun + S], [55.0, 500.0])
        await house.settled(refinery)
    stored = await asyncio.to_thread(house.series.raw, 9, 0, now_us())
    assert stored.quality.tolist() == [Quality.VALID, Quality.SUSPECT]
    assert stored.value.tolist() == [55.0, 500.0]


async def test_readings_of_a_time_that_has_expired_are_refused_and_counted(house: House) -> None:
    retention = Retention((Keep(kind=Kind.STATE), Keep(raw_days=10)))
    house.declare(Point(id=8, kind=Kind.STATE))
    old = now_us() - 20 * 24 * HOUR
    async with house.refinery(retention=retention) as refinery:
        await house.send([1, 8], [old, old], [1.0, 2.0])
        await house.settled(refinery, 1)
        assert refinery.state.refused == {EXPIRED: 1}
    assert len(await asyncio.to_thread(house.series.raw, 1, 0, now_us())) == 0
    assert len(await asyncio.to_thread(house.series.raw, 8, 0, now_us())) == 1


async def test_what_waits_in_memory_is_bounded(house: House) -> None:
    limits = RefiningLimits(waiting_rows=100, store_every_s=3600, store_rows=10**9, poll_s=0.01, read_bytes=2_000)
    async with house.refinery(limits) as refinery:
        await until(lambda: refinery.state.closed_us > 0, "the start")
        await send_some(house, 1, 40, now_us() - HOUR, now_us())
        await until(lambda: refinery.state.waiting_rows >= 100, "the intake to fill")
        assert refinery.state.waiting_rows < 100 + 2_000
        assert refinery.state.read_rows < house.rows
        await until(lambda: refinery.state.lag_bytes > 0, "the lag to be seen")
