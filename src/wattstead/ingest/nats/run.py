"""Reads subjects: what arrives is decoded and kept in groups, in order.

Out of a stream a message is acknowledged when its readings are on disk; without one NATS keeps nothing for us, and what
comes while we are away is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.nats.decode import Subjects, subjects_of
from wattstead.ingest.nats.link import Link, linked
from wattstead.ingest.nats.settings import NatsSettings, durable_of
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable, Way

_GROUP = 1_000
_MOST_WAITING, _MOST_WAITING_BYTES = 50_000, 64_000_000
_FETCH_S = 5.0
_ACK_WAIT_S = 60.0


class _Receiver:
    """What arrives on one connection, on its way to the journal."""

    def __init__(self, subjects: Subjects, way: Way) -> None:
        self.subjects, self.way = subjects, way

    async def keep(self, arrived: Sequence[Message]) -> None:
        """Returns when all of it is on disk, or a dead letter."""
        kept: list[tuple[Columns | Few, Message]] = []
        for message in arrived:
            reads = self.subjects.reads(message.where)
            if reads is None:
                continue
            try:
                kept.append((reads.read(message.raw, message.received_us), message))
            except Unreadable as fault:
                self.way.refuse(message, str(fault))
        if kept:
            await self.way.keep_all(kept)


async def run(settings: NatsSettings, way: Way) -> None:
    """Receive until cancelled; raises `SourceFailed`, `wattstead.ingest.errors.ParameterInvalid`."""
    receiver = _Receiver(subjects_of(settings), way)
    async with linked(settings) as link:
        reading = asyncio.create_task(
            _of_stream(link, receiver) if settings.stream else _as_they_are_sent(link, receiver)
        )
        try:
            await asyncio.wait((reading, link.lost), return_when=asyncio.FIRST_COMPLETED)
            if link.lost.done():
                raise link.lost.result()
            reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _as_they_are_sent(link: Link, receiver: _Receiver) -> None:
    settings, way = link.settings, receiver.way
    waiting: list[Message] = []
    waiting_bytes = 0
    wake = asyncio.Event()

    async def arrived(one: Any) -> None:
        nonlocal waiting_bytes
        waiting.append(Message(one.data, one.subject, way.present_us()))
        waiting_bytes += len(one.data)
        wake.set()
        if len(waiting) > _MOST_WAITING or waiting_bytes > _MOST_WAITING_BYTES:
            link.lose("messages came faster than they are kept here, and some are lost; read them from a stream")

    for subject in receiver.subjects.filters:
        await link.client.subscribe(subject, queue=settings.group, cb=arrived)
    await link.client.flush()
    way.connected(settings.where)
    while True:
        await wake.wait()
        wake.clear()
        while waiting:
            group = waiting[:_GROUP]
            del waiting[:_GROUP]
            waiting_bytes -= sum(len(one.raw) for one in group)
            await receiver.keep(group)


async def _of_stream(link: Link, receiver: _Receiver) -> None:
    settings, way = link.settings, receiver.way
    stream, durable = link.client.jetstream(), durable_of(settings, way.source_id)
    try:
        consumer = await _consumer(link, stream, durable, receiver.subjects.filters)
        way.connected(f"{settings.where}, stream {settings.stream}")
        while True:
            try:
                found = await consumer.fetch(_GROUP, timeout=_FETCH_S)
            except TimeoutError:
                told = await stream.consumer_info(settings.stream, durable)  # it may have been removed
                if not told.num_pending:
                    way.lagging(0.0)
                continue
            if not found:
                continue
            present_us = way.present_us()
            await receiver.keep([Message(one.data, one.subject, _since_us(one, present_us)) for one in found])
            for one in found:
                await one.ack()
            way.lagging(max(0.0, present_us / 1e6 - found[-1].metadata.timestamp.timestamp()))
    except NotFoundError:
        raise SourceFailed(
            f"{settings.where} has no stream {settings.stream!r} with consumer {durable!r} any more"
        ) from None
    except (Error, TimeoutError) as error:
        raise link.failure((str(error) or "no answer in time").removeprefix("nats: ")) from None


def _since_us(one: Any, present_us: int) -> int:
    """Since when the stream has a message: the same whenever it comes, and another for each. A clock that is ahead of
    ours says nothing."""
    stored_us: int = round(one.metadata.timestamp.timestamp() * 1_000_000)
    return min(present_us, stored_us)


async def _consumer(link: Link, stream: Any, durable: str, filters: Sequence[str]) -> Any:
    """The durable consumer, made where there is none; one that reads something else is not ours to change."""
    settings = link.settings
    wanted = filters[0] if len(filters) == 1 else ""
    try:
        await stream.stream_info(settings.stream)
    except NotFoundError:
        raise SourceFailed(
            f"{settings.where} has no stream {settings.stream!r}; make it there: nats stream add {settings.stream}"
        ) from None
    try:
        config = (await stream.consumer_info(settings.stream, durable)).config
    except NotFoundError:
        config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=_ACK_WAIT_S, max_ack_pending=2 * _GROUP)
    else:
        read = set(config.filter_subjects or [config.filter_subject or ">"])
        if config.deliver_subject or read != {wanted or ">"}:
            raise SourceFailed(
                f"consumer {durable!r} of stream {settings.stream!r} is another's, or reads other subjects "
                f"({', '.join(sorted(read))}) than this source ({wanted or '>'}): name another durable consumer, or "
                f"remove that one there: nats consumer rm {settings.stream} {durable}",
                hopeless=True,
            )
    return await stream.pull_subscribe(wanted, durable=durable, stream=settings.stream, config=config)
