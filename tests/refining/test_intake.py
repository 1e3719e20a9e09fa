"""Intake: nothing read is lost between journal and store, whatever fails in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.taking.backlog import bytes_behind
from wattstead.refining.taking.intake import Chunk, Intake
from wattstead.refining.taking.judge import Judge
from wattstead.stream import Journal, JournalReader, Position

pytestmark = pytest.mark.unit


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal.open(tmp_path / "journal", 0)
    yield found
    found.close_sync()


def intake(folder: Path, **limits: int) -> Intake:
    return Intake(JournalReader(folder / "journal"), Judge(), Latest(), OpenMinutes(), RefiningLimits(**limits))


def test_chunks_hold_all_readings_once_and_the_position_behind_them(journal: Journal, tmp_path: Path) -> None:
    mine = intake(tmp_path)
    for k in range(5):
        journal.append_sync(ReadingBatch.of([1, 2], [k, k], [1.0, 2.0]))
    assert bytes_behind(tmp_path / "journal", Position()) > 0
    fresh = mine.take()
    assert fresh is not None and len(fresh) == 10
    assert mine.take() is None
    chunk = mine.cut()
    assert chunk.columns().time_us.tolist() == [k for k in range(5) for _ in range(2)]
    assert chunk.oldest_us > 0 and mine.oldest_us == mine.waiting_rows == 0
    assert bytes_behind(tmp_path / "journal", chunk.position) == 0
    assert len(mine.cut().columns()) == 0
    assert mine.cut().position == chunk.position


def test_what_could_not_be_judged_is_judged_at_the_next_try(journal: Journal, tmp_path: Path) -> None:
    class Failing(Judge):
        fails = 1

        def judge(self, columns: object) -> object:  # type: ignore[override]
            if self.fails:
                self.fails -= 1
                raise MemoryError("no memory just now")
            return super().judge(columns)  # type: ignore[arg-type]

    mine = Intake(JournalReader(tmp_path / "journal"), Failing(), Latest(), OpenMinutes(), RefiningLimits())
    journal.append_sync(ReadingBatch.of([1], [5], [1.0]))
    with pytest.raises(MemoryError):
        mine.take()
    assert mine.cut().position == Position()
    assert mine.take() is not None
    chunk = mine.cut()
    assert chunk.columns().time_us.tolist() == [5]
    assert bytes_behind(tmp_path / "journal", chunk.position) == 0


def test_a_full_intake_leaves_the_rest_in_the_journal(journal: Journal, tmp_path: Path) -> None:
    mine = intake(tmp_path, waiting_rows=15, read_bytes=200)
    for k in range(20):
        journal.append_sync(ReadingBatch.of([1] * 5, [5 * k + i for i in range(5)], [0.0] * 5))
    while mine.take() is not None:
        pass
    assert 15 <= mine.waiting_rows < 100 and mine.full
    seen = mine.cut().columns().time_us.tolist()
    while mine.take() is not None:
        seen += mine.cut().columns().time_us.tolist()
    assert seen == list(range(100))


def test_complete_says_until_when_everything_received_has_been_read(journal: Journal, tmp_path: Path) -> None:
    mine = intake(tmp_path, read_bytes=100)
    versions = [journal.append_sync(ReadingBatch.of([1], [k], [0.0])) for k in range(3)]
    mine.take()
    assert mine.complete_us == versions[0] >> 8
    while mine.take() is not None:
        pass
    assert versions[-1] >> 8 < mine.complete_us <= time.time_ns() // 1000


def test_repeated_rows_are_told_apart(journal: Journal, tmp_path: Path) -> None:
    mine = intake(tmp_path)
    for point, time_us in ((1, 10), (1, 11), (1, 10), (2, 5)):
        journal.append_sync(ReadingBatch.of([point], [time_us], [0.0]))
        mine.take()
    assert mine.cut().repeated().tolist() == [False, False, True, False]


def test_how_far_apart_the_readings_of_one_point_lie_that_came_together() -> None:
    hour = 3_600_000_000
    batch = ReadingBatch.of([1, 2, 1, 2, 3], [0, 0, 2 * hour, hour // 2, 5 * hour], [0.0] * 5, version=1)
    chunk = Chunk([(Columns.of([batch]), np.zeros(5, bool))], Position({}), 0, 0)
    for points, end_us, beyond_us, right in (
        ([1], 9 * hour, hour, True),
        ([3, 1], 9 * hour, hour, True),
        ([2, 3], 9 * hour, hour, False),
        ([1], hour, hour, False),
        ([1], 9 * hour, 2 * hour, False),
        ([9], 9 * hour, hour, False),
    ):
        assert chunk.reaches(points, 0, end_us, beyond_us) is right, (points, end_us, beyond_us)
