"""Publisher: keeps a connection to a broker, tells it of points and their newest values, connects again by itself.

A value that was replaced before its turn is not told: it is in the history. Packets are gmqtt's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import gmqtt
import msgspec
import structlog
from gmqtt.mqtt.handler import MQTTConnectError
from numpy.typing import NDArray

from wattstead.egress.discovery import all_configs, config_of, config_topic
from wattstead.egress.published import PublishedPoint, topic_of
from wattstead.egress.settings import EgressSettings

_log = structlog.get_logger("wattstead.egress")
_PATIENCE_S: Final = 15.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_KEEPALIVE_S: Final = 15
_ANSWERS_S: Final = 0.01
"""How long answers of the broker are waited for before the next try."""
_ONLINE, _OFFLINE = b"online", b"offline"
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # what it has to say comes from here, once


class Values(Protocol):
    """Columns of one length: newest readings of some points."""

    @property
    def point(self) -> NDArray[Any]: ...
    @property
    def time_us(self) -> NDArray[Any]: ...
    @property
    def value(self) -> NDArray[Any]: ...


class Watched(Protocol):
    """New values of some points, the latest ones first, until it is closed."""

    def __aiter__(self) -> AsyncIterator[Values]: ...
    def close(self) -> None:
        """End it."""
        ...


Watch = Callable[[Iterable[int]], Watched]


class _Client(gmqtt.Client):  # type: ignore[misc]
    """Tells that the connection is gone, and does not connect by itself."""

    def __init__(self, client_id: str, **rest: Any) -> None:
        self.gone = asyncio.Event()
        self.retained: set[str] = set()
        """Topics at which the broker had something, of those that were asked for."""
        super().__init__(client_id, **rest)
        self.on_message = self._hear

    def _hear(self, client: object, topic: str, payload: bytes, qos: int, properties: dict[str, Any]) -> int:
        if payload and properties.get("retain"):
            self.retained.add(topic)
        return 0

    async def reconnect(self, delay: bool = False) -> None:
        """What gmqtt calls when a connection is lost or refused."""
        self.gone.set()

    async def say(self, topic: str, told: bytes, qos: int, retain: bool) -> None:
        """Publish, once the broker allows one more without its answer; nothing when the connection is gone."""
        while not self.gone.is_set():
            try:
                self.publish(topic, told, qos=qos, retain=retain)
            except OverflowError:
                await asyncio.sleep(_ANSWERS_S)
            else:
                return


class Publisher:
    """Publishes while it is started."""

    def __init__(
        self,
        settings: EgressSettings,
        points: Callable[[], Sequence[PublishedPoint]],
        generation: Callable[[], int],
        watch: Watch,
    ) -> None:
        """``points`` may block, and is asked again when ``generation`` has changed, which does not."""
        self.settings = settings
        self.connected = False
        self.published = 0
        """Values told since the start."""
        self.last_error = ""
        self._points, self._generation, self._watch = points, generation, watch
        self._newest: dict[int, tuple[int, float]] = {}
        self._told: dict[int, tuple[int, float]] = {}
        """What the broker was told last."""
        self._known: dict[int, PublishedPoint] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; a broker that is away is waited for."""
        self._task = asyncio.create_task(self._run(), name="egress")

    async def stop(self) -> None:
        """Say goodbye and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                await self._session()
            except (OSError, TimeoutError, MQTTConnectError) as error:
                told = str(error) or type(error).__name__
            except Exception as error:  # a fault of ours must not end what people rely on
                _log.error("publishing broke", exc_info=error)
                told = f"fault of the program: {type(error).__name__}"
            else:
                told = "the broker closed the connection, or was silent"
            wait_s = _FIRST_WAIT_S if self.connected else min(wait_s * 2, _LONGEST_WAIT_S)
            if self.connected or told != self.last_error:
                _log.warning("broker_away", broker=f"{self.settings.host}:{self.settings.port}", reason=told)
            self.connected, self.last_error = False, told
            await asyncio.sleep(wait_s)

    async def _session(self) -> None:
        """One connection, until it is lost."""
        settings = self.settings
        will = gmqtt.Message(f"{settings.prefix}/status", _OFFLINE, qos=1, retain=True)
        client = _Client(f"wattstead-{settings.installation}", clean_session=True, will_message=will)
        if settings.user:
            client.set_auth_credentials(settings.user, settings.password or None)
        context = ssl.create_default_context(cafile=settings.authority or None) if settings.tls else False
        try:
            connecting = client.connect(settings.host, settings.port, ssl=context, keepalive=_KEEPALIVE_S)
            await asyncio.wait_for(connecting, _PATIENCE_S)
            _log.info("publishing", broker=f"{settings.host}:{settings.port}")
            self.connected, self.last_error = True, ""
            await client.say(f"{settings.prefix}/status", _ONLINE, 1, True)
            self._known, self._told = {}, {}
            if settings.discovery:
                client.subscribe(all_configs(settings.discovery_prefix, settings.installation))
            while not client.gone.is_set():
                await self._generation_told(client)
        finally:
            with contextlib.suppress(Exception):
                if not client.gone.is_set() and client.is_connected:
                    await asyncio.wait_for(client.say(f"{settings.prefix}/status", _OFFLINE, 1, True), 2.0)
                await asyncio.wait_for(client.disconnect(), 2.0)

    async def _generation_told(self, client: _Client) -> None:
        """All points, then their values until the points change or the connection is lost."""
        generation = self._generation()
        points = {point.id: point for point in await asyncio.to_thread(self._points)}
        await self._tell_of(client, points)
        watched = self._watch(points)
        collecting = asyncio.create_task(self._collect(watched))
        gone = asyncio.create_task(client.gone.wait())
        try:
            while self._generation() == generation:
                await asyncio.wait((gone, collecting), timeout=self.settings.every_s)
                if gone.done():
                    return
                if collecting.done():
                    collecting.result()
                    return
                await self._take_away(client)
                await self._tell(client)
        finally:
            watched.close()
            for task in (collecting, gone):
                task.cancel()
            await asyncio.gather(collecting, gone, return_exceptions=True)

    async def _collect(self, watched: Watched) -> None:
        async for values in watched:
            rows = zip(values.point.tolist(), values.time_us.tolist(), values.value.tolist(), strict=True)
            self._newest.update({point: (time_us, value) for point, time_us, value in rows})

    async def _tell_of(self, client: _Client, points: dict[int, PublishedPoint]) -> None:
        """Configs of what is new or changed; what is gone is taken away."""
        settings = self.settings
        if settings.discovery:
            for point in points.values():
                if self._known.get(point.id) != point:
                    config = msgspec.json.encode(config_of(point, settings.prefix, settings.installation))
                    await client.say(self._config_topic(point), config, settings.qos, True)
            for gone in self._known.keys() - points.keys():
                await client.say(self._config_topic(self._known[gone]), b"", settings.qos, True)
        self._known = points

    async def _take_away(self, client: _Client) -> None:
        """What the broker still has of points that went while nobody was connected."""
        topics = {self._config_topic(point) for point in self._known.values()}
        found, client.retained = client.retained - topics, set()
        for topic in sorted(found):
            await client.say(topic, b"", self.settings.qos, True)

    def _config_topic(self, point: PublishedPoint) -> str:
        return config_topic(point, self.settings.discovery_prefix, self.settings.installation)

    async def _tell(self, client: _Client) -> None:
        settings = self.settings
        newest, self._newest = self._newest, {}
        for identity, (time_us, value) in newest.items():
            point = self._known.get(identity)
            if point is None or self._told.get(identity) == (time_us, value):
                continue
            self._told[identity] = (time_us, value)
            told = msgspec.json.encode({"value": value, "time": time_us / 1e6, "unit": point.unit})
            await client.say(topic_of(point, settings.prefix), told, settings.qos, settings.retain)
            self.published += 1
