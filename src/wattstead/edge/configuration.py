"""Configuration: what the server wants of this edge: believed with its signature alone, tried, taken back if it fails.

The signature is for what was asked just now, so an earlier answer that somebody kept is none. Numbers prove nothing: a
server that was put back gives smaller ones, and is believed.

The number of a configuration grows with what people change; the map of points changes beside it and is never on trial.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import structlog

from wattstead.edge.files import got, put
from wattstead.edge.identity import Identity
from wattstead.ingest.edge import trust
from wattstead.ingest.edge.wire import Document, EdgeSource, Synced
from wattstead.ingest.sources.forms import SettingsInvalid, settings_of
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import named
from wattstead.metering.errors import WattsteadError
from wattstead.registry.policy import Scope
from wattstead.registry.records import EdgeSettings, KeyGrant, Source, SourceState

_log = structlog.get_logger("wattstead.edge")
_MOST_POINTS = 2_000_000_000
_MOST_STARTS = 3
_MODULES = {"edge-amqp": ["pika"], "edge-nats": ["nats"], "edge-opcua": ["asyncua"]}
"""What the extras of `SourceProtocol.extra` bring."""
_EPOCH = datetime.fromtimestamp(0, UTC)


class NotApplicable(WattsteadError):
    """A configuration that this edge cannot run; the former one stays."""


class Held(msgspec.Struct, kw_only=True):
    """What is on disk: boxes of secrets stay closed there."""

    current: Document | None = None
    former: Document | None = None
    """Comes back when the current one fails; None when that is not on trial."""
    tag: str = ""
    """Of the last document that was seen, applied or not."""
    since: float = 0.0
    """When the trial began, seconds since 1970."""
    starts: int = 0
    """How often the program began during the trial."""
    refused: int = 0
    refused_why: str = ""


class Configuration:
    """The configuration of one edge, which is also the `SourceBook` of its sources."""

    def __init__(
        self, folder: Path, identity: Identity, table: Sequence[SourceProtocol],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._file, self._identity, self._table, self._clock = folder / "configuration.json", identity, table, clock
        text = got(self._file)
        self.held = msgspec.json.decode(text, type=Held) if text else Held()
        self._generation = 1
        self._steady: frozenset[int] = frozenset()
        self._began = clock()
        if self.held.former is not None:
            self.held.starts += 1
            self._save()
        self._states = self._opened(self.held.current)

    @property
    def document(self) -> Document | None:
        """What is run; None before the server has said anything."""
        return self.held.current

    @property
    def settings(self) -> EdgeSettings | None:
        """What people have set of this edge; None before the server has said anything."""
        return self.held.current.settings if self.held.current is not None else None

    @property
    def number(self) -> int:
        """Of the configuration that is run; 0: none."""
        return self.held.current.number if self.held.current is not None else 0

    @property
    def on_trial(self) -> bool:
        """Whether the former configuration may still come back."""
        return self.held.former is not None

    def take(self, told: Synced, connected: Collection[int], challenge: str) -> bool:
        """What the server has sent; ``connected`` are the sources that work now. True: something has changed.

        Raises `NotTrusted` for what the server has not signed for who asked with this ``challenge``, `OSError`. What
        cannot be run is refused, and the server hears why.
        """
        if not told.document:
            return False
        trust.verify(self._identity.server_key, trust.document_text(told.document, challenge), told.signature)
        try:
            new = msgspec.json.decode(told.document, type=Document)
        except msgspec.MsgspecError as error:
            return self._refuse(0, told.tag, f"it cannot be read: {error}; bring this edge to the server's version")
        if new.edge_id != self._identity.edge_id:
            raise trust.NotTrusted(f"a configuration of edge {new.edge_id}")
        if new.number == self.held.refused and self.held.current is not None:
            new = msgspec.structs.replace(self.held.current, points=new.points)
        if self._runs(new):
            self.held.current, self.held.tag = new, told.tag
            self._save()
            return True
        try:
            states = self._opened(new)
            self._check(states)
        except (NotApplicable, trust.NotTrusted) as error:
            return self._refuse(new.number, told.tag, str(error))
        held = self.held
        held.former, held.current, held.tag = held.current, new, told.tag
        held.since, held.starts, held.refused, held.refused_why = time.time(), 0, 0, ""
        self._save()
        self._began, self._steady = self._clock(), frozenset(connected)
        self._states, self._generation = states, self._generation + 1
        _log.info("configuration_applied", number=new.number, trial=held.former is not None)
        return True

    def watch(self, failing: Mapping[int, str], contact: float) -> bool:
        """Look whether a configuration on trial has to go; ``failing`` sources with their errors, ``contact``: when the
        server last answered, by the clock. True: the former one is back.
        """
        held = self.held
        if held.former is None or held.current is None:
            return False
        if held.starts >= _MOST_STARTS:
            return self._back(f"this edge began anew {held.starts} times within its trial")
        if self._clock() - self._began < held.current.settings.trial_s:
            return False
        there = {source.id for source in held.current.sources if source.enabled and source.open}
        broken = {one: failing[one] for one in self._steady & there & failing.keys()}
        if broken:
            told = "; ".join(f"source {one}: {why}" for one, why in sorted(broken.items()))
            return self._back(f"what worked before failed under it: {told}"[:1000])
        if contact < self._began:
            return self._back("the server could not be reached since it was applied", again=True)
        held.former, held.starts = None, 0
        self._save()
        _log.info("configuration_stands", number=held.current.number)
        return False

    def generation(self) -> int:
        """See `wattstead.ingest.sources.running.SourceBook`, as all that follow."""
        return self._generation

    def sources_since(self, generation: int) -> list[SourceState]:
        """All of them: one that has not changed is left alone."""
        return list(self._states.values())

    def source_ids(self) -> list[int]:
        """The sources, and 0, under which refused readings wait."""
        return [0, *self._states]

    def source_state(self, source_id: int) -> SourceState:
        """One of them; raises `NotApplicable`."""
        found = self._states.get(source_id)
        if found is None:
            raise NotApplicable(f"source {source_id} is none of this edge's")
        return found

    def _runs(self, new: Document) -> bool:
        """Whether nothing but the map of points is new; a server that was put back counts from an earlier number."""
        held = self.held.current
        return held is not None and (new.number, new.settings, new.sources) == (
            held.number, held.settings, held.sources,
        )  # fmt: skip

    def _refuse(self, number: int, tag: str, why: str) -> bool:
        self.held.refused, self.held.refused_why, self.held.tag = number, why[:1000], tag
        self._save()
        _log.error("configuration_refused", number=number, reason=why)
        return False

    def _back(self, why: str, again: bool = False) -> bool:
        """The former configuration returns. ``again``: the new one may be tried once more."""
        held = self.held
        assert held.current is not None
        held.refused, held.refused_why = held.current.number, why
        held.tag = "" if again else held.tag
        held.current, held.former, held.starts = held.former, None, 0
        self._states, self._generation = self._opened(held.current), self._generation + 1
        if again:
            held.refused = -held.refused
        self._save()
        _log.error("configuration_taken_back", number=abs(held.refused), reason=why)
        return True

    def _opened(self, document: Document | None) -> dict[int, SourceState]:
        """The sources of a document with their secrets; raises `NotTrusted`."""
        if document is None:
            return {}
        box = trust.opened(self._identity.sealing_key, document.box)
        secrets = msgspec.json.decode(box, type=dict[str, dict[str, str]])
        return {one.id: _state(document, one, secrets.get(str(one.id), {})) for one in document.sources}

    def _check(self, states: Mapping[int, SourceState]) -> None:
        """Raise `NotApplicable` for a source that this program cannot run."""
        for state in states.values():
            source = state.source
            protocol = named(source.protocol, self._table)
            if protocol is None:
                raise NotApplicable(f"source {source.id} ({source.name}): this edge knows no {source.protocol!r}")
            if protocol.extra and not installed(protocol.extra):
                raise NotApplicable(
                    f"source {source.id} ({source.name}): {protocol.title} needs more than this edge has: "
                    f"pip install 'wattstead[{protocol.extra}]' there"
                )
            try:
                settings_of(protocol, source.settings, state.secrets)
            except SettingsInvalid as error:
                raise NotApplicable(f"source {source.id} ({source.name}): {error}") from None

    def _save(self) -> None:
        put(self._file, msgspec.json.encode(self.held))


def installed(extra: str) -> bool:
    """Whether the packages of an extra of ours are there."""
    return all(find_spec(module) is not None for module in _MODULES[extra])


def _state(document: Document, source: EdgeSource, secrets: Mapping[str, Any]) -> SourceState:
    grant = KeyGrant(source.id, document.site_id, 0, Scope.WRITE, _MOST_POINTS)
    told = Source(
        id=source.id,
        site_id=document.site_id,
        device_id=None,
        key_id=source.id,
        name=source.name,
        protocol=source.protocol,
        settings=source.settings,
        secrets=tuple(secrets),
        past_days=source.past_days,
        rate=source.rate,
        enabled=source.enabled,
        created=_EPOCH,
        version=document.number,
    )
    return SourceState(source=told, secrets=secrets, grant=grant if source.open else None, fault=source.fault)
