"""Whole files go once every consumer has passed them and their keep span is over, never earlier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Journal, JournalLimits, JournalReader, Mark, Position, PositionFile
from wattstead.stream.sweep import sweep

pytestmark = pytest.mark.unit

Make = Callable[..., ReadingBatch]
AT_ONCE = JournalLimits(keep_s=0.0)


def starts(folder: Path, worker: int = 0) -> list[int]:
    return sorted(int(path.stem) for path in (folder / str(worker)).glob("*.db"))


@pytest.fixture
def four(tmp_path: Path, make_batch: Make) -> list[int]:
    """A journal of four files; their starts."""
    for i in range(4):
        journal = Journal.open(tmp_path, 0)
        journal.append_sync(make_batch(i, rows=100))
        journal.close_sync()
    return starts(tmp_path)


def test_with_no_consumer_nothing_goes(tmp_path: Path, four: list[int]) -> None:
    assert sweep(tmp_path, AT_ONCE) == []
    assert starts(tmp_path) == four


def test_the_slowest_consumer_decides(tmp_path: Path, four: list[int]) -> None:
    PositionFile(tmp_path, "fast").save(Position({0: Mark(four[3], 1)}))
    slow = PositionFile(tmp_path, "slow")
    slow.register()
    assert sweep(tmp_path, AT_ONCE) == []
    slow.save(Position({0: Mark(four[1], 1)}))
    assert sweep(tmp_path, AT_ONCE) == [(0, four[0])]
    slow.save(Position({0: Mark(four[3], 1)}))
    assert sweep(tmp_path, AT_ONCE) == [(0, four[1]), (0, four[2])]
    assert starts(tmp_path) == [four[3]]
    assert not list((tmp_path / "0").glob("*-wal"))


def test_consumed_files_stay_for_their_span(tmp_path: Path, four: list[int]) -> None:
    PositionFile(tmp_path, "all").save(Position({0: Mark(four[3], 1)}))
    assert sweep(tmp_path, JournalLimits(keep_s=3600)) == []
    assert starts(tmp_path) == four


def test_the_oldest_go_earlier_when_all_are_too_large(tmp_path: Path, four: list[int]) -> None:
    PositionFile(tmp_path, "all").save(Position({0: Mark(four[3], 1)}))
    sizes = [path.stat().st_size for path in sorted((tmp_path / "0").glob("*.db"))]
    assert sweep(tmp_path, JournalLimits(keep_bytes=sum(sizes) - 1)) == [(0, four[0])]
    assert sweep(tmp_path, JournalLimits(keep_bytes=sizes[3])) == [(0, four[1]), (0, four[2])]


def test_a_running_journal_removes_by_itself_and_counts_right(tmp_path: Path, make_batch: Make) -> None:
    limits = JournalLimits(rotate_bytes=3000, keep_s=0.0, sweep_s=0.0, upkeep_s=0.0, unconsumed_bytes=1_000_000)
    journal, reader, consumer = (
        Journal.open(tmp_path, 0, limits),
        JournalReader(tmp_path),
        PositionFile(tmp_path, "one"),
    )
    consumer.register()
    seen = 0
    for i in range(200):
        journal.append_sync(make_batch(i, rows=20))
        if i % 10 == 0:
            seen += len(reader.read(1_000_000))
            consumer.save(reader.position)
    seen += len(reader.read(1_000_000))
    consumer.save(reader.position)
    for i in range(3):
        journal.append_sync(make_batch(i))
    journal.close_sync()
    assert seen == 200
    assert len(starts(tmp_path)) <= 3
    rest = reader.read(1_000_000)
    assert journal.unconsumed_bytes <= sum(len(entry.batch.encode()) for entry in rest)


def test_files_of_a_worker_that_is_no_more_go_too(tmp_path: Path, four: list[int], make_batch: Make) -> None:
    PositionFile(tmp_path, "all").save(Position({0: Mark(four[3], 1)}))
    journal = Journal.open(tmp_path, 1, JournalLimits(keep_s=0.0, sweep_s=0.0))
    journal.append_sync(make_batch(1))
    journal.close_sync()
    assert starts(tmp_path) == [four[3]]


def test_rotation_by_age(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0, JournalLimits(rotate_s=0.0))
    for i in range(3):
        journal.append_sync(make_batch(i))
    journal.close_sync()
    assert len(starts(tmp_path)) == 3
    reader = JournalReader(tmp_path)
    assert [int(entry.batch.point[0]) for entry in reader.read(1_000_000)] == [0, 1, 2]
