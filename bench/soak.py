"""Memory over half an hour at 48,000 points a second: what the product holds each minute; compares nobody."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import uvloop

import machine
from fleet import POINTS, Fleet, requests_of
from ingest import caught_up
from process import folder_bytes
from report import Table, figure
from sender import at_pace
from servers import Target, wattstead_whole

_BATCH, _CONNECTIONS = 10_000, 4
_EVERY_S = 5.0


def bench(folder: Path, seconds: int) -> Table:
    """The whole product under that load for so many seconds."""
    with wattstead_whole(folder / "soak") as target:
        return uvloop.run(_soak(target, seconds))


async def _soak(target: Target, seconds: int) -> Table:
    requests = requests_of(Fleet(int(time.time())), _BATCH, target.write_request)
    samples: list[tuple[float, int]] = []
    watching = asyncio.create_task(_watch(target, samples))
    outcome = await at_pace(target.port, requests, seconds, _CONNECTIONS)
    behind_s = await caught_up(target)
    watching.cancel()
    for failure in outcome.failures[:3]:
        print(f"  refused: {failure[:300]}", flush=True)
    rows = [_row(samples, at, min(at + 300, seconds)) for at in range(0, seconds, 300)]
    readings = POINTS * seconds
    return Table(
        "soak",
        f"Memory at {POINTS:,} points each second for {seconds / 60:.0f} minutes",
        ["minutes", "median MB", "largest MB", "MB grown per minute"],
        "bench/run.py soak",
        machine.sentence(),
        rows,
        [
            f"Resident memory of the whole process tree, every {_EVERY_S:g} s. {readings:,} readings sent, "
            f"{len(outcome.failures)} requests failed; {target.process.cpu_s() / readings * 1e6:.2f} CPU s per million "
            f"readings, its start included; all were stored {behind_s:.1f} s after the last answer; "
            f"{folder_bytes(target.folder) / readings:.1f} bytes of disk a reading, the journal's kept files included."
        ],
    )


async def _watch(target: Target, samples: list[tuple[float, int]]) -> None:
    began = time.monotonic()
    while True:
        samples.append((time.monotonic() - began, target.process.resident_bytes()))
        await asyncio.sleep(_EVERY_S)


def _row(samples: list[tuple[float, int]], start_s: float, end_s: float) -> list[str]:
    """Five minutes of samples; their growth is the slope of a straight line through them."""
    times, sizes = np.array([one for one in samples if start_s <= one[0] < end_s]).T
    slope = float(np.polyfit(times / 60, sizes / 1e6, 1)[0]) if len(times) > 2 else float("nan")
    shown = f"{start_s / 60:.0f}–{end_s / 60:.0f}"
    return [shown, figure(float(np.median(sizes)) / 1e6), figure(float(sizes.max()) / 1e6), figure(slope, 1)]
