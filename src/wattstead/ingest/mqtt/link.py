"""Link: one connection to a broker; connects once, says when it is lost and why, and acknowledges when it is told to.

Signing in, subscribing and keeping alive are gmqtt's affair; messages come by a way past it, many at a time (`frames`).
Connecting again is the supervisor's, so gmqtt's own way of doing it is off.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
from gmqtt import Client, Subscription
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError

from wattstead.ingest.mqtt.client import BrokerClient, BrokerProtocol, Receive
from wattstead.ingest.mqtt.frames import Messages
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.tls import client_context
from wattstead.ingest.sources.unreached import why

_PATIENCE_S: Final = 15.0
_CLOSING_S: Final = 2.0
IN_FLIGHT: Final = 10_000
"""Messages that may wait for their acknowledgement, where the broker lets us say so (MQTT 5)."""
_PUBACK: Final = 0x4002
_OLD_BROKER = (1, 132)
_CREDENTIALS, _CLIENT = "user or password", "this client"
_NOT_ALLOWED = {4: _CREDENTIALS, 134: _CREDENTIALS, 5: _CLIENT, 135: _CLIENT, 138: _CLIENT}
_subscribed: dict[tuple[tuple[str, int], str], set[str]] = {}
"""What this process has subscribed to in each session: by broker and client id."""
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # what it has to say comes from here, once


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
        self._client: BrokerClient | None = None
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
        client = self._client = BrokerClient(self._id, self._came, clean_session=self._clean, **properties)
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
            raise SourceFailed(f"{host}:{port} cannot be reached: {why(error)}") from None
        finally:
            for task in (connecting, gone):
                task.cancel()
            await asyncio.gather(connecting, gone, return_exceptions=True)

    @property
    def _group(self) -> str:
        """What filters of a group begin with."""
        return f"$share/{self.settings.group}/" if self.settings.group and self.shared else ""

    async def subscribe(self, filters: Sequence[str], qos: int) -> list[str]:
        """Subscribe; the filters that the broker does not grant. Raises `SourceFailed` where it grants none."""
        group = self._group
        wholes = {topic: topic if topic.startswith("spBv1.0/") else group + topic for topic in filters}
        refused: list[str] = []
        for topic, whole in wholes.items():
            wanted = Subscription(whole, qos=qos, retain_handling_options=self._new_only if not group else 0)
            codes = await self._subscribe(wanted)
            if any(code >= 128 for code in codes):
                refused.append(topic)
        if filters and len(refused) == len(filters):
            told = ", ".join(refused)[:200]
            raise SourceFailed(f"{self.settings.host} does not let us read {told}; give the user that right", True)
        self._end_others(set(wholes.values()))
        return refused

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """End subscriptions, of the group too; one that there is not ends nothing."""
        protocol = self._protocol()
        if filters and protocol is not None:
            wholes = {one for plain in filters for one in (plain, self._group + plain)}
            protocol.send_unsubscribe_packet([one.encode() for one in wholes])

    def _end_others(self, wanted: set[str]) -> None:
        """What the session has subscribed to before, and is not wanted any more."""
        session, protocol = (self.settings.at, self._id), self._protocol()
        before = _subscribed.get(session, set()) if self.session_present else set[str]()
        if protocol is not None:
            for whole in before - wanted:
                protocol.send_unsubscribe_packet(whole.encode())  # gmqtt counts letters of a text for its bytes
        _subscribed[session] = wanted

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

    def _protocol(self) -> BrokerProtocol | None:
        """What reads and writes; None when it is closed."""
        connection = self._client._connection if self._client is not None else None
        return None if connection is None or connection.is_closing() else cast(BrokerProtocol, connection._protocol)

    async def close(self) -> None:
        """End the connection, not the session; what was not acknowledged comes again."""
        client, self._client = self._client, None
        if client is not None and client._connection is not None:
            await asyncio.wait((asyncio.create_task(client.disconnect()),), timeout=_CLOSING_S)

    def _opened(self) -> BrokerClient:
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


def client_id_of(settings: MqttSettings, identity: str) -> str:
    """The one of the settings, or that of the source, whatever else its settings are.

    >>> client_id_of(MqttSettings(host="broker"), "4e07408562be-7")
    'wattstead-4e07408562be-7'
    """
    return settings.client_id or f"wattstead-{identity}"
