"""Configuring: what is known of an edge as a signed document, made anew only when the registry has changed.

What the edge does with it, and what it takes back, is told in `wattstead.edge`.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from wattstead.ingest.edge import trust
from wattstead.ingest.edge.wire import Document, EdgeSource
from wattstead.registry.records import EdgePlan, SourceState
from wattstead.registry.registry import Registry
from wattstead.registry.storage.dataset import Counters

_MOST_HELD = 10_000


class Signed(NamedTuple):
    """A document as it is sent."""

    tag: str
    document: bytes
    signature: str


class Configuring:
    """Makes documents; its methods ask the registry, so they are called in threads."""

    def __init__(self, registry: Registry, key: bytes) -> None:
        """``key`` signs: 32 bytes that stay on the server."""
        self._registry, self._key = registry, key
        self.public_key = trust.public_of(key)
        self._held: dict[int, tuple[Counters, Signed]] = {}

    def signed(self, edge_id: int) -> Signed:
        """The document of an edge as things stand; raises `Unknown`."""
        counters = self._registry.counters()
        held = self._held.get(edge_id)
        if held is not None and held[0] == counters:
            return held[1]
        plan = self._registry.edge_plan(edge_id)
        tag = _digest(plan, whole=True)
        if held is not None and held[1].tag == tag:
            made = held[1]
        else:
            number = self._registry.edge_number(edge_id, _digest(plan, whole=False))
            document = msgspec.json.encode(_document(plan, number))
            made = Signed(tag, document, trust.signature(self._key, trust.document_text(document)))
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        self._held[edge_id] = (counters, made)
        return made


def _document(plan: EdgePlan, number: int) -> Document:
    secrets = {str(state.source.id): dict(state.secrets) for state in plan.sources}
    return Document(
        edge_id=plan.edge.id,
        site_id=plan.edge.site_id,
        number=number,
        settings=plan.edge.settings,
        sources=[_source(state) for state in plan.sources],
        box=trust.sealed(plan.sealing_key, msgspec.json.encode(secrets)),
        points=plan.points,
    )


def _source(state: SourceState) -> EdgeSource:
    source = state.source
    return EdgeSource(
        id=source.id,
        name=source.name,
        protocol=source.protocol,
        settings=source.settings,
        past_days=source.past_days,
        rate=source.rate,
        enabled=source.enabled,
        open=state.grant is not None,
        fault=state.fault,
    )


def _digest(plan: EdgePlan, whole: bool) -> str:
    """Of everything that a document says, secrets included; without the map of points unless ``whole``."""
    told = [
        plan.edge.settings,
        plan.sealing_key,
        [(_source(state), sorted(state.secrets.items())) for state in plan.sources],
        plan.points if whole else [],
    ]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:32]
