"""Connection: one device at the MQTT port, from its first byte on; what it sent is acknowledged when it is on disk.

A message of which something cannot be kept is a dead letter of its site's row before it is acknowledged.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

import structlog

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.errors import IngestError, RateExceeded
from wattstead.ingest.http.clear import Clear, local
from wattstead.ingest.mqtt.port import packets
from wattstead.ingest.mqtt.port.packets import Accepted, Connect, Packet, PacketInvalid, Publish
from wattstead.ingest.sources.source_protocol import Message
from wattstead.ingest.sources.way import SourceWay
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import KeyGrant

if TYPE_CHECKING:
    from wattstead.ingest.mqtt.port.port import MqttPort, SiteRow

_log = structlog.get_logger("wattstead.ingest")
CONNECT_S: Final = 10.0
"""So long a device may take to sign in."""
_LONGEST_CONNECT, _LONGEST = 4_096, 262_144
_PAUSE_AT, _RESUME_AT, _GROUP = 500, 100, 500
"""Messages of one connection that wait, above and below which it is not read, or read again; and of one batch."""
_PAUSE_AT_BYTES, _RESUME_AT_BYTES, _GROUP_BYTES = 262_144, 65_536, 262_144
"""The same by their size."""
_LONGEST_WAIT_S: Final = 5.0
_WHERE: Final = "as the password"


class Connection(asyncio.Protocol):
    """One device."""

    def __init__(self, port: MqttPort) -> None:
        self.port, self.reception = port, port.reception
        self.transport: asyncio.Transport
        self.client: Connect | None = None
        self.row: SiteRow | None = None
        """Of its site; None before it has signed in."""
        self._clear = Clear.NO
        self._buffer = bytearray()
        self._waiting: list[Publish] = []
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._paused = self._unread = self._signing = False
        self._heard, self._gone, self._ended = True, False, False
        self._timer: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A device is there; it has some seconds to say who it is."""
        self.transport = cast(asyncio.Transport, transport)
        self.port.enter(self)
        peer = transport.get_extra_info("peername")
        secured = transport.get_extra_info("ssl_object") is not None
        self._clear = Clear.NO if secured or (peer and local(peer[0])) else Clear.BY_KEY
        self._timer = asyncio.get_running_loop().call_later(CONNECT_S, self.end)

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
        self._read()

    def _read(self) -> None:
        try:
            while not (self._signing or self._paused or self._ended):
                packet = packets.cut(self._buffer, _LONGEST if self.row else _LONGEST_CONNECT)
                if packet is None:
                    return
                self._take(packet)
        except IngestError as error:
            self._fail(error)

    def pause_writing(self) -> None:
        """It does not take our answers: no more is read from it until it does."""
        self._unread = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has taken them."""
        self._unread = False
        self._resume()

    def _resume(self) -> None:
        if not (self._paused or self._unread or self._signing or self.transport.is_closing()):
            self.transport.resume_reading()

    def _tell(self, raw: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(raw)

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
                self._paused = len(self._waiting) > _PAUSE_AT or self._waiting_bytes > _PAUSE_AT_BYTES
                if self._paused and not self.transport.is_closing():
                    self.transport.pause_reading()
            case packets.PUBREL:
                self._tell(packets.answer(packets.PUBCOMP, packets.number_of(packet.body)))
            case packets.PINGREQ:
                self._tell(packets.PINGRESP)
            case packets.SUBSCRIBE:
                self._tell(packets.suback(version, *packets.subscriptions_of(packet.body, version)))
            case packets.UNSUBSCRIBE:
                self._tell(packets.unsuback(version, packets.number_of(packet.body)))
            case packets.DISCONNECT:
                self.end()
            case _:
                raise PacketInvalid(f"a packet of kind {packet.kind} is none that devices send")

    def _connect(self, client: Connect) -> None:
        self.client = client
        try:
            grant = self._grant()
        except IngestError as error:
            self.reception.tally.refuse(error)
            self._turn_away(Accepted.NO)
            return
        if not self.port.sign_in(self):
            self._turn_away(Accepted.FULL)
            return
        row = self.port.row(grant.site_id)
        if row is None:  # nothing more is read before it is known
            self._signing = True
            self.transport.pause_reading()
        else:
            self._welcome(row)
        self._worker = asyncio.create_task(self._work(grant))
        self._worker.add_done_callback(lambda done: self.port.leave(self))

    def _welcome(self, row: SiteRow) -> None:
        assert self.client is not None
        self.row = row
        row.enter(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.client.keepalive_s:
            self._watch(1.5 * self.client.keepalive_s)
        self.transport.write(packets.connack(self.client.version, Accepted.YES))

    def _turn_away(self, reason: Accepted) -> None:
        assert self.client is not None
        self.transport.write(packets.connack(self.client.version, reason))
        self.end()

    def _grant(self) -> KeyGrant:
        assert self.client is not None
        return self.reception.grant(self.client.password.strip().lower(), _WHERE, self._clear)

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
        self._ended = True
        self.transport.close()

    def drop(self) -> None:
        """Close it at once, whatever was to be said."""
        self._ended = True
        self.transport.abort()

    async def ended(self) -> None:
        """Returns when all that it sent is kept, or refused."""
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)

    def _fail(self, error: Exception) -> None:
        """It ends for what it did; its site's row says so, where that is known."""
        if isinstance(error, IngestError):
            self.reception.tally.refuse(error)
        if self.row is not None and self.client is not None:
            self.row.way.failed(f"{self.client.client_id[:60]!r}: {error}")
        self.end()

    async def _work(self, grant: KeyGrant) -> None:
        try:
            if self.row is None and not await self._signed_in(grant.site_id):
                return
            assert self.row is not None
            way = self.row.way.of_sender(grant, self._grant)
            while self._waiting or not self._gone:
                await self._wake.wait()
                messages = self._next()
                if not self._waiting and not self._gone:
                    self._wake.clear()
                if messages:
                    await self._keep(messages, self.row, way)
                low = len(self._waiting) < _RESUME_AT and self._waiting_bytes < _RESUME_AT_BYTES
                if self._paused and low:
                    self._paused = False
                    self._read()
                    self._resume()
        except WattsteadError as error:  # its key has ended meanwhile
            self._fail(error)
        except Exception as error:
            _log.error("a connection of the MQTT port broke", exc_info=error)
            self.end()

    async def _signed_in(self, site_id: int) -> bool:
        """Whether its site's row is open; it is made where there is none."""
        row = await self.port.opened(site_id)
        if self._gone:
            return False
        if row is None:
            self._turn_away(Accepted.OFF)
            return False
        self._welcome(row)
        self._signing = False
        self._resume()
        self._read()
        return True

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

    async def _keep(self, messages: list[Publish], row: SiteRow, way: SourceWay) -> None:
        way.grant = await self._granted()
        found, unreadable = list[tuple[Columns | Few, Message]](), list[tuple[Message, str]]()
        read, clock_us, key_id = row.reader.read, self.reception.clock_us, way.grant.id
        for one in messages:
            message = Message(one.payload, one.topic, clock_us(), False, key_id)
            try:
                columns = read(message)
            except IngestError as fault:
                unreadable.append((message, str(fault)))
            except Exception as error:  # sent again it would be met again
                _log.error("a message at the MQTT port broke its reader", exc_info=error)
                reason = f"this is a fault of the program ({type(error).__name__}) in reading it; its log has the rest"
                unreadable.append((message, reason))
            else:
                if len(columns.names) or columns.rejected:
                    found.append((columns, message))
        if unreadable:
            await way.refuse_all(unreadable)
        letters = [*unreadable, *await way.keep_all(found)]
        kinds = {1: packets.PUBACK, 2: packets.PUBREC}
        self._tell(b"".join(packets.answer(kinds[one.qos], one.number) for one in messages if one.qos))
        if letters:
            await row.slow_down(len(letters), sum(len(message.raw) for message, _ in letters))

    async def _granted(self) -> KeyGrant:
        """What its key allows, once it has not sent too much."""
        while True:
            try:
                return self._grant()
            except RateExceeded as error:
                await asyncio.sleep(min(error.retry_after_s, _LONGEST_WAIT_S))
