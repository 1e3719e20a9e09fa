"""Line protocol over HTTP at 48,000 points a second: server CPU of Wattstead, VictoriaMetrics and InfluxDB on one load.

Every server gets the same bodies at the same pace, one after the other within the run, on an otherwise idle machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import uvloop

import machine
from fleet import POINTS, Fleet, requests_of
from process import folder_bytes
from report import Table, figure
from sender import Outcome, at_pace, keep_alive
from servers import Target, influxdb, victoria_metrics, wattstead_door, wattstead_whole
from wattstead.refining.refinery import CONSUMER
from wattstead.stream import JournalReader, PositionFile

Start = Callable[[Path], AbstractContextManager[Target]]
_WARM_S = 3
_CONNECTIONS = 4
_SETTLE_S = 20.0
_SENDERS = {10_000: 4, 1_000: 32}
"""How many send at one time, by the size of a batch, where nobody waits for the clock."""
SERVERS: dict[str, Start] = {
    "door": wattstead_door,
    "whole": wattstead_whole,
    "victoria": victoria_metrics,
    "influx": influxdb,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One server under one size of batch."""

    target: str
    durable: str
    outcome: Outcome
    cpu_s: float
    children_s: float
    readings: int
    resident_bytes: int
    disk_bytes: int
    behind_s: float

    def row(self, batch: int) -> list[str]:
        """The cells of the table."""
        return [
            self.target,
            f"{batch:,}",
            figure(self.cpu_s / self.readings * 1e6, 3),
            figure(self.children_s / self.readings * 1e6, 3) if self.children_s else "–",
            figure(self.outcome.percentile_ms(0.5), 1),
            figure(self.outcome.percentile_ms(0.99), 1),
            str(len(self.outcome.failures)),
            figure(self.behind_s, 1),
            figure(self.resident_bytes / 1e6),
            figure(self.disk_bytes / self.readings),
            self.durable,
        ]


def bench(folder: Path, servers: list[str], seconds: int, batches: tuple[int, ...] = (10_000, 1_000)) -> Table:
    """Each server with each size of batch."""
    table = Table(
        "ingest",
        f"Line protocol, {POINTS:,} points each second for {seconds} s",
        [
            "server",
            "lines a batch",
            "CPU s/M",
            "of it the store",
            "p50 ms",
            "p99 ms",
            "failed",
            "behind s",
            "MB memory",
            "disk bytes/reading",
            "answer means",
        ],
        "bench/run.py ingest",
        machine.sentence(),
        notes=[
            "CPU s/M: user and system seconds of the server's whole process tree per million readings, from the "
            f"first timed body to {_SETTLE_S:.0f} s after the last, so that work put off is counted; before it "
            f"{_WARM_S} s of warming up, in which names became known, and {_SETTLE_S:.0f} s to settle. Behind: how "
            "long after the last answer all readings were stored and rolled up. Disk: all files at the end, "
            "journal and write-ahead logs included."
        ],
    )
    for batch in batches:
        for name in servers:
            found = uvloop.run(_measure(SERVERS[name], folder / f"{name}-{batch}", batch, seconds))
            for failure in found.outcome.failures[:3]:
                table.notes.append(f"{found.target} refused: {failure[:200]!r}")
            table.rows.append(found.row(batch))
            print("  " + " | ".join(table.rows[-1]), flush=True)
    return table


def bench_batches(folder: Path, servers: list[str], seconds: int) -> Table:
    """Each server with each size of batch, the next one sent as soon as an answer is there."""
    table = Table(
        "batches",
        "Line protocol, as fast as it is answered",
        ["server", "lines a batch", "senders", "readings/s", "CPU s/M", "p50 ms", "p99 ms", "failed", "answer means"],
        "bench/run.py batches",
        machine.sentence(),
        notes=[
            f"Each sends {seconds} s of the fleet's readings, after {_WARM_S} s of them in which names became known. "
            "CPU s/M: user and system seconds of the server's whole process tree per million readings, until the last "
            "answer: what a server puts off is not in it."
        ],
    )
    for batch, senders in _SENDERS.items():
        for name in servers:
            with SERVERS[name](folder / f"{name}-{batch}-fast") as target:
                table.rows.append(uvloop.run(_as_fast(target, batch, senders, seconds)))
            print("  " + " | ".join(table.rows[-1]), flush=True)
    return table


async def _as_fast(target: Target, batch: int, senders: int, seconds: int) -> list[str]:
    fleet = Fleet(int(time.time()) - seconds - _WARM_S)
    second = requests_of(fleet, batch, target.write_request)
    requests = [second(number) for number in range(_WARM_S + seconds)]
    await keep_alive(target.port, chain.from_iterable(requests[:_WARM_S]), senders)
    cpu_s, readings = target.process.cpu_s(), POINTS * seconds
    outcome = await keep_alive(target.port, chain.from_iterable(requests[_WARM_S:]), senders)
    cpu_s = target.process.cpu_s() - cpu_s
    return [
        *(target.name, f"{batch:,}", str(senders), figure(readings / outcome.lasted_s)),
        figure(cpu_s / readings * 1e6, 3),
        *(figure(outcome.percentile_ms(share), 1) for share in (0.5, 0.99)),
        *(str(len(outcome.failures)), target.durable),
    ]


async def _measure(start: Start, folder: Path, batch: int, seconds: int) -> Measured:
    with start(folder) as target:
        fleet = Fleet(int(time.time()) - _WARM_S)
        requests = requests_of(fleet, batch, target.write_request)
        await at_pace(target.port, requests, _WARM_S, _CONNECTIONS)
        await caught_up(target)
        await asyncio.sleep(_SETTLE_S)
        cpu_s, children_s = target.process.cpu_s(), target.process.children_cpu_s()
        grown = -folder_bytes(target.folder)
        fleet.start_s = int(time.time()) - _WARM_S
        outcome = await at_pace(target.port, lambda n: requests(n + _WARM_S), seconds, _CONNECTIONS)
        ended = time.monotonic()
        resident = target.process.resident_bytes()
        behind_s = await caught_up(target)
        await asyncio.sleep(max(0.0, ended + _SETTLE_S - time.monotonic()))
        cpu_s = target.process.cpu_s() - cpu_s
        children_s = target.process.children_cpu_s() - children_s
        readings = POINTS * seconds
        grown += folder_bytes(target.folder)
        return Measured(target.name, target.durable, outcome, cpu_s, children_s, readings, resident, grown, behind_s)


async def caught_up(target: Target, within_s: float = 120.0) -> float:
    """Wait until the whole product has stored what its journal holds; how long that took. Others have no such mark."""
    began = time.monotonic()
    if target.name.endswith("rollups"):
        for _ in _attempts(within_s):
            reader = JournalReader(target.folder / "journal", PositionFile(target.folder / "journal", CONSUMER).load())
            rest = reader.read(1)
            reader.close()
            if not rest:
                return time.monotonic() - began
            await asyncio.sleep(0.1)
        return float("inf")
    return 0.0


def _attempts(within_s: float) -> Iterator[float]:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        yield until
