"""The store goes and comes back: nothing is skipped, it is said what stands still, and it goes on by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wattstead.series import Series
from wattstead.series.connection import Connection
from wattstead.status import refining_part
from wattstead.stream import Journal, PositionFile

if TYPE_CHECKING:
    from conftest import House, StoreServer

S = 1_000_000


async def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
def own_store(tmp_path: Path, make_store: Callable[[Path], StoreServer]) -> StoreServer:
    return make_store(tmp_path / "store")


@pytest.fixture
async def own_house(own_store: StoreServer, tmp_path: Path, make_house: Callable[..., House]) -> AsyncIterator[House]:
    series = Series(own_store.address("outage"))
    await asyncio.to_thread(series.migrate)
    journal = Journal.open(tmp_path / "journal", 0)
    yield make_house(tmp_path, series, journal)
    await journal.close()
    series.close()


async def test_the_store_dies_and_comes_back(own_store: StoreServer, own_house: House) -> None:
    house, chance = own_house, random.Random(4)

    async def load(batches: int) -> None:
        now_s = time.time_ns() // 10**9
        for _ in range(batches):
            size = chance.randrange(1, 30)
            times = [(now_s - chance.randrange(0, 7200)) * S for _ in range(size)]
            await house.send(
                [chance.randrange(1, 5) for _ in range(size)], times, [chance.random() for _ in range(size)]
            )

    async with house.refinery() as refinery:
        await load(10)
        await house.settled(refinery)
        saved = PositionFile(house.folder / "journal", "refining").load()
        own_store.kill()
        await load(20)
        await until(lambda: refinery.state.last_error != "", "the error to be said")
        await until(lambda: refinery.state.failed_tries > 2, "several tries")
        await until(lambda: refinery.state.lag_bytes > 0, "the lag to be said")
        assert refinery.state.running and "store" in refinery.state.last_error
        assert PositionFile(house.folder / "journal", "refining").load() == saved
        assert len(refinery.latest.of()) == 4
        own_store.start()
        await house.settled(refinery)
        assert refinery.state.last_error == ""
        await house.check(refinery)


async def test_what_the_store_refuses_for_good_is_said_in_its_words_and_skipped_never(
    own_store: StoreServer, own_house: House
) -> None:
    """Nothing that comes later is stored before it: whoever mends the store finds all readings."""
    house, now_us, store = own_house, time.time_ns() // 1000, Connection(own_store.address("outage"))
    async with house.refinery() as refinery:
        await until(lambda: refinery.state.closed_us > 0, "the start")
        await asyncio.to_thread(store.run, "RENAME TABLE reading TO elsewhere")
        await house.send([1], [now_us], [1.0])
        await until(lambda: refinery.state.failed_tries > 2, "several tries")
        await house.send([2], [now_us], [2.0])
        told = refining_part(refinery)
        assert not told.ok and told.figures["failed_tries"] > 2
        assert told.text.startswith("readings wait in the journal: store: the store refuses (code 60)")
        assert "UNKNOWN_TABLE" in told.text and refinery.state.stored_rows == 0
        await asyncio.to_thread(store.run, "RENAME TABLE elsewhere TO reading")
        await house.settled(refinery)
        assert refinery.state.stored_rows == 2 and refining_part(refinery).ok
        await house.check(refinery)
    store.close()


async def test_stopping_while_the_store_is_away_loses_nothing(own_store: StoreServer, own_house: House) -> None:
    house, now_us = own_house, time.time_ns() // 1000
    async with house.refinery() as refinery:
        await until(lambda: refinery.state.closed_us > 0, "the start")
        own_store.kill()
        await house.send([1, 2], [now_us, now_us], [1.0, 2.0])
        await until(lambda: refinery.state.last_error != "", "the error to be said")
    own_store.start()
    async with house.refinery() as refinery:
        await house.settled(refinery)
        await house.check(refinery)


async def test_a_start_without_a_store_waits_for_it(own_store: StoreServer, own_house: House) -> None:
    house, now_us = own_house, time.time_ns() // 1000
    await house.send([1], [now_us], [1.0])
    own_store.kill()
    async with house.refinery() as refinery:
        await until(lambda: refinery.state.failed_tries > 1, "several tries")
        assert refinery.state.read_rows == 0
        own_store.start()
        await house.settled(refinery)
