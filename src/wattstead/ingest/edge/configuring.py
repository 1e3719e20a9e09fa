"""Configuring: what is known of an edge as a signed document, made anew only when the registry has changed.

What the edge does with it, and what it takes back, is told in `wattstead.edge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from wattstead.ingest.edge import trust
from wattstead.ingest.edge.wire import Document, EdgeSource
from wattstead.ingest.errors import IngestError
from wattstead.ingest.sources.forms import settings_of
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import SOURCES, named
from wattstead.registry.records import EdgePlan, SourceState
from wattstead.registry.registry import Registry
from wattstead.registry.storage.dataset import Counters

_MOST_HELD = 10_000


class Offered(NamedTuple):
    """A document as it is sent."""

    tag: str
    document: bytes


class Configuring:
    """Makes documents; its methods ask the registry, so they are called in threads."""

    def __init__(self, registry: Registry, key: bytes, table: Sequence[SourceProtocol] = SOURCES) -> None:
        """``key`` signs: 32 bytes that stay on the server."""
        self._registry, self._key, self._table = registry, key, table
        self.public_key = trust.public_of(key)
        self._held: dict[int, tuple[Counters, Offered]] = {}

    def signature(self, document: bytes, challenge: str) -> str:
        """Of a document, for the edge that asked with this challenge."""
        return trust.signature(self._key, trust.document_text(document, challenge))

    def offered(self, edge_id: int) -> Offered:
        """The document of an edge as things stand; raises `Unknown`."""
        counters = self._registry.counters()
        held = self._held.get(edge_id)
        if held is not None and held[0] == counters:
            return held[1]
        plan = self._registry.edge_plan(edge_id)
        sources = [_source(state, self._table) for state in plan.sources]
        tag = _digest(plan, sources, whole=True)
        if held is not None and held[1].tag == tag:
            made = held[1]
        else:
            number = self._registry.edge_number(edge_id, _digest(plan, sources, whole=False))
            document = msgspec.json.encode(_document(plan, sources, number))
            made = Offered(tag, document)
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        self._held[edge_id] = (counters, made)
        return made


def _document(plan: EdgePlan, sources: list[EdgeSource], number: int) -> Document:
    secrets = {str(state.source.id): dict(state.secrets) for state in plan.sources}
    return Document(
        edge_id=plan.edge.id,
        site_id=plan.edge.site_id,
        number=number,
        settings=plan.edge.settings,
        sources=sources,
        box=trust.sealed(plan.sealing_key, msgspec.json.encode(secrets)),
        points=plan.points,
    )


def _source(state: SourceState, table: Sequence[SourceProtocol]) -> EdgeSource:
    source = state.source
    return EdgeSource(
        id=source.id,
        name=source.name,
        protocol=source.protocol,
        settings=_completed(state, table),
        past_days=source.past_days,
        rate=source.rate,
        enabled=source.enabled,
        open=state.grant is not None,
        fault=state.fault,
    )


def _completed(state: SourceState, table: Sequence[SourceProtocol]) -> dict[str, Any]:
    """The settings with what only a server can look up; as they are where they are wrong: the edge will say so."""
    plain = state.source.settings
    protocol = named(state.source.protocol, table)
    if protocol is None or protocol.complete is None:
        return plain
    try:
        told = protocol.complete(settings_of(protocol, plain, state.secrets))
    except IngestError:
        return plain
    made: dict[str, Any] = msgspec.to_builtins(told)
    return {name: value for name, value in made.items() if name not in state.secrets}


def _digest(plan: EdgePlan, sources: list[EdgeSource], whole: bool) -> str:
    """Of everything that a document says, secrets included; without the map of points unless ``whole``."""
    told = [
        plan.edge.settings,
        plan.sealing_key,
        [(one, sorted(state.secrets.items())) for one, state in zip(sources, plan.sources, strict=True)],
        plan.points if whole else [],
    ]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:32]
