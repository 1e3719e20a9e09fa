"""A power cut: an ext4 file system goes down with what it holds unwritten; acknowledged batches are there after."""

from __future__ import annotations

import fcntl
import os
import random
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wattstead.stream import Entry, JournalReader, Position, PositionFile

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a loop device needs root"),
]
SENDER = Path(__file__).with_name("ledger.py")
EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_LOG_FLUSH = 2


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """The image's file system; ext4 writes nothing out by itself within the test's time."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,commit=300", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def cut_power(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
    finally:
        os.close(handle)


def one_life(disk: Path, ledger: Path, life: int, chance: random.Random) -> tuple[list[Entry], Position]:
    """Send and consume until the power goes; what was consumed, and the last position that was saved."""
    consumer = PositionFile(disk / "journal", "check")
    reader, entries = JournalReader(disk / "journal", consumer.register()), []
    saved, consumed = consumer.load(), 0
    command = [sys.executable, str(SENDER), str(disk / "journal"), str(life % 2), str(ledger)]
    with subprocess.Popen(
        [*command, str(life * 1_000_000), str((life + 1) * 1_000_000)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        until = time.monotonic() + chance.random() * 0.6
        while time.monotonic() < until:
            entries += reader.read(50_000)
            if chance.random() < 0.3:
                consumer.save(reader.position)
                saved, consumed = reader.position, len(entries)
        cut_power(disk)
        process.kill()
    reader.close()
    return entries[:consumed], saved


def test_nothing_acknowledged_is_lost_by_power_cuts(tmp_path: Path) -> None:
    chance = random.Random(3)
    image, ledger, mount = tmp_path / "image", tmp_path / "ledger", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(1_500_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    entries: list[Entry] = []
    for life in range(40):
        with mounted(image, mount) as disk:
            consumed, saved = one_life(disk, ledger, life, chance)
            entries += consumed
        with mounted(image, mount) as disk:
            assert PositionFile(disk / "journal", "check").load() == saved
    with mounted(image, mount) as disk:
        reader = JournalReader(disk / "journal", PositionFile(disk / "journal", "check").load())
        while piece := reader.read(1_000_000):
            entries += piece
        reader.close()
    read = {int(entry.batch.point[0]): entry for entry in entries}
    assert len(read) == len(entries)
    noted = [tuple(map(int, line.split())) for line in ledger.read_text().splitlines()]
    assert len(noted) > 5_000
    assert [serial for serial, version in noted if serial not in read or read[serial].version != version] == []
