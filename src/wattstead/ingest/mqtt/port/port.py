"""MqttPort: devices publish with a write key of the site as password; acknowledged when journal or letters have it.

It is a way in like the HTTP port, no broker: subscriptions are refused, nothing is handed on. Each site whose keys sign
in there has a row among the sources, which this makes; by that its messages are read, kept or quarantined.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

import structlog

from wattstead.ingest.mqtt.port.connection import CONNECT_S, Connection
from wattstead.ingest.mqtt.port.decode import PortReader
from wattstead.ingest.mqtt.port.row import MQTT_PORT
from wattstead.ingest.mqtt.port.settings import PortSettings
from wattstead.ingest.reception import Reception
from wattstead.ingest.sources.source_protocol import SourceFailed, Way
from wattstead.ingest.sources.way import SourceWay
from wattstead.registry.records import Source

_log = structlog.get_logger("wattstead.ingest")
_STRANGERS: Final = 200
"""Connections that have not signed in yet; the oldest makes room for one more."""
_LEAVE_S: Final = 5.0
_LETTERS_PER_S, _LETTER_BYTES_PER_S, _AT_FULL_PACE = 200, 250_000, 5
"""Dead letters a second of one device; one that brings more waits. More such devices of a site share what so many may
bring."""
_LONGEST_PAUSE_S: Final = 60.0
Entrance = Callable[[int, str, str], Source]
"""The source of a site for a protocol, made under a name where there is none."""


def pause_s(letters: int, size: int, devices: int) -> float:
    """How long one of so many such devices of a site waits, that has brought so many letters of so many bytes.

    >>> pause_s(1, 10, 1), pause_s(1, 250_000, 5), pause_s(200, 10, 100), pause_s(500, 10, 2_000)
    (0.005, 1.0, 20.0, 60.0)
    """
    alone_s = max(letters / _LETTERS_PER_S, size / _LETTER_BYTES_PER_S)
    return min(alone_s * max(1.0, devices / _AT_FULL_PACE), _LONGEST_PAUSE_S)


class SiteRow:
    """A site at the port while its row is open: how its messages are read and where they go."""

    def __init__(self, settings: PortSettings, way: SourceWay, port: MqttPort) -> None:
        self.reader, self.way, self._port = PortReader(settings), way, port
        self._devices: set[Connection] = set()
        self._slow = 0
        """How many of them wait for the letters that they have brought."""
        self.tell()

    def enter(self, connection: Connection) -> None:
        """A device has signed in."""
        self._devices.add(connection)
        self.tell()

    def leave(self, connection: Connection) -> None:
        """It has gone."""
        self._devices.discard(connection)
        self.tell()

    def tell(self) -> None:
        """Who is connected, for people."""
        self.way.connected(f"port {self._port.number}, devices: {len(self._devices)}")

    async def slow_down(self, letters: int, size: int) -> None:
        """Have a device wait that brought so many letters of so many bytes; nobody without letters does."""
        self._slow += 1
        try:
            await asyncio.sleep(pause_s(letters, size, self._slow))
        finally:
            self._slow -= 1

    def close(self) -> None:
        """Let all of them go; what they sent is still kept."""
        for connection in list(self._devices):
            connection.end()


class MqttPort:
    """The port and all who are connected."""

    def __init__(
        self,
        reception: Reception,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        entrance: Entrance,
        most: int = 2_000,
    ):
        """``most``: devices that have signed in, at one time; more are turned away."""
        self.reception = reception
        self.number = port
        self._host, self._context, self._entrance, self._most = host, context, entrance, most
        self._rows: dict[int, SiteRow] = {}
        self._asked: dict[int, asyncio.Task[Source]] = {}
        """Sites of which it is just found out whether they have a row."""
        self._changed = asyncio.Event()
        """Of rows; another one each time."""
        self._strangers: dict[Connection, None] = {}
        self._devices: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        patience_s = CONNECT_S if self._context else None
        self._server = await loop.create_server(
            lambda: Connection(self), self._host, self.number, ssl=self._context, ssl_handshake_timeout=patience_s
        )
        self.number = self._server.sockets[0].getsockname()[1]
        for row in self._rows.values():
            row.tell()
        _log.info("mqtt_port", host=self._host, port=self.number, tls=self._context is not None)

    async def stop(self) -> None:
        """End all connections; what is on its way to the journal gets there."""
        if self._server is not None:
            self._server.close()
        connections = [*self._strangers, *self._devices]
        for connection in connections:
            connection.end()
        ended = asyncio.gather(*(connection.ended() for connection in connections))
        await asyncio.wait((ended,), timeout=_LEAVE_S)

    def __len__(self) -> int:
        return len(self._strangers) + len(self._devices)

    async def run(self, settings: PortSettings, way: Way) -> None:
        """Keep the row of a site open until cancelled, as `MQTT_PORT`'s ``run``."""
        assert isinstance(way, SourceWay)
        site_id = way.grant.site_id
        if site_id in self._rows:
            raise SourceFailed("this site has another row for the port; remove one of them", hopeless=True)
        row = self._rows[site_id] = SiteRow(settings, way, self)
        self._changed.set()
        self._changed = asyncio.Event()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            del self._rows[site_id]
            row.close()

    def row(self, site_id: int) -> SiteRow | None:
        """The row of a site where it is open."""
        return self._rows.get(site_id)

    async def opened(self, site_id: int) -> SiteRow | None:
        """The same once it is open, made where there was none; None where it does not open.

        Raises what the registry raises.
        """
        task = self._asked.get(site_id)
        if task is None:
            make = asyncio.to_thread(self._entrance, site_id, MQTT_PORT.name, MQTT_PORT.title)
            task = self._asked[site_id] = asyncio.create_task(make)
            task.add_done_callback(lambda done: self._asked.pop(site_id))
        source = await asyncio.shield(task)
        if not source.enabled:
            return None
        try:
            async with asyncio.timeout(CONNECT_S):
                while (row := self._rows.get(site_id)) is None:
                    await self._changed.wait()
        except TimeoutError:
            return None
        return row

    def enter(self, connection: Connection) -> None:
        """One more that has not signed in; the oldest of those leaves where they are too many."""
        self._strangers[connection] = None
        if len(self._strangers) > _STRANGERS:
            oldest = next(iter(self._strangers))
            self.leave(oldest)
            oldest.drop()

    def sign_in(self, connection: Connection) -> bool:
        """It has shown its key; whether there is room for it."""
        if len(self._devices) >= self._most:
            return False
        self._strangers.pop(connection, None)
        self._devices.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """It has gone."""
        self._strangers.pop(connection, None)
        self._devices.discard(connection)
        if connection.row is not None:
            connection.row.leave(connection)
