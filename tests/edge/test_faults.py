"""Whatever breaks between a meter and the server: what was kept on site arrives, once, and nothing else does."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_agent import FIRST_US, last, values
from edge_house import LEVELS, expected, fill, until
from test_thin_path import counting

from wattstead.edge.budget import Budget
from wattstead.edge.identity import Identity
from wattstead.edge.link import Link, LinkLost
from wattstead.edge.names import NameBook
from wattstead.edge.running import Edge
from wattstead.edge.sending import Sender
from wattstead.edge.waiting import Plan, Waiting
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.sight import State
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.errors import RegistryUnavailable
from wattstead.registry.places.sources import Given
from wattstead.registry.records import EdgeSettings
from wattstead.stream import Journal

if TYPE_CHECKING:
    from edge_house import Agent, Home, Way

DAY_S = 86_400
START_S = 1_790_000_000


def differences(home: Home, end: int) -> list[str]:
    """In what the server differs from a ledger up to that number; what came after it may be on its way or here."""
    found = home.standing()
    wanted = {}
    for number in range(1, end + 1):
        for name, value in zip(("count", "power"), values(number), strict=True):
            wanted[name, FIRST_US + number * 1_000_000] = value
    lost = wanted.keys() - found.keys()
    told = [f"{len(lost)} lost, the first {min(lost, key=lambda key: key[1])}"] if lost else []
    for (name, time_us), value in found.items():
        number, rest = divmod(time_us - FIRST_US, 1_000_000)
        if number < 1 or rest or value != dict(zip(("count", "power"), values(number), strict=True))[name]:
            told.append(f"{name} at {time_us}: {value}")
    return told[:6]


async def test_link_edge_and_server_break(home: Home, agent: Agent, way: Way, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    await home.start()
    edge_id = await home.edge(agent.folder, way.url, send_every_s=0.05)
    counting(home, edge_id, ledger)
    agent.start()
    await until(lambda: len(home.arrived()) > 60)
    way.loss = 0.2
    await until(lambda: way.cuts > 3)
    home.kill()
    agent.kill()
    agent.start()
    seen = last(ledger)
    await until(lambda: last(ledger) > seen + 60)
    await home.start()
    await until(lambda: way.cuts > 5)
    way.cut()
    seen = last(ledger)
    await until(lambda: last(ledger) > seen + 60)
    way.loss, way.open = 0.0, True
    await until(lambda: len(home.arrived()) > 2 * seen, every_s=0.5)
    agent.kill()
    agent.start()
    end = last(ledger)
    await until(lambda: not differences(home, end), every_s=0.5)


def later_us() -> int:
    """A minute from now: what was put there just before is old."""
    return time.time_ns() // 1000 + 60_000_000


def sent_by(home: Home, folder: Path) -> tuple[Waiting, Link]:
    """The sending end of an edge, to be driven by hand."""
    return Waiting(folder, NameBook(folder / "names")), Link(Identity.load(folder))


async def drained(waiting: Waiting, link: Link, plan: Plan, rows: int = 50_000) -> int:
    """Send everything; how many uploads that took."""
    uploads = 0
    while (body := waiting.next_upload(plan, rows, rows, {})) is not None or waiting.more:
        if body is not None:
            answer = await link.upload(body)
            waiting.arrived(answer.accepted)
            uploads += 1
    return uploads


async def test_an_hour_without_a_link_arrives_in_order(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    count = fill(folder, 50, START_S, 3600, at_once=10)
    waiting, link = sent_by(home, folder)
    assert await drained(waiting, link, Plan()) < 10
    arrived = home.arrived()
    assert len(arrived) == count and home.standing() == expected(50, START_S, 3600)
    times = [time_us for _, time_us, _ in arrived]
    assert times == sorted(times)
    await link.close()


async def test_new_readings_overtake_old_ones_and_corrections_stay_behind(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    fill(folder, 2, START_S, 1000)
    waiting, link = sent_by(home, folder)
    waiting._clock_us = later_us
    body = waiting.next_upload(Plan(), 100, 1000, {})
    assert body is not None and waiting.lanes.live is not None
    await link.upload(body)
    waiting.arrived(1)
    journal = Journal.open(folder / "journal", 0)
    new_us = waiting.lanes.split_us + 5
    journal.append_sync(ReadingBatch.of([1, 2], [new_us, new_us], [1.0, 2.0]))
    journal.append_sync(ReadingBatch.of([1], [(START_S + 900) * 1_000_000], [777.0]))
    journal.close_sync()
    body = waiting.next_upload(Plan(), 100, 1000, {})
    assert body is not None
    await link.upload(body)
    waiting.arrived(1)
    assert home.standing()["meter/0", new_us] == 1.0, "the new ones come before the old ones are through"
    assert len(home.standing()) < 500
    waiting.close()
    waiting, link = sent_by(home, folder)
    waiting._clock_us = later_us
    await drained(waiting, link, Plan(), 100)
    assert waiting.lanes.live is None
    wanted = expected(2, START_S, 1000) | {
        ("meter/0", new_us): 1.0,
        ("meter/1", new_us): 2.0,
        ("meter/0", (START_S + 900) * 1_000_000): 777.0,
    }
    assert home.standing() == wanted
    assert len(home.arrived()) == len(wanted) + 1, "each once, the corrected one twice"


async def test_a_repeated_upload_does_not_undo_a_correction(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    fill(folder, 1, START_S, 10)
    waiting, link = sent_by(home, folder)
    body = waiting.next_upload(Plan(), 1000, 1000, {})
    assert body is not None
    await link.upload(body)
    assert (await link.upload(body)).repeated
    await home.leave()
    with home.registry._db.writing() as session:  # it died between the journal and the number
        session.connection().exec_driver_sql("UPDATE edge SET sequence = 0, sequence_digest = ''")
    journal = Journal.open(home.folder / "journal", 0)
    point = home.registry.points()[0].point.id
    journal.append_sync(ReadingBatch.of([point], [START_S * 1_000_000], [4321.0]))
    journal.close_sync()
    await home.answer()
    answer = await link.upload(body)
    assert not answer.repeated and answer.accepted == 10
    assert home.standing() == expected(1, START_S, 10) | {("meter/0", START_S * 1_000_000): 4321.0}
    assert len(home.arrived()) == 11
    await link.close()


async def test_an_upload_that_could_not_be_remembered_is_not_journaled_again(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    fill(folder, 1, START_S, 10)
    waiting, link = sent_by(home, folder)
    body = waiting.next_upload(Plan(), 5, 1000, {})
    assert body is not None
    await link.upload(body)
    waiting.arrived(1)
    body = waiting.next_upload(Plan(), 5, 1000, {})
    assert body is not None

    def away(uploads: Any) -> None:
        raise RegistryUnavailable("it is away")

    with monkeypatch.context() as patch:
        patch.setattr(home.registry, "keep_edge_sequences", away)
        with pytest.raises(LinkLost):
            await link.upload(body)
    assert len(home.arrived()) == 10, "the journal has it"
    assert not (await link.upload(body)).repeated
    assert len(home.arrived()) == 10
    await link.close()


async def test_an_edge_whose_disk_was_put_back_loses_nothing(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder, send_every_s=0.05)
    fill(folder, 1, START_S, 10)
    waiting, link = sent_by(home, folder)
    await drained(waiting, link, Plan())
    waiting.close()
    (folder / "sending").unlink()
    fill(folder, 1, START_S + 10, 10)
    edge = Edge(folder, sync_s=0.2)
    task = asyncio.create_task(edge.run())
    await until(lambda: home.standing() == expected(1, START_S, 20))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_refused_is_told_again_when_the_answer_was_lost(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    fill(folder, 1, START_S, 3)
    journal = Journal.open(folder / "journal", 0)
    journal.append_sync(ReadingBatch.of([1], [4_102_444_800_000_000], [1.0]))  # the year 2100
    journal.close_sync()
    waiting, link = sent_by(home, folder)
    body = waiting.next_upload(Plan(), 1000, 1000, {})
    assert body is not None
    first, second = await link.upload(body), await link.upload(body)
    assert len(first.refused) == 1 and second.repeated
    assert (second.accepted, second.refused) == (first.accepted, first.refused)
    assert len(home.arrived()) == first.accepted == 3
    waiting.close()
    await link.close()


async def test_a_wrong_clock_is_quarantined_with_its_reason(home: Home, agent: Agent, tmp_path: Path) -> None:
    await home.answer()
    edge_id = await home.edge(agent.folder, send_every_s=0.1)
    settings = {"ledger": str(tmp_path / "ledger"), "pause_s": 0.05}
    given = Given(name="ten years slow", settings=settings, edge_id=edge_id, past_days=30)
    source = home.registry.create_source(home.site, "counting", given).id
    agent.start()
    await until(lambda: home.registry.edge(edge_id).health.letters > 3)
    health = home.registry.edge(edge_id).health
    agent.kill()
    letters = Letters(agent.folder / "letters.db")
    page = letters.page(source)
    letters.close()
    assert page and "lies before" in page[0].reason and page[0].message.raw.isdigit()
    assert health.sources == {str(source): State.CONNECTED.value} and home.arrived() == []


async def test_what_the_server_does_not_take_is_kept_on_site(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder, send_every_s=0.05)
    future_s = 2_500_000_000
    fill(folder, 1, START_S, 3)
    fill(folder, 1, future_s, 3)
    edge = Edge(folder, sync_s=0.2)
    task = asyncio.create_task(edge.run())
    await until(lambda: edge.letters.held(0).letters and edge.waiting.lanes.sent == 6)
    (letter,) = edge.letters.page(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert letter.message.raw.count(b'"point":"meter/0"') == 3 and "lies after" in letter.reason
    assert home.standing() == expected(1, START_S, 3)


@pytest.mark.parametrize("megabytes", [1, 40])
async def test_a_full_budget_packs_then_thins_and_says_so(home: Home, tmp_path: Path, megabytes: int) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    for at in range(10):
        fill(folder, 10, START_S + at * 2000, 2000, at_once=20)
    waiting, link = sent_by(home, folder)
    budget = Budget(folder, waiting)
    used = budget.waiting_bytes()
    budget.enforce(megabytes * 100_000, LEVELS)
    lanes = waiting.lanes
    assert budget.waiting_bytes() <= max(0.8 * megabytes * 100_000, used / 9)
    assert lanes.packed > 100_000 and bool(lanes.thinned) == bool(budget.why) == (megabytes == 1)
    waiting.close()
    waiting, link = sent_by(home, folder)
    waiting._clock_us = lambda: START_S * 1_000_000
    await drained(waiting, link, Plan())
    found, wanted = home.standing(), expected(10, START_S, 20_000)
    if megabytes == 40:
        assert found == wanted
        return
    assert len(found) < len(wanted)
    by_name = {name for name, _ in found}
    assert len(by_name) == 10
    for name in by_name:
        theirs = np.array([value for (own, _), value in wanted.items() if own == name])
        kept = np.array([value for (own, _), value in found.items() if own == name])
        assert theirs.min() <= kept.min() and kept.max() <= theirs.max()
    await link.close()


async def test_a_server_that_is_away_is_asked_again_with_longer_waits(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    await home.leave()
    _, link = sent_by(home, folder)
    with pytest.raises(LinkLost):
        await link.upload(b"")
    await link.close()


async def test_a_disk_on_which_nothing_can_be_packed_hinders_no_sending(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder)
    for at in range(3):
        fill(folder, 10, START_S + at * 2000, 2000, at_once=20)
    waiting, link = sent_by(home, folder)
    budget, letters = Budget(folder, waiting), Letters(folder / "letters.db")
    assert budget.waiting_bytes() > 300_000, "it is time to pack"
    (folder / "segments").rmdir()
    (folder / "segments").touch()  # no file can be made there
    sender = Sender(waiting, budget, link, letters, lambda: EdgeSettings(disk_mb=1), Plan, lambda: {})
    await sender._once()
    assert waiting.lanes.sent > 0 and len(home.standing()) == waiting.lanes.sent
    letters.close()
    waiting.close()
    await link.close()
