"""A store process for the tests of this room, and a database of its own for each test."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point, StepRule, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import settle
from wattstead.series import Series

KEY = "0123456789abcdef0123456789abcdef"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the store process."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def store(store_folder: Path) -> Iterator[str]:
    """The address of a store process, without a database."""
    with serving(store_folder) as found:
        yield found


@contextmanager
def serving(folder: Path, limits: str = "{}") -> Iterator[str]:
    """A store process in a folder, and its address."""
    key, data = folder / "key", folder / "data"
    key.write_text(KEY)
    command = [sys.executable, "-m", "wattstead.store", "--data", str(data), "--key-file", str(key), "--limits", limits]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["ready"]
        try:
            yield f"http://wattstead:{KEY}@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def narrow_store(tmp_path: Path) -> Iterator[str]:
    """The address of a store that gives at most 80 kB at once, without a database."""
    with serving(tmp_path, '{"answer_bytes": 80000}') as found:
        yield found


@pytest.fixture
def address(store: str) -> str:
    """An address with a database that nobody else has."""
    return f"{store}/test_{next(_numbers)}"


@pytest.fixture
def series(address: str) -> Iterator[Series]:
    """Empty tables."""
    found = Series(address)
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def backups(store_folder: Path) -> Path:
    """Where the store may write backups."""
    return store_folder / "data" / "backups"


S = 1_000_000
DAY = 86_400 * S
T0 = 1_774_569_600 * S
"""2026-03-27T00:00Z: two days before clocks go forward in Berlin, nine before they go back on Lord Howe Island."""

POINTS = [
    Point(id=11, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=0.001, width=10**5,
          max_rate=20.0, zone="Europe/Berlin"),
    Point(id=12, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=600, zone="Europe/Berlin"),
    Point(id=13, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="kW", zone="Asia/Kathmandu"),
    Point(id=14, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="pulse", zone="Australia/Lord_Howe"),
    Point(id=15, kind=Kind.GAUGE, quantity=Quantity.TEMPERATURE, unit="°F", zone="America/New_York"),
    Point(id=16, kind=Kind.REGISTER, quantity=Quantity.WATER, unit="m³", width=2**20, zone="Europe/Berlin"),
    Point(id=17, kind=Kind.REGISTER, quantity=Quantity.GAS, unit="m³", resolution=0.01, zone="Pacific/Apia"),
    Point(id=18, kind=Kind.MEAN, quantity=Quantity.ELECTRICITY, unit="kW", max_gap_s=7200, zone="Asia/Kathmandu"),
]  # fmt: skip


@dataclass(frozen=True)
class Story:
    """Batches in the order in which they come in, and the readings that stand after them."""

    batches: list[ReadingBatch]
    settled: ReadingBatch
    rules: dict[int, StepRule]

    def of_point(self, point: int) -> ReadingBatch:
        rows = self.settled.point == point
        return ReadingBatch(*(c[rows] for c in (self.settled.point, self.settled.time_us, self.settled.value,
                                                self.settled.quality)))  # fmt: skip


def tell(seed: int, days: float = 4.0, start_us: int = T0, points: list[Point] | None = None) -> Story:
    """Points that count, wrap, reset, jump, jitter and fall silent; rows late, repeated, corrected, batches mixed."""
    chance = np.random.default_rng(seed)
    points = POINTS if points is None else points
    rows = [_readings(chance, point, days, start_us) for point in points]
    point, time_us, value = (np.concatenate([r[i] for r in rows]) for i in range(3))
    size = len(point)
    wrong = chance.random(size) < 0.05
    again = chance.random(size) < 0.05
    order = np.argsort(time_us + chance.integers(0, 2 * 3600, size) * S * (chance.random(size) < 0.1))
    pieces = np.array_split(order, 12)
    now = time.time_ns() // 1000
    batches = []
    for number, piece in enumerate(pieces):
        guess = np.where(wrong[piece], value[piece] + chance.integers(1, 9, len(piece)), value[piece])
        batches.append(_batch(point[piece], time_us[piece], guess, now + number * 50_000))
    batches.append(_batch(point[wrong], time_us[wrong], value[wrong], now + 900_000))
    batches.append(_batch(point[again & ~wrong], time_us[again & ~wrong], value[again & ~wrong], now + 5_000))
    batches += [batches[int(at)] for at in chance.integers(0, len(batches), 3)]
    mixed = [batches[int(at)] for at in chance.permutation(len(batches))]
    return Story(mixed, settle(batches), {p.id: step_rule(p) for p in points})


def _batch(point: NDArray[np.uint32], time_us: NDArray[np.int64], value: NDArray[np.float64], at: int) -> ReadingBatch:
    return ReadingBatch.of(point, time_us, value, version=at << 8)


def _readings(
    chance: np.random.Generator, point: Point, days: float, start_us: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64]]:
    every_s = int(chance.choice([20, 60, 300, 900]))
    size = int(days * 86_400 / every_s)
    jitter_us = chance.integers(0, every_s * S, size) * (chance.random() < 0.5)
    time_us = start_us + np.arange(size) * every_s * S + jitter_us
    keep = chance.random(size) < 0.9
    for _ in range(4):
        at = int(chance.integers(0, size))
        keep[at : at + int(chance.integers(1, max(2, 20_000 // every_s)))] = False
    time_us = np.unique(time_us[keep])
    return np.full(len(time_us), point.id, np.uint32), time_us, _values(chance, point, len(time_us), every_s)


def _values(chance: np.random.Generator, point: Point, size: int, every_s: int) -> NDArray[np.float64]:
    if point.kind is Kind.DELTA:
        return chance.integers(0, 40, size).astype(float)
    if point.kind is Kind.GAUGE:
        return np.round(chance.normal(50, 400, size), 1)
    quantum = step_rule(point).quantum
    steps = chance.integers(0, 3 * every_s, size)
    steps[chance.random(size) < 0.02] *= -1
    count = np.cumsum(steps) + int(chance.integers(0, 10**5))
    count[chance.integers(0, size) :] -= int(count[-1])
    count[chance.integers(0, size) :] += 10**7
    if point.width:
        count %= point.width
    return np.round(np.abs(count) * quantum, 9)


@pytest.fixture
def stories() -> Callable[..., Story]:
    """Makes generated readings from a seed."""
    return tell


@pytest.fixture
def points() -> list[Point]:
    """A point of every kind, in zones that are awkward."""
    return POINTS
