"""Reads a queue of RabbitMQ: many messages are acknowledged at once when all are on disk, refused ones put aside.

Order is kept; what was not acknowledged when the connection ends comes again, and is stored once.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pika
from pika.channel import Channel

from wattstead.ingest.amqp.decode import decode
from wattstead.ingest.amqp.link import Link
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable, Way
from wattstead.ingest.sources.tls import client_context

REASON = "x-wattstead-reason"
"""The header in which a dead letter has its reason."""
_LONGEST_REASON = 1_000


class _Arrived(NamedTuple):
    tag: int
    message: Message


class _Queue:
    """One consumer of one queue."""

    def __init__(self, link: Link, way: Way) -> None:
        self.link, self.way, self.settings = link, way, link.settings
        self.waiting: list[_Arrived] = []
        self.wake = asyncio.Event()
        self._confirms: dict[int, asyncio.Future[bool]] = {}
        self._published = 0
        self._aside: Channel | None = None

    async def prepare(self) -> Channel:
        """Queue, and where dead letters go, exist; the consumer runs."""
        link, settings = self.link, self.settings
        channel = await link.channel()
        if not await link.exists(settings.queue):
            await link.asked(lambda done: channel.queue_declare(settings.queue, durable=True, callback=done))
        self._aside = await self._dead_letters()
        await link.asked(lambda done: channel.basic_qos(prefetch_count=settings.prefetch, callback=done))
        channel.add_on_cancel_callback(lambda frame: self._cancelled())
        await link.asked(lambda done: channel.basic_consume(settings.queue, self._arrived, callback=done))
        return channel

    async def _dead_letters(self) -> Channel:
        link, name = self.link, self.settings.dead_letters
        aside = await link.channel()
        await link.asked(lambda done: aside.exchange_declare(name, exchange_type="fanout", durable=True, callback=done))
        if not await link.exists(name):
            await link.asked(lambda done: aside.queue_declare(name, durable=True, callback=done))
        await link.asked(lambda done: aside.queue_bind(name, name, callback=done))
        await link.asked(lambda done: aside.confirm_delivery(self._confirmed, callback=done))
        return aside

    def _arrived(self, channel: Channel, method: Any, properties: Any, body: bytes) -> None:
        self.waiting.append(_Arrived(method.delivery_tag, Message(body, self.settings.queue, self.way.present_us())))
        self.wake.set()

    def _cancelled(self) -> None:
        if not self.link.lost.done():
            self.link.lost.set_result(SourceFailed(f"queue {self.settings.queue!r} was deleted"))

    async def keep(self, channel: Channel) -> None:
        """All that waits: kept, put aside, acknowledged."""
        self.wake.clear()
        arrived, self.waiting = self.waiting, []
        if not arrived:
            return
        refused: list[tuple[Message, str]] = []
        kept: list[tuple[Columns | Few, Message]] = []
        for one in arrived:
            try:
                kept.append((decode(one.message, self.settings), one.message))
            except Unreadable as fault:
                self.way.refuse(one.message, str(fault))
                refused.append((one.message, str(fault)))
        if kept:
            refused += await self.way.keep_all(kept)
        if refused:
            await self._put_aside(refused)
        channel.basic_ack(arrived[-1].tag, multiple=True)

    async def _put_aside(self, refused: list[tuple[Message, str]]) -> None:
        """Publish dead letters with their reasons, and wait until the other side has them on disk."""
        assert self._aside is not None
        loop, name = asyncio.get_running_loop(), self.settings.dead_letters
        confirms: list[asyncio.Future[bool]] = []
        for message, reason in refused:
            self._published += 1
            confirms.append(loop.create_future())
            self._confirms[self._published] = confirms[-1]
            properties = pika.BasicProperties(
                content_type="application/json", delivery_mode=2, headers={REASON: reason[:_LONGEST_REASON]}
            )
            self._aside.basic_publish(name, self.settings.queue, message.raw, properties)
        if not all(await asyncio.gather(*confirms)):
            raise SourceFailed(f"the server did not keep dead letters in {name!r}; is its disk or the queue full?")

    def _confirmed(self, frame: Any) -> None:
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        good = frame.method.NAME == "Basic.Ack"
        tags = [one for one in self._confirms if one <= tag] if multiple else [tag]
        for one in tags:
            future = self._confirms.pop(one, None)
            if future is not None and not future.done():
                future.set_result(good)


async def run(settings: AmqpSettings, way: Way) -> None:
    """Consume until cancelled; raises `SourceFailed`."""
    context = client_context(settings.ca, settings.certificate, settings.private_key) if settings.tls else None
    link = Link(settings)
    try:
        await link.open(context)
        queue = _Queue(link, way)
        channel = await queue.prepare()
        way.connected(f"{settings.host}, queue {settings.queue}")
        await _until_lost(link, queue, channel)
    finally:
        await link.close()


async def _until_lost(link: Link, queue: _Queue, channel: Channel) -> None:
    async def keep() -> None:
        while True:
            await queue.wake.wait()
            await queue.keep(channel)

    keeping = asyncio.create_task(keep())
    try:
        await asyncio.wait((keeping, link.lost), return_when=asyncio.FIRST_COMPLETED)
        if link.lost.done():
            raise link.failure()
        keeping.result()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
