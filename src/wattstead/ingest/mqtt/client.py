"""gmqtt's client without its reading: messages come many at a time, and a connection that is lost stays so.

What it does of its own accord is signing in, subscribing and keeping alive.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, Final

from gmqtt import Client
from gmqtt.mqtt.connection import MQTTConnection
from gmqtt.mqtt.constants import MQTTv50
from gmqtt.mqtt.package import Package
from gmqtt.mqtt.protocol import BaseMQTTProtocol, MQTTProtocol

from wattstead.ingest.mqtt.frames import Frames, Messages
from wattstead.ingest.mqtt.port.packets import PacketInvalid

_REST_S, _LITTLE_REST_S, _MQTT3_REST_S = 0.1, 0.02, 0.002
"""While much comes nothing is read for at most so long after each piece: a broker writes each message by itself, and
what it wrote meanwhile is one piece to us, and one commit. Where little comes it is shorter, and with MQTT 3, where a
broker waits for acknowledgements of the few messages that it lets be under way."""
_LITTLE_BYTES: Final = 2_000
_PIECE_BYTES: Final = 200_000
"""So much may come during a rest: what does not fit between us and the broker it would have to keep, or throw away."""
Receive = Callable[[Messages], object]


class BrokerProtocol(MQTTProtocol):  # type: ignore[misc]
    """gmqtt's, without its reading: that makes a call for each message, and a task of each to be acknowledged later."""

    def __init__(self, receive: Receive, broken: Callable[[PacketInvalid], None], **rest: Any) -> None:
        super().__init__(**rest)
        self._receive, self._broken = receive, broken
        self._frames = Frames(properties=self.proto_ver >= MQTTv50)
        self._paused = self._resting = False
        self._rest_s = _REST_S if self.proto_ver >= MQTTv50 else _MQTT3_REST_S
        self._came_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        BaseMQTTProtocol.connection_made(self, transport)

    def data_received(self, data: bytes) -> None:
        before_s, self._came_s = self._came_s, time.monotonic()
        self._connection._last_data_in = self._came_s
        try:
            messages, others = self._frames.cut(data)
        except PacketInvalid as fault:
            self._broken(fault)
            self._transport.abort()
            return
        for head, body in others:
            self._connection.put_package(Package(head, body))
        if messages.topics:
            self._receive(messages)
        self._rest(self._came_s - before_s, len(data))

    def _rest(self, since_s: float, size: int) -> None:
        """Read nothing for a while, after a piece of that size that came so long after the one before it."""
        if since_s > 2 * self._rest_s:
            return
        longest_s = self._rest_s if size >= _LITTLE_BYTES else min(self._rest_s, _LITTLE_REST_S)
        rest_s = min(longest_s, since_s * _PIECE_BYTES / size)
        if rest_s >= _MQTT3_REST_S:
            self._resting = True
            self._heed()
            asyncio.get_running_loop().call_later(rest_s, self._rested)

    def pause(self, paused: bool) -> None:
        """Read nothing more, or read again."""
        self._paused = paused
        self._heed()

    def _rested(self) -> None:
        self._resting = False
        self._heed()

    def _heed(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._paused or self._resting:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        return False


class BrokerClient(Client):  # type: ignore[misc]
    """Tells that the connection is gone, and does not connect by itself."""

    def __init__(self, client_id: str, receive: Receive, **rest: Any) -> None:
        self.gone = asyncio.Event()
        self.fault = ""
        self._receive = receive
        super().__init__(client_id, **rest)

    async def _create_connection(
        self, host: str, port: int, ssl: ssl.SSLContext | bool, clean_session: bool, keepalive: int
    ) -> MQTTConnection:
        handler, state = self._package_handler, self._connection_state

        def made() -> BrokerProtocol:
            return BrokerProtocol(
                self._receive, self._broken, connection_state=state, id_generator=handler.id_generator
            )  # fmt: skip

        transport, protocol = await asyncio.get_running_loop().create_connection(made, host, port, ssl=ssl)
        return MQTTConnection(transport, protocol, clean_session, keepalive, package_handler=handler)

    def _broken(self, fault: PacketInvalid) -> None:
        self.fault = str(fault)
        self.gone.set()

    async def reconnect(self, delay: bool = False) -> None:
        """What gmqtt calls when a connection is lost or refused."""
        self.gone.set()
