"""Amounts: whatever is delivered again, late or corrected, and however it leaves, each is counted once."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_house import until

from wattstead.edge.amounts import Amounts, Left
from wattstead.edge.budget import Budget
from wattstead.edge.names import NameBook
from wattstead.edge.running import Edge
from wattstead.edge.segments import Level
from wattstead.edge.sums import MOST_BYTES, Sums
from wattstead.edge.thinning import Meaning
from wattstead.edge.waiting import Plan, Waiting
from wattstead.ingest.edge.wire import Name, unpacked
from wattstead.ingest.sources.letters import Letters
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Quality
from wattstead.stream import Journal

if TYPE_CHECKING:
    from edge_house import Home

PULSES = {1: Meaning.guessed("pulse/7/blinks", "pulse")}
RAW, MINUTES, QUARTERS = Plan(old_s=1e12), Plan(aggregate_s=60, old_s=1e12), Plan(aggregate_s=900, old_s=1e12)
AVERAGE, TWO_LANES = Plan(averages=[("pulse/*", 60)], old_s=1e12), Plan(old_s=0.0)
S = 1_000_000
START_S = int(time.time()) // 900 * 900


class House:
    """The sending end of an edge with one pulse meter, and what a server has of it."""

    def __init__(self, folder: Path, sums_bytes: int = MOST_BYTES) -> None:
        self.folder, self.sums_bytes = folder, sums_bytes
        self.clock_us = (START_S + 10**6) * S
        self.server: dict[int, float] = {}
        self.quality: dict[int, int] = {}
        self.doubtful: list[tuple[int, float]] = []
        self.sequence = 0
        book = NameBook(folder / "names")
        if not len(book):
            book.add([Name(0, "pulse/7/blinks", "pulse")])
        self.waiting = self._begun()

    def _begun(self) -> Waiting:
        return Waiting(self.folder, NameBook(self.folder / "names"), lambda: self.clock_us, self.sums_bytes)

    def killed(self) -> None:
        """What was not on disk is gone."""
        self.waiting.close()
        self.waiting = self._begun()

    def meter(self, amounts: dict[int, float]) -> None:
        """Received, at those seconds after the start."""
        journal = Journal.open(self.folder / "journal", 0)
        times = [(START_S + at) * S for at in amounts]
        journal.append_sync(ReadingBatch.of([1] * len(times), times, list(amounts.values())))
        journal.close_sync()

    def sent(self, plan: Plan, rows: int = 1_000, most: int = 10**9) -> None:
        """Send what is to be sent, in at most so many uploads."""
        uploads = 0
        while uploads < most and (
            (body := self.waiting.next_upload(plan, rows, rows, PULSES)) is not None or self.waiting.more
        ):
            self.doubtful += [(at // S - START_S, value) for _, at, value in self.waiting.lanes.amounts.doubtful]
            self.waiting.lanes.amounts.doubtful = []
            if body is None:
                continue
            uploads += 1
            upload = unpacked(body, 10**9)
            if upload.sequence > self.sequence:  # else it was on its way when the program ended
                self.sequence, batch = upload.sequence, upload.readings()
                self.server |= dict(zip((batch.time_us // S - START_S).tolist(), batch.value.tolist(), strict=True))
                self.quality |= dict(zip((batch.time_us // S - START_S).tolist(), batch.quality.tolist(), strict=True))
            self.waiting.arrived(0)
        self.doubtful += [(at // S - START_S, value) for _, at, value in self.waiting.lanes.amounts.doubtful]
        self.waiting.lanes.amounts.doubtful = []

    def thin(self, most: int = 10**9) -> None:
        """Thin for want of room what is in finished files of the journal: the oldest and least thinned first."""
        self.meter({-(10**5): 0.0})  # begins another file
        budget, waiting = Budget(self.folder, self.waiting), self.waiting
        while budget._pack():
            pass
        for _ in range(most):
            some = [one for one in waiting.segments.all() if one.start > waiting.lanes.done]
            some = some[1 if waiting.lanes.part else 0 :]
            thick = next((one for level in Level for one in some if one.level == level < Level.QUARTERS), None)
            if thick is None:
                return
            waiting.segments.thin(thick, Level(thick.level + 1), PULSES, waiting.room(thick, PULSES))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def seconds(first: int, count: int, value: float = 1.0) -> dict[int, float]:
    return dict.fromkeys(range(first, first + count), value)


@pytest.mark.parametrize("plan", [MINUTES, QUARTERS, AVERAGE])
def test_an_amount_that_comes_again_after_its_sum_has_left_changes_nothing(house: House, plan: Plan) -> None:
    house.meter(seconds(0, 180))
    house.sent(plan)
    house.sent(RAW)  # what is open is over then
    once = dict(house.server)
    assert sum(once.values()) == 180 and len(once) <= 3 and set(house.quality.values()) == {Quality.ESTIMATED}
    house.meter({0: 1.0, 70: 1.0, 179: 1.0})
    house.sent(plan)
    house.sent(RAW)
    assert house.server == once and not house.doubtful


def test_late_and_corrected_amounts_come_to_the_sum_that_left(house: House) -> None:
    house.meter({10: 1.0, 20: 1.0, 70: 1.0})
    house.sent(MINUTES)
    assert house.server == {10: 2.0, 70: 1.0}
    house.meter({5: 1.0, 20: 4.0, 75: 2.0})
    house.killed()
    house.sent(MINUTES)
    assert house.server == {10: 6.0, 70: 3.0}, "at the instant that the server knows"


def test_what_left_as_it_came_is_not_summed_when_it_comes_again(house: House) -> None:
    house.meter(seconds(0, 60))
    house.sent(RAW)
    house.meter(seconds(30, 60))
    house.sent(QUARTERS)
    assert sum(house.server.values()) == 90 and len(house.server) == 61
    house.meter(seconds(0, 90))
    house.sent(RAW)
    assert sum(house.server.values()) == 90


def test_what_is_remembered_no_longer_is_doubtful_and_not_counted_twice(tmp_path: Path) -> None:
    house = House(tmp_path, sums_bytes=3_000)
    house.meter(seconds(0, 6_000))
    house.sent(MINUTES)
    house.sent(MINUTES)
    assert sum(house.server.values()) == 6_000
    house.meter({0: 1.0, 30: 1.0, 5_990: 1.0})
    house.sent(MINUTES)
    assert sum(house.server.values()) == 6_000
    assert house.doubtful == [(0, 1.0), (30, 1.0)], "the newest is known"
    house.meter(seconds(6_000, 60))
    house.sent(MINUTES)
    assert sum(house.server.values()) == 6_060 and len(house.doubtful) == 2


def test_a_file_of_sums_that_is_lost_makes_what_is_late_doubtful(tmp_path: Path) -> None:
    left = Left(summed={1: 100})
    Amounts(Sums(tmp_path / "sums.db"), left).close(2, 5, 6)
    assert left.closed[1][0][1] == 100
    (tmp_path / "broken.db").write_bytes(b"no database" * 1_000)
    sums = Sums(tmp_path / "broken.db")
    assert sums.newest() == {} and (tmp_path / "broken.damaged").exists()
    sums.close()


def test_many_stretches_become_fewer(tmp_path: Path) -> None:
    left = Left()
    amounts = Amounts(Sums(tmp_path / "sums.db"), left)
    for one in range(500):
        amounts.close(1, 100 * one, 100 * one + 50 + one % 2)
    assert len(left.closed[1]) == 100 and left.closed[1][0][0] == 0 and left.closed[1][-1][1] == 49_951


def test_for_want_of_room_amounts_are_summed_once(house: House) -> None:
    house.meter(seconds(0, 600))
    house.thin()
    assert sum(one.rows for one in house.waiting.segments.all()) == 1, "ten minutes of a quarter"
    house.meter({30: 1.0, 599: 1.0} | seconds(600, 60))
    house.thin()
    house.sent(RAW)
    assert house.doubtful == [(30, 1.0), (599, 1.0)]
    assert sum(house.server.values()) == 660


def test_for_want_of_room_nothing_is_summed_that_left_before(house: House) -> None:
    house.meter(seconds(0, 120))
    house.sent(RAW)
    house.meter(seconds(60, 60) | seconds(120, 120))
    house.thin()
    house.sent(RAW)
    assert sum(house.server.values()) == 240 and not house.doubtful
    assert len([at for at in house.server if at >= 120]) == 1


@pytest.mark.parametrize("seed", range(8))
def test_each_is_counted_once_whatever_happens(tmp_path: Path, seed: int) -> None:
    """Exactly where each is remembered; where not, what is not counted is among the doubtful."""
    chance = Random(seed)
    exact = seed % 2 == 0
    house = House(tmp_path, MOST_BYTES if exact else 2_500)
    wanted: dict[int, float] = {}
    at = 0
    for _ in range(40):
        match chance.randrange(7):
            case 0 | 1:
                new = {at + 3 * one + chance.randrange(3): float(chance.randrange(1, 5)) for one in range(60)}
                at = max(new) + 1
                wanted |= new
                house.meter(new)
            case 2 if wanted:
                again = chance.sample(sorted(wanted), min(len(wanted), 30))
                house.meter({one: wanted[one] for one in again})
            case 3 if exact and wanted:
                changed = {one: float(chance.randrange(9)) for one in chance.sample(sorted(wanted), 3)}
                late = {chance.randrange(at): 2.0}
                wanted |= changed | late
                house.meter(changed | late)
            case 4:
                house.killed()
            case 5 if not exact:
                house.thin(chance.randrange(1, 9))
            case _:
                house.sent(chance.choice([RAW, MINUTES, QUARTERS, AVERAGE, TWO_LANES]), 50, chance.randrange(1, 9))
    house.sent(RAW)
    house.sent(RAW)
    house.server.pop(-(10**5), None)
    missing = sum(wanted.values()) - sum(house.server.values())
    if exact:
        assert missing == 0 and not house.doubtful
    else:
        assert 0 <= missing <= sum(value for _, value in house.doubtful)


async def test_doubtful_amounts_are_told_on_site(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder, send_every_s=0.05, aggregate_s=60)
    house = House(folder)
    house.waiting.amounts.close(1, START_S * S, (START_S + 60) * S)
    house.waiting.save()
    house.waiting.close()
    house.meter({30: 1.0, 90: 1.0})
    edge = Edge(folder, sync_s=0.1)
    edge.waiting._clock_us = lambda: (START_S + 10**6) * S
    task = asyncio.create_task(edge.run())
    await until(lambda: edge.letters.held(0).letters and home.standing())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    letters = Letters(folder / "letters.db")
    (letter,) = letters.page(0)
    letters.close()
    assert b'"point":"pulse/7/blinks"' in letter.message.raw and "counted twice" in letter.reason
    assert list(home.standing().values()) == [1.0]
