"""Uploads: readings of an edge go to the journal once, however often they come; what does not fit goes back by name.

An upload has a number. The last one that is in the journal is remembered in the registry, after the journal has it and
before the edge hears so. When the server died, or the registry was away, between the two, the next upload may be there
already: the first one of each edge after a start or a failure is looked for in the journal itself, so that it is not
put behind a later correction.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.edge.trust import NotTrusted
from wattstead.ingest.edge.wire import Refused, Upload, Uploaded
from wattstead.ingest.errors import IngestError
from wattstead.ingest.reception import Already, Reception
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import ALIASES, UNITS
from wattstead.registry.records import EdgeEntry, KeyGrant
from wattstead.registry.registry import Registry
from wattstead.stream.holding import holds

_EVERY_REFUSAL = 2_000_000


class OutOfSequence(IngestError):
    """An upload that does not follow the last one: the edge goes on with the number after it."""

    status = 409

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        super().__init__(f"upload {sequence} is the last one here; send this one with number {sequence + 1}")


class EdgeClosed(IngestError):
    """An edge that is switched off, or whose site is."""

    status = 403
    retryable = True
    retry_after_s = 60.0

    def __init__(self, edge_id: int) -> None:
        super().__init__(f"edge {edge_id} is switched off, or its site is; enable it on the page of the site")


@dataclass(slots=True)
class _Known:
    entry: EdgeEntry
    generation: int
    sequence: int
    digest: str
    at_us: int
    certain: bool = False
    """Whether ``sequence`` is what the journal has: not after a start, nor after an upload that failed on the way,
    before the next one has been looked for."""
    answer: Uploaded | None = None
    """What was said to that upload: who did not hear it would not know of what was refused. None after a start."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Uploads:
    """What the edges send to this process; for one event loop."""

    def __init__(self, registry: Registry, reception: Reception, journal: Path) -> None:
        self.reception = reception
        self._registry, self._journal = registry, journal
        self._known: dict[int, _Known] = {}
        self._threads = ThreadPoolExecutor(2, "edges")
        self._due: dict[int, tuple[int, str, int]] = {}
        self._recording: asyncio.Task[None] | None = None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def entry(self, edge_id: int) -> EdgeEntry:
        """What is known of an edge, as the registry has it now; raises `NotTrusted`, `RegistryUnavailable`."""
        return (await self._of(edge_id)).entry

    async def keep(self, edge_id: int, upload: Upload, body: bytes) -> Uploaded:
        """Returns when the readings are in the journal and the number is remembered.

        Raises `OutOfSequence`, `EdgeClosed`, `BodyInvalid` and what resolver, journal and registry raise; then the same
        upload may come again.
        """
        known = await self._of(edge_id)
        digest = hashlib.sha256(body).hexdigest()[:32]
        async with known.busy:
            if upload.sequence == known.sequence and digest == known.digest:
                told = known.answer or Uploaded(known.sequence, 0)
                return msgspec.structs.replace(told, server_us=self.reception.clock_us(), repeated=True)
            if upload.sequence != known.sequence + 1:
                raise OutOfSequence(known.sequence)
            if known.entry.grant is None:
                raise EdgeClosed(edge_id)
            already = None if known.certain else partial(self._held, known.at_us)
            known.certain = False  # where this fails on the way, the journal may have some of it
            accepted, refused = await self._journaled(known.entry, known.entry.grant, upload, already)
            at_us = time.time_ns() // 1000
            await self._record(edge_id, upload.sequence, digest, at_us)
            known.sequence, known.digest, known.at_us, known.certain = upload.sequence, digest, at_us, True
            known.answer = Uploaded(upload.sequence, self.reception.clock_us(), False, accepted, refused)
            return known.answer

    async def _journaled(
        self, entry: EdgeEntry, own: KeyGrant, upload: Upload, already: Already | None
    ) -> tuple[int, list[Refused]]:
        batch = upload.readings()
        grants = [entry.grants.get(name.source_id, own) for name in upload.names]
        accepted, refused = 0, list[Refused]()
        for grant in {grant.id: grant for grant in grants}.values():
            theirs = np.fromiter((one.id == grant.id for one in grants), np.bool_, len(grants))
            rows = np.flatnonzero(theirs[batch.point])
            if not len(rows):
                continue
            kept = await self.reception.keep(grant, _columns(upload, batch, rows), already=already)
            accepted += kept.accepted
            refused += [Refused(int(issue.place), issue.reason) for issue in kept.rejected.listed]
        return accepted, refused

    async def _held(self, since_us: int, encoded: bytes) -> bool:
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._threads, holds, self._journal, encoded, since_us)

    async def _of(self, edge_id: int) -> _Known:
        known = self._known.get(edge_id)
        run = asyncio.get_running_loop().run_in_executor
        generation = await run(self._threads, self._registry.generation)
        if known is not None and known.generation == generation:
            return known
        entry = await run(self._threads, self._registry.edge_entry, edge_id)
        if entry is None:
            self._known.pop(edge_id, None)
            raise NotTrusted(f"no machine has joined as edge {edge_id}")
        known = self._known.get(edge_id)
        if known is None or known.entry.signing_key != entry.signing_key:
            known = _Known(entry, generation, entry.sequence, entry.sequence_digest, entry.sequence_at)
            self._known[edge_id] = known
        known.entry, known.generation = entry, generation
        return known

    async def _record(self, edge_id: int, sequence: int, digest: str, at_us: int) -> None:
        """Remember a number; many at once share a transaction."""
        self._due[edge_id] = (sequence, digest, at_us)
        while edge_id in self._due:
            if self._recording is None or self._recording.done():
                self._recording = asyncio.create_task(self._write())
            await asyncio.shield(self._recording)

    async def _write(self) -> None:
        due, self._due = self._due, {}
        await asyncio.get_running_loop().run_in_executor(self._threads, self._registry.keep_edge_sequences, due)


def _columns(upload: Upload, batch: ReadingBatch, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Columns:
    """Some rows of an upload, each named by its place in it."""
    used, index = np.unique(batch.point[rows], return_inverse=True)
    names = [upload.names[one] for one in used.tolist()]
    units = [_known_unit(name.unit) for name in names]
    return Columns(
        Names([name.address for name in names], index.astype(np.int32)),
        batch.time_us[rows],
        batch.value[rows],
        Rejections(_EVERY_REFUSAL),
        place=lambda row: str(int(rows[row])),
        units=[units[one] for one in index.tolist()] if any(units) else None,
        quality=batch.quality[rows],
    )


def _known_unit(symbol: str) -> str:
    return symbol if symbol in UNITS or symbol in ALIASES else ""
