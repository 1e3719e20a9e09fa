"""The routes by which edges join, are told how to work, and send what they have read; answers are JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from wattstead.ingest.edge import trust
from wattstead.ingest.edge.configuring import Configuring
from wattstead.ingest.edge.uploads import EdgeClosed, OutOfSequence, Uploads
from wattstead.ingest.edge.wire import BATCHES, JOIN, SYNC, Joined, Joining, Sync, Synced, Uploaded, unpacked
from wattstead.ingest.errors import BodyInvalid, ClearRefused, IngestError, RateExceeded
from wattstead.ingest.http.asgi import Answer, Request, answer
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.gate import Buckets
from wattstead.ingest.http.routes import HttpProtocol, Route
from wattstead.ingest.http.told import refuse
from wattstead.ingest.reception import Reception
from wattstead.registry.errors import LinkInvalid, RegistryUnavailable
from wattstead.registry.registry import Registry

_log = structlog.get_logger("wattstead.ingest")
_JOIN_BYTES, _SYNC_BYTES = 10_000, 1_000_000
_T = TypeVar("_T", bound=msgspec.Struct)
_JOINS_PER_S, _JOIN_BURST_S = 1.0, 20.0
"""Of one address."""


class CodeInvalid(IngestError):
    """A code that was used, is too old, or was never given."""

    status = 403

    def __init__(self) -> None:
        super().__init__("this code was used, has ended or was never given; make a new one on the page of the site")


class TooManyJoins(IngestError):
    """An address tries codes faster than anybody types them."""

    status = 429
    retryable = True

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"too many tries to join from this address; try again in {retry_after_s:.0f} s")


class EdgeDoor:
    """Who lets edges in; made once at start, for one event loop."""

    def __init__(self, registry: Registry, key: bytes, journal: Path) -> None:
        """``key`` signs configurations; ``journal`` is the folder in which uploads are looked for."""
        self._registry, self._journal = registry, journal
        self.configuring = Configuring(registry, key)
        self._uploads: Uploads | None = None
        self._joins = Buckets(_JOINS_PER_S, _JOIN_BURST_S)

    @property
    def protocol(self) -> HttpProtocol:
        """The row for `wattstead.ingest.http.app.IngestApp`."""
        return HttpProtocol("edge", "docs/edge.md", self.routes)

    def routes(self, reception: Reception) -> Sequence[Route]:
        """Where edges come."""
        self._uploads = Uploads(self._registry, reception, self._journal)
        return [
            Route(JOIN, ("POST",), self._join, refuse),
            Route(SYNC, ("POST",), self._sync, refuse),
            Route(BATCHES, ("POST",), self._batches, _refuse_batch),
        ]

    def close(self) -> None:
        """End what was started."""
        if self._uploads is not None:
            self._uploads.close()

    async def _join(self, request: Request) -> Answer:
        if request.clear is not Clear.NO:
            raise ClearRefused(0)
        try:
            self._joins.admit(request.peer)
        except RateExceeded as exceeded:
            raise TooManyJoins(exceeded.retry_after_s) from None
        self._joins.charge(request.peer, 1)
        asked = _decoded(await request.body(_JOIN_BYTES), Joining)
        keys = trust.checked_public(asked.signing_key), trust.checked_public(asked.sealing_key)
        try:
            edge = await asyncio.to_thread(self._registry.join_edge, asked.code, *keys)
        except LinkInvalid:
            raise CodeInvalid from None
        site = await asyncio.to_thread(self._registry.site, edge.site_id)
        _log.info("edge joined", edge=edge.id, site=edge.site_id)
        return _answer(200, Joined(edge.id, edge.name, site.name, self.configuring.public_key))

    async def _sync(self, request: Request) -> Answer:
        edge_id, body = await self._signed(request, SYNC, _SYNC_BYTES)
        told = _decoded(body, Sync)
        offered = await asyncio.to_thread(self.configuring.offered, edge_id)
        await asyncio.to_thread(self._registry.keep_edge_health, edge_id, told.health)
        now_us = self._room.clock_us()
        if told.tag == offered.tag:
            return _answer(200, Synced(now_us, offered.tag))
        signature = await asyncio.to_thread(self.configuring.signature, offered.document, told.challenge)
        return _answer(200, Synced(now_us, offered.tag, offered.document, signature))

    async def _batches(self, request: Request) -> Answer:
        limits = self._room.limits
        edge_id, body = await self._signed(request, BATCHES, limits.body_bytes)
        uploads = self._there
        entry = await uploads.entry(edge_id)
        if entry.grant is None:
            raise EdgeClosed(edge_id)
        request.key_id = entry.grant.id
        upload = await self._room.read(body, partial(unpacked, most_bytes=limits.unpacked_bytes))
        request.hold(len(upload.batch))
        return _answer(200, await uploads.keep(edge_id, upload, body))

    async def _signed(self, request: Request, path: str, most_bytes: int) -> tuple[int, bytes]:
        """The edge that sends a request, and its body; raises `NotTrusted`, `ClearRefused`."""
        if request.clear is not Clear.NO:
            raise ClearRefused(0)
        edge_id, given = trust.authorized(request.header(b"authorization"))
        entry = await self._there.entry(edge_id)
        body = await request.body(most_bytes)
        trust.verify(entry.signing_key, trust.request_text(path, body), given)
        return edge_id, body

    @property
    def _there(self) -> Uploads:
        if self._uploads is None:
            raise RegistryUnavailable("edges are not let in yet")
        return self._uploads

    @property
    def _room(self) -> Reception:
        return self._there.reception


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BodyInvalid("body", str(error)) from None


def _answer(status: int, told: msgspec.Struct) -> Answer:
    return answer(status, msgspec.json.encode(told))


def _refuse_batch(error: IngestError) -> Answer:
    if isinstance(error, OutOfSequence):
        return _answer(error.status, Uploaded(error.sequence, 0))
    return refuse(error)
