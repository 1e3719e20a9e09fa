"""An edge as a process, with one protocol more: a device that counts up, and a ledger of what it was told is kept."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from wattstead.edge.running import Edge, say_in_lines
from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.ingest.sources.source_protocol import Message, SourceProtocol, Way
from wattstead.ingest.sources.table import SOURCES

FIRST_US = 1_790_000_000_000_000


class CountingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it counts."""

    ledger: str
    """File with a line for each number that is kept."""
    pause_s: float = 0.01


def values(number: int) -> tuple[float, float]:
    """What the two series say at a number."""
    return float(number), float(number * 7919 % 1000)


def last(ledger: Path) -> int:
    """The last number of a ledger."""
    lines = ledger.read_bytes().split(b"\n")[:-1] if ledger.exists() else []
    return int(lines[-1]) if lines else 0


def decode(message: Message, settings: Any) -> Columns:
    """A number as its two readings."""
    number = int(message.raw)
    time_us = np.full(2, FIRST_US + number * 1_000_000, np.int64)
    return Columns(Names(["count", "power"]), time_us, np.array(values(number)))


async def run(settings: CountingSettings, way: Way) -> None:
    """Count on from the ledger."""
    file = Path(settings.ledger)
    number = last(file)
    way.connected("itself")
    with file.open("ab", buffering=0) as ledger:  # noqa: ASYNC230 - nothing else runs here
        while True:
            number += 1
            message = Message(str(number).encode(), "counter", way.present_us())
            await way.keep(decode(message, settings), message)
            ledger.write(b"%d\n" % number)
            await asyncio.sleep(settings.pause_s)


COUNTING = SourceProtocol("counting", "docs/edge.md", "Counting", CountingSettings, decode, run)

if __name__ == "__main__":
    say_in_lines()
    asyncio.run(Edge(Path(sys.argv[1]), (*SOURCES, COUNTING), sync_s=0.3, old_s=1.0, longest_wait_s=0.5).run())
