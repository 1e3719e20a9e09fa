"""RecordingWay: the house as a test of a runner sees it: what was kept, what was refused, who answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.sources.source_protocol import Message


class KeptReading(NamedTuple):
    """A reading as it came."""

    address: str
    time_us: int
    value: float


class RecordingWay:
    """Keeps in memory; while it is not `open` it waits as a full journal does."""

    source_id = 1
    identity = "under-test-1"

    def __init__(self) -> None:
        self.kept: list[KeptReading] = []
        self.messages: list[tuple[Columns, Message]] = []
        """What was not handed over with others."""
        self.refused: list[tuple[Message, str]] = []
        self.others: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self.late_s = 0.0
        self.slowed = ""
        self.not_kept: Callable[[Columns], str] = lambda columns: ""
        self.changed = asyncio.Event()

    def present_us(self) -> int:
        return time.time_ns() // 1000

    async def keep_usual(self, columns: Columns, messages: int) -> bool:
        if not self.open.is_set() or self.not_kept(columns):
            return False
        self._record(columns)
        self.changed.set()
        return True

    async def keep(self, columns: Columns | Few, message: Message) -> None:
        await self.keep_all([(columns, message)])

    async def keep_all(self, parts: Sequence[tuple[Columns | Few, Message]]) -> list[tuple[Message, str]]:
        self.waiting += len(parts)
        self.changed.set()
        await self.open.wait()
        self.waiting -= len(parts)
        refused: list[tuple[Message, str]] = []
        for found, message in parts:
            columns = found.columns() if isinstance(found, Few) else found
            reason = self.not_kept(columns)
            if reason:
                refused.append((message, reason))
                continue
            self._record(columns)
            self.messages.append((columns, message))
        self.refused += refused
        self.changed.set()
        return refused

    def _record(self, columns: Columns) -> None:
        self.kept += [
            KeptReading(columns.names.address(row), int(columns.time_us[row]), float(columns.value[row]))
            for row in range(len(columns))
        ]

    def refuse(self, message: Message, reason: str) -> None:
        self.refused.append((message, reason))
        self.changed.set()

    def connected(self, to: str) -> None:
        self.others.append(to)
        self.changed.set()

    def slowing(self, told: str) -> None:
        self.slowed = told
        self.changed.set()

    def lagging(self, seconds: float) -> None:
        self.late_s = seconds

    def values(self) -> dict[str, list[float]]:
        """What came of each address, in order."""
        found: dict[str, list[float]] = {}
        for reading in self.kept:
            found.setdefault(reading.address, []).append(reading.value)
        return found

    def readings(self, address: str) -> list[tuple[int, float]]:
        """Times and values of an address."""
        return [(one.time_us, one.value) for one in self.kept if one.address == address]

    async def until(self, wanted: Callable[[RecordingWay], object], patience_s: float = 180.0) -> None:
        """Returns when it is so."""
        async with asyncio.timeout(patience_s):
            while not wanted(self):
                self.changed.clear()
                with contextlib.suppress(TimeoutError):  # what is wanted may be of somebody else
                    await asyncio.wait_for(self.changed.wait(), 0.05)
