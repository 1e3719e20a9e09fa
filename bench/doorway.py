"""The house as a source holds it, without the pages: points from a map in memory, a real journal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.reception import Reception
from wattstead.ingest.resolving.pointmap import PointMap
from wattstead.ingest.sources.source_protocol import Message
from wattstead.registry.records import KeyGrant
from wattstead.registry.records import Scope as KeyScope
from wattstead.stream import Journal, JournalLimits


class Doorway:
    """A `wattstead.ingest.sources.source_protocol.Way` of one source; counts what is on disk."""

    def __init__(self, reception: Reception, number: int) -> None:
        self.grant = KeyGrant(number + 1, number + 1, 1, KeyScope.WRITE, 1_000_000)
        self.readings = self.skipped = self.messages = self.refused = 0
        self._reception = reception

    def present_us(self) -> int:
        """See `Way`, as what follows."""
        return time.time_ns() // 1000

    async def keep(self, columns: Columns | Few, message: Message) -> None:
        whole = columns if isinstance(columns, Columns) else columns.columns()
        kept = await self._reception.keep(self.grant, whole)
        self.readings += kept.accepted
        self.skipped += kept.skipped
        self.messages += 1

    def refuse(self, message: Message, reason: str) -> None:
        self.refused += 1

    def connected(self, to: str) -> None: ...

    def lagging(self, seconds: float) -> None: ...


@contextlib.asynccontextmanager
async def reception(folder: Path) -> AsyncIterator[Reception]:
    """The way in, before a journal below ``folder``."""
    journal = Journal.open(folder, 0, JournalLimits(unconsumed_bytes=100_000_000_000))
    made = Reception(journal, PointMap(), IngestLimits(key_rate=1e7))
    try:
        yield made
    finally:
        made.close()
        await journal.close()
