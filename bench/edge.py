"""An edge: a day without a link at 50 points a second, then drained to a server's door, to durable on both sides.

What arrives is compared with what was put there: lost, double, order. New readings are put in while the old ones drain.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import uvicorn
import uvloop

import machine
from report import Table, figure
from wattstead.edge.link import Link, join
from wattstead.edge.names import NameBook
from wattstead.edge.running import memory_mb
from wattstead.edge.waiting import Plan, Waiting
from wattstead.ingest.edge.http import EdgeDoor
from wattstead.ingest.edge.wire import Name
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.protocols import PROTOCOLS
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.records import EdgeSettings
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.stream import Journal, JournalLimits, JournalReader

POINTS, DAY_S = 50, 86_400
FIRST_S = 1_790_000_000
_ROWS = 50_000
_ALONE = {"as it came": ("power", 0), "hours of levels": ("power", 3600), "hours of amounts": ("blinks", 3600)}
"""What an edge alone drains: how its addresses end, and its `aggregate_s`."""


class _Door:
    """A server's way in, on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        seal = Seal.of_file(folder / "seal.key")
        self.registry = Registry(f"sqlite:///{folder / 'registry.db'}", seal=seal)
        self.registry.migrate()
        owner = self.registry.first_owner("a@b.example", "long enough")
        assert owner is not None
        self.site = self.registry.create_site(owner.account.organization_id, "Home", "UTC").id
        self.resolver = RegistryResolver(self.registry)
        self.resolver.start()
        self.journal = Journal.open(folder / "journal", 0)
        self.edges = EdgeDoor(self.registry, seal.derived("edge configurations"), folder / "journal")
        app = IngestApp(self.journal, self.resolver, protocols=(*PROTOCOLS, self.edges.protocol))
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.edges.close()
        self.resolver.close()
        self.journal.close_sync()
        self.registry.close()


def bench(folder: Path, seconds: int = DAY_S) -> Table:
    """Fill an edge's journal with ``seconds`` of readings, drain it, compare."""
    (folder / "server").mkdir()
    (folder / "edge").mkdir()
    door = _Door(folder / "server")
    filled_s = _fill(folder / "edge", 0, seconds)
    waiting_bytes = sum(path.stat().st_size for path in (folder / "edge" / "journal").rglob("*.db*"))
    took_s, cpu_s, uploads, sent_bytes, newest_s, live = uvloop.run(_drained(folder / "edge", door, seconds))
    count = POINTS * seconds
    lost, double, ordered = _compared(folder / "server", door, seconds, live)
    both_mb = memory_mb()
    alone = [_alone_mb(folder / word, door, seconds // 2, *told) for word, told in _ALONE.items()]
    door.close()
    table = Table(
        "edge",
        f"Edge: {seconds / 3600:g} h offline at {POINTS} points × 1/s, then drained",
        ["what", "found", "wanted"],
        "python bench/run.py edge",
        machine.sentence(),
    )
    table.rows = [
        ["readings that waited", f"{count:,}", ""],
        ["lost", f"{lost}", "0"],
        ["double", f"{double}", "0"],
        ["order of the old ones kept", "yes" if ordered else "no", "yes"],
        ["drained at, times live speed", figure(count / took_s / POINTS, 0), "≥ 20"],
        ["readings/s", figure(count / took_s), ""],
        ["longest that a new reading waited meanwhile, s", figure(newest_s), ""],
        ["bytes on disk a reading", figure(waiting_bytes / count, 1), ""],
        ["bytes over the wire a reading", figure(sent_bytes / count, 1), ""],
        ["uploads", f"{uploads:,}", ""],
        ["CPU of edge and door together, s/M", figure(cpu_s / count * 1e6), ""],
        ["memory of both in one process at most, MB", figure(both_mb, 0), ""],
        *(
            [f"memory of an edge alone, {word}, MB", figure(mb, 0), "< 120"]
            for word, mb in zip(_ALONE, alone, strict=True)
        ),
    ]
    table.notes = [f"Filling took {filled_s:.0f} s. The bound on draining was off; by default it is 20,000 readings/s."]
    return table


def _alone_mb(folder: Path, door: _Door, seconds: int, word: str, aggregate_s: int) -> float:
    """What memory `edge_alone` takes for so many seconds of readings at addresses that end with a word."""
    folder.mkdir()
    settings = EdgeSettings(aggregate_s=aggregate_s, drain_per_s=1_000_000, send_every_s=0.05)
    made = door.registry.create_edge(door.site, word, settings)
    asyncio.run(join(door.url, made.code, "")).save(folder)
    _fill(folder, 0, seconds, word)
    command = [sys.executable, str(Path(__file__).with_name("edge_alone.py")), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _fill(folder: Path, first_s: int, seconds: int, word: str = "value") -> float:
    began = time.monotonic()
    limits = JournalLimits(rotate_bytes=8_000_000, keep_bytes=0, keep_s=0.0, sweep_s=1.0, unconsumed_bytes=1 << 50)
    journal = Journal.open(folder / "journal", 0, limits)
    book = NameBook(folder / "names")
    if not len(book):
        book.add([Name(0, f"meter/{one}/{word}", "") for one in range(POINTS)])
    under_way = []
    for second in range(first_s, first_s + seconds):
        under_way.append(journal.submit_sync(_second(second).encode()))
        if len(under_way) > 5_000:
            under_way.pop(0).result()
    for one in under_way:
        one.result()
    journal.close_sync()
    return time.monotonic() - began


def _second(second: int) -> ReadingBatch:
    point = np.arange(1, POINTS + 1, dtype=np.uint32)
    value = (second * 31 + point.astype(np.int64) * 7) % 5000 / 10
    return ReadingBatch.of(point, np.full(POINTS, (FIRST_S + second) * 1_000_000), value)


async def _drained(folder: Path, door: _Door, seconds: int) -> tuple[float, float, int, int, float, int]:
    made = await asyncio.to_thread(door.registry.create_edge, door.site, "Pi")
    link = Link(await join(door.url, made.code, ""))
    waiting = Waiting(folder, NameBook(folder / "names"), lambda: time.time_ns() // 1000 + 60_000_000)
    journal = Journal.open(folder / "journal", 0, JournalLimits(keep_bytes=0, keep_s=0.0, unconsumed_bytes=1 << 50))
    began, cpu = time.monotonic(), time.process_time()
    uploads = sent_bytes = live = 0
    newest_s, put_at = 0.0, time.monotonic()
    while True:
        body = await asyncio.to_thread(waiting.next_upload, Plan(), _ROWS, _ROWS, {})
        if body is None and not waiting.more:
            break
        if body is not None:
            waiting.arrived((await link.upload(body)).accepted)
            uploads, sent_bytes = uploads + 1, sent_bytes + len(body)
        if waiting.lanes.live is not None:
            newest_s = max(newest_s, time.monotonic() - put_at) if live else 0.0
            put_at = time.monotonic()
            batch = _second(seconds + live)
            newer_us = waiting.lanes.split_us + live * 1000
            batch = ReadingBatch.of(batch.point, np.full(POINTS, newer_us), batch.value)
            await journal.append(batch)
            live += 1
    took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    await journal.close()
    await link.close()
    waiting.close()
    return took_s, cpu_s, uploads, sent_bytes, newest_s, live


def _compared(folder: Path, door: _Door, seconds: int, live: int) -> tuple[int, int, bool]:
    """Lost, double, and whether the old readings of each point came in the order of their times."""
    address = {row.point.id: int(row.address.split("/")[1]) for row in door.registry.points()}
    seen = np.zeros((POINTS, seconds), np.uint8)
    latest = np.zeros(POINTS, np.int64)
    ordered, new = True, 0
    reader = JournalReader(folder / "journal")
    while entries := reader.read(50_000_000):
        for entry in entries:
            batch = entry.batch
            second = batch.time_us // 1_000_000 - FIRST_S
            old = second < seconds
            new += int((~old).sum())
            place = np.array([address[int(point)] for point in batch.point[old]])
            wanted = (second[old] * 31 + (place + 1) * 7) % 5000 / 10
            assert np.array_equal(wanted, batch.value[old]), "values differ"
            np.add.at(seen, (place, second[old]), 1)
            for one in np.unique(place):
                times = second[old][place == one]
                ordered &= bool(times[0] >= latest[one] and (np.diff(times) > 0).all())
                latest[one] = times[-1]
    reader.close()
    assert new >= live * POINTS, f"{new} new readings arrived of {live * POINTS}"
    return int((seen == 0).sum()), int((seen > 1).sum()) + new - live * POINTS, ordered
