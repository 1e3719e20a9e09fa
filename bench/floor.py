"""What the parts of the road cost alone, at the pace of the targets: no whole can cost less than their sum."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

import machine
from fleet import POINTS, Fleet, requests_of
from posts import CONNECTIONS, emoncms_form
from process import ServerProcess, child, free_port, tree_cpu_s
from report import Table, figure
from sender import at_pace, keep_alive
from servers import ROOT, Target
from wattstead.app import open_store
from wattstead.series import Series
from wattstead.settings import Settings

_BARE = [sys.executable, str(ROOT / "bench" / "bare.py")]
_POSTS = 100_000
_STILL_S = 5.0


def bench(folder: Path, seconds: int) -> Table:
    """Each part by itself."""
    table = Table(
        "floor",
        f"What the parts cost alone, at {POINTS:,} readings a second for {seconds} s",
        ["part", "bodies of 10,000 s/M", "of 1,000 s/M", "single posts µs"],
        "bench/run.py floor",
        machine.sentence(),
        notes=[
            "CPU seconds per million readings. HTTP: a uvloop server that waits for whole bodies, looks at nothing and "
            f"answers; single posts by {CONNECTIONS} kept connections as fast as they are answered. Decoding: lines "
            "whose names are known, to batches for the journal, a body at a time and evenly. Journal: ready batches, "
            "synced, none read back; its single readings stand in the table of the journal. Store: ready readings of "
            "five seconds at a time, its own process alone; no latest values, no rows of minutes."
        ],
    )
    http = [_http(folder / f"http-{batch}", batch, seconds) for batch in (10_000, 1_000)]
    posts = _posts(folder / "posts")
    read = [_said(["decode", f"{batch}", f"{seconds}"], seconds) for batch in (10_000, 1_000)]
    kept = [_journal(folder / f"journal-{batch}", batch, seconds) for batch in (10_000, 1_000)]
    stored = asyncio.run(_store(folder / "store", seconds))
    table.rows = [
        ["HTTP, nothing read", *(figure(cost, 3) for cost in http), figure(posts, 1)],
        ["decoding", *(figure(cost, 3) for cost in read), "–"],
        ["journal", *(figure(cost, 3) for cost in kept), "–"],
        ["store", figure(stored, 3), figure(stored, 3), "–"],
        ["sum", *(figure(sum(parts) + stored, 3) for parts in zip(http, read, kept, strict=True)), figure(posts, 1)],
    ]
    return table


@contextmanager
def _server(folder: Path) -> Iterator[Target]:
    folder.mkdir()
    port = free_port()
    with ServerProcess([*_BARE, "http", str(port)], folder / "log", {"PYTHONPATH": f"{ROOT / 'src'}"}) as process:
        process.wait_for(port)
        yield Target("HTTP alone", port, process, folder, keys=["0" * 32])


def _http(folder: Path, batch: int, seconds: int) -> float:
    with _server(folder) as target:
        requests = requests_of(Fleet(int(time.time())), batch, target.write_request)
        cpu_s = target.process.cpu_s()
        uvloop.run(at_pace(target.port, requests, seconds, 4))
        return (target.process.cpu_s() - cpu_s) / (POINTS * seconds) * 1e6


def _posts(folder: Path) -> float:
    with _server(folder) as target:
        cpu_s = target.process.cpu_s()
        uvloop.run(keep_alive(target.port, (emoncms_form(target, number) for number in range(_POSTS)), CONNECTIONS))
        return (target.process.cpu_s() - cpu_s) / _POSTS * 1e6


def _journal(folder: Path, batch: int, seconds: int) -> float:
    folder.mkdir()
    return _said(["journal", str(folder), str(batch), str(seconds)], seconds)


def _said(what: list[str], seconds: int) -> float:
    """What a part says it cost, seconds per million readings."""
    said = subprocess.run([*_BARE, *what], check=True, env={"PYTHONPATH": f"{ROOT / 'src'}"}, stdout=subprocess.PIPE)
    return float(said.stdout.split()[-1]) / (POINTS * seconds) * 1e6


async def _store(folder: Path, seconds: int) -> float:
    async with open_store(Settings(folder=folder)) as (address, _):
        await asyncio.to_thread(Series(address).migrate)
        await asyncio.sleep(_STILL_S)
        process = child(os.getpid())
        cpu_s = tree_cpu_s(process)
        given = await asyncio.create_subprocess_exec(
            *_BARE, "store", address, str(seconds), env={"PYTHONPATH": f"{ROOT / 'src'}"}
        )
        if await given.wait():
            raise RuntimeError("the store was not given its readings")
        return (tree_cpu_s(process) - cpu_s) / (POINTS * seconds) * 1e6
