"""A wire: bytes from a serial port, or over TCP from a gateway that stands for one, each piece with when it came.

What the bytes mean is each protocol's affair; waiting and connecting again are the supervisor's.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, cast
from urllib.parse import urlsplit

import msgspec

from wattstead.ingest.sources.source_protocol import WHERE, SourceFailed
from wattstead.ingest.sources.unreached import why

if TYPE_CHECKING:
    import serial

_PIECE = 4_096
_MOST_WAITING = 2_000
"""Pieces that wait to be taken; beyond, no more are read until some have been."""
_CONNECT_S = 10.0
_PORT = re.compile(r"/dev/(tty(USB|ACM|AMA|S|O|THS|mxc|SC)[0-9]+|rfcomm[0-9]+|pts/[0-9]+)")
"""Devices that are serial ports, or stand for one: whoever makes a source may open no other file of this machine."""

_PSEUDO = "/dev/pts/"
"""Pseudo-terminals carry whole bytes and no parity; asked for another form a second time, they refuse."""

Where = Annotated[
    str,
    msgspec.Meta(
        title="Port",
        description="A serial port such as /dev/ttyUSB0, better its name below /dev/serial/by-id, or tcp://HOST:PORT.",
        min_length=1,
        max_length=300,
        extra_json_schema=WHERE,
    ),
]
Baud = Annotated[int, msgspec.Meta(title="Speed", description="Bits a second.", ge=50, le=4_000_000)]


class Line(NamedTuple):
    """How a serial port is set; of no importance over TCP."""

    baud: int = 9_600
    bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"


class Piece(NamedTuple):
    """Bytes that came together."""

    raw: bytes
    came_us: int
    """Microseconds since 1970."""


class Pieces:
    """What has come over a wire and was not taken yet, oldest first; iterating waits for more."""

    def __init__(self, where: str, clock_us: Callable[[], int], silence_s: float) -> None:
        self._where, self._clock_us, self._silence_s = where, clock_us, silence_s
        self._waiting: deque[Piece] = deque()
        self._gone = ""
        self._wake = asyncio.Event()
        self.pause: Callable[[bool], None] = lambda paused: None
        """Stops the reading of more, or lets it go on."""
        self.send: Callable[[bytes], None] = lambda raw: None
        """Sends a few bytes the other way; where they get lost, no answer comes."""

    def put(self, raw: bytes) -> None:
        """Bytes have come."""
        self._waiting.append(Piece(raw, self._clock_us()))
        if len(self._waiting) == _MOST_WAITING:
            self.pause(True)
        self._wake.set()

    def end(self, reason: str) -> None:
        """No more will come."""
        self._gone = self._gone or reason
        self._wake.set()

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> Piece:
        while not self._waiting:
            if self._gone:
                raise SourceFailed(f"{self._where} has gone: {self._gone}")
            self._wake.clear()
            try:
                async with asyncio.timeout(self._silence_s or None):
                    await self._wake.wait()
            except TimeoutError:
                raise SourceFailed(f"{self._where} has said nothing for {self._silence_s:g} s") from None
        if len(self._waiting) == _MOST_WAITING:
            self.pause(False)
        return self._waiting.popleft()


@asynccontextmanager
async def opened(where: str, line: Line, clock_us: Callable[[], int], silence_s: float = 0.0) -> AsyncIterator[Pieces]:
    """The pieces that come over a wire; iterating over them ends with `SourceFailed` when the other side has gone.

    ``silence_s``: a wire that says nothing for so long is given up; 0: it may be silent for ever. Raises `SourceFailed`
    when there is none, or another program has it.
    """
    pieces = Pieces(where, clock_us, silence_s)
    address = urlsplit(where)
    close = await (_over_tcp if address.scheme == "tcp" else _over_port)(where, line, pieces)
    try:
        yield pieces
    finally:
        close()


class _Tcp(asyncio.Protocol):
    """Puts what comes over a connection."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reading = cast(asyncio.ReadTransport, transport)
        self._pieces.pause = lambda paused: reading.pause_reading() if paused else reading.resume_reading()
        self._pieces.send = cast(asyncio.WriteTransport, transport).write

    def data_received(self, data: bytes) -> None:
        self._pieces.put(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pieces.end(str(exc) if exc else "the other side closed it")


async def _over_tcp(where: str, line: Line, pieces: Pieces) -> Callable[[], None]:
    try:
        address = urlsplit(where)
        host, port = address.hostname, address.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise SourceFailed(f"{where!r} names no host and port; give such as tcp://gateway.local:2000", hopeless=True)
    connecting = asyncio.get_running_loop().create_connection(lambda: _Tcp(pieces), host, port)
    try:
        transport, _ = await asyncio.wait_for(connecting, _CONNECT_S)
    except (OSError, TimeoutError) as error:
        said = f"no answer within {_CONNECT_S:g} s" if isinstance(error, TimeoutError) else why(error)
        raise SourceFailed(f"{where} cannot be reached: {said}") from error
    return transport.close


async def device_of(where: str) -> str:
    """The serial port that a name stands for; raises `SourceFailed` where there is something else."""
    device = await asyncio.to_thread(_device, where)
    if device is None:
        raise SourceFailed(
            f"{where} is no serial port; give such as /dev/ttyUSB0 or /dev/serial/by-id/…", hopeless=True
        )
    return device


async def serial_port(where: str, baud: int, **form: Any) -> serial.Serial:
    """The open port, which nobody else opens meanwhile; in a thread, since some adapters take their time. ``form`` is
    as `serial.Serial` has it. Raises `SourceFailed`."""
    import termios  # noqa: PLC0415 - where there is a line, not wherever the table is

    import serial  # noqa: PLC0415

    try:
        return await asyncio.to_thread(serial.Serial, where, baud, timeout=0, exclusive=True, **form)
    except (OSError, ValueError, termios.error) as error:  # a SerialException is an OSError
        raise SourceFailed(f"port {where} cannot be opened: {_unopened(error)}") from error


def _unopened(error: Exception) -> str:
    """Why a port cannot be opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return "there is none of that name; is it plugged in?"
    if number in (errno.EACCES, errno.EPERM):
        return "this user may not; add it to the group dialout"
    if number in (errno.EAGAIN, errno.EBUSY):
        return "another program is using it"
    return why(error)


def _device(where: str) -> str | None:
    """The device that a name stands for; None where there is something else."""
    device = Path(where).resolve()
    return str(device) if _PORT.fullmatch(str(device)) or not device.exists() else None


async def _over_port(where: str, line: Line, pieces: Pieces) -> Callable[[], None]:
    device = await device_of(where)
    if device.startswith(_PSEUDO):
        line = Line(line.baud)
    port = await serial_port(where, line.baud, bytesize=line.bits, parity=line.parity)
    wired = _Port(port, pieces)
    pieces.pause, pieces.send = wired.pause, wired.send
    wired.pause(False)
    return wired.close


class _Port:
    """Puts what comes out of a serial port, and writes into it."""

    def __init__(self, port: serial.Serial, pieces: Pieces) -> None:
        self._port, self._pieces, self._number = port, pieces, port.fileno()
        self._loop = asyncio.get_running_loop()

    def pause(self, paused: bool) -> None:
        if paused:
            self._loop.remove_reader(self._number)
        else:
            self._loop.add_reader(self._number, self._read)

    def send(self, raw: bytes) -> None:
        try:
            os.write(self._number, raw)
        except OSError as error:
            self._end(error.strerror or str(error))

    def close(self) -> None:
        self._loop.remove_reader(self._number)
        self._port.close()

    def _read(self) -> None:
        try:
            raw = os.read(self._number, _PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if raw:
            self._pieces.put(raw)
        else:
            self._end("it was unplugged")

    def _end(self, reason: str) -> None:
        self._loop.remove_reader(self._number)
        self._pieces.end(reason)
