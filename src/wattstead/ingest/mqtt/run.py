"""Reads from a broker: what arrives is decoded and kept in groups, in order, and acknowledged when it is on disk.

What is usual goes many messages at a time (`flat`); the rest one by one, and what of it cannot be kept is named.
A retained value without a time of its own says nothing about when it was measured: it is no new reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.mqtt import flat
from wattstead.ingest.mqtt.decode import Reader, reader_of, said
from wattstead.ingest.mqtt.formats.format_row import Topic
from wattstead.ingest.mqtt.frames import MOST_BYTES, Messages
from wattstead.ingest.mqtt.link import Link, client_id_of
from wattstead.ingest.mqtt.port.packets import PacketInvalid
from wattstead.ingest.mqtt.rate import DeviceRates
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.mqtt.sparkplug.nodes import Nodes, Ready
from wattstead.ingest.mqtt.sparkplug.topic import sparkplug_topic
from wattstead.ingest.mqtt.strays import Strays
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable, Way

_GROUP: Final = 2_000
"""Messages of one journal batch at most, and what came with the last of them in one piece."""
_PAUSE_AT, _RESUME_AT = 20_000, 5_000
"""Messages in memory above which nothing more is read, and below which it is again."""
_PAUSE_AT_BYTES, _RESUME_AT_BYTES = 64_000_000, 16_000_000
"""The same for their bytes: payloads may be pictures."""
_LOOK_S: Final = 1.0
T = TypeVar("T")


class _Came(NamedTuple):
    """A message that is read by itself."""

    message: Message
    topic: Topic
    number: int


class _Group(NamedTuple):
    """Messages of which one journal batch is made."""

    messages: Messages
    received_us: NDArray[np.int64]
    topics: list[Topic | None]
    retained: frozenset[int]

    def read(self, rows: Sequence[int]) -> list[Topic]:
        """Who reads those rows, each of which somebody does."""
        return _of(self.topics, rows)  # type: ignore[arg-type]

    def message(self, at: int) -> Message:
        """One of them, as `decode` reads it."""
        messages = self.messages
        where, received_us = messages.topics[at].decode(), int(self.received_us[at])
        return Message(messages.payloads[at], where, received_us, at in self.retained)


class _Receiver:
    """What arrived on one connection, on its way to the journal."""

    def __init__(self, reader: Reader, way: Way, link: Link) -> None:
        self.reader, self.way, self.link = reader, way, link
        self.rates: DeviceRates[Message] = DeviceRates(reader.settings.device_rate, link.session_present)
        self.nodes: Nodes[_Came] = Nodes()
        self.strays = Strays(reader.filters)
        self._arrived: list[tuple[Messages, int]] = []
        self._next_us = 0
        self._held = self._held_bytes = 0
        self._settled: list[int] = []
        """Numbers of messages that are safe, to be acknowledged."""
        self._wake = asyncio.Event()
        self._paused = False

    def receive(self, messages: Messages) -> None:
        """Called for what came in one piece. Each message has an instant of its own: else, of those without a time that
        a session held of one topic, only the last would stand."""
        first_us = max(self.way.present_us(), self._next_us)
        self._next_us = first_us + len(messages)
        self._arrived.append((messages, first_us))
        self._held += len(messages)
        self._held_bytes += sum(map(len, messages.payloads))
        self._wake.set()
        if not self._paused and (self._held > _PAUSE_AT or self._held_bytes > _PAUSE_AT_BYTES):
            self._paused = True
            self.link.pause(True)

    async def work(self) -> None:
        """Keep what arrives until cancelled; raises `SourceFailed` for what no broker would send."""
        looked_s = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            if self._wake.is_set():
                await self._handle(self._taken())
            if time.monotonic() - looked_s >= _LOOK_S:
                looked_s = time.monotonic()
                self._tell_of_floods(looked_s)
                come_to_us = self._arrived[0][1] if self._arrived else self.way.present_us()
                await self._keep_singly([], self.nodes.overdue(come_to_us))
            self._acknowledge()

    def _taken(self) -> _Group:
        """What is next."""
        whole, received = Messages(), list[NDArray[np.int64]]()
        taken = 0
        while taken < len(self._arrived) and len(whole) < _GROUP:
            messages, first_us = self._arrived[taken]
            whole.retained += [len(whole) + at for at in messages.retained]
            whole.large |= {len(whole) + at: size for at, size in messages.large.items()}
            whole.topics += messages.topics
            whole.payloads += messages.payloads
            whole.numbers += messages.numbers
            received.append(np.arange(first_us, first_us + len(messages), dtype=np.int64))
            taken += 1
        del self._arrived[:taken]
        self._held -= len(whole)
        self._held_bytes -= sum(map(len, whole.payloads))
        if not self._arrived:
            self._wake.clear()
        if self._paused and self._held < _RESUME_AT and self._held_bytes < _RESUME_AT_BYTES:
            self._paused = False
            self.link.pause(False)
        known = self.reader.known
        try:
            topics = [known[topic] for topic in whole.topics]
        except PacketInvalid as fault:
            raise SourceFailed(f"{self.reader.settings.host} sends what is no MQTT: {fault}") from None
        return _Group(whole, np.concatenate(received), topics, frozenset(whole.retained))

    async def _handle(self, group: _Group) -> None:
        now_s, topics, payloads = time.monotonic(), group.topics, group.messages.payloads
        rows: Sequence[int] = range(len(topics))
        if None in topics or b"" in payloads:
            passed = [at for at in rows if topics[at] is None or not payloads[at]]
            self._look_for_strays(group, [at for at in passed if topics[at] is None])
            self._settle(group, passed)
            rows = _without(rows, passed)
        if group.messages.large:
            rows = self._without_large(group, rows)
        beyond = [rows[at] for at in self.rates.admit_all([topic.device for topic in group.read(rows)], now_s)]
        surplus: Sequence[int] = ()
        if beyond:
            rows = _without(rows, beyond)
            surplus = [at for at in beyond if group.messages.numbers[at]]
            dropped = _without(beyond, surplus)
            for at, topic in zip(dropped, group.read(dropped), strict=True):
                self.rates.beyond(topic.device, group.message(at))
            for at, topic in zip(surplus, group.read(surplus), strict=True):
                self.rates.behind(topic.device, group.messages.topics[at].decode(), now_s)
        self._tell_of_floods(now_s)
        await self._keep(group, rows)
        await self._keep(group, surplus)  # the broker has our word for it: it comes after what others sent

    async def _keep(self, group: _Group, rows: Sequence[int]) -> None:
        rows = await self._keep_together(group, rows)
        if rows:
            numbers = group.messages.numbers
            singly = zip(rows, group.read(rows), strict=True)
            came = [_Came(group.message(at), topic, numbers[at]) for at, topic in singly]
            ready: list[Ready[_Came]] = []
            if "sparkplug" in self.reader.settings.formats:
                came, ready = self._with_births(came)
            await self._keep_singly(came, ready)

    async def _keep_together(self, group: _Group, rows: Sequence[int]) -> Sequence[int]:
        """Keep what can be read together; the rows that are left.

        Where one message of a device is left all of them are, so that they stay in their order.
        """
        together = rows
        apart = [at for at in group.messages.retained if at in set(rows)] if group.messages.retained else []
        if None in [topic.flat for topic in group.read(rows)]:
            apart += [at for at, topic in zip(rows, group.read(rows), strict=True) if topic.flat is None]
        columns: Columns | None = None
        while together:
            if apart:
                devices = {topic.device for topic in group.read(apart)}
                together = [at for at in together if group.topics[at].device not in devices]  # type: ignore[union-attr]
            columns, odd = flat.read(
                [topic.flat for topic in group.read(together)],  # type: ignore[misc]
                _of(group.messages.payloads, together),
                group.received_us if len(together) == len(group.topics) else group.received_us[list(together)],
            )
            if not odd:
                break
            apart = [together[at] for at in odd]
        if columns is None or not await self.way.keep_usual(columns, len(together)):
            return rows
        self._settle(group, together)
        return _without(rows, together)

    def _without_large(self, group: _Group, rows: Sequence[int]) -> Sequence[int]:
        """The rows that can be read; what is too large is a dead letter with its beginning."""
        large = {at: group.messages.large[at] for at in rows if at in group.messages.large}
        for at, size in large.items():
            self.way.refuse(group.message(at), f"a message of {size:,} bytes; at most {MOST_BYTES:,} are read")
        self._settle(group, list(large))
        return _without(rows, list(large))

    def _look_for_strays(self, group: _Group, rows: Sequence[int]) -> None:
        """What nobody reads and no filter of ours has asked for."""
        for at in rows:
            topic = group.messages.topics[at].decode()
            if group.messages.numbers[at] and self.strays.is_one(topic):
                message = group.message(at)
                if reason := self.strays.take(message):
                    self.way.refuse(message, reason)
                self.link.unsubscribe(self.strays.to_end(topic))

    def _tell_of_floods(self, now_s: float) -> None:
        for message, reason in self.rates.told(now_s):
            self.way.refuse(message, reason)
        if (left := self.strays.told(now_s)) is not None:
            self.way.refuse(*left)
        self.way.slowing(self.rates.slowed(now_s))

    def _with_births(self, came: Sequence[_Came]) -> tuple[list[_Came], list[Ready[_Came]]]:
        """Sparkplug's messages as such that can be read alone, and the others as they are."""
        others: list[_Came] = []
        ready: list[Ready[_Came]] = []
        for one in came:
            message = one.message
            found = sparkplug_topic(message.where) if one.topic.device.startswith("sparkplug/") else None
            if found is None:
                others.append(one)
                continue
            try:
                ready += self.nodes.take(one, found, message.raw, message.received_us)
            except Unreadable as fault:
                self._refuse(one, str(fault))
        for where, raw in self.nodes.rebirths(self.way.present_us()):
            self.link.publish(where, raw)
        return others, ready

    async def _keep_singly(self, came: Sequence[_Came], ready: Sequence[Ready[_Came]]) -> None:
        kept: list[tuple[Columns | Few, Message]] = []
        done: list[int] = []
        for born in ready:
            one = born.token._replace(message=born.token.message._replace(raw=born.raw))
            if born.refused:
                self._refuse(one, born.refused)
            else:
                came = [*came, one]
        for one in came:
            message = one.message
            try:
                columns = said(one.topic, message)
            except Unreadable as fault:
                self._refuse(one, str(fault))
                continue
            if len(columns.names) or columns.rejected:
                kept.append((columns, message))
            if one.number:
                done.append(one.number)
        if kept:
            await self.way.keep_all(kept)
        self._settled += done

    def _settle(self, group: _Group, rows: Sequence[int]) -> None:
        self._settled += [number for number in _of(group.messages.numbers, rows) if number]

    def _acknowledge(self) -> None:
        settled, self._settled = self._settled, []
        if settled:
            self.link.acknowledge(settled)

    def _refuse(self, came: _Came, reason: str) -> None:
        self.way.refuse(came.message, reason)
        if came.number:
            self._settled.append(came.number)


def _of(column: list[T], rows: Sequence[int]) -> list[T]:
    """Some rows of a column; the column itself, where they are all of it."""
    return column if len(rows) == len(column) else [column[at] for at in rows]


def _without(rows: Sequence[int], less: Sequence[int]) -> Sequence[int]:
    """The rows that are left, in their order."""
    if len(less) == len(rows):
        return ()
    gone = set(less)
    return [at for at in rows if at not in gone]


async def run(settings: MqttSettings, way: Way) -> None:
    """Receive until cancelled; raises `SourceFailed`, `wattstead.ingest.errors.ParameterInvalid`."""
    reader = reader_of(settings)
    if not reader.filters:
        raise SourceFailed("nothing is to be read: choose a format, or map a topic", hopeless=True)
    early: list[Messages] = []
    link = Link(settings, client_id_of(settings, way.identity), not settings.qos, early.append)
    tasks: list[asyncio.Task[object]] = []
    try:
        await link.open()
        receiver = _Receiver(reader, way, link)
        for messages in early:  # what the session held comes before any subscription is made anew
            receiver.receive(messages)
        link.hand_to(receiver.receive)
        tasks = [asyncio.create_task(receiver.work())]
        refused = await link.subscribe(reader.filters, settings.qos)
        not_granted = f"; not allowed to read {', '.join(refused)}" if refused else ""
        way.connected(f"{settings.host}:{settings.at[1]}{not_granted}")
        tasks.append(asyncio.create_task(link.lost()))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
        raise await link.lost()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await link.close()
