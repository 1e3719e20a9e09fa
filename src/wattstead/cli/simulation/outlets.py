"""Outlets: where a simulated meter's readings go: RabbitMQ, MQTT, NATS, or the own API; one small class each.

Messages are ``{"device_id": …, "timestamp": seconds, "measurement_value": kW}``; the API gets ``<device>/power``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import gmqtt
import nats
import pika
from gmqtt.mqtt.handler import MQTTConnectError
from gmqtt.storage import PersistentStorage
from pika.exceptions import AMQPError

from wattstead.cli.client import Client, connect
from wattstead.metering.errors import WattsteadError

QUEUE = "device_consumption"
_PATIENCE_S = 30.0


class OutletFailed(WattsteadError):
    """The other side cannot be reached, or takes nothing."""


class Reading(NamedTuple):
    """A value at an instant."""

    time_us: int
    value: float


class Outlet(ABC):
    """Takes readings in order while it is open; closing waits until the other side has all."""

    async def __aenter__(self) -> Outlet:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    @abstractmethod
    async def open(self) -> None:
        """Connect; raises `OutletFailed`."""

    @abstractmethod
    async def send(self, readings: Sequence[Reading]) -> None:
        """Hand readings over."""

    @abstractmethod
    async def close(self) -> None:
        """Hand over what is on its way, and end."""


def outlet_of(to: str, device: str, key: str, folder: Path) -> Outlet:
    """By the address: ``amqp://…/vhost?queue=…``, ``mqtt://…/topic``, ``nats://…/subject``, ``http://…``, with TLS too.

    Raises `OutletFailed` for an address that is none.
    """
    try:
        where = urlsplit(to)
        _ = where.port
    except ValueError:  # its text repeats what may be the password
        raise OutletFailed("--to is no address; # / ? in a password are written %23 %2F %3F") from None
    if where.scheme in ("amqp", "amqps"):
        return _Amqp(where, device)
    if where.scheme in ("mqtt", "mqtts"):
        return _Mqtt(where, device)
    if where.scheme in ("nats", "tls"):
        return _Nats(where, device)
    if where.scheme in ("http", "https"):
        return _Http(connect(folder, to, key, ""), device)
    known = "amqp://, amqps://, mqtt://, mqtts://, nats://, http:// or https://"
    raise OutletFailed(
        f"--to begins with {where.scheme[:20] + ':' if where.scheme else 'no scheme'}; known are {known}"
    )


def message(device: str, reading: Reading) -> bytes:
    """One reading as JSON.

    >>> message("m1", Reading(1_700_000_000_500_000, 1.5))
    b'{"device_id": "m1", "timestamp": 1700000000.5, "measurement_value": 1.5}'
    """
    seconds: float = reading.time_us / 1e6
    whole = int(seconds) if seconds == int(seconds) else seconds
    return json.dumps({"device_id": device, "timestamp": whole, "measurement_value": reading.value}).encode()


class _Http(Outlet):
    def __init__(self, client: Client, device: str) -> None:
        self.client, self.point = client, f"{device}/power"

    async def open(self) -> None:
        """Each request connects by itself."""

    async def send(self, readings: Sequence[Reading]) -> None:
        times, values = [one.time_us for one in readings], [one.value for one in readings]
        _, refused = await asyncio.to_thread(self.client.post_readings, [self.point] * len(times), times, values, "kW")
        if refused:
            raise OutletFailed(f"{refused[0].place}: {refused[0].reason}")

    async def close(self) -> None:
        self.client.close()


class _Amqp(Outlet):
    def __init__(self, where: SplitResult, device: str) -> None:
        self.where, self.device = where, device
        self.queue = parse_qs(where.query).get("queue", [QUEUE])[0]
        self._connection: Any = None
        self._channel: Any = None

    async def open(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        where, secured = self.where, self.where.scheme == "amqps"
        sign_in = pika.PlainCredentials(unquote(where.username or "guest"), unquote(where.password or "guest"))
        try:
            self._connection = pika.BlockingConnection(
                pika.ConnectionParameters(
                    host=where.hostname or "127.0.0.1",
                    port=where.port or (5671 if secured else 5672),
                    virtual_host=unquote(where.path[1:]) or "/",
                    credentials=sign_in,
                    ssl_options=pika.SSLOptions(ssl.create_default_context()) if secured else None,
                    heartbeat=0,
                )
            )
            self._channel = self._connection.channel()
            self._channel.queue_declare(self.queue, durable=True)
        except (AMQPError, OSError) as error:
            raise OutletFailed(f"{where.hostname}: {error!r:.300}") from None

    async def send(self, readings: Sequence[Reading]) -> None:
        await asyncio.to_thread(self._send, readings)

    def _send(self, readings: Sequence[Reading]) -> None:
        properties = pika.BasicProperties(content_type="application/json", delivery_mode=2)
        try:
            for reading in readings:
                self._channel.basic_publish("", self.queue, message(self.device, reading), properties)
            self._channel.queue_declare(self.queue, passive=True)  # answered after all before it were taken
        except (AMQPError, OSError) as error:
            raise OutletFailed(f"{self.where.hostname}: {error!r:.300}") from None

    async def close(self) -> None:
        if self._connection is not None and self._connection.is_open:
            await asyncio.to_thread(self._connection.close)


class _Mqtt(Outlet):
    def __init__(self, where: SplitResult, device: str) -> None:
        self.where, self.device = where, device
        self.topic = unquote(where.path[1:]) or f"{QUEUE}/{device}"
        self._client: Any = None
        self._unconfirmed: Any = None

    async def open(self) -> None:
        where, secured = self.where, self.where.scheme == "mqtts"
        self._unconfirmed = PersistentStorage()
        self._client = gmqtt.Client(f"simulated-{uuid.uuid4().hex[:12]}", persistent_storage=self._unconfirmed)
        self._client.stop_reconnect()
        if where.username:
            self._client.set_auth_credentials(unquote(where.username), unquote(where.password or ""))
        context = ssl.create_default_context() if secured else False
        try:
            port = where.port or (8883 if secured else 1883)
            await asyncio.wait_for(self._client.connect(where.hostname or "127.0.0.1", port, ssl=context), _PATIENCE_S)
        except (MQTTConnectError, OSError, TimeoutError) as error:
            raise OutletFailed(f"{where.hostname}: {error!r:.300}") from None

    async def send(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            said = message(self.device, reading)
            try:
                self._client.publish(self.topic, said, qos=1)
            except OverflowError:  # so many without an answer are all that this broker allows
                await self._confirmed()
                self._client.publish(self.topic, said, qos=1)
        await self._confirmed()

    async def _confirmed(self) -> None:
        try:
            await asyncio.wait_for(self._unconfirmed.wait_empty(), _PATIENCE_S)
        except TimeoutError:
            raise OutletFailed(f"{self.where.hostname} confirms nothing any more") from None

    async def close(self) -> None:
        await self._client.disconnect()


class _Nats(Outlet):
    def __init__(self, where: SplitResult, device: str) -> None:
        self.where, self.device = where, device
        self.subject = unquote(where.path[1:]) or f"{QUEUE}.{device}"
        self._client: Any = None

    async def open(self) -> None:
        try:
            address = f"{self.where.scheme}://{self.where.netloc}"
            connecting = nats.connect(address, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0.2)
            self._client = await asyncio.wait_for(connecting, _PATIENCE_S)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise OutletFailed(f"{self.where.hostname}: {error!r:.300}") from None

    async def send(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            await self._client.publish(self.subject, message(self.device, reading))
        await self._client.flush()

    async def close(self) -> None:
        if self._client.is_connected:
            await self._client.drain()
