"""Link: one connection to RabbitMQ in the event loop, pika's callbacks as awaitables; it reads no message."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.sources.source_protocol import SourceFailed

_PATIENCE_S = 15.0
_HOPELESS = (AuthenticationError, ProbableAccessDeniedError, ProbableAuthenticationError)
_NO_RIGHT, _NOT_FOUND, _LOCKED, _OTHERWISE = 403, 404, 405, 406
Asked = Callable[[Callable[..., object]], object]
"""A call of pika that takes the callback that it answers by."""


class Link:
    """A connection that is open until it is closed or lost; `lost` is done when it was, with why."""

    def __init__(self, settings: AmqpSettings) -> None:
        self.settings = settings
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[BaseException] = loop.create_future()
        self._opened: asyncio.Future[None] = loop.create_future()
        self._closing = False
        self._connection: Any = None

    async def open(self, context: ssl.SSLContext | None) -> None:
        """Connect and sign in; raises `SourceFailed`."""
        settings = self.settings
        host, port = settings.at
        parameters = pika.ConnectionParameters(
            host=host,
            port=port,
            virtual_host=settings.virtual_host,
            credentials=pika.PlainCredentials(settings.user, settings.password),
            heartbeat=settings.heartbeat_s,
            ssl_options=None if context is None else pika.SSLOptions(context, host),
            connection_attempts=1,
            socket_timeout=_PATIENCE_S,
            stack_timeout=_PATIENCE_S,
            client_properties={"product": "Wattstead", "connection_name": f"wattstead {settings.queue}"},
        )
        self._connection = AsyncioConnection(
            parameters,
            on_open_callback=lambda connection: self._settle(self._opened),
            on_open_error_callback=lambda connection, error: self._fail(error),
            on_close_callback=lambda connection, error: self._fail(error),
            custom_ioloop=asyncio.get_running_loop(),
        )
        try:
            await asyncio.wait_for(asyncio.shield(self._opened), 2 * _PATIENCE_S)
        except TimeoutError:
            raise SourceFailed(f"{host}:{port} does not speak AMQP within {2 * _PATIENCE_S:g} s") from None

    async def channel(self) -> Channel:
        """A new channel; when it is closed by the other side, so is the link."""
        channel: Channel = await self.asked(lambda done: self._connection.channel(on_open_callback=done))
        channel.add_on_close_callback(lambda closed, error: self._channel_closed(error))
        return channel

    async def exists(self, queue: str) -> bool:
        """Whether there is such a queue, whatever it was declared with."""
        return await self.waiting(queue) is not None

    async def waiting(self, queue: str) -> int | None:
        """How many messages are ready in a queue, None where there is none; asked on a channel of its own."""
        channel: Channel = await self.asked(lambda done: self._connection.channel(on_open_callback=done))
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def closed(_: Channel, error: BaseException) -> None:
            if answer.done():
                return
            if isinstance(error, ChannelClosedByBroker) and error.reply_code in (_NO_RIGHT, _LOCKED):
                answer.set_exception(self._failed(error))
            else:
                answer.set_result(None)

        channel.add_on_close_callback(closed)

        def declared(frame: Any) -> None:
            if not answer.done():
                answer.set_result(frame.method.message_count)

        channel.queue_declare(queue, passive=True, callback=declared)
        found: int | None = await self._either(answer)
        if channel.is_open:
            channel.close()
        return found

    async def asked(self, call: Asked) -> Any:
        """What pika answers by a callback; raises `SourceFailed` when the link is lost meanwhile, or silent."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        call(lambda found: None if answer.done() else answer.set_result(found))
        return await self._either(answer)

    async def _either(self, answer: asyncio.Future[Any]) -> Any:
        await asyncio.wait((answer, self.lost), timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        if self.lost.done():
            raise self.failure()
        raise SourceFailed(f"{self.settings.host} does not answer within {_PATIENCE_S:g} s")

    def failure(self) -> SourceFailed:
        """Why the link was lost."""
        return self._failed(self.lost.result())

    async def close(self) -> None:
        """End the connection, and wait a moment for the other side to agree."""
        self._closing = True
        connection = self._connection
        if connection is None or connection.is_closed:
            return
        try:
            if connection.is_open:
                connection.close()
            await asyncio.wait((self.lost,), timeout=2.0)
        except AMQPError:
            pass

    def _settle(self, future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self._opened.done():
            self._opened.set_exception(self._failed(error))
        if not self.lost.done():
            self.lost.set_result(error)

    def _channel_closed(self, error: BaseException) -> None:
        if not self._closing and isinstance(error, ChannelClosedByBroker) and not self.lost.done():
            self.lost.set_result(error)

    def _failed(self, error: BaseException) -> SourceFailed:
        host, port = self.settings.at
        if isinstance(error, _HOPELESS):
            return SourceFailed(f"{host}:{port} refuses user {self.settings.user!r} or its virtual host: {error}", True)
        if isinstance(error, ChannelClosedByBroker | ConnectionClosedByBroker):
            too_late = "timed out" in error.reply_text  # for acknowledgements, while the disk was waited for here
            hopeless = error.reply_code in (_NO_RIGHT, _LOCKED, _OTHERWISE, 530) and not too_late
            return SourceFailed(f"{host}:{port} says {error.reply_code} {error.reply_text}", hopeless)
        inner: Any = error.args[0] if isinstance(error, AMQPConnectionError) and error.args else error
        while getattr(inner, "exception", None) is not None:
            inner = inner.exception
        shown = str(inner) or type(inner).__name__
        return SourceFailed(f"{host}:{port} cannot be reached, or has gone: {shown[:300]}")
