"""Reading the journal: across workers and files, beyond rotation and removal, up to damage and no further."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import (
    Entry,
    Journal,
    JournalBroken,
    JournalCorrupt,
    JournalGap,
    JournalLimits,
    JournalReader,
    Mark,
    Position,
)

pytestmark = pytest.mark.unit

Make = Callable[..., ReadingBatch]
Everything = Callable[..., list[Entry]]
SMALL_FILES = JournalLimits(rotate_bytes=500)


def serials(entries: list[Entry]) -> list[int]:
    return [int(entry.batch.point[0]) for entry in entries]


def files_of(folder: Path, worker: int = 0) -> list[Path]:
    return sorted((folder / str(worker)).glob("*.db"))


def fill(folder: Path, batches: list[ReadingBatch], worker: int = 0, limits: JournalLimits = SMALL_FILES) -> None:
    journal = Journal.open(folder, worker, limits)
    for batch in batches:
        journal.append_sync(batch)
    journal.close_sync()


def test_nothing_there_reads_as_nothing(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "none")
    assert reader.read(1000) == []
    assert reader.position == Position()


def test_new_batches_files_and_workers_appear_while_reading(tmp_path: Path, make_batch: Make) -> None:
    reader = JournalReader(tmp_path)
    first = Journal.open(tmp_path, 0, SMALL_FILES)
    assert reader.read(1000) == []
    seen: list[int] = []
    for i in range(100):
        first.append_sync(make_batch(i))
        seen += serials(reader.read(1_000_000))
    assert seen == list(range(100))
    assert len(files_of(tmp_path)) > 5
    second = Journal.open(tmp_path, 11, SMALL_FILES)
    second.append_sync(make_batch(500))
    [entry] = reader.read(1_000_000)
    assert (entry.worker, entry.id) == (11, 1)
    assert reader.read(1_000_000) == []
    first.close_sync()
    second.close_sync()


def open_below(folder: Path) -> list[str]:
    """The files of that folder that this process holds open, with their descriptors; others may come and go."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(f"{descriptor.name} {descriptor.readlink()}")
    return sorted(name for name in found if str(folder) in name)


def test_a_poll_opens_no_file(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(i) for i in range(10)])
    reader = JournalReader(tmp_path)
    reader.read(1_000_000)
    before = open_below(tmp_path)
    [tail] = reader._tails.values()
    connection = tail._connection
    for _ in range(20):
        assert reader.read(1000) == []
    assert tail._connection is connection
    assert open_below(tmp_path) == before


@pytest.mark.parametrize("max_bytes", [1, 300, 1000, 5000, 10_000_000])
def test_any_piece_size_reads_each_batch_once_within_its_bounds(
    tmp_path: Path, make_batch: Make, max_bytes: int
) -> None:
    for worker in (0, 1, 2):
        fill(tmp_path, [make_batch(1000 * worker + i, rows=i % 9 + 1) for i in range(60)], worker)
    reader = JournalReader(tmp_path)
    seen: list[Entry] = []
    while piece := reader.read(max_bytes):
        assert len(piece) == 1 or sum(len(entry.batch.encode()) for entry in piece) <= max_bytes
        seen += piece
        reader = JournalReader(tmp_path, Position.from_json(reader.position.to_json()))
        if max_bytes == 1:
            reader._turn = len(seen)
    for worker in (0, 1, 2):
        mine = [entry for entry in seen if entry.worker == worker]
        assert serials(mine) == [1000 * worker + i for i in range(60)]
        assert [entry.version for entry in mine] == sorted(entry.version for entry in mine)


def test_no_worker_waits_for_ever_behind_a_busy_one(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(i) for i in range(400)], 0)
    fill(tmp_path, [make_batch(1000 + i, rows=50) for i in range(20)], 1)
    reader = JournalReader(tmp_path)
    first_pieces = [reader.read(1500) for _ in range(6)]
    assert {entry.worker for piece in first_pieces for entry in piece} == {0, 1}


def test_two_consumers_read_independently(tmp_path: Path, make_batch: Make, everything: Everything) -> None:
    fill(tmp_path, [make_batch(i) for i in range(30)])
    slow = JournalReader(tmp_path)
    part = slow.read(300)
    assert serials(everything(tmp_path)) == list(range(30))
    assert serials(part + everything(tmp_path, slow.position)) == list(range(30))


def test_a_reader_outlives_the_removal_of_what_it_has_read(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0, SMALL_FILES)
    reader = JournalReader(tmp_path)
    seen: list[int] = []
    for i in range(60):
        journal.append_sync(make_batch(i))
        if i % 3 == 0:
            seen += serials(reader.read(1_000_000))
            for path in files_of(tmp_path)[:-1]:
                path.unlink()
    seen += serials(reader.read(1_000_000))
    journal.close_sync()
    assert seen == list(range(60))


def test_a_position_at_the_end_of_a_removed_file_goes_on_in_the_next(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    fill(tmp_path, [make_batch(0), make_batch(1)])
    reader = JournalReader(tmp_path)
    assert serials(reader.read(1_000_000)) == [0, 1]
    fill(tmp_path, [make_batch(2)])
    files_of(tmp_path)[0].unlink()
    assert serials(everything(tmp_path, reader.position)) == [2]


def test_files_missing_behind_a_position_are_a_named_gap(tmp_path: Path, make_batch: Make) -> None:
    reader = JournalReader(tmp_path)
    fill(tmp_path, [make_batch(i) for i in range(5)])
    reader.read(1)
    fill(tmp_path, [make_batch(i) for i in range(5, 10)])
    fill(tmp_path, [make_batch(i) for i in range(10, 15)])
    start, middle, last = (int(path.stem) for path in files_of(tmp_path))
    (tmp_path / "0" / f"{middle}.db").unlink()
    assert serials(reader.read(1_000_000)) == [1, 2, 3, 4]
    for _ in range(2):
        with pytest.raises(JournalGap) as gap:
            reader.read(1_000_000)
        assert (gap.value.file, gap.value.id, gap.value.oldest) == (start, 5, last)


def test_a_file_that_vanished_half_read_is_a_named_gap(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(i) for i in range(5)])
    reader = JournalReader(tmp_path)
    reader.read(1)
    fill(tmp_path, [make_batch(5)])
    files_of(tmp_path)[0].unlink()
    with pytest.raises(JournalGap):
        JournalReader(tmp_path, reader.position).read(1000)


def test_a_journal_begun_anew_behind_an_old_position_is_read(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    fill(tmp_path, [make_batch(1)])
    assert serials(everything(tmp_path, Position({0: Mark(1_000, 99, 5)}))) == [1]


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE batch SET body = CAST(replace(body, x'52', x'53') AS BLOB) WHERE id = 3", "checksum"),
        ("UPDATE batch SET body = zeroblob(length(body)) WHERE id = 3", "checksum"),
        ("UPDATE batch SET body = x'' WHERE id = 3", "checksum"),
        ("UPDATE batch SET body = 'text' WHERE id = 3", "bytes"),
        ("UPDATE batch SET version = version + 1 WHERE id = 3", "checksum"),
        ("DELETE FROM batch WHERE id = 3", "missing"),
    ],
)
def test_a_damaged_batch_stops_the_reader_behind_the_last_good_one(
    tmp_path: Path, make_batch: Make, statement: str, reason: str
) -> None:
    fill(tmp_path, [make_batch(i) for i in range(5)])
    fill(tmp_path, [make_batch(9)], worker=1)
    [path] = files_of(tmp_path)
    damage(path, statement)
    reader = JournalReader(tmp_path)
    assert serials([entry for entry in reader.read(1_000_000) if entry.worker == 0]) == [0, 1]
    for _ in range(3):
        with pytest.raises(JournalCorrupt, match=reason) as stopped:
            reader.read(1_000_000)
        assert (stopped.value.path, stopped.value.id) == (path, 3)
        assert not stopped.value.retryable
    assert reader.position.marks[0].id == 2


def test_a_truncated_end_is_noticed_when_the_next_file_is_entered(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(i) for i in range(5)])
    fill(tmp_path, [make_batch(5)])
    damage(files_of(tmp_path)[0], "DELETE FROM batch WHERE id >= 4")
    reader = JournalReader(tmp_path)
    assert serials(reader.read(1_000_000)) == [0, 1, 2]
    with pytest.raises(JournalCorrupt, match="up to 5 were written"):
        reader.read(1_000_000)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 300, None])
def test_a_file_that_is_no_journal_is_named(tmp_path: Path, make_batch: Make, content: bytes | None) -> None:
    fill(tmp_path, [make_batch(i) for i in range(5)])
    [path] = files_of(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] if content is None else content)
    with pytest.raises(JournalCorrupt) as stopped:
        JournalReader(tmp_path).read(1_000_000)
    assert stopped.value.path == path


def test_flipped_bytes_anywhere_never_give_a_wrong_batch(tmp_path: Path, make_batch: Make) -> None:
    good = [make_batch(i, rows=40) for i in range(20)]
    fill(tmp_path, good, limits=JournalLimits())
    [path] = files_of(tmp_path)
    whole = path.read_bytes()
    encoded = [batch.encode() for batch in good]
    stopped = 0
    for at in range(0, len(whole), 211):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        reader, entries = JournalReader(tmp_path), []
        try:
            while piece := reader.read(1_000_000):
                entries += piece
        except JournalCorrupt:
            stopped += 1
        reader.close()
        for entry in entries:
            assert (
                ReadingBatch.of(entry.batch.point, entry.batch.time_us, entry.batch.value).encode()
                == encoded[entry.id - 1]
            )
    assert stopped > 50


def test_a_writer_begins_a_new_file_behind_a_damaged_one(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(1)])
    [path] = files_of(tmp_path)
    path.write_bytes(b"gone" * 5000)
    fill(tmp_path, [make_batch(2)])
    with pytest.raises(JournalCorrupt):
        JournalReader(tmp_path).read(1000)
    after = JournalReader(tmp_path, Position({0: Mark(int(path.stem), 1)}))
    path.unlink()
    assert serials(after.read(1000)) == [2]


def test_what_was_read_before_the_disk_failed_is_handed_out(tmp_path: Path, make_batch: Make) -> None:
    fill(tmp_path, [make_batch(serial) for serial in range(1, 5)])
    fill(tmp_path, [make_batch(serial) for serial in range(5, 9)])
    reader = JournalReader(tmp_path)
    later = files_of(tmp_path)[1]
    later.rename(tmp_path / "aside")
    later.mkdir()  # a file that cannot be opened at the moment
    found = reader.read(1_000_000)
    assert found, "the first file is whole"
    with pytest.raises(JournalBroken):
        reader.read(1_000_000)
    later.rmdir()
    (tmp_path / "aside").rename(later)
    while piece := reader.read(1_000_000):
        found += piece
    assert serials(found) == list(range(1, 9))
    reader.close()
