"""kill -9 of a writing process at random moments: what was acknowledged is read, each batch once; it starts again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wattstead.stream import Entry, JournalReader, PositionFile

SENDER = Path(__file__).with_name("ledger.py")


def kill_while_sending(folder: Path, worker: int, ledger: Path, first: int, after_s: float) -> None:
    """One life of a sender."""
    command = [sys.executable, str(SENDER), str(folder), str(worker), str(ledger), str(first), str(first + 1_000_000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == b"ready\n", process.stderr.read().decode()
            time.sleep(after_s)
            assert process.poll() is None, process.stderr.read().decode()
        finally:
            process.kill()


def check(entries: list[Entry], ledger: Path) -> None:
    """Every acknowledged number was read with the version that was acknowledged, and no number twice."""
    read = {int(entry.batch.point[0]): entry for entry in entries}
    assert len(read) == len(entries)
    for line in ledger.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            serial, version = map(int, line.split())
            assert read[serial].version == version
    for serial, entry in read.items():
        assert entry.batch.value.tolist() == [serial / 8] * (1 if serial % 4 else 1 + serial % 300)


def killed_many_times(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    journal, ledger, consumer = folder / "journal", folder / "ledger", PositionFile(folder / "journal", "check")
    entries: list[Entry] = []
    for life in range(kills):
        kill_while_sending(journal, life % 2, ledger, life * 1_000_000, chance.random() * 0.3)
        reader = JournalReader(journal, consumer.register())
        while piece := reader.read(chance.randrange(1, 2_000_000)):
            entries += piece
            if chance.random() < 0.5:
                break
        consumer.save(reader.position)
        reader.close()
    reader = JournalReader(journal, consumer.load())
    while piece := reader.read(1_000_000):
        entries += piece
    check(entries, ledger)
    assert len(ledger.read_bytes()) > 1000


def test_nothing_acknowledged_is_lost_by_25_kills(tmp_path: Path) -> None:
    killed_many_times(tmp_path, 25, seed=1)


@pytest.mark.prove
def test_nothing_acknowledged_is_lost_by_300_kills(tmp_path: Path) -> None:
    killed_many_times(tmp_path, 300, seed=2)


def test_a_reader_beside_a_writer_that_is_killed(tmp_path: Path) -> None:
    """The reader holds the file open through the death and the next life."""
    journal, ledger = tmp_path / "journal", tmp_path / "ledger"
    reader, entries = JournalReader(journal), []
    for life in range(4):
        command = [sys.executable, str(SENDER), str(journal), "0", str(ledger)]
        with subprocess.Popen([*command, str(life * 1_000_000), str((life + 1) * 1_000_000)]) as process:
            until = time.monotonic() + 120
            before = len(entries)
            while len(entries) < before + 500 and time.monotonic() < until:
                entries += reader.read(100_000)
            process.kill()
        assert len(entries) >= before + 500
    while piece := reader.read(1_000_000):
        entries += piece
    check(entries, ledger)
