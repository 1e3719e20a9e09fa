"""Power cuts: an ext4 file system shut down without flushing, again and again, under inserts and merges.

Needs root, a loop device and mkfs.ext4. Everything the file system had not been made to write is lost, as with the
power; what the store acknowledged must be there afterwards, whole, and the store must open without help.
"""

from __future__ import annotations

import fcntl
import os
import random
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytestmark = pytest.mark.prove

ROUNDS = int(os.environ.get("WATTSTEAD_POWER_CUTS", "20"))
ROWS = 5_000
FS_IOC_SHUTDOWN, WITHOUT_FLUSHING = 0x8004587D, 2
TABLES = (
    "CREATE DATABASE house ENGINE = Atomic",
    "CREATE TABLE house.kept (batch UInt32, n UInt32, value Float64, time DateTime64(6, 'UTC')) ENGINE = MergeTree "
    "PARTITION BY toMonday(time) ORDER BY (batch, n)",
    "CREATE TABLE house.rolled (batch UInt32, n UInt64) ENGINE = ReplacingMergeTree ORDER BY batch",
)


class Disk:
    """An ext4 file system in a file, that can lose its power."""

    def __init__(self, image: Path, at: Path) -> None:
        self.image, self.at = image, at
        at.mkdir()
        with image.open("wb") as file:
            file.truncate(1 << 30)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.at)], check=True)

    def cut_power(self) -> None:
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        finally:
            os.close(handle)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.at)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    assert os.geteuid() == 0, "this proof mounts a file system: run it as root"
    disk = Disk(tmp_path / "disk.img", tmp_path / "disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk.at)])


def block(batch: int) -> pa.Table:
    n = np.arange(ROWS, dtype="u4")
    time = pa.array((n % 2).astype("i8") * 604_800_000_000 + 1_700_000_000_000_000, pa.timestamp("us", "UTC"))
    return pa.table({"batch": np.full(ROWS, batch, "u4"), "n": n, "value": np.random.rand(ROWS), "time": time})


def send(store: Any, kept: list[int], rolled: list[int], first: int) -> None:
    """Inserts blocks and their rollups until the store is gone, and notes what was acknowledged."""
    batch = first
    try:
        client = store.client("house")
        while True:
            assert client.insert_arrow("kept", block(batch)).written_rows == ROWS
            kept.append(batch)
            if batch % 7 == 0:
                client.command(
                    f"INSERT INTO rolled SELECT batch, count() FROM kept WHERE batch = {batch} GROUP BY batch"
                )
                rolled.append(batch)
            batch += 1
    except Exception:  # the power is gone
        pass


def test_nothing_acknowledged_is_lost(disk: Disk, start_store: Any) -> None:
    random.seed()
    kept: list[int] = []
    rolled: list[int] = []
    store = start_store("disk/store")
    for statement in TABLES:
        store.ask(statement)
    for cut in range(ROUNDS):
        before = len(kept)
        sender = threading.Thread(target=send, args=(store, kept, rolled, 1_000_000 * (cut + 1)))
        sender.start()
        wanted = before + random.randrange(1, 40)
        while len(kept) < wanted and sender.is_alive():
            pass
        disk.cut_power()
        store.kill()
        sender.join()
        disk.unmount()
        disk.mount()
        store.start()
        stored = {int(b): int(n) for b, n in pairs(store, "SELECT batch, count() FROM house.kept GROUP BY batch")}
        assert [batch for batch in kept if stored.get(batch) != ROWS] == [], f"power cut {cut + 1}"
        sums = {int(b): int(n) for b, n in pairs(store, "SELECT batch, n FROM house.rolled FINAL")}
        assert [batch for batch in rolled if sums.get(batch) != ROWS] == [], f"power cut {cut + 1}"
    store.stop()


def pairs(store: Any, sql: str) -> list[list[str]]:
    return [line.split("\t") for line in store.ask(sql).splitlines()]
