"""A real store process, a real journal and a refinery between them; and what the truth must be."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point, StepRule, step_rule
from wattstead.metering.quantity import Kind, Quality, Quantity
from wattstead.metering.rollup import MINUTE_US, amounts, bucket_starts, roll, settle
from wattstead.refining.bookkeeping.retention import Retention
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.refinery import CONSUMER, Refinery
from wattstead.refining.taking.backlog import bytes_behind
from wattstead.series import Series
from wattstead.stream import Journal, PositionFile

KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_S = 60.0
LAST_US = 4_000_000_000_000_000
QUICK = RefiningLimits(
    store_every_s=0.1,
    grace_s=0.2,
    rules_s=0.05,
    poll_s=0.02,
    rest_s=0.01,
    busy_rest_s=0.02,
    foreseen_s=0.1,
    retry_s=0.05,
    retry_most_s=0.2,
)
POINTS = [
    Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=0.001, zone="Europe/Berlin"),
    Point(id=2, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", zone="Asia/Kathmandu"),
    Point(id=3, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="Wh"),
    Point(id=4),
]
_numbers = itertools.count(1)


class StoreServer:
    """A store process that can be killed and started again on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "key").write_text(KEY)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        command = [sys.executable, "-m", "wattstead.store", "--data", str(self.data), "--port"]
        command += [str(self.port), "--key-file", str(self.folder / "key")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=(self.folder / "log").open("ab"))
        assert self._process.stdout is not None
        self.port = json.loads(self._process.stdout.readline())["ready"]

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def address(self, database: str) -> str:
        """Where a database of it answers."""
        return f"http://wattstead:{KEY}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """One store process for tests that leave it alive."""
    server = StoreServer(tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def make_store() -> Iterator[Callable[..., StoreServer]]:
    """Store processes of a test's own, which it may kill."""
    servers: list[StoreServer] = []

    def make(folder: Path, data: Path | None = None) -> StoreServer:
        servers.append(StoreServer(folder))
        servers[-1].data = data or folder / "data"
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


@dataclass
class House:
    """Journal, series and the points of one test, and a refinery whenever one is opened."""

    folder: Path
    series: Series
    journal: Journal
    points: dict[int, Point] = field(default_factory=dict)
    generation: int = 1
    sent: list[ReadingBatch] = field(default_factory=list)

    def declare(self, *points: Point) -> None:
        """What the points are from now on."""
        self.points |= {point.id: point for point in points}
        self.generation += 1

    async def send(
        self,
        point: Sequence[int] | NDArray[np.uint32],
        time_us: Sequence[int] | NDArray[np.int64],
        value: Sequence[float] | NDArray[np.float64],
        quality: Quality = Quality.RAW,
    ) -> None:
        """A batch, durable in the journal and noted as sent."""
        batch = ReadingBatch.of(point, time_us, value, quality)
        version = await self.journal.append(batch)
        self.sent.append(ReadingBatch(batch.point, batch.time_us, batch.value, batch.quality, version))

    @property
    def rows(self) -> int:
        """Readings sent so far."""
        return sum(len(batch) for batch in self.sent)

    @asynccontextmanager
    async def refinery(
        self, limits: RefiningLimits = QUICK, retention: Retention | None = None
    ) -> AsyncIterator[Refinery]:
        """A refinery at work; stopped at the end."""
        refinery = Refinery(
            self.folder / "journal",
            self.folder / "refining.json",
            self.series,
            lambda since: list(self.points.values()),
            lambda: self.generation,
            limits,
            retention,
        )
        self.journal.listen(refinery.wake)
        await refinery.start()
        try:
            yield refinery
        finally:
            await refinery.stop()

    async def settled(self, refinery: Refinery, rows: int | None = None) -> None:
        """Wait until so many readings (all sent) are stored and nothing is left to roll up or to save."""
        wanted = self.rows if rows is None else rows

        def done() -> bool:
            state = refinery.state
            if state.stored_rows < wanted or state.dirty_spans or state.adopting:
                return False
            return bytes_behind(self.folder / "journal", PositionFile(self.folder / "journal", CONSUMER).load()) == 0

        try:
            await until(done, f"{wanted} readings to be stored")
        except AssertionError as error:
            raise AssertionError(f"{error}; {refinery.state}") from None

    async def adopted(self, refinery: Refinery) -> None:
        """Wait until the refinery has seen the present generation and nothing is left to roll up again."""
        await until(lambda: refinery.state.generation == self.generation and not refinery.state.adopting, "adoption")

    def replaced(self) -> int:
        """Readings that are kept as replaced."""
        return int(self.series._connection.columns("SELECT count() AS n FROM reading_replaced FINAL")["n"][0])

    async def check(self, refinery: Refinery) -> None:
        """Stop the refinery; raw, minutes and buckets must equal what the ledger of what was sent says."""
        await refinery.stop()
        await asyncio.to_thread(self._check, refinery.state.closed_us)

    def _check(self, closed_us: int) -> None:
        truth = settle(self.sent)
        rules = {id: step_rule(self.points.get(id, Point(id=id))) for id in np.unique(truth.point).tolist()}
        for id, rule in rules.items():
            own = truth.point == id
            batch = ReadingBatch.of(truth.point[own], truth.time_us[own], truth.value[own])
            self._check_raw(id, batch)
            self._check_minutes(id, rule, batch, closed_us)
            self._check_buckets(id, rule, batch)

    def _check_raw(self, id: int, batch: ReadingBatch) -> None:
        """Every reading that stands is stored once with its value, and no other is."""
        stored = self.series.raw(id, 0, LAST_US, limit=1_000_000)
        assert stored.time_us.tolist() == batch.time_us.tolist(), f"times of point {id}"
        assert stored.value.tolist() == batch.value.tolist(), f"values of point {id}"

    def _check_minutes(self, id: int, rule: StepRule, batch: ReadingBatch, closed_us: int) -> None:
        """Minute rows before ``closed_us`` are exactly those of the oracle; what comes after it nobody looks at yet."""
        before = batch.time_us < closed_us
        closed = ReadingBatch.of(batch.point[before], batch.time_us[before], batch.value[before])
        rows = roll(closed, bucket_starts(closed.time_us, MINUTE_US), {id: rule})
        names = ("start_us", "count", "sum", "step", "flags")
        stored = self.series._connection.columns(
            "SELECT toInt64(toUnixTimestamp(start)) * 1000000 AS start_us, count, sum, step, flags "
            f"FROM minute FINAL WHERE point = {id} AND count > 0 AND start_us < {closed_us} ORDER BY start"
        )
        for name in names:
            found = stored[name].tolist() if stored else []
            assert found == getattr(rows, name).tolist(), f"{name} of minutes of point {id}"

    def _check_buckets(self, id: int, rule: StepRule, batch: ReadingBatch) -> None:
        """Counts and amounts of hours around all readings, to the unit."""
        point = self.points.get(id, Point(id=id))
        edges = edges_us(point.zone, int(batch.time_us[0]), int(batch.time_us[-1]) + 1, Step.H1)
        [found] = self.series.buckets([point], edges)
        place = np.searchsorted(edges, batch.time_us, side="right") - 1
        assert found.count.tolist() == np.bincount(place, minlength=len(edges) - 1).tolist(), f"counts of point {id}"
        rows = roll(batch, bucket_starts(batch.time_us, MINUTE_US), {id: rule})
        expected = amounts(rows, rule, edges) if rule.mode else [0] * (len(edges) - 1)
        assert found.steps.tolist() == expected, f"steps of point {id}"


@pytest.fixture
def make_house() -> Callable[[Path, Series, Journal], House]:
    """A house around a journal and a series of the test's own."""
    return lambda folder, series, journal: House(folder, series, journal, {point.id: point for point in POINTS})


@pytest.fixture
async def house(store: StoreServer, tmp_path: Path) -> AsyncIterator[House]:
    """Empty journal, empty tables."""
    series = Series(store.address(f"refining_{next(_numbers)}"))
    await asyncio.to_thread(series.migrate)
    journal = Journal.open(tmp_path / "journal", 0)
    yield House(tmp_path, series, journal, {point.id: point for point in POINTS})
    await journal.close()
    series.close()


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it; how long it takes decides nothing but failure."""
    deadline = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s for {what}"
        await asyncio.sleep(0.02)
