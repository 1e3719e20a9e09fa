"""Reads from a broker: what arrives is decoded and kept in groups, in order, and acknowledged when it is on disk.

A retained value without a time of its own says nothing about when it was measured: it is no new reading.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.mqtt.decode import Reader, reader_of
from wattstead.ingest.mqtt.formats.format_row import Topic
from wattstead.ingest.mqtt.link import Arrived, Link, client_id_of
from wattstead.ingest.mqtt.rate import DeviceRates
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.mqtt.sparkplug.nodes import Nodes, Ready
from wattstead.ingest.mqtt.sparkplug.topic import sparkplug_topic
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable, Way

_GROUP: Final = 2_000
"""Messages of one journal batch at most."""
_PAUSE_AT, _RESUME_AT = 20_000, 5_000
"""Messages in memory above which nothing more is read, and below which it is again."""
_LOOK_S: Final = 1.0

_Came = tuple[Arrived, Message]


class _Receiver:
    """What arrived on one connection, on its way to the journal."""

    def __init__(self, reader: Reader, way: Way, link: Link) -> None:
        self.reader, self.way, self.link = reader, way, link
        self.rates: DeviceRates[Message] = DeviceRates(reader.settings.device_rate, link.session_present)
        self.nodes: Nodes[_Came] = Nodes()
        self._arrived: list[_Came] = []
        self._settled: list[int] = []
        """Numbers of messages that are safe, to be acknowledged."""
        self._wake = asyncio.Event()
        self._paused = False
        self._clock = asyncio.get_running_loop().time
        self._turn_s, self._now_us = -1.0, 0

    def receive(self, arrived: Arrived) -> None:
        """Called for each message, in order."""
        turn_s = self._clock()
        if turn_s != self._turn_s:  # what comes in one turn of the loop came in one piece
            self._turn_s, self._now_us = turn_s, self.way.present_us()
        self._arrived.append((arrived, Message(arrived[1], arrived[0], self._now_us)))
        if len(self._arrived) == 1:
            self._wake.set()
        elif len(self._arrived) > _PAUSE_AT and not self._paused:
            self._paused = True
            self.link.pause(True)

    async def work(self) -> None:
        """Keep what arrives until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            except TimeoutError:
                self._tell_of_floods(time.monotonic())
                await self._keep([], self.nodes.overdue(self.way.present_us()))
                self._acknowledge()
                continue
            arrived, self._arrived = self._arrived[:_GROUP], self._arrived[_GROUP:]
            if not self._arrived:
                self._wake.clear()
            if self._paused and len(self._arrived) < _RESUME_AT:
                self._paused = False
                self.link.pause(False)
            await self._handle(arrived)
            self._acknowledge()

    async def _handle(self, came: Sequence[_Came]) -> None:
        now_s = time.monotonic()
        readable: list[tuple[_Came, Topic]] = []
        for one in came:
            topic = self.reader.topic(one[0].topic)
            if topic is None or not one[0].raw:
                self._settle(one)
            elif not self.rates.admit(topic.device, now_s):
                self.rates.beyond(topic.device, one[1])
                self._settle(one)
            else:
                readable.append((one, topic))
        self._tell_of_floods(now_s)
        ready: list[Ready[_Came]] = []
        if self._has_sparkplug:
            readable, ready = self._with_births(readable)
        await self._keep(readable, ready)

    def _tell_of_floods(self, now_s: float) -> None:
        for message, reason in self.rates.told(now_s):
            self.way.refuse(message, reason)

    @property
    def _has_sparkplug(self) -> bool:
        return "sparkplug" in self.reader.settings.formats

    def _with_births(
        self, readable: Sequence[tuple[_Came, Topic]]
    ) -> tuple[list[tuple[_Came, Topic]], list[Ready[_Came]]]:
        """Sparkplug's messages as such that can be read alone, and the others as they are."""
        others: list[tuple[_Came, Topic]] = []
        ready: list[Ready[_Came]] = []
        for one, topic in readable:
            found = sparkplug_topic(one[0].topic) if topic.device.startswith("sparkplug/") else None
            if found is None:
                others.append((one, topic))
                continue
            try:
                ready += self.nodes.take(one, found, one[0].raw, one[1].received_us)
            except Unreadable as fault:
                self._refuse(one, str(fault))
        for where, raw in self.nodes.rebirths(self.way.present_us()):
            self.link.publish(where, raw)
        return others, ready

    async def _keep(self, readable: Sequence[tuple[_Came, Topic]], ready: Sequence[Ready[_Came]]) -> None:
        kept: list[tuple[Columns | Few, Message]] = []
        done: list[_Came] = []
        for one in ready:
            (arrived, message) = one.token
            message = message._replace(raw=one.raw)
            topic = self.reader.topic(arrived.topic)
            if one.refused or topic is None:
                self._refuse((arrived, message), one.refused)
            else:
                readable = [*readable, ((arrived, message), topic)]
        for came, topic in readable:
            arrived, message = came
            try:
                columns = topic.read(message.raw, message.received_us)
            except Unreadable as fault:
                self._refuse(came, str(fault))
                continue
            if arrived.retained:
                columns = _timed(columns)
            if len(columns.names) or columns.rejected:
                kept.append((columns, message))
            done.append(came)
        if kept:
            await self.way.keep_all(kept)
        for came in done:
            self._settle(came)

    def _settle(self, came: _Came) -> None:
        if came[0].number:
            self._settled.append(came[0].number)

    def _acknowledge(self) -> None:
        settled, self._settled = self._settled, []
        if settled:
            self.link.acknowledge(settled)

    def _refuse(self, came: _Came, reason: str) -> None:
        self.way.refuse(came[1], reason)
        self._settle(came)


def _timed(columns: Columns | Few) -> Columns:
    """Only the readings that have a time of their own."""
    whole = columns.columns() if isinstance(columns, Few) else columns
    if whole.untimed is False:
        return whole
    return whole.keep(~whole.untimed if not isinstance(whole.untimed, bool) else whole.time_us < whole.time_us)


async def run(settings: MqttSettings, way: Way) -> None:
    """Receive until cancelled; raises `SourceFailed`, `wattstead.ingest.errors.ParameterInvalid`."""
    reader = reader_of(settings)
    if not reader.filters:
        raise SourceFailed("nothing is to be read: choose a format, or map a topic", hopeless=True)
    early: list[Arrived] = []
    link = Link(settings, client_id_of(settings), not settings.qos, early.append)
    tasks: list[asyncio.Task[object]] = []
    try:
        await link.open()
        receiver = _Receiver(reader, way, link)
        for arrived in early:  # what the session held comes before any subscription is made anew
            receiver.receive(arrived)
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
