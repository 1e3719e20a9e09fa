"""The least that HTTP, decoding, the journal or the store cost by themselves: one in a process of its own, at a pace.

``python bench/bare.py http PORT`` reads nothing of what comes and keeps nothing; ``decode READINGS SECONDS`` turns
bodies of so many lines, whose names are known, into batches, and says what that cost; ``journal FOLDER READINGS
SECONDS`` gives ready batches to a journal and says the same; ``store ADDRESS SECONDS`` gives ready readings to a store
every five seconds.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import numpy as np
import uvloop

from fleet import POINTS, Fleet, requests_of
from wattstead.ingest.influx.decode import LineDecoder
from wattstead.metering.batch import ReadingBatch
from wattstead.series import Series
from wattstead.stream import Journal

STORE_EVERY_S = 5
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Bare(asyncio.Protocol):
    """Waits for a whole request and says that all is well."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._lacking = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._lacking <= 0:
            end = data.find(b"\r\n\r\n")
            found = _LENGTH.search(data, 0, end)
            self._lacking = end + 4 + (int(found[1]) if found else 0)
        self._lacking -= len(data)
        if self._lacking <= 0 and self._transport is not None:
            self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Until SIGTERM."""
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
    await server.serve_forever()


def decode(readings: int, seconds: int) -> None:
    """The fleet's lines, a body at a time, evenly."""
    decoder, ready, cpu_s = LineDecoder(100_000_000), np.arange(POINTS, dtype=np.uint32), 0.0
    second = requests_of(Fleet(int(time.time())), readings, bytes)
    for body in second(0):
        decoder.decode(body, "s", 0)
    for number in range(1, 1 + seconds):
        bodies, begun = second(number), time.monotonic()
        for at, body in enumerate(bodies):
            time.sleep(max(0.0, begun + at * readings / POINTS - time.monotonic()))
            before_s = time.process_time()
            columns = decoder.known(body, "s", 0)
            if columns is None:
                raise RuntimeError("the names of a body were forgotten")
            quality = np.ones(len(columns), np.uint8)
            ReadingBatch(ready[: len(columns)], columns.time_us, columns.value, quality).encode()
            cpu_s += time.process_time() - before_s
    print(cpu_s, flush=True)


async def journal(folder: Path, readings: int, seconds: int) -> None:
    """The fleet's readings in ready batches of so many, evenly."""
    values = np.round(np.random.default_rng(1).normal(500, 200, readings), 1)
    body = ReadingBatch.of(np.arange(readings), np.full(readings, time.time_ns() // 1000), values).encode()
    opened, begun, cpu_s = Journal.open(folder, 0), time.monotonic(), time.process_time()
    for number in range(seconds * POINTS // readings):
        await asyncio.sleep(max(0.0, begun + number * readings / POINTS - time.monotonic()))
        await opened.submit(body)
    print(time.process_time() - cpu_s, flush=True)
    await opened.close()


def store(address: str, seconds: int) -> None:
    """The fleet's readings of five seconds at a time."""
    series, random = Series(address), np.random.default_rng(1)
    point, quality = np.arange(1, POINTS + 1, dtype=np.uint32), np.ones(POINTS, np.uint8)
    tenths, start_s, begun = random.integers(0, 50_000, POINTS), int(time.time()), time.monotonic()
    for number in range(0, seconds, STORE_EVERY_S):
        batches = []
        for second in range(number, number + STORE_EVERY_S):
            tenths += random.integers(-30, 31, POINTS)
            time_us = np.full(POINTS, (start_s + second) * 1_000_000)
            batches.append(ReadingBatch(point, time_us, tenths / 10, quality, (start_s + second) * 1_000_000 << 8))
        time.sleep(max(0.0, begun + number - time.monotonic()))
        series.append(batches)


if __name__ == "__main__":
    what, where, *numbers = sys.argv[1:]
    if what == "http":
        uvloop.run(serve(int(where)))
    elif what == "decode":
        decode(int(where), *map(int, numbers))
    elif what == "journal":
        uvloop.run(journal(Path(where), *map(int, numbers)))
    else:
        store(where, *map(int, numbers))
