"""Bus: a connection to a gateway or serial line, and one transaction after the other on it; it plans nothing.

One that a device ended while nobody asked is made again once; in trouble, whoever opened the bus tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from wattstead.ingest.errors import IngestError
from wattstead.ingest.modbus.frames import Frames, NotModbus, Request, RtuFrames, TcpFrames, meaning
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.unreached import why
from wattstead.ingest.sources.wire import device_of, serial_port

_CONNECT_S = 10.0
_PARITY = {"none": "N", "even": "E", "odd": "O"}
_BITS = 11
"""Of one byte on the line, at most: start, eight, parity, stop."""


class NoAnswer(IngestError):
    """A device did not answer in time."""

    def __init__(self, unit: int, block: Block, timeout_s: float) -> None:
        super().__init__(f"unit {unit} did not answer for {block} within {timeout_s:g} s")


class Refused(IngestError):
    """A device answered with an exception."""

    def __init__(self, unit: int, block: Block, code: int) -> None:
        self.code = code
        super().__init__(f"unit {unit} answered for {block} with {meaning(code)}")


@dataclass(slots=True)
class _Late:
    """A question that was given up."""

    at: int
    until_s: float
    """By the loop's clock: until when an answer is waited for before another question of its form."""
    again: bool = False
    """It was asked again, and answered."""


class Bus(asyncio.Protocol):
    """One transaction at a time; what comes meanwhile waits for its turn."""

    def __init__(self, frames: Callable[[], Frames], where: str, silence_s: float = 0.0) -> None:
        """``silence_s``: what the line needs between frames."""
        self.where, self.silence_s = where, silence_s
        self.open: Callable[[], Awaitable[None]] | None = None
        """Connects, where that can be done again: many devices hang up on who is silent for a minute."""
        self._frames, self._new = frames(), frames
        self._idle = False
        self._number = 0
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[Any] | None = None
        self._late: dict[tuple[int, str, int], _Late] = {}
        """By unit, table and length what was last asked for in vain: on a line its answer, should it still come, would
        be taken for that to another question of this form."""
        self._gone = ""
        self._send: Any = None

    async def read(self, unit: int, block: Block, timeout_s: float) -> bytes:
        """The registers of a block, two bytes each; raises `NoAnswer`, `Refused`, `SourceFailed`."""
        async with self._turn:
            if self._idle and self.open is not None:
                await self.open()
            if self._gone:
                raise SourceFailed(self._gone)
            await self._without_late(unit, block)
            self._number += 1
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                self._send(self._frames.ask(Request(unit, block, self._number)))
                async with asyncio.timeout(timeout_s):
                    answer = await self._waiting
            except TimeoutError:
                until_s = asyncio.get_running_loop().time() + timeout_s
                self._late[unit, block.table, block.words] = _Late(block.at, until_s)
                raise NoAnswer(unit, block, timeout_s) from None
            else:
                late = self._late.get((unit, block.table, block.words))
                if late is not None and not late.again:  # this was perhaps the late one, and the other is on its way
                    late.again, late.until_s = True, asyncio.get_running_loop().time() + timeout_s
            finally:
                self._waiting = None
                if self.silence_s:
                    await asyncio.sleep(self.silence_s)
        if answer.refused:
            raise Refused(unit, block, answer.refused)
        registers: bytes = answer.registers
        return registers

    async def _without_late(self, unit: int, block: Block) -> None:
        """Returns when no answer to another question can be taken for the one to this; TCP's have numbers."""
        late = self._late.get((unit, block.table, block.words))
        if late is not None and late.at != block.at and not self._frames.numbered:
            await asyncio.sleep(late.until_s - asyncio.get_running_loop().time())
            if self._gone:
                raise SourceFailed(self._gone)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of `asyncio.Protocol`, as what follows."""
        self._send = cast(asyncio.Transport, transport).write  # uvloop's is none by descent
        self._gone, self._idle, self._frames = "", False, self._new()
        self._late.clear()

    def data_received(self, data: bytes) -> None:
        try:
            answer = self._frames.feed(data)
        except NotModbus as error:
            self.lost(f"{self.where} does not speak Modbus: {error}")
            return
        if answer is not None and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._idle = not self._gone and (self._waiting is None or self._waiting.done())
        self.lost(f"{self.where} closed the connection" + (f": {error}" if error else ""))

    def lost(self, reason: str) -> None:
        """Nothing more comes: who waits for an answer is told, and whoever asks later."""
        self._gone = self._gone or reason
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(SourceFailed(reason))


@contextlib.asynccontextmanager
async def opened(settings: ModbusSettings) -> AsyncIterator[Bus]:
    """The bus of these settings, closed at the end; raises `SourceFailed`."""
    if settings.link == "serial":
        async with _serial(settings) as bus:
            yield bus
        return
    if not settings.host:
        raise SourceFailed("no host is given; set the name or address of the device or gateway", hopeless=True)
    tcp = settings.link == "tcp"
    bus = Bus(TcpFrames if tcp else RtuFrames, settings.where, 0.0 if tcp else 0.005)
    transports: list[asyncio.Transport] = []

    async def connect() -> None:
        transports[:] = [await _connected(settings, bus)]

    bus.open = connect
    try:
        await connect()
        yield bus
    finally:
        for transport in transports:
            transport.abort()


async def _connected(settings: ModbusSettings, bus: Bus) -> asyncio.Transport:
    try:
        async with asyncio.timeout(_CONNECT_S):
            made = await asyncio.get_running_loop().create_connection(lambda: bus, settings.host, settings.port)
    except TimeoutError:
        reason = f"{settings.where} took no connection within {_CONNECT_S:g} s; look at address and link"
        raise SourceFailed(reason) from None
    except (OSError, UnicodeError) as error:
        raise SourceFailed(f"{settings.where} cannot be reached: {why(error)}") from error
    return made[0]


@contextlib.asynccontextmanager
async def _serial(settings: ModbusSettings) -> AsyncIterator[Bus]:
    if not settings.serial:
        raise SourceFailed("no serial line is given; set it, such as /dev/ttyUSB0", hopeless=True)
    await device_of(settings.serial)
    loop = asyncio.get_running_loop()
    line = await serial_port(
        settings.serial, settings.baud, parity=_PARITY[settings.parity], stopbits=settings.stop_bits, write_timeout=0
    )
    silence_s = max(3.5 * _BITS / settings.baud, 0.00175)
    bus = Bus(RtuFrames, settings.serial, silence_s)

    def readable() -> None:
        try:
            data = line.read(4096)
        except OSError as error:
            loop.remove_reader(line.fileno())
            bus.lost(f"{settings.serial} has gone: {error}")
        else:
            bus.data_received(data)

    def send(data: bytes) -> None:
        try:
            line.write(data)
        except OSError as error:
            bus.lost(f"{settings.serial} has gone: {error}")

    bus._send = send
    loop.add_reader(line.fileno(), readable)
    try:
        yield bus
    finally:
        with contextlib.suppress(OSError, ValueError):
            loop.remove_reader(line.fileno())
        line.close()
