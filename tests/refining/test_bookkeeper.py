"""Bookkeeper: the order of steps, and that each may be cut off and done again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wattstead.metering.rollup import MINUTE_US
from wattstead.refining.bookkeeping.adoption import Adoption
from wattstead.refining.bookkeeping.bookkeeper import Bookkeeper
from wattstead.refining.bookkeeping.progress import Progress, ProgressCorrupt, ProgressFile
from wattstead.refining.bookkeeping.retention import Retention
from wattstead.refining.latest import Latest
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.taking.intake import Intake
from wattstead.refining.taking.judge import Judge
from wattstead.stream import JournalReader, PositionFile

if TYPE_CHECKING:
    from conftest import House

LIMITS = RefiningLimits(grace_s=10)


class Desk:
    """Intake and bookkeeper of a house, step by step."""

    def __init__(self, house: House, limits: RefiningLimits = LIMITS) -> None:
        positions = PositionFile(house.folder / "journal", "refining")
        latest, judge, self.minutes = Latest(), Judge(), OpenMinutes()
        reader = JournalReader(house.folder / "journal", positions.register())
        self.intake = Intake(reader, judge, latest, self.minutes, limits)
        points = list(house.points.values())
        progress = ProgressFile(house.folder / "refining.json")
        adoption = Adoption(house.series, lambda since: points, lambda: 1, judge, latest, self.minutes, progress)
        self.keeper = Bookkeeper(house.series, positions, adoption, self.minutes, limits, Retention())

    def store(self) -> None:
        while self.intake.take() is not None:
            pass
        self.keeper.store(self.intake.cut())


def minutes(house: House, point: int) -> dict[int, int]:
    found = house.series._connection.columns(
        "SELECT toInt64(toUnixTimestamp(start)) * 1000000 AS start_us, count FROM minute FINAL "
        f"WHERE point = {point} AND count > 0"
    )
    return dict(zip(found["start_us"].tolist(), found["count"].tolist(), strict=True)) if found else {}


@pytest.fixture
def begin_us() -> int:
    return time.time_ns() // 1000 // MINUTE_US * MINUTE_US


async def test_a_minute_closes_after_the_grace_and_a_late_reading_opens_it_again(house: House, begin_us: int) -> None:
    desk = Desk(house)
    await asyncio.to_thread(desk.keeper.begin, begin_us)
    await house.send([1, 1, 1], [begin_us, begin_us + 1, begin_us + MINUTE_US], [1.0, 2.0, 3.0])
    await asyncio.to_thread(desk.store)
    await asyncio.to_thread(desk.keeper.close, begin_us + MINUTE_US + 9_999_999)
    assert await asyncio.to_thread(minutes, house, 1) == {}
    await asyncio.to_thread(desk.keeper.close, begin_us + MINUTE_US + 10_000_000)
    assert await asyncio.to_thread(minutes, house, 1) == {begin_us: 2}
    assert desk.keeper.dirty_spans == 0
    await house.send([1, 2], [begin_us + 2, begin_us + MINUTE_US], [1.0, 2.0])
    await asyncio.to_thread(desk.store)
    assert desk.keeper.dirty_spans == 1
    await asyncio.to_thread(desk.keeper.settle)
    assert await asyncio.to_thread(minutes, house, 1) == {begin_us: 3}


async def test_the_position_is_saved_only_when_late_readings_are_rolled_up(house: House, begin_us: int) -> None:
    desk = Desk(house)
    await asyncio.to_thread(desk.keeper.begin, begin_us)
    before = desk.keeper.saved
    await house.send([1], [begin_us - 10 * MINUTE_US], [1.0])
    await asyncio.to_thread(desk.store)
    desk.keeper.save()
    assert PositionFile(house.folder / "journal", "refining").load() == before
    await asyncio.to_thread(desk.keeper.settle)
    desk.keeper.save()
    assert PositionFile(house.folder / "journal", "refining").load() == desk.keeper.saved != before


async def test_a_crash_after_each_step_ends_the_same(house: House, begin_us: int) -> None:
    """A new desk stands for a process that was killed and started again."""
    rng = np.random.default_rng(1)
    for number in range(4):
        times = begin_us + rng.integers(-20, 3, 30) * MINUTE_US + rng.integers(0, 60, 30) * 1_000_000
        await house.send(rng.integers(1, 5, 30), times, rng.integers(0, 99, 30).astype(float))
        steps = ("store", "close", "settle", "save")
        for last in range(len(steps) + 1):
            desk = Desk(house)
            await asyncio.to_thread(desk.keeper.begin, begin_us)
            for step in steps[:last]:
                if step == "store":
                    await asyncio.to_thread(desk.store)
                elif step == "close":
                    await asyncio.to_thread(desk.keeper.close, begin_us + number * MINUTE_US)
                else:
                    await asyncio.to_thread(getattr(desk.keeper, step))
    await asyncio.to_thread(house._check, desk.keeper.closed_us)
    assert (await asyncio.to_thread(Desk(house).intake.take)) is None


async def test_a_long_standstill_is_closed_in_several_goes(house: House, begin_us: int) -> None:
    desk = Desk(house, RefiningLimits(grace_s=0, close_s=600))
    await asyncio.to_thread(desk.keeper.begin, begin_us - 60 * MINUTE_US)
    times = begin_us - np.arange(1, 60) * MINUTE_US
    await house.send([1] * len(times), times, np.ones(len(times)))
    await asyncio.to_thread(desk.store)
    goes = 1
    while await asyncio.to_thread(desk.keeper.close, begin_us):
        goes += 1
    assert goes == 6
    assert len(await asyncio.to_thread(minutes, house, 1)) == 59


@pytest.mark.unit
def test_progress_is_kept_and_a_broken_file_is_said(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = ProgressFile(tmp_path / "deep" / "refining.json")
    assert file.load() == Progress()
    file.save(Progress((7, 9)))
    assert file.load().adopting == (7, 9)
    file.path.write_bytes(b'{"adopting": "x"}')
    with pytest.raises(ProgressCorrupt, match=r"refining\.json"):
        file.load()


MINUTE_COLUMNS = (
    "point, toInt64(toUnixTimestamp(start)) * 1000000 AS start_us, count, min, max, sum, first_time, first_value, "
    "last_time, last_value, step, flags, rule_version"
)


def minute_rows(house: House) -> list[tuple[object, ...]]:
    found = house.series._connection.columns(
        f"SELECT {MINUTE_COLUMNS} FROM minute FINAL WHERE count > 0 ORDER BY point, start"
    )
    return list(zip(*(column.tolist() for column in found.values()), strict=True)) if found else []


async def test_counted_minutes_are_stored_as_the_store_would_compute_them(house: House, begin_us: int) -> None:
    """Regular points beside late and repeated readings; then everything again, computed from the readings alone."""
    begin_us -= 40 * MINUTE_US
    desk = Desk(house)
    await asyncio.to_thread(desk.keeper.begin, begin_us)
    desk.minutes.begin(np.zeros(0, np.uint32), np.zeros(0, np.int64), begin_us - 1, house.series.era)
    chance = np.random.default_rng(5)
    computed: list[int] = []
    asked = desk.minutes.until
    desk.minutes.until = lambda end_us: computed.append(len(asked(end_us).odd_point)) or asked(end_us)  # type: ignore[method-assign, func-returns-value]
    for second in range(0, 17 * 60, 7):
        at_us = begin_us + second * 1_000_000
        points, times = [1, 2, 3, 4], [at_us, at_us + 1, at_us + 2, at_us + 3]
        if second % 5 == 0:
            points, times = [*points, 2, 4], [*times, at_us - 20_000_000, at_us - 1_000_000]
        values = [second / 10, *chance.uniform(0, 500, len(points) - 1)]
        await house.send(points, times, values)
        await asyncio.to_thread(desk.store)
        await asyncio.to_thread(desk.keeper.close, at_us + 5_000_000)
        await asyncio.to_thread(desk.keeper.settle, True)
    assert len(computed) == 16 and sum(computed) > 10
    counted = await asyncio.to_thread(minute_rows, house)
    assert len(counted) >= 16 * 4
    await asyncio.to_thread(house.series.roll, begin_us - MINUTE_US, desk.keeper.closed_us, [1, 2, 3, 4])
    assert await asyncio.to_thread(minute_rows, house) == counted


async def test_what_was_removed_while_it_was_counted_is_not_in_the_minute(house: House, begin_us: int) -> None:
    begin_us -= 40 * MINUTE_US
    desk = Desk(house)
    await asyncio.to_thread(desk.keeper.begin, begin_us)
    desk.minutes.begin(np.zeros(0, np.uint32), np.zeros(0, np.int64), begin_us - 1, house.series.era)
    await house.send([4, 4, 4], [begin_us, begin_us + 1, begin_us + MINUTE_US], [1.0, 2.0, 3.0])
    await asyncio.to_thread(desk.store)
    await asyncio.to_thread(house.series.remove, 4, begin_us, begin_us + 1)
    await asyncio.to_thread(desk.keeper.close, begin_us + MINUTE_US + 10_000_000)
    assert await asyncio.to_thread(minutes, house, 4) == {begin_us: 1}
    await house.send([4], [begin_us + MINUTE_US + 1], [3.0])
    await asyncio.to_thread(desk.store)
    await asyncio.to_thread(desk.keeper.close, begin_us + 2 * MINUTE_US + 10_000_000)
    assert await asyncio.to_thread(minutes, house, 4) == {begin_us: 1, begin_us + MINUTE_US: 2}
