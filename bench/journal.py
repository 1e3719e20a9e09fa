"""The journal alone: durable batches a second, what they cost, what reading them back costs; no HTTP."""

from __future__ import annotations

import asyncio
import logging
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
import uvloop

import machine
from report import Table, figure
from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Journal, JournalReader

_CASES = (
    (1, 1, 3_000),
    (1, 64, 100_000),
    (1, 1_000, 400_000),
    (1_000, 32, 10_000),
    (10_000, 2, 1_000),
    (10_000, 8, 2_000),
)
"""Readings a batch, senders at a time, batches."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One case."""

    batches_per_s: float
    write_s_per_million: float
    p50_ms: float
    p99_ms: float
    read_s_per_million: float
    bytes_per_reading: float


def bench(folder: Path, quick: bool) -> Table:
    """All cases, each in a fresh journal below ``folder``."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    table = Table(
        "journal",
        "Journal: durable batches",
        [
            "readings a batch",
            "senders",
            "batches/s",
            "readings/s",
            "write s/M",
            "p50 ms",
            "p99 ms",
            "read s/M",
            "bytes/reading",
        ],
        "bench/run.py journal",
        machine.sentence(),
        notes=[
            "Each batch was answered once it was synced to disk. s/M: CPU seconds (user and system) of the whole "
            "process per million readings, the sender's coroutines included."
        ],
    )
    for rows, senders, batches in _CASES:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            found = uvloop.run(_case(Path(fresh), rows, senders, batches // 10 if quick else batches))
        cells = (rows, senders, found.batches_per_s, found.batches_per_s * rows)
        costs = (
            found.write_s_per_million,
            found.p50_ms,
            found.p99_ms,
            found.read_s_per_million,
            found.bytes_per_reading,
        )
        table.rows.append([f"{cell:,.0f}" for cell in cells] + [figure(cost, 3) for cost in costs])
    return table


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _case(folder: Path, rows: int, senders: int, batches: int) -> Measured:
    random = np.random.default_rng(1)
    second_us = 1_700_000_000_000_000
    values = np.round(random.normal(500, 200, rows), 1)
    body = ReadingBatch.of(np.arange(rows), second_us + random.integers(0, 1_000_000, rows), values).encode()
    journal, latencies = Journal.open(folder, 0), []
    left = iter(range(batches))

    async def sender() -> None:
        for _ in left:
            sent = time.perf_counter()
            await journal.submit(body)
            latencies.append(time.perf_counter() - sent)

    cpu, began = _cpu_s(), time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(senders)))
    write_cpu_s, lasted_s = _cpu_s() - cpu, time.perf_counter() - began
    await journal.close()
    latencies.sort()
    millions = rows * batches / 1e6
    reader, cpu, read = JournalReader(folder), _cpu_s(), 0
    while entries := reader.read(16_000_000):
        read += len(entries)
    reader.close()
    if read != batches:
        raise AssertionError(f"{batches} batches were acknowledged, {read} were read")
    return Measured(
        batches / lasted_s,
        write_cpu_s / millions,
        latencies[batches // 2] * 1e3,
        latencies[int(batches * 0.99)] * 1e3,
        (_cpu_s() - cpu) / millions,
        len(body) / rows,
    )
