"""SIGKILL of the whole process tree under load: no acknowledged reading is lost or counted twice, rollups equal raw."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.rollup import settle
from wattstead.series import Series
from wattstead.stream import Journal, JournalReader

if TYPE_CHECKING:
    from conftest import House, StoreServer

_SCRIPT = Path(__file__).with_name("house_under_load.py")


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_under_load", _SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_and_kill(folder: Path, seed: int, begin_us: int, after_s: float) -> list[tuple[int, int, int]]:
    """One life of the process, ended by SIGKILL; answers (seed, number, version) of what was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, str(_SCRIPT), str(folder), str(seed), str(begin_us)],
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("ab"),
        start_new_session=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline().split()
    while first and first[0] != b"ready":
        first = process.stdout.readline().split()
    assert first, (folder / "log").read_text()
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    said = process.stdout.read()
    process.wait(20)
    process.stdout.close()
    _gone(int(first[1]))
    lines = [line.split() for line in said.decode().splitlines(keepends=True) if line.endswith("\n")]
    return [(int(a), int(b), int(c)) for a, b, c in (line for line in lines if len(line) == 3 and line[0].isdigit())]


def _gone(pid: int) -> None:
    """Wait until the store process is no more: it holds the folder."""
    deadline = time.monotonic() + 60
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


def journaled(folder: Path) -> list[ReadingBatch]:
    """Everything that is in the journal: what was acknowledged, and what was durable before it could be."""
    reader = JournalReader(folder / "journal")
    found: list[ReadingBatch] = []
    while entries := reader.read(10**9):
        found += [entry.batch for entry in entries]
    reader.close()
    return found


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.prove)])
async def test_killed_at_random_moments(
    kills: int, tmp_path: Path, make_store: Callable[..., StoreServer], make_house: Callable[..., House]
) -> None:
    chance, script = random.Random(kills), load_script()
    ledger: dict[int, ReadingBatch] = {}
    begin_us = (time.time_ns() // 10**9 - 3500) * 1_000_000
    for life in range(kills):
        said = await asyncio.to_thread(run_and_kill, tmp_path, life, begin_us, chance.uniform(0.05, 1.2))
        for seed, number, version in said:
            batch = script.batch(seed, number, begin_us)
            ledger[version] = ReadingBatch(batch.point, batch.time_us, batch.value, batch.quality, version)
    assert len(ledger) > kills
    written = {batch.version: batch for batch in journaled(tmp_path)}
    assert set(ledger) <= set(written)
    for version, batch in ledger.items():
        assert settle([written[version]]).value.tolist() == settle([batch]).value.tolist()

    store = make_store(tmp_path / "again", tmp_path / "store")
    series = Series(store.address("crash"))
    journal = Journal.open(tmp_path / "journal", 1)
    house = make_house(tmp_path, series, journal)
    house.points = {point.id: point for point in script.POINTS}
    house.sent = list(written.values())
    async with house.refinery() as refinery:
        await house.settled(refinery, 0)
        await house.check(refinery)
    await journal.close()
    series.close()
