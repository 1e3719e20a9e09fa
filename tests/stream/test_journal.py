"""The journal as its senders see it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import (
    BatchTooLarge,
    Entry,
    Journal,
    JournalBroken,
    JournalClosed,
    JournalFull,
    JournalInUse,
    JournalLimits,
    JournalReader,
    PositionFile,
)

pytestmark = pytest.mark.unit

Make = Callable[..., ReadingBatch]
Everything = Callable[..., list[Entry]]


async def test_what_was_acknowledged_is_read_back_in_the_order_of_versions(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    journal = Journal.open(tmp_path, 7)
    versions = await asyncio.gather(*(journal.append(make_batch(i, rows=i % 5 + 1)) for i in range(3000)))
    await journal.close()
    entries = everything(tmp_path)
    assert [entry.version for entry in entries] == sorted(versions) == list(versions)
    assert {version & 0xFF for version in versions} == {7}
    assert [entry.id for entry in entries] == list(range(1, 3001))
    for i, entry in enumerate(entries):
        expected = make_batch(i, rows=i % 5 + 1)
        assert entry.batch.version == entry.version
        assert entry.batch.point.tolist() == expected.point.tolist()
        assert entry.batch.time_us.tolist() == expected.time_us.tolist()
        assert entry.batch.value.tolist() == expected.value.tolist()
        assert entry.batch.quality.tolist() == expected.quality.tolist()


async def test_versions_go_on_rising_after_a_restart(tmp_path: Path, make_batch: Make, everything: Everything) -> None:
    versions = []
    for i in range(3):
        journal = Journal.open(tmp_path, 0)
        versions += [await journal.append(make_batch(2 * i)), await journal.append(make_batch(2 * i + 1))]
        await journal.close()
    assert versions == sorted(set(versions))
    assert [entry.version for entry in everything(tmp_path)] == versions
    assert len(list((tmp_path / "0").glob("*.db"))) == 3


async def test_versions_and_files_go_on_rising_when_the_clock_was_set_back(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    journal = Journal.open(tmp_path, 0)
    first = await journal.append(make_batch(1))
    await journal.close()
    [path] = (tmp_path / "0").glob("*.db")
    ahead_us = int(path.stem) + 3_600_000_000
    path.rename(path.with_name(f"{ahead_us}.db"))
    journal = Journal.open(tmp_path, 0)
    second = await journal.append(make_batch(2))
    await journal.close()
    assert second >> 8 > ahead_us > first >> 8
    assert [int(entry.batch.point[0]) for entry in everything(tmp_path)] == [1, 2]


async def test_many_waiting_requests_share_a_commit(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0)
    commits: list[None] = []
    journal.listen(lambda: commits.append(None))
    await asyncio.gather(*(journal.append(make_batch(i)) for i in range(2000)))
    await journal.close()
    assert 2 <= len(commits) <= 20


def test_threads_and_event_loops_append_side_by_side(tmp_path: Path, make_batch: Make, everything: Everything) -> None:
    journal = Journal.open(tmp_path, 0)
    versions: list[int] = []

    async def many(first: int) -> list[int]:
        return list(await asyncio.gather(*(journal.append(make_batch(first + i)) for i in range(200))))

    threads = [threading.Thread(target=lambda n=n: versions.extend(asyncio.run(many(n * 1000)))) for n in range(3)]
    threads += [
        threading.Thread(
            target=lambda n=n: versions.extend(journal.append_sync(make_batch(n * 1000 + i)) for i in range(50))
        )
        for n in range(3, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close_sync()
    entries = everything(tmp_path)
    assert [entry.version for entry in entries] == sorted(versions)
    assert len({int(entry.batch.point[0]) for entry in entries}) == 700


async def test_a_cancelled_request_does_not_disturb_the_others(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0)
    tasks = [asyncio.create_task(journal.append(make_batch(i))) for i in range(100)]
    await asyncio.sleep(0)
    tasks[50].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [i for i, result in enumerate(results) if not isinstance(result, int)] == [50]
    await journal.close()


async def test_who_fails_to_hear_an_answer_does_not_disturb_the_others(tmp_path: Path, make_batch: Make) -> None:
    journal, heard = Journal.open(tmp_path, 0), []

    def fails(version: int, error: JournalBroken | None) -> None:
        raise RuntimeError(f"nobody hears {version}")

    first = journal.submit(make_batch(0).encode())
    journal.submit_then(make_batch(1).encode(), fails)
    journal.submit_then(make_batch(2).encode(), lambda version, error: heard.append((version, error)))
    versions = [await first, await journal.append(make_batch(3))]
    await journal.close()
    [(version, error)] = heard
    assert error is None and versions[0] < version < versions[1]


async def test_unconsumed_bytes_above_the_limit_refuse_and_consumption_opens_again(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    consumer = PositionFile(tmp_path, "refinery")
    consumer.register()
    journal = Journal.open(tmp_path, 0, JournalLimits(unconsumed_bytes=2000, upkeep_s=0.01))
    accepted = 0
    with pytest.raises(JournalFull) as refused:
        while accepted < 100_000:
            await journal.append(make_batch(accepted))
            accepted += 1
    assert refused.value.retry_after_s >= 1
    assert refused.value.retryable
    assert refused.value.found > refused.value.limit == 2000
    entries = everything(tmp_path)
    assert len(entries) == accepted
    reader = JournalReader(tmp_path, consumer.load())
    while reader.read(10_000):
        consumer.save(reader.position)
    while journal.unconsumed_bytes:  # noqa: ASYNC110  looks at a thread's upkeep
        await asyncio.sleep(0.005)
    await journal.append(make_batch(1))
    await journal.close()


async def test_memory_for_waiting_requests_is_bounded(tmp_path: Path, make_batch: Make, everything: Everything) -> None:
    journal = Journal.open(tmp_path, 0, JournalLimits(waiting_requests=10))
    futures = []
    full = 0
    for i in range(5000):
        try:
            futures.append(journal.submit(make_batch(i).encode()))
        except JournalFull as error:
            full += 1
            assert error.what == "requests waiting for the disk"
    versions = await asyncio.gather(*futures)
    await journal.close()
    assert full > 0
    assert [entry.version for entry in everything(tmp_path)] == versions


async def test_waiting_bytes_are_bounded_but_one_batch_always_fits(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0, JournalLimits(waiting_bytes=1))
    await journal.append(make_batch(1, rows=1000))
    await journal.close()


async def test_a_batch_beyond_the_limit_is_refused(tmp_path: Path, make_batch: Make) -> None:
    journal = Journal.open(tmp_path, 0, JournalLimits(batch_bytes=1000))
    with pytest.raises(BatchTooLarge) as refused:
        await journal.append(make_batch(1, rows=1000))
    assert not refused.value.retryable
    await journal.close()


async def test_closing_writes_what_waits_and_refuses_what_comes(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    journal = Journal.open(tmp_path, 0)
    futures = [journal.submit(make_batch(i).encode()) for i in range(5000)]
    await journal.close()
    versions = await asyncio.gather(*futures)
    assert [entry.version for entry in everything(tmp_path)] == versions
    with pytest.raises(JournalClosed):
        await journal.append(make_batch(1))
    await journal.close()


async def test_two_processes_cannot_be_one_worker(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 3)
    with pytest.raises(JournalInUse) as refused:
        Journal.open(tmp_path, 3)
    assert refused.value.worker == 3
    other = Journal.open(tmp_path, 4)
    await other.close()
    await journal.close()
    again = Journal.open(tmp_path, 3)
    await again.close()


def test_worker_numbers_fit_a_version(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="256"):
        Journal.open(tmp_path, 256)


async def test_what_a_killed_process_left_half_made_goes(
    tmp_path: Path, make_batch: Make, everything: Everything
) -> None:
    journal = Journal.open(tmp_path, 0)
    await journal.append(make_batch(1))
    await journal.close()
    folder = tmp_path / "0"
    [kept] = folder.glob("*.db")
    for name in ("77.new", "77.new-wal", "77.new-journal", "88.db-wal", "88.db-shm"):
        (folder / name).write_bytes(b"rest")
    journal = Journal.open(tmp_path, 0)
    await journal.close()
    assert {path.name for path in folder.iterdir()} == {kept.name, "lock"}
    assert len(everything(tmp_path)) == 1
