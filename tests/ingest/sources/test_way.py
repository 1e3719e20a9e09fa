"""The way: readings are kept with patience, what cannot be kept is quarantined, a flood waits and nobody else does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.ingest.sources.conftest import until
from tests.ingest.sources.odd import OddSettings, decode

from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.source_protocol import Message
from wattstead.ingest.sources.way import SourceWay
from wattstead.ingest.sources.window import Window
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.places.sources import Given
from wattstead.stream import JournalLimits

if TYPE_CHECKING:
    from tests.ingest.sources.conftest import House

pytestmark = pytest.mark.unit
Open = Callable[..., "House"]
NOW_S = 1_790_000_000
DAY_S = 86_400


def way_of(house: House, past_days: float = 400.0, rate: float = 50_000.0, **given: Any) -> SourceWay:
    source = house.registry.create_source(house.site, "odd", Given(name="odd", **given))
    grant = house.registry.source_state(source.id).grant
    assert grant is not None
    house.now_us = NOW_S * 1_000_000
    window = Window.of(past_days, 3600)
    return SourceWay(
        source.id, grant, house.reception, house.letters, Figures(), window, rate, lambda to: None
    )  # fmt: skip


async def bring(way: SourceWay, text: str, factor: float = 1.0) -> None:
    message = Message(text.encode(), "there", way.present_us())
    await way.keep(decode(message, OddSettings(factor=factor)), message)


def test_a_source_is_known_from_all_others(open_house: Open) -> None:
    house = open_house()
    state = house.registry.source_state(way_of(house).source_id)
    assert state.grant is not None

    def identity(installation: str) -> str:
        assert state.grant is not None
        found = Sources(house.registry, house.reception, house.letters, installation=installation)
        life: Any = SimpleNamespace(connected=None, failed=None)
        return found._way(state, state.grant, Figures(), life).identity

    assert identity("here") == identity("here") != identity("there")
    assert identity("here").endswith(f"-{state.source.id}")


async def test_what_is_kept_is_in_the_journal(open_house: Open) -> None:
    house = open_house()
    way = way_of(house)
    for number in range(3):  # the second time the names are known, and it goes the short way
        await bring(way, f"a {NOW_S + number} 1.5\nb {NOW_S + number} 2")
    assert house.stored()[-2:] == [("a", (NOW_S + 2) * 1_000_000, 1.5), ("b", (NOW_S + 2) * 1_000_000, 2.0)]
    assert (way.figures.messages, way.figures.readings, way.figures.rejected) == (3, 6, 0)
    assert way.figures.minute.per_s() > 0 and house.letters.held(way.source_id).letters == 0


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (NOW_S + 2 * 3600, "lies after"),
        (NOW_S - 3650 * DAY_S, "lies before"),
        (NOW_S + 3650 * DAY_S, "lies after"),
    ],
)
async def test_a_clock_that_is_wrong_is_quarantined_with_its_reason(open_house: Open, second: int, said: str) -> None:
    house = open_house()
    way = way_of(house)
    await bring(way, f"a {NOW_S} 1")
    await bring(way, f"a {second} 2\nb {NOW_S} 3")
    assert [(name, value) for name, _, value in house.stored()] == [("a", 1.0), ("b", 3.0)]
    (letter,) = house.letters.page(way.source_id)
    assert said in letter.reason and letter.message.raw.startswith(f"a {second}".encode())


async def test_the_past_has_no_limit_where_that_was_said(open_house: Open) -> None:
    house = open_house()
    await bring(way_of(house, past_days=0), f"a {NOW_S - 5000 * DAY_S} 1")
    assert len(house.stored()) == 1


async def test_names_beyond_the_limit_of_its_key_are_dead_letters(open_house: Open) -> None:
    house = open_house()
    way = way_of(house)
    house.registry.change_point_limit(way.grant.id, 1)
    grant = house.registry.source_state(way.source_id).grant
    assert grant is not None
    way.grant = grant
    await bring(way, f"a {NOW_S} 1\nb {NOW_S} 2")
    assert [name for name, _, _ in house.stored()] == ["a"]
    assert "limit of 1 points" in house.letters.page(way.source_id)[0].reason


async def test_a_name_of_another_device_is_a_dead_letter(open_house: Open) -> None:
    house = open_house()
    mine, other = (house.registry.create_device(house.site, name).id for name in ("mine", "other"))
    await bring(way_of(house, device_id=other), f"a {NOW_S} 1")
    way = way_of(house, device_id=mine)
    await bring(way, f"a {NOW_S} 2\nb {NOW_S} 3")
    assert [(name, value) for name, _, value in house.stored()] == [("a", 1.0), ("b", 3.0)]
    assert "is not one of device" in house.letters.page(way.source_id)[0].reason


async def test_it_waits_while_the_journal_is_full_and_loses_nothing(open_house: Open) -> None:
    house = open_house(journal_limits=JournalLimits(waiting_bytes=2_000, gather_requests=0, gather_s=0.05))
    way = way_of(house)
    await bring(way, f"a {NOW_S} 1")
    names = "".join(f"\na {NOW_S - row} {row}" for row in range(1, 40))
    await asyncio.gather(*(bring(way, f"a {NOW_S + number} {number}{names}") for number in range(1, 30)))
    assert {(time_us, value) for _, time_us, value in house.stored()} >= {
        ((NOW_S + number) * 1_000_000, float(number)) for number in range(1, 30)
    }
    assert house.letters.held(way.source_id).letters == 0 and way.figures.waiting_for == ""


async def test_it_waits_while_the_registry_is_away(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    house = open_house()
    way = way_of(house)
    file = house.folder / "registry.db"
    house.registry.close()
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    task = asyncio.create_task(bring(way, f"new {NOW_S} 1"))
    await until(lambda: way.figures.waiting_for)
    file.rmdir()
    file.with_suffix(".away").rename(file)
    await asyncio.wait_for(task, 60)
    assert house.stored() == [("new", NOW_S * 1_000_000, 1.0)] and way.figures.waiting_for == ""


async def test_a_flood_is_slowed_and_nobody_else_is(open_house: Open) -> None:
    house = open_house()
    flood, calm = way_of(house, rate=100), way_of(house, rate=100)
    await bring(flood, f"a {NOW_S} 1")
    await bring(calm, f"b {NOW_S} 1")

    async def pour() -> None:
        for number in range(1, 10_000):
            await bring(flood, f"a {NOW_S + number % 3000} {number}")

    began = time.monotonic()
    task = asyncio.create_task(pour())
    await until(lambda: flood.figures.waiting_for)
    assert "slowed" in flood.figures.waiting_for
    for number in range(1, 20):
        await bring(calm, f"b {NOW_S + number} 1")
    assert calm.figures.readings == 20
    assert flood.figures.readings <= 100 * (time.monotonic() - began + 1) + 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_of_ours_costs_one_message(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    house = open_house()
    way = way_of(house)

    def broken(self: ReadingBatch) -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as once:
        once.setattr(ReadingBatch, "encode", broken)
        await bring(way, f"a {NOW_S} 1")
    await bring(way, f"a {NOW_S + 1} 2")
    assert [value for _, _, value in house.stored()] == [2.0]
    assert "fault of the program (ZeroDivisionError)" in house.letters.page(way.source_id)[0].reason


async def test_many_messages_become_one_batch_and_each_fault_goes_to_its_message(open_house: Open) -> None:
    house = open_house()
    way = way_of(house)
    texts = [f"a {NOW_S} 1", f"a {NOW_S + 1} 2\nb {NOW_S} much", f"c {NOW_S - 5000 * DAY_S} 3", f"c {NOW_S} 4"]
    messages = [Message(text.encode(), "there", way.present_us()) for text in texts]
    refused = await way.keep_all([(decode(message, OddSettings(factor=1.0)), message) for message in messages])
    assert [(name, value) for name, _, value in house.stored()] == [("a", 1.0), ("a", 2.0), ("c", 4.0)]
    assert [message.raw for message, _ in refused] == [texts[1].encode(), texts[2].encode()]
    assert "lies before" in refused[1][1] and "message" not in refused[1][1]
    assert {letter.message.raw for letter in house.letters.page(way.source_id)} == {m.raw for m, _ in refused}
    assert (way.figures.messages, way.figures.readings, way.figures.rejected) == (4, 3, 2)
    assert await way.keep_all([]) == []
