"""A disk that refuses: senders are told, reading goes on, writing resumes by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Entry, Journal, JournalBroken, JournalLimits, JournalReader

Make = Callable[..., ReadingBatch]
Everything = Callable[..., list[Entry]]
QUICK = JournalLimits(retry_s=0.02, checkpoint_bytes=200_000)


def fill_up(ballast: Path) -> None:
    """Write until not one byte more fits."""
    handle = os.open(ballast, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        with pytest.raises(OSError, match="No space"):
            while True:
                os.write(handle, bytes(65536))
    finally:
        os.close(handle)


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that size: writes fail with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root; the file size limit is tested without")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def until_it_writes(journal: Journal, batch: ReadingBatch) -> int:
    while True:
        try:
            return await journal.append(batch)
        except JournalBroken as error:
            await asyncio.sleep(error.retry_after_s)


async def test_full_disk_and_space_again(small_disk: Path, make_batch: Make, everything: Everything) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    journal = Journal.open(small_disk / "journal", 0, QUICK)
    reader, read = JournalReader(small_disk / "journal"), []
    acknowledged: list[int] = []
    with pytest.raises(JournalBroken) as refused:
        for serial in range(10_000):
            acknowledged.append(await journal.append(make_batch(serial, rows=500)))
            if serial == 5:
                read += reader.read(20_000)
    assert refused.value.retryable
    assert refused.value.retry_after_s > 0
    assert "full" in str(refused.value)
    assert journal.broken is not None
    assert len(acknowledged) > 20
    while piece := reader.read(100_000):
        read += piece
    assert [entry.version for entry in read] == acknowledged
    for serial in range(200):
        with pytest.raises(JournalBroken):
            await journal.append(make_batch(serial, rows=5000))
    ballast.unlink()
    acknowledged.append(await until_it_writes(journal, make_batch(77, rows=500)))
    assert journal.broken is None
    acknowledged.append(await journal.append(make_batch(78)))
    await journal.close()
    assert [entry.version for entry in everything(small_disk / "journal")] == acknowledged
    assert [entry.version for entry in read + reader.read(1_000_000)] == acknowledged


async def test_a_journal_that_starts_on_a_full_disk(small_disk: Path, make_batch: Make, everything: Everything) -> None:
    ballast = small_disk / "ballast"
    journal = Journal.open(small_disk / "journal", 0, QUICK)
    fill_up(ballast)
    for _ in range(3):
        with pytest.raises(JournalBroken):
            await journal.append(make_batch(1))
        await asyncio.sleep(0.03)
    assert everything(small_disk / "journal") == []
    ballast.unlink()
    version = await until_it_writes(journal, make_batch(2))
    await journal.close()
    assert [entry.version for entry in everything(small_disk / "journal")] == [version]


async def test_a_write_error_leaves_the_file_for_a_new_one(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    journal = Journal.open(tmp_path, 0, QUICK)
    acknowledged = [await journal.append(make_batch(0, rows=100))]
    reader = JournalReader(tmp_path)
    assert len(reader.read(100_000)) == 1
    with largest_file(5_000):
        with pytest.raises(JournalBroken):
            await journal.append(make_batch(1, rows=5000))
        with pytest.raises(JournalBroken):
            await journal.append(make_batch(2))
    acknowledged.append(await until_it_writes(journal, make_batch(3)))
    await journal.close()
    assert len(list((tmp_path / "0").glob("*.db"))) == 2
    assert [entry.version for entry in everything(tmp_path)] == acknowledged
    assert [entry.version for entry in reader.read(100_000)] == acknowledged[1:]


async def test_a_broken_disk_refuses_all_who_wait_together(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0, JournalLimits(retry_s=30, commit_requests=10))
    with largest_file(100):
        tasks = [journal.append(make_batch(serial, rows=100)) for serial in range(500)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, JournalBroken) for result in results)
    with pytest.raises(JournalBroken):
        journal.submit(make_batch(1).encode())
    await journal.close()


async def test_a_folder_that_vanishes_and_comes_back(tmp_path: Path, make_batch: Make, everything: Everything) -> None:
    journal = Journal.open(tmp_path / "journal", 0, QUICK)
    (tmp_path / "journal" / "0").rename(tmp_path / "away")
    with pytest.raises(JournalBroken):
        await journal.append(make_batch(1))
    (tmp_path / "away").rename(tmp_path / "journal" / "0")
    version = await until_it_writes(journal, make_batch(2))
    await journal.close()
    assert [entry.version for entry in everything(tmp_path / "journal")] == [version]
