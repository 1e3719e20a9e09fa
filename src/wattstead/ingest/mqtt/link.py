"""Link: one connection to a broker; connects once, says when it is lost and why, and acknowledges when it is told to.

Signing in, subscribing and keeping alive are gmqtt's affair; messages come by a way past it, many at a time (`frames`).
Connecting again is the supervisor's, so gmqtt's own way of doing it is off.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import numpy as np
from gmqtt import Client, Subscription
from gmqtt.mqtt.connection import MQTTConnection
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError
from gmqtt.mqtt.package import Package
from gmqtt.mqtt.protocol import BaseMQTTProtocol, MQTTProtocol

from wattstead.ingest.mqtt.frames import Frames, Messages
from wattstead.ingest.mqtt.port.packets import PacketInvalid
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.tls import client_context

_PATIENCE_S: Final = 15.0
_CLOSING_S: Final = 2.0
IN_FLIGHT: Final = 10_000
"""Messages that may wait for their acknowledgement, where the broker lets us say so (MQTT 5)."""
_REST_S, _LITTLE_REST_S, _MQTT3_REST_S = 0.1, 0.02, 0.002
"""While much comes nothing is read for at most so long after each piece: a broker writes each message by itself, and
what it wrote meanwhile is one piece to us, and one commit. Where little comes it is shorter, and with MQTT 3, where a
broker waits for acknowledgements of the few messages that it lets be under way."""
_LITTLE_BYTES: Final = 2_000
_PIECE_BYTES: Final = 200_000
"""So much may come during a rest: what does not fit between us and the broker it would have to keep, or throw away."""
_PUBACK: Final = 0x4002
_OLD_BROKER = (1, 132)
_CREDENTIALS, _CLIENT = "user or password", "this client"
_NOT_ALLOWED = {4: _CREDENTIALS, 134: _CREDENTIALS, 5: _CLIENT, 135: _CLIENT, 138: _CLIENT}
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # what it has to say comes from here, once


Receive = Callable[[Messages], object]


class _Protocol(MQTTProtocol):  # type: ignore[misc]
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


class _Client(Client):  # type: ignore[misc]
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

        def made() -> _Protocol:
            return _Protocol(
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


class Link:
    """A connection with its subscriptions."""

    def __init__(self, settings: MqttSettings, client_id: str, clean: bool, receive: Receive) -> None:
        """``clean``: the broker keeps nothing for us between connections."""
        self.settings = settings
        self.session_present = False
        self.shared = False
        """Whether subscriptions may be those of a group."""
        self._new_only = 0
        """1: a retained message comes when a subscription is new, not at each connection (MQTT 5)."""
        self._id, self._clean, self._receive = client_id, clean, receive
        self._client: _Client | None = None
        self._granted: dict[int, asyncio.Future[Sequence[int]]] = {}

    def hand_to(self, receive: Receive) -> None:
        """Who hears of messages from now on."""
        self._receive = receive

    async def open(self) -> None:
        """Connect, by MQTT 3.1.1 where the broker knows no 5; raises `SourceFailed`."""
        settings = self.settings
        context = client_context(settings.ca, settings.certificate, settings.private_key) if settings.tls else None
        if settings.version == "5" and await self._connect(context, MQTTv50):
            return
        await self._connect(context, MQTTv311)

    async def _connect(self, context: ssl.SSLContext | None, version: int) -> bool:
        """Whether the broker speaks that version; raises `SourceFailed` for all else that goes wrong."""
        settings, (host, port) = self.settings, self.settings.at
        properties: dict[str, int] = {}
        if version == MQTTv50:
            properties["receive_maximum"] = IN_FLIGHT
            if not self._clean:
                properties["session_expiry_interval"] = settings.session_s
        client = self._client = _Client(self._id, self._came, clean_session=self._clean, **properties)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        if settings.user or settings.password:
            client.set_auth_credentials(settings.user, settings.password or None)
        keepalive_s = max(2, settings.keepalive_s // 2)  # gmqtt notices silence after twice of it
        connecting = asyncio.create_task(
            client.connect(host, port, ssl=context or False, keepalive=keepalive_s, version=version)
        )
        gone = asyncio.create_task(client.gone.wait())
        try:
            await asyncio.wait((connecting, gone), timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                if client.gone.is_set() and version == MQTTv50:
                    return False
                told = "closed the connection" if client.gone.is_set() else f"says nothing within {_PATIENCE_S:g} s"
                raise SourceFailed(f"{host}:{port} {told}: is it an MQTT broker, with TLS {settings.tls}?")
            connecting.result()
            return True
        except MQTTConnectError as error:
            code = getattr(error, "_code", 0)
            if code in _OLD_BROKER and version == MQTTv50:
                return False
            refused = _NOT_ALLOWED.get(code, "")
            reason = f"{host}:{port} refuses {refused or 'the connection'}: {error}"
            raise SourceFailed(reason, hopeless=bool(refused)) from None
        except (OSError, ssl.SSLError) as error:
            raise SourceFailed(f"{host}:{port} cannot be reached: {str(error) or type(error).__name__}") from None
        finally:
            for task in (connecting, gone):
                task.cancel()
            await asyncio.gather(connecting, gone, return_exceptions=True)

    async def subscribe(self, filters: Sequence[str], qos: int) -> list[str]:
        """Subscribe; the filters that the broker does not grant. Raises `SourceFailed` where it grants none."""
        group = f"$share/{self.settings.group}/" if self.settings.group and self.shared else ""
        refused: list[str] = []
        for topic in filters:
            whole = topic if topic.startswith("spBv1.0/") else group + topic
            wanted = Subscription(whole, qos=qos, retain_handling_options=self._new_only if not group else 0)
            codes = await self._subscribe(wanted)
            if any(code >= 128 for code in codes):
                refused.append(topic)
        if filters and len(refused) == len(filters):
            told = ", ".join(refused)[:200]
            raise SourceFailed(f"{self.settings.host} does not let us read {told}; give the user that right", True)
        return refused

    async def _subscribe(self, wanted: Subscription) -> Sequence[int]:
        client = self._opened()
        answer: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()
        client.subscribe(wanted)
        self._granted[wanted.mid] = answer
        gone = asyncio.create_task(client.gone.wait())
        try:
            await asyncio.wait((answer, gone), timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if not answer.done():
            raise SourceFailed(f"{self.settings.host} does not answer to a subscription of {wanted.topic}")
        return answer.result()

    def publish(self, topic: str, raw: bytes) -> None:
        """Publish with QoS 0."""
        self._opened().publish(topic, raw, qos=0)

    async def lost(self) -> SourceFailed:
        """Returns when the connection is gone."""
        client = self._opened()
        await client.gone.wait()
        host, port = self.settings.at
        if client.fault:
            return SourceFailed(f"{host}:{port} sends what is no MQTT: {client.fault}")
        return SourceFailed(f"{host}:{port} has closed the connection, or was silent for {self.settings.keepalive_s} s")

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Messages of those numbers are safe."""
        protocol = self._protocol()
        if protocol is not None:
            packets = np.full((len(numbers), 2), _PUBACK, ">u2")
            packets[:, 1] = numbers
            protocol.write_data(packets.tobytes())

    def pause(self, paused: bool) -> None:
        """Read nothing more from the broker, or read again: what it holds meanwhile is its affair."""
        protocol = self._protocol()
        if protocol is not None:
            protocol.pause(paused)

    def _protocol(self) -> _Protocol | None:
        """What reads and writes; None when it is closed."""
        connection = self._client._connection if self._client is not None else None
        return None if connection is None or connection.is_closing() else cast(_Protocol, connection._protocol)

    async def close(self) -> None:
        """End the connection, not the session; what was not acknowledged comes again."""
        client, self._client = self._client, None
        if client is not None and client._connection is not None:
            await asyncio.wait((asyncio.create_task(client.disconnect()),), timeout=_CLOSING_S)

    def _opened(self) -> _Client:
        if self._client is None:
            raise SourceFailed(f"the connection to {self.settings.host} is closed")
        return self._client

    def _connected(self, client: Client, session_present: int, code: int, properties: dict[str, Any]) -> None:
        self.session_present = bool(session_present)
        available = properties.get("shared_subscription_available", [1])
        modern = client._connection_state.protocol_version >= MQTTv50
        self.shared = modern and bool(available[0])
        self._new_only = 1 if modern else 0

    def _subscribed(self, client: Client, mid: int, codes: Sequence[int], properties: object) -> None:
        answer = self._granted.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(codes)

    def _came(self, messages: Messages) -> None:
        self._receive(messages)


def client_id_of(settings: MqttSettings) -> str:
    """The one of the settings, or one that stays the same for this machine and these settings."""
    if settings.client_id:
        return settings.client_id
    told = repr((settings.at, settings.user, settings.group, settings.formats, settings.mappings, uuid.getnode()))
    return f"wattstead-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
