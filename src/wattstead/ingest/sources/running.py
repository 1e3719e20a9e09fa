"""Sources: runs every source that is switched on, follows changes within a second, looks around, replays letters.

How one of them is run and tried again is in `life`; what it keeps and how is in `way`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

import structlog

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.reception import Reception
from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.forms import SettingsInvalid, hosts, of_setting, scrubbed, settings_of
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.life import Life, failure_of
from wattstead.ingest.sources.outward import AddressRefused, Outward
from wattstead.ingest.sources.replaying import Replayed, replay
from wattstead.ingest.sources.sight import Sight, State
from wattstead.ingest.sources.source_protocol import Found, SourceFailed, SourceProtocol
from wattstead.ingest.sources.table import SOURCES, named
from wattstead.ingest.sources.way import SourceWay
from wattstead.ingest.sources.window import Window
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import KeyGrant, SourceState

_log = structlog.get_logger("wattstead.sources")
_POLL_S = 1.0
_LOOK_S = 30.0
_LOOKS_AT_ONCE = 4
_MOST_FOUND = 5_000
_UNREADABLE_PER_S = 1_000
_RATE = 50_000.0
P = ParamSpec("P")
T = TypeVar("T")


class SourceBook(Protocol):
    """Where sources are written down: the registry on a server, a signed file on site."""

    def generation(self) -> int:
        """Grows with every change."""
        ...

    def sources_since(self, generation: int) -> list[SourceState]:
        """The sources that changed since; after 0: all."""
        ...

    def source_ids(self) -> list[int]:
        """All that there are."""
        ...

    def source_state(self, source_id: int) -> SourceState:
        """One of them; raises `wattstead.registry.errors.Unknown`."""
        ...


class LooksBusy(WattsteadError):
    """As many looks around as may be are under way."""

    retryable = True
    retry_after_s = 5.0

    def __init__(self) -> None:
        super().__init__("somebody looks around already, perhaps you in another window; try again in a few seconds")


class Looked(WattsteadError):
    """A look around that came to nothing; its message says why."""


@dataclass(slots=True)
class _Running:
    """One source as it is run."""

    state: SourceState
    life: Life
    spec: tuple[Any, ...]
    figures: Figures
    way: SourceWay | None = None
    refused: int = 0
    """Messages refused at the last poll."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of replays: one at a time."""


class Sources:
    """The sources of this process; for one event loop. Journal, resolver and letters stay the caller's to close."""

    def __init__(
        self,
        book: SourceBook,
        reception: Reception,
        letters: Letters,
        table: Sequence[SourceProtocol] = SOURCES,
        *,
        outward: Outward | None = None,
        rate: float = _RATE,
        poll_s: float = _POLL_S,
        installation: str = "",
        sender: Callable[[int, int], KeyGrant | None] = lambda source_id, key_id: None,
    ) -> None:
        """``rate``: readings a second that a source may bring unless it was told otherwise; ``installation``: what
        tells this server or edge from others; ``sender``: under what is kept what was sent to a source with a key."""
        self._installation, self._sender = installation, sender
        self.letters, self.table = letters, table
        self._book, self._reception = book, reception
        self._outward, self._rate, self._poll_s = outward or Outward(), rate, poll_s
        self._running: dict[int, _Running] = {}
        self._generation = 0
        self._closed: frozenset[int] = frozenset()
        self._wake = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "sources")
        self._looks: list[str] = []
        """Who looks around at this moment."""

    async def start(self) -> None:
        """Run what is switched on, and follow changes until `stop`."""
        with contextlib.suppress(WattsteadError):  # the watcher says so and asks again
            await self._follow()
        await self._in_thread(self._forget_letters_of_the_gone)
        self._watcher = asyncio.create_task(self._watch(), name="sources")

    async def stop(self) -> None:
        """End all sources; what they have handed over is on disk."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        running, self._running = self._running, {}
        await asyncio.gather(*(one.life.end() for one in running.values()))
        self._thread.shutdown(wait=True, cancel_futures=True)

    def wake(self) -> None:
        """Something has changed: look at once."""
        self._wake.set()

    def sights(self) -> dict[int, Sight]:
        """How the sources are doing, by id; a source made a moment ago is not among them yet. From any thread."""
        return {source_id: self._sight(source_id, one) for source_id, one in list(self._running.items())}

    def sight(self, source_id: int) -> Sight | None:
        """How one of them is doing."""
        found = self._running.get(source_id)
        return None if found is None else self._sight(source_id, found)

    def named(self, source_id: int) -> str:
        """What people call it."""
        found = self._running.get(source_id)
        return found.state.source.name if found else str(source_id)

    async def look(
        self, name: str, plain: Mapping[str, Any], secrets: Mapping[str, str], wanted: Mapping[str, Any], who: str = ""
    ) -> Sequence[Found]:
        """Look around with settings that need not be saved, for at most half a minute; ``who`` does one at a time.

        Raises `Looked` when the other side cannot be asked, `SettingsInvalid`, `ParameterInvalid`, `AddressRefused`,
        `LooksBusy`.
        """
        protocol = named(name, self.table)
        if protocol is None or protocol.look is None:
            known = ", ".join(one.name for one in self.table if one.look is not None)
            raise ParameterInvalid("protocol", name, f"one that can look around: {known}")
        settings = settings_of(protocol, plain, secrets)
        await self._outward.check(hosts(protocol, settings))
        if len(self._looks) >= _LOOKS_AT_ONCE or who in self._looks:
            raise LooksBusy
        self._looks.append(who)
        try:
            with self._outward.applied():
                async with asyncio.timeout(_LOOK_S):
                    found = await protocol.look(settings, wanted)
            return found[:_MOST_FOUND]
        except TimeoutError:
            raise Looked(f"nothing was found within {_LOOK_S:.0f} s") from None
        except ParameterInvalid as error:
            raise of_setting(protocol, error) from None
        except Exception as error:
            raise self._looked(name, error, secrets) from None
        finally:
            self._looks.remove(who)

    async def replay(self, source_id: int, letter_ids: Sequence[int] | None = None) -> Replayed:
        """Decode dead letters of a source again, None for all; raises `Unknown`, `SettingsInvalid`, `Looked`."""
        state = await self._in_thread(self._book.source_state, source_id)
        protocol, settings = self._settings(state)
        if state.grant is None:
            raise Looked("the site is disabled, so nothing is kept for it; enable it first")
        known = self._running.get(source_id)
        figures, lock = (known.figures, known.busy) if known else (Figures(), asyncio.Lock())
        way = self._way(state, state.grant, figures, Life(source_id, figures, {}, self._reception.clock_us))
        async with lock:
            ids = await asyncio.to_thread(self.letters.all_ids, source_id) if letter_ids is None else letter_ids
            return await replay(
                source_id, self.letters, ids, lambda one: protocol.decode(one, settings), way, self._sender
            )  # fmt: skip

    def _looked(self, name: str, error: Exception, secrets: Mapping[str, str]) -> Looked:
        failed = failure_of(error)
        if failed is not None:
            return Looked(scrubbed(str(failed), secrets)[:1000])
        _log.error("look broke", protocol=name, error=scrubbed(repr(error), secrets))
        return Looked(f"this is a fault of the program ({type(error).__name__}); its log has the rest")

    async def _watch(self) -> None:
        away = False
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            self._wake.clear()
            try:
                await self._follow()
                away = False
            except WattsteadError as error:
                if not away:
                    _log.warning("registry away; sources run on as they are", error=str(error))
                away = True
            except Exception as error:
                _log.error("sources cannot be followed", exc_info=error)
            self._hold_floods_up()

    async def _follow(self) -> None:
        """Take over what has changed: sources in the book, and whether their devices may post."""
        if (closed := self._reception.resolver.closed.devices) != self._closed:
            self._closed = closed
            for one in list(self._running.values()):
                self._take(one.state)
        generation = await self._in_thread(self._book.generation)
        if generation == self._generation:
            return
        since = self._generation if generation > self._generation else 0
        states = await self._in_thread(self._book.sources_since, since)
        there = set(await self._in_thread(self._book.source_ids))
        for gone in self._running.keys() - there:
            await self._running.pop(gone).life.end()
            await self._in_thread(self.letters.remove, gone)
        for state in states:
            self._take(state)
        self._generation = generation

    def _take(self, state: SourceState) -> None:
        """Run a source as it is now; one that runs so already is left alone."""
        source = state.source
        spec = self._spec(state)
        held = self._running.get(source.id)
        if held is not None and held.spec == spec:
            held.state = state
            if held.way is not None and state.grant is not None:
                held.way.grant = state.grant
            return
        figures = held.figures if held is not None else Figures()
        life = Life(source.id, figures, dict(state.secrets), self._reception.clock_us)
        running = _Running(state, life, spec, figures)
        running.refused = figures.refused
        if held is not None:
            running.busy = held.busy
            life.failures, life.faults = held.life.failures, held.life.faults
            life.last_error, life.failed_us = held.life.last_error, held.life.failed_us
        figures.waiting_for, figures.slowed, figures.lag_s = "", "", None
        self._running[source.id] = running
        run = self._prepared(running)
        life.begin(run, held.life if held else None)

    def _prepared(self, running: _Running) -> Callable[[], Any] | None:
        """What to run; None where that is not to be, and its life says why."""
        state, life = running.state, running.life
        source = state.source
        if not source.enabled:
            life.rest(State.OFF)
            return None
        if source.edge_id is not None:
            life.rest(State.ELSEWHERE)
            return None
        if state.grant is None or source.device_id in self._closed:
            life.rest(State.CLOSED)
            return None
        try:
            protocol, settings = self._settings(state)
        except SettingsInvalid as error:
            life.rest(State.HOPELESS, str(error))
            return None
        running.way = self._way(state, state.grant, running.figures, life)
        return partial(self._run, protocol, settings, running.way)

    async def _run(self, protocol: SourceProtocol, settings: Any, way: SourceWay) -> None:
        try:
            await self._outward.check(hosts(protocol, settings))
        except AddressRefused as error:
            raise SourceFailed(str(error), hopeless=True) from None
        with self._outward.applied():
            await protocol.run(settings, way)

    def _settings(self, state: SourceState) -> tuple[SourceProtocol, Any]:
        if state.fault:
            raise SettingsInvalid(state.fault, [])
        protocol = named(state.source.protocol, self.table)
        if protocol is None:
            raise SettingsInvalid(f"this program knows no protocol {state.source.protocol!r}", [])
        return protocol, settings_of(protocol, state.source.settings, state.secrets)

    def _way(self, state: SourceState, grant: KeyGrant, figures: Figures, life: Life) -> SourceWay:
        limits, source = self._reception.limits, state.source
        protocol = named(source.protocol, self.table)
        ahead_s = max(limits.future_s, protocol.ahead_days * 86_400.0 if protocol else 0.0)
        window = Window.of(source.past_days, ahead_s, limits.earliest_us)
        rate = min(source.rate, limits.key_rate) if source.rate else min(self._rate, limits.key_rate)
        return SourceWay(
            source.id, grant, self._reception, self.letters, figures, window, rate, life.connected, self._installation,
            life.failed,
        )  # fmt: skip

    def _spec(self, state: SourceState) -> tuple[Any, ...]:
        """What makes it another source to run: not its name."""
        source, grant = state.source, state.grant
        place = None if grant is None else (grant.site_id, grant.device_id)
        return (
            source.edge_id, source.protocol, source.settings, dict(state.secrets), source.enabled, source.past_days,
            source.rate, place, state.fault, source.device_id in self._closed,
        )  # fmt: skip

    def _hold_floods_up(self) -> None:
        """A source that brings nothing but what cannot be read is disconnected for a while."""
        for one in self._running.values():
            refused, one.refused = one.figures.refused - one.refused, one.figures.refused
            protocol = named(one.state.source.protocol, self.table)
            if protocol is not None and protocol.entrance:
                continue  # who floods is slowed there, and nobody else
            if refused > _UNREADABLE_PER_S * max(1.0, self._poll_s):
                one.life.overrun(f"it sends more than {_UNREADABLE_PER_S:,} messages a second that cannot be read")

    def _forget_letters_of_the_gone(self) -> None:
        with contextlib.suppress(WattsteadError):
            there = set(self._book.source_ids())
            for source_id in self.letters.sources() - there:
                self.letters.remove(source_id)

    def _sight(self, source_id: int, one: _Running) -> Sight:
        life, figures, held = one.life, one.figures, self.letters.held(source_id)
        return Sight(
            state=life.state,
            since_us=life.since_us,
            connected_to=life.connected_to,
            last_error=life.last_error,
            failed_us=life.failed_us,
            retry_us=life.retry_us,
            failures=life.failures,
            faults=life.faults,
            waiting_for=figures.waiting_for or figures.slowed,
            messages=figures.messages,
            readings=figures.readings,
            rejected=figures.rejected,
            refused=figures.refused,
            rate_per_s=figures.minute.per_s(),
            last_message_us=figures.last_message_us,
            last_rejected=figures.last_rejected,
            lag_s=figures.lag_s,
            letters=held.letters,
            letters_lost=held.lost,
        )

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))
