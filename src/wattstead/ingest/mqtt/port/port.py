"""MqttPort: devices publish with a write key of the site as password; acknowledged when the journal has the readings.

It is a way in like the HTTP port, no broker: subscriptions are refused, nothing is handed on.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import Final, cast

import structlog

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.merging import merged
from wattstead.ingest.decoding.time_names import time_name
from wattstead.ingest.errors import IngestError
from wattstead.ingest.http.clear import Clear, local
from wattstead.ingest.mqtt.decode import Reader, reader_of
from wattstead.ingest.mqtt.formats.format_row import json_object
from wattstead.ingest.mqtt.port import packets
from wattstead.ingest.mqtt.port.packets import Connect, Packet, PacketInvalid, Publish
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.reception import Reception
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import KeyGrant

_log = structlog.get_logger("wattstead.ingest")
_CONNECT_S: Final = 10.0
_LONGEST_CONNECT, _LONGEST = 4_096, 262_144
_PAUSE_AT, _RESUME_AT, _GROUP = 500, 100, 500
"""Messages of one connection that wait, above and below which it is not read, or read again; and of one batch."""
_PAUSE_AT_BYTES, _RESUME_AT_BYTES, _GROUP_BYTES = 262_144, 65_536, 262_144
"""The same by their size."""
_STRANGERS: Final = 200
"""Connections that have not signed in yet; the oldest makes room for one more."""
_LONGEST_WAIT_S: Final = 5.0
_LEAVE_S: Final = 5.0
_WHERE: Final = "as the password"
FORMATS = MqttSettings(host="this machine")
"""What is understood there: the formats of all devices; other topics as they come."""
_VALUE = MqttSettings(host="this machine", formats=(), mappings=(TopicMapping(topic="#"),))


@lru_cache(16)
def _object(time: str) -> Reader:
    """Who reads objects whose field ``time`` is their time; empty: they have none."""
    row = TopicMapping(topic="#", value="*", time=time)
    return Reader(MqttSettings(host="this machine", formats=(), mappings=(row,)))


def read(topic: str, raw: bytes, received_us: int) -> Columns | Few:
    """The readings of a message; raises `Unreadable`."""
    reads = reader_of(FORMATS).topic(topic)
    if reads is None:
        is_object = raw.lstrip()[:1] == b"{"
        reads = (_object(time_name(json_object(raw))) if is_object else reader_of(_VALUE)).topic(topic)
    assert reads is not None  # "#" claims whatever does not begin with $, which nobody may publish
    return reads.read(raw, received_us)


class Connection(asyncio.Protocol):
    """One device."""

    def __init__(self, port: MqttPort) -> None:
        self.port, self.reception = port, port.reception
        self.transport: asyncio.Transport
        self.client: Connect | None = None
        self._clear = Clear.NO
        self._buffer = bytearray()
        self._waiting: list[Publish] = []
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._paused = self._unread = False
        self._heard, self._gone = True, False
        self._timer: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A device is there; it has some seconds to say who it is."""
        self.transport = cast(asyncio.Transport, transport)
        self.port.enter(self)
        peer = transport.get_extra_info("peername")
        secured = transport.get_extra_info("ssl_object") is not None
        self._clear = Clear.NO if secured or (peer and local(peer[0])) else Clear.BY_KEY
        self._timer = asyncio.get_running_loop().call_later(_CONNECT_S, self.end)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone; what it sent is still kept, and counts against the limit of connections until it is."""
        self._gone = True
        self._wake.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._worker is None:
            self.port.leave(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of packets."""
        self._buffer += data
        self._heard = True
        try:
            while not self.transport.is_closing():
                packet = packets.cut(self._buffer, _LONGEST if self.client else _LONGEST_CONNECT)
                if packet is None:
                    return
                self._take(packet)
        except IngestError as error:
            self.reception.tally.refuse(error)
            self.end()

    def pause_writing(self) -> None:
        """It does not take our answers: no more is read from it until it does."""
        self._unread = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has taken them."""
        self._unread = False
        if not self._paused:
            self.transport.resume_reading()

    def _take(self, packet: Packet) -> None:
        if self.client is None:
            if packet.kind != packets.CONNECT:
                raise PacketInvalid("the first packet is no CONNECT")
            self._connect(packets.connect_of(packet.body))
            return
        version = self.client.version
        match packet.kind:
            case packets.PUBLISH:
                message = packets.publish_of(packet.flags, packet.body, version)
                self._waiting.append(message)
                self._waiting_bytes += message.size
                self._wake.set()
                full = len(self._waiting) > _PAUSE_AT or self._waiting_bytes > _PAUSE_AT_BYTES
                if full and not self._paused:
                    self._paused = True
                    self.transport.pause_reading()
            case packets.PUBREL:
                self.transport.write(packets.answer(packets.PUBCOMP, packets.number_of(packet.body)))
            case packets.PINGREQ:
                self.transport.write(packets.PINGRESP)
            case packets.SUBSCRIBE:
                self.transport.write(packets.suback(version, *packets.subscriptions_of(packet.body, version)))
            case packets.UNSUBSCRIBE:
                self.transport.write(packets.unsuback(version, packets.number_of(packet.body)))
            case packets.DISCONNECT:
                self.end()
            case _:
                raise PacketInvalid(f"a packet of kind {packet.kind} is none that devices send")

    def _connect(self, client: Connect) -> None:
        try:
            self._grant(client)
        except IngestError as error:
            self.reception.tally.refuse(error)
            self.transport.write(packets.connack(client.version, packets.Accepted.NO))
            self.end()
            return
        if not self.port.sign_in(self):
            self.transport.write(packets.connack(client.version, packets.Accepted.FULL))
            self.end()
            return
        self.client = client
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if client.keepalive_s:
            self._watch(1.5 * client.keepalive_s)
        self._worker = asyncio.create_task(self._work())
        self._worker.add_done_callback(lambda done: self.port.leave(self))
        self.transport.write(packets.connack(client.version, packets.Accepted.YES))

    def _grant(self, client: Connect) -> KeyGrant:
        return self.reception.grant(client.password.strip().lower(), _WHERE, self._clear)

    def _watch(self, silence_s: float) -> None:
        def look() -> None:
            if not self._heard and not self._paused:
                self.end()
                return
            self._heard = False
            self._timer = loop.call_later(silence_s, look)

        loop = asyncio.get_running_loop()
        self._heard = False
        self._timer = loop.call_later(silence_s, look)

    def end(self) -> None:
        """Close the connection."""
        self.transport.close()

    def drop(self) -> None:
        """Close it at once, whatever was to be said."""
        self.transport.abort()

    async def ended(self) -> None:
        """Returns when all that it sent is kept, or refused."""
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._waiting or not self._gone:
                await self._wake.wait()
                messages = self._next()
                if not self._waiting and not self._gone:
                    self._wake.clear()
                if messages:
                    await self._keep(messages)
                low = len(self._waiting) < _RESUME_AT and self._waiting_bytes < _RESUME_AT_BYTES
                if self._paused and low:
                    self._paused = False
                    if not self._unread:
                        self.transport.resume_reading()
        except WattsteadError as error:  # its key has ended meanwhile
            if isinstance(error, IngestError):
                self.reception.tally.refuse(error)
            self.end()
        except Exception as error:
            _log.error("a connection of the MQTT port broke", exc_info=error)
            self.end()

    def _next(self) -> list[Publish]:
        """As many of the messages that wait as are kept together."""
        count = size = 0
        for message in self._waiting[:_GROUP]:
            if count and size + message.size > _GROUP_BYTES:
                break
            count, size = count + 1, size + message.size
        messages, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= size
        return messages

    async def _keep(self, messages: list[Publish]) -> None:
        assert self.client is not None
        reception, found = self.reception, list[Columns | Few]()
        for message in messages:
            if not message.payload or message.topic.startswith("$"):
                continue
            try:
                found.append(read(message.topic, message.payload, reception.clock_us()))
            except IngestError as error:
                reception.tally.refuse(error)
        whole = merged([columns for columns in found if len(columns.names)])
        while len(whole):
            try:
                grant = self._grant(self.client)
                await reception.keep(grant, whole)
                for columns in found:
                    reception.tally.reject(grant.id, columns.rejected)
                break
            except WattsteadError as error:
                if not getattr(error, "retryable", False):
                    raise
                await asyncio.sleep(min(getattr(error, "retry_after_s", 0.0) or 1.0, _LONGEST_WAIT_S))
        if not self.transport.is_closing():
            kinds = {1: packets.PUBACK, 2: packets.PUBREC}
            told = (packets.answer(kinds[one.qos], one.number) for one in messages if one.qos)
            self.transport.write(b"".join(told))


class MqttPort:
    """The port and all who are connected."""

    def __init__(self, reception: Reception, host: str, port: int, context: ssl.SSLContext | None, most: int = 2_000):
        """``most``: devices that have signed in, at one time; more are turned away."""
        self.reception = reception
        self.number = port
        self._host, self._context, self._most = host, context, most
        self._strangers: dict[Connection, None] = {}
        self._devices: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        patience_s = _CONNECT_S if self._context else None
        self._server = await loop.create_server(
            lambda: Connection(self), self._host, self.number, ssl=self._context, ssl_handshake_timeout=patience_s
        )
        self.number = self._server.sockets[0].getsockname()[1]
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
