"""Assembling the rooms that a process needs: registry, store, journal, refinery, door and pages on one port.

It decides who is started before whom and who is stopped after whom; it handles no reading itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog
import uvloop

from wattstead.backup import PROGRESS, back_up
from wattstead.certificates.authority import authority_file
from wattstead.control import Verb, listening
from wattstead.entrances import Beyond, http_entrance, main_entrance, plain_entrance
from wattstead.ingest.edge.http import EdgeDoor
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.swift import protocol_for
from wattstead.ingest.mqtt.port.port import MqttPort
from wattstead.ingest.mqtt.port.row import MQTT_PORT
from wattstead.ingest.opcua import identity
from wattstead.ingest.protocols import PROTOCOLS
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.outward import Outward, networks
from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.table import SOURCES
from wattstead.limits import ingest_limits, journal_limits, refining_limits, retention, smtp_server, web_settings
from wattstead.listening import Asgi, Ports, Server, beside, open_ports
from wattstead.messaging.outbox import Outbox
from wattstead.metering.errors import WattsteadError
from wattstead.metering.point import Point
from wattstead.publishing import publisher_of
from wattstead.refining.heard import Listener
from wattstead.refining.refinery import Refinery
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.registry.storage.dataset import Counters
from wattstead.securing import Secured, own_names, secure
from wattstead.series import Series
from wattstead.settings import Settings, SettingsInvalid
from wattstead.status import edges_part, status_parts
from wattstead.store.limits import StoreLimits
from wattstead.store.open_files import allow_open_files
from wattstead.store.supervise import StoreProcess
from wattstead.stream import Journal
from wattstead.web.app import create_web
from wattstead.web.settings import Demo

_log = structlog.get_logger("wattstead")
_SWITCH_S = 0.001
"""How long a thread that computes keeps the interpreter from others. By default it is five times as long, and each step
of an answer waits that long for every thread that puts together another one."""


class RegistryTooOld(WattsteadError):
    """The registry knows fewer points than the store: one of them was restored from an older copy."""

    def __init__(self, registered: int, stored: int) -> None:
        self.registered, self.stored = registered, stored
        super().__init__(
            f"the store holds readings of point {stored}, the registry gave ids only up to {registered}: restore both "
            "from one backup, or new points would get the readings of others"
        )


class Product:
    """Everything that runs on one machine; made by `product`, usable while that is open."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        series: Series,
        journal: Journal,
        refinery: Refinery,
        store: StoreProcess | None,
    ) -> None:
        self.settings, self.registry, self.series = settings, registry, series
        self.journal, self.refinery, self.store = journal, refinery, store
        self.url = ""
        """Where the product answers; known once it listens."""
        self.own_url = ""
        """The same for this machine itself."""
        self.http_url = self.plain_url = ""
        """Where phones learn to trust it, and where devices without TLS post; empty for nowhere."""
        self.authority: Path | None = None
        """The certificate of the local authority that vouches for the product."""

    @property
    def store_folder(self) -> Path | None:
        """Where the embedded store keeps its files; None when the store is elsewhere."""
        return self.store.folder if self.store else None

    def newest_us(self, points: Iterable[int]) -> int:
        """The newest instant (µs) that any of these points has a reading of; 0 for none."""
        times = self.series.latest(list(points)).time_us
        return int(times.max()) if len(times) else 0


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[tuple[str, Path | None]]:
    """The store's address and, for the embedded one, its folder; an embedded one runs while this is open."""
    address = settings.store_address.get_secret_value()
    if address:
        yield address, None
        return
    async with _store(settings) as process:
        yield process.address, process.folder


@asynccontextmanager
async def product(settings: Settings) -> AsyncIterator[Product]:
    """Start registry, store, journal and refinery in this order; stop them in the opposite one."""
    folder = settings.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as open_rooms:
        registry = Registry(settings.registry_address, seal=Seal.of_file(folder / "seal.key"))
        open_rooms.callback(registry.close)
        registry.template_folder = folder / "templates"
        await asyncio.to_thread(registry.migrate)
        store = None if settings.store_address.get_secret_value() else _store(settings)
        if store is not None:
            await open_rooms.enter_async_context(store)
        series = Series(store.address if store else settings.store_address.get_secret_value())
        open_rooms.callback(series.close)
        await asyncio.to_thread(series.migrate)
        await asyncio.to_thread(_check_ids, registry, series)
        journal = Journal.open(folder / "journal", 0, journal_limits(settings))
        open_rooms.push_async_callback(journal.close)
        refinery = Refinery(
            folder / "journal",
            folder / PROGRESS,
            series,
            lambda since: _points(registry, since),
            lambda: _points_generation(registry),
            limits=refining_limits(settings),
            retention=retention(settings),
            future_limit_s=settings.future_limit_s,
        )
        journal.listen(refinery.wake)
        await refinery.start()
        open_rooms.push_async_callback(refinery.stop)
        listener = Listener(registry, series, refinery.latest)
        await listener.start()
        open_rooms.push_async_callback(listener.stop)
        outbox = Outbox(registry, smtp_server(settings))
        await outbox.start()
        open_rooms.push_async_callback(outbox.stop)
        yield Product(settings, registry, series, journal, refinery, store)


async def serve(
    settings: Settings,
    prepare: Callable[[Product], Awaitable[Demo | None]] | None = None,
    ready: Callable[[Product], Awaitable[None]] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT. ``prepare`` runs before the port answers, ``ready`` beside it afterwards.

    What ``prepare`` returns is what the pages tell of a demo.

    Raises `PortTaken`, `NotWithoutTls`, `CertificateError`, `RegistryTooOld` and what the rooms raise at their start.
    """
    with open_ports(settings) as ports:
        secured = await asyncio.to_thread(secure, settings)
        async with product(settings) as running:
            running.url, running.own_url = ports.url, ports.own_url
            running.plain_url = ports.url_of(ports.plain, settings)
            running.http_url = ports.url_of(ports.http, settings) if secured and secured.trust else ""
            running.authority = authority_file(settings.folder) if secured and secured.trust else None
            resolver = RegistryResolver(running.registry)
            await asyncio.to_thread(resolver.start)
            demo = await prepare(running) if prepare is not None else None
            edges = _edges(settings, running)
            door = IngestApp(running.journal, resolver, ingest_limits(settings), (*PROTOCOLS, edges.protocol))
            letters = await asyncio.to_thread(Letters, settings.folder.absolute() / "letters.db")
            mqtt_port = _mqtt_port(settings, door, running.registry, secured)
            sources = _sources(settings, running, door, letters, mqtt_port)
            pages = create_web(
                running.registry,
                running.series,
                running.refinery.live,
                web_settings(settings, running.url, running.http_url, demo, secured),
                lambda: [
                    *status_parts(door, sources, running.journal, running.refinery, running.store),
                    edges_part(running.registry),
                    *([secured.part()] if secured else []),
                ],
                running.refinery.pending,
                strict=lambda: secured is not None and secured.live.public,
                keep=running.journal.append,
                remove=running.refinery.remove,
                sources=sources,
                waiting=running.refinery.waiting,
            )
            publisher = publisher_of(settings, running.registry, running.refinery.live)
            try:
                await sources.start()
                if publisher is not None:
                    await publisher.start()
                if mqtt_port is not None:
                    await mqtt_port.start()
                _keep_what_is_there()
                async with listening(settings.folder, {"backup": _backup(running)}):
                    await _answer(door, pages, ports, secured, running, ready)
            finally:
                if mqtt_port is not None:
                    await mqtt_port.stop()
                if publisher is not None:
                    await publisher.stop()
                await sources.stop()
                await asyncio.to_thread(letters.close)
                edges.close()
                door.close()
                await asyncio.to_thread(resolver.close)


async def _answer(
    door: IngestApp,
    pages: Asgi,
    ports: Ports,
    secured: Secured | None,
    running: Product,
    ready: Callable[[Product], Awaitable[None]] | None,
) -> None:
    settings = running.settings
    prefix, forwarded = settings.base_path, settings.trust_forwarded
    trust, challenges = (secured.trust, secured.challenges) if secured else (None, None)
    beyond = Beyond(
        ports.number if secured else 443, prefix, settings.public_url.rstrip("/"), lambda: own_names(settings, secured)
    )
    server = Server(
        main_entrance(door, pages, beyond, trust, prefix, forwarded),
        protocol_for(door, prefix, Clear.NEVER, forwarded),
        secured.live.context if secured else None,
    )
    plain = Server(
        plain_entrance(door, prefix, forwarded), protocol_for(door, prefix, Clear.BY_KEY, forwarded), first=False
    )
    async with AsyncExitStack() as open_ports_beside:
        await open_ports_beside.enter_async_context(beside(plain, ports.plain))
        to_https = Server(http_entrance(beyond, trust, challenges), first=False)
        await open_ports_beside.enter_async_context(beside(to_https, ports.http))
        if secured is not None:
            await open_ports_beside.enter_async_context(secured.live.kept())
        task = asyncio.create_task(_once_started(server, running, ready)) if ready is not None else None
        if task is not None:
            task.add_done_callback(lambda done: _end_with(server, done))
        await server.serve([ports.main])
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _keep_what_is_there() -> None:
    """What the start has made stays to the end, and need not be gone through each time the interpreter looks for what
    is unused: that stops everything, again and again while a large site is learnt, for four times as long with it."""
    gc.collect()
    gc.freeze()


async def _once_started(server: Server, running: Product, ready: Callable[[Product], Awaitable[None]]) -> None:
    await server.listening.wait()
    await ready(running)


def _end_with(server: Server, task: asyncio.Task[None]) -> None:
    """What runs beside the server must not fail unseen."""
    if not task.cancelled() and task.exception() is not None:
        _log.error("what runs beside the server failed", exc_info=task.exception())
        server.end()


def run_product(
    settings: Settings,
    prepare: Callable[[Product], Awaitable[Demo | None]] | None = None,
    ready: Callable[[Product], Awaitable[None]] | None = None,
) -> int:
    """`serve` in an event loop of its own; the exit code."""
    _say_in_lines()
    sys.setswitchinterval(_SWITCH_S)
    allow_open_files()
    uvloop.run(serve(settings, prepare, ready))
    return 0


def _say_in_lines() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(os.fdopen(os.dup(2), "w", buffering=1)),
    )


def _store(settings: Settings) -> StoreProcess:
    limits = StoreLimits(memory_bytes=settings.store_memory_bytes)
    return StoreProcess(settings.folder.absolute() / "store", limits=limits, silence_s=settings.store_silence_s)


def _edges(settings: Settings, running: Product) -> EdgeDoor:
    folder = settings.folder.absolute()
    key = Seal.of_file(folder / "seal.key").derived("edge configurations")
    return EdgeDoor(running.registry, key, folder / "journal")


def _sources(
    settings: Settings, running: Product, door: IngestApp, letters: Letters, mqtt_port: MqttPort | None
) -> Sources:
    table = SOURCES
    if mqtt_port is not None:
        table = tuple(replace(one, run=mqtt_port.run) if one is MQTT_PORT else one for one in SOURCES)
    outward = Outward(networks(settings.source_refused_networks))
    identity.keep_in(settings.folder.absolute() / "opcua")
    return Sources(
        running.registry, door.reception, letters, table, outward=outward, rate=settings.source_rate,
        installation=running.registry.identity(), sender=running.registry.sender,
    )  # fmt: skip


def _mqtt_port(settings: Settings, door: IngestApp, registry: Registry, secured: Secured | None) -> MqttPort | None:
    if settings.mqtt_port is None:
        return None
    if settings.mqtt_tls and secured is None:
        raise SettingsInvalid("mqtt_tls needs a certificate: set tls to auto, file or acme")
    context = secured.live.context if secured is not None and settings.mqtt_tls else None
    return MqttPort(door.reception, settings.mqtt_host, settings.mqtt_port, context, registry.entrance)


def _backup(running: Product) -> Verb:
    async def backup(asked: Mapping[str, str]) -> Mapping[str, object]:
        folder = running.settings.folder.absolute()
        note = await asyncio.to_thread(
            back_up, Path(asked["target"]), folder, running.store_folder, running.registry, running.series
        )
        return {"taken_s": note.taken_s}

    return backup


def _check_ids(registry: Registry, series: Series) -> None:
    stored = series.largest_point_id()
    registered = registry.largest_point_id()
    if stored > registered:
        raise RegistryTooOld(registered, stored)


_ID_BITS = 32


def _points(registry: Registry, since: int | None) -> list[Point]:
    """All points; or those that are new or changed since that number of `_points_generation`."""
    return registry.meanings(None if since is None else Counters(since >> _ID_BITS, since & (1 << _ID_BITS) - 1))


def _points_generation(registry: Registry) -> int:
    """Changes when a point does, and when one appears by itself, which is no new generation of the registry."""
    generation, last_point_id = registry.counters()
    return generation << _ID_BITS | last_point_id
