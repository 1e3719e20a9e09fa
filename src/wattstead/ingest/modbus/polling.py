"""Polling: which device of a bus is asked when; a dead one is asked seldom, so that the others keep their pace.

Devices are asked at whole multiples of their interval by the clock. Trying a lost connection again is the supervisor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus.asking import Asked, Inquiry
from wattstead.ingest.modbus.bus import Bus, opened
from wattstead.ingest.modbus.frames import meaning
from wattstead.ingest.modbus.layout import Layout, where_of
from wattstead.ingest.modbus.meters import Meter, meters_of
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Way

_MOST_WAITING = 64
"""Answers that wait for the disk; then the bus waits too."""
_LONGEST_REST_S = 300.0
_LONGEST_SLEEP_S = 60.0
_GIVEN_UP_AFTER = 2
"""Rounds without an answer from any device after which the connection is taken for dead."""


async def run(settings: ModbusSettings, way: Way) -> None:
    """Read the devices until cancelled; raises `SourceFailed`."""
    try:
        meters = meters_of(settings)
    except ParameterInvalid as error:
        raise SourceFailed(str(error), hopeless=True) from error
    if not meters:
        raise SourceFailed("no device is named; add one with its unit id and template", hopeless=True)
    async with opened(settings) as bus:
        poll = Poll(bus, meters, settings, way)
        keeping, asking = asyncio.create_task(poll.keep()), asyncio.create_task(poll.ask())
        tasks = [keeping, asking]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not keeping.done():  # what came before the bus failed is kept
                tasks.append(asyncio.create_task(poll.kept()))
                await asyncio.wait((keeping, tasks[-1]), return_when=asyncio.FIRST_COMPLETED)
            for task in (keeping, asking):
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def next_instant_us(after_us: int, every_us: int) -> int:
    """The first whole multiple of an interval after an instant.

    >>> next_instant_us(10, 10), next_instant_us(11, 10)
    (20, 20)
    """
    return (after_us // every_us + 1) * every_us


class Turn:
    """When a device is asked next, and how it has been."""

    def __init__(self, inquiry: Inquiry, every_s: float, now_us: int) -> None:
        self.inquiry, self.every_us = inquiry, round(every_s * 1e6)
        self.due_us = next_instant_us(now_us, self.every_us)
        self.failures = 0
        self.fault = ""

    def done(self, now_us: int, fault: str, silent: bool) -> None:
        """It was asked; ``silent``: nothing came, so it rests, twice as long each time."""
        self.fault = fault
        self.failures = self.failures + 1 if silent else 0
        rest_us = 0
        if silent:
            rest_us = min(self.every_us << min(self.failures - 1, 16), max(self.every_us, round(_LONGEST_REST_S * 1e6)))
        self.due_us = next_instant_us(max(now_us, now_us + rest_us - self.every_us), self.every_us)


class Poll:
    """The devices of one bus, each in its turn."""

    def __init__(self, bus: Bus, meters: Sequence[Meter], settings: ModbusSettings, way: Way) -> None:
        self._bus, self._way, self._settings = bus, way, settings
        now_us = way.present_us()
        self._turns = [
            Turn(Inquiry(bus, meter, settings.timeout_s, way.present_us), meter.every_s, now_us) for meter in meters
        ]
        self._waiting: asyncio.Queue[tuple[Layout, Message]] = asyncio.Queue(_MOST_WAITING)
        self._said = ""

    async def keep(self) -> None:
        """Hand on what came, in order, while the bus goes on."""
        while True:
            layout, message = await self._waiting.get()
            await self._way.keep(layout.columns(message), message)
            self._waiting.task_done()

    async def kept(self) -> None:
        """Returns when all that came has been handed on."""
        await self._waiting.join()

    async def ask(self) -> None:
        """Ask the devices in turn; raises `SourceFailed` when the connection has gone or none of them answers."""
        while True:
            turn = min(self._turns, key=lambda one: (one.due_us, one.failures))
            await self._until(turn)
            self._way.lagging(max(0, self._way.present_us() - turn.due_us) / 1e6)
            asked = await turn.inquiry.ask(0 if turn.failures else self._settings.retries)
            turn.done(self._way.present_us(), asked.fault, asked.message is None)
            await self._hand_on(turn, asked)
            self._say()

    async def _until(self, turn: Turn) -> None:
        """Until the device is due; a clock that is set back or on is followed."""
        while (wait_us := turn.due_us - self._way.present_us()) > 0:
            if wait_us > max(turn.every_us, _LONGEST_REST_S * 1e6) * 1.5:
                turn.due_us = next_instant_us(self._way.present_us(), turn.every_us)
                continue
            await asyncio.sleep(min(wait_us / 1e6, _LONGEST_SLEEP_S))

    async def _hand_on(self, turn: Turn, asked: Asked) -> None:
        for block, code in asked.refused:
            message = Message(bytes([code]), where_of(turn.inquiry.meter.unit, [block]), self._way.present_us())
            self._way.refuse(message, f"the device refuses these registers with {meaning(code)}; they are left out")
        if asked.message is not None and asked.layout is not None:
            await self._waiting.put((asked.layout, asked.message))

    def _say(self) -> None:
        """Tell who answers, when that has changed; a bus on which nobody does is given up."""
        silent = [turn for turn in self._turns if turn.failures]
        if len(silent) == len(self._turns) and min(turn.failures for turn in silent) >= _GIVEN_UP_AFTER:
            raise SourceFailed(f"no device on {self._bus.where} answers: {silent[0].fault}")
        asked = [turn for turn in self._turns if not turn.failures]
        if not asked:
            return
        said = self._bus.where
        if faults := [turn.fault for turn in self._turns if turn.fault]:
            said += f", {len(asked)} of {len(self._turns)} devices answer ({'; '.join(faults[:3])})"
        if said != self._said:
            self._said = said
            self._way.connected(said)
