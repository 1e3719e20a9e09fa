"""Averages of single addresses: one reading a window, in order, and nobody else waits for it."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_house import LEVELS, fill

from wattstead.edge.averages import Averages, Averaging
from wattstead.edge.budget import Budget
from wattstead.edge.names import NameBook
from wattstead.edge.thinning import Meaning, joined
from wattstead.edge.waiting import WORKER, Plan, Waiting
from wattstead.edge.windows import END_OF_TIME_US, Open, closed, folded
from wattstead.ingest.edge.wire import Name, unpacked
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quality, Quantity
from wattstead.stream import JournalCorrupt
from wattstead.stream.files import path_of, starts

pytestmark = pytest.mark.unit


PULSES = Meaning.of(Point(id=1, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="pulse"), "pulse")
METER = Meaning.of(Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=0.1), "kWh")
STATE = Meaning.of(Point(id=1, kind=Kind.STATE, quantity=Quantity.STATE), "")


def made(values: list[float], first_s: int = 0) -> ReadingBatch:
    """One reading a second."""
    return ReadingBatch.of([1] * len(values), [(first_s + at) * 1_000_000 for at in range(len(values))], values)


def averaged(meaning: Meaning, *parts: ReadingBatch) -> list[tuple[int, float]]:
    """What leaves, second and value, when readings come in parts and the program begins anew after each."""
    windows: Open = {}
    left: list[ReadingBatch] = []
    for part in parts:
        left.append(folded(windows, part, lambda series: 60, {1: meaning}, int(part.time_us[-1])))
        windows = msgspec.msgpack.decode(msgspec.msgpack.encode(windows), type=Open)
    left.append(closed(windows, {1: meaning}, END_OF_TIME_US))
    assert not windows
    told = joined([one for one in left if len(one)])
    return list(zip((told.time_us // 1_000_000).tolist(), told.value.tolist(), strict=True))


def test_a_level_is_its_mean_whatever_the_parts() -> None:
    values = [float(at) for at in range(60)]
    whole = averaged(LEVELS[1], made(values))
    assert whole == averaged(LEVELS[1], made(values[:7]), made(values[7:], 7)) == [(0, 29.5)]


def test_amounts_wait_each_for_itself_and_once() -> None:
    assert averaged(PULSES, made([2.0, 3.0]), made([3.0, 4.0], 1)) == [(0, 2.0), (1, 3.0), (2, 4.0)]


def test_a_level_that_comes_again_does_not_take_the_place_of_its_average(tmp_path: Path) -> None:
    names = NameBook(tmp_path / "names")
    names.add([Name(0, "boiler/power", "W")])
    averages = Averages(names, Averaging())
    averages.learn([("boiler/*", 60)])
    averages.take(made([10.0, 20.0]), LEVELS, 1_000_000)
    left, late = averages.take(made([]), LEVELS, 90_000_000)
    assert left.value.tolist() == [15.0] and not len(late)
    held = msgspec.msgpack.decode(msgspec.msgpack.encode(averages.held), type=Averaging)
    averages = Averages(names, held)
    left, late = averages.take(made([10.0] + [30.0] * 60), LEVELS, 91_000_000)
    assert not len(left) and late.time_us.tolist() == [at * 1_000_000 for at in range(60)]
    left, late = averages.take(made([]), LEVELS, 300_000_000)
    assert (left.time_us.tolist(), left.value.tolist()) == ([60_000_000], [30.0])


def test_what_is_of_no_known_kind_passes() -> None:
    windows: Open = {}
    unknown = Meaning.guessed("x/17", "")
    assert len(folded(windows, made([1.0, 2.0]), lambda series: 60, {1: unknown}, 0)) == 2 and not windows


def test_a_register_is_its_last_and_a_fall_passes_at_once() -> None:
    assert averaged(METER, made([5.0, 6.0]), made([7.0], 2)) == [(2, 7.0)]
    assert averaged(METER, made([5.0, 6.0]), made([0.5, 1.0], 2)) == [(1, 6.0), (2, 0.5), (3, 1.0)]
    assert averaged(METER, made([5.0, 6.0, 0.5, 1.0])) == [(1, 6.0), (2, 0.5), (3, 1.0)]
    assert averaged(METER, made([5.0, 6.0]), made([5.5], 0)) == [(1, 6.0)], "one that is late changes nothing"


def test_a_state_tells_its_changes_at_once() -> None:
    assert averaged(STATE, made([1.0, 1.0, 2.0]), made([2.0, 1.0, 1.0], 3)) == [(0, 1.0), (2, 2.0), (4, 1.0), (5, 1.0)]


def test_a_device_that_tells_late_has_its_window_too() -> None:
    windows: Open = {}
    for at in range(3):
        assert not len(folded(windows, made([1.0 + at], at), lambda series: 60, LEVELS, (600 + at) * 1_000_000))
        assert not len(closed(windows, LEVELS, (600 + at) * 1_000_000))
    assert closed(windows, LEVELS, 661_000_000).value.tolist() == [2.0]


def test_an_open_hour_holds_nobody_back(tmp_path: Path) -> None:
    """Two are averaged over an hour, two are not: those leave as they come, and the journal is passed."""
    first_s = int(time.time()) // 3600 * 3600 + 3600  # the journal stamps them with the present
    sent: list[tuple[str, int, float]] = []
    numbers: set[int] = set()
    now_s = first_s
    rules = [("meter/[01]", 3600)]

    def begun() -> Waiting:
        return Waiting(tmp_path, NameBook(tmp_path / "names"), lambda: now_s * 1_000_000)

    def drain(waiting: Waiting, averages: list[tuple[str, int]]) -> int:
        before = len(sent)
        while (body := waiting.next_upload(Plan(averages=averages, old_s=1e12), 300, 300, LEVELS)) or waiting.more:
            if body:
                upload = unpacked(body, 10**9)
                batch = upload.readings()
                if upload.sequence in numbers:  # it was on its way when the program ended
                    waiting.arrived(0)
                    continue
                numbers.add(upload.sequence)
                for row, at, value in zip(batch.point.tolist(), batch.time_us.tolist(), batch.value, strict=True):
                    sent.append((upload.names[row].address, at // 1_000_000, float(value)))
                waiting.arrived(len(batch))
        return len(sent) - before

    for part in range(4):
        fill(tmp_path, 4, first_s + 900 * part, 900, at_once=10)
        now_s = first_s + 900 * (part + 1) - 1
        waiting = begun()
        assert drain(waiting, rules) == 2 * 900, "the two others, though a window is open"
        waiting.close()
    now_s += 2 * 3600
    waiting = begun()
    assert drain(waiting, rules) == 2
    hour = [(name, at) for name, at, _ in sent if name in ("meter/0", "meter/1")]
    assert hour == [("meter/0", first_s), ("meter/1", first_s)]
    for one, number in (("meter/0", 1), ("meter/1", 2)):
        wanted = np.mean([(second * 31 + number) % 5000 / 10 for second in range(first_s, first_s + 3600)])
        assert next(value for name, _, value in sent if name == one) == pytest.approx(wanted)
    for name in ("meter/2", "meter/3"):
        assert [at for own, at, _ in sent if own == name] == list(range(first_s, first_s + 3600))
    waiting.close()
    fill(tmp_path, 4, first_s + 3600, 10)
    waiting = begun()
    assert drain(waiting, rules) == 20
    assert drain(waiting, []) == 2, "under other rules what was open is over"
    assert waiting.lanes.averaging.windows == {}
    waiting.close()


def test_an_average_says_that_it_was_computed() -> None:
    windows: Open = {}
    folded(windows, made([1.0, 2.0]), lambda series: 60, LEVELS, 0)
    assert closed(windows, LEVELS, END_OF_TIME_US).quality.tolist() == [Quality.ESTIMATED]


def test_an_open_average_outlives_a_broken_place(tmp_path: Path) -> None:
    first_s = int(time.time())
    fill(tmp_path, 1, first_s, 100)
    fill(tmp_path, 1, first_s + 100, 1)
    spoil(tmp_path, 60)
    waiting = Waiting(tmp_path, NameBook(tmp_path / "names"), lambda: (first_s + 3_600) * 1_000_000)
    hours = Plan(averages=[("meter/*", 86_400)], old_s=1e12)
    assert waiting.next_upload(hours, 1_000, 1_000, LEVELS) is None, "all of it is in an open window"
    with pytest.raises(JournalCorrupt):
        waiting.next_upload(Plan(aggregate_s=60), 1_000, 1_000, LEVELS)
    assert waiting.skip_broken()
    body = waiting.next_upload(Plan(aggregate_s=60), 1_000, 1_000, LEVELS)
    assert body is not None and len(unpacked(body, 10**9).readings()) >= 2, "the average, and what came behind"
    waiting.close()


@pytest.mark.parametrize("packs", [False, True])
def test_a_bucket_is_thinned_whole_however_little_is_sent_at_once(tmp_path: Path, packs: bool) -> None:
    """Parts of it that are thinned alone say more than the site's policy lets leave: at a slow link every reading."""
    year_s = 365 * 86_400  # in the middle of which everything is received
    first_s = int(time.time()) // year_s * year_s
    count = fill(tmp_path, 3, first_s, 24_000, at_once=20)
    waiting = Waiting(tmp_path, NameBook(tmp_path / "names"), lambda: (first_s + 2 * year_s) * 1_000_000)
    if packs:
        fill(tmp_path, 3, first_s, 1)  # begins another file, so that the first may be packed
        budget = Budget(tmp_path, waiting)
        budget.enforce(2 * budget.waiting_bytes(), LEVELS)
        assert waiting.lanes.packed == count and not waiting.lanes.thinned
    rows = 0
    while (body := waiting.next_upload(Plan(aggregate_s=year_s), 30, 30, LEVELS)) or waiting.more:
        if body:
            rows += len(unpacked(body, 10**9).readings())
            waiting.arrived(0)
    assert count == 72_000 and rows <= 54, "first and last of each, and the mean between them every half hour"
    waiting.close()


def spoil(folder: Path, batch: int) -> None:
    """Change a batch of the journal's first file."""
    path = path_of(folder / "journal", WORKER, starts(folder / "journal", WORKER)[0])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE batch SET version = version + 1 WHERE id = ?", (batch,))
        connection.commit()


def test_what_stands_before_a_broken_place_is_sent(tmp_path: Path) -> None:
    """Whether it is read from the journal or packed first."""
    first_s = int(time.time())
    for packs in (False, True):
        folder = tmp_path / str(packs)
        folder.mkdir()
        fill(folder, 1, first_s, 100)
        fill(folder, 1, first_s + 100, 100)
        spoil(folder, 60)
        waiting = Waiting(folder, NameBook(folder / "names"))
        sent: list[int] = []
        if packs:
            budget = Budget(folder, waiting)
            budget.enforce(2 * budget.waiting_bytes(), LEVELS)
            assert waiting.lanes.packed == 59
        for _ in range(10):
            try:
                body = waiting.next_upload(Plan(old_s=1e12), 1_000, 1_000, LEVELS)
            except JournalCorrupt:
                assert waiting.skip_broken()
                continue
            if body:
                sent += (unpacked(body, 10**9).readings().time_us // 1_000_000).tolist()
                waiting.arrived(0)
        assert sent == [*range(first_s, first_s + 59), *range(first_s + 100, first_s + 200)]
        assert waiting.lanes.broken == 1
        waiting.close()
