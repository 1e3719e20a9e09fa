"""Devices for the tests: images of registers as makers document them, and servers that behave as devices do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path

PAYLOADS = Path(__file__).parents[2] / "payloads" / "modbus"
Registers = dict[tuple[str, int], int]
FUNCTION = {3: "holding", 4: "input"}


class Image:
    """What a payload file holds: registers, and what they mean."""

    def __init__(self, path: Path) -> None:
        self.registers: Registers = {}
        self.expected: dict[str, float] = {}
        for line in path.read_text().splitlines():
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if words[0] == "expect":
                self.expected[" ".join(words[1:-1])] = float(words[-1])
                continue
            table, at = words[0], int(words[1])
            for word in words[2:]:
                self.registers[table, at] = int(word, 16)
                at += 1


Answering = Callable[[int, int, int, int], bytes | None]
"""From unit, function, place and count to what follows the unit in the answer; None: no answer."""


def answering(devices: dict[int, Registers], only_exact: bool = False, longest: int = 125) -> Answering:
    """As devices with these registers do; exception 2 for what they have not, 3 for too many at once."""

    def answer(unit: int, function: int, at: int, count: int) -> bytes | None:
        registers = devices.get(unit)
        if registers is None:
            return None
        if function not in FUNCTION:
            return bytes([function | 0x80, 1])
        if not 1 <= count <= longest:
            return bytes([function | 0x80, 3])
        words = [registers.get((FUNCTION[function], at + step)) for step in range(count)]
        if None in words and (only_exact or all(word is None for word in words)):
            return bytes([function | 0x80, 2])
        data = b"".join(struct.pack(">H", word or 0) for word in words)
        return bytes([function, len(data)]) + data

    return answer


class Gateway:
    """A TCP server that answers as told; what it was asked stands in ``asked``."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer
        self.asked: list[tuple[int, int, int, int]] = []
        self.port = 0
        self.before = b""
        """Sent in front of each answer."""
        self.hangs_up_after: int | None = None
        """Ends the connection when it has answered for this register."""
        self.connections = 0
        self.number_off = 0
        """Added to the number of the transaction."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen, on the same port as before where there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                number, _, _, unit, function, at, count = struct.unpack(">HHHBBHH", await reader.readexactly(12))
                self.asked.append((unit, function, at, count))
                said = self.answer(unit, function, at, count)
                if said is None:
                    continue
                head = struct.pack(">HHHB", (number + self.number_off) & 0xFFFF, 0, len(said) + 1, unit)
                writer.write(self.before + head + said)
                if at == self.hangs_up_after:
                    break
        self._writers.discard(writer)
        writer.close()


@contextlib.asynccontextmanager
async def gateway(answer: Answering) -> AsyncIterator[Gateway]:
    """A running one."""
    made = Gateway(answer)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@contextlib.asynccontextmanager
async def line() -> AsyncIterator[tuple[str, str]]:
    """Two ends of a serial line: what is written into one comes out of the other."""
    loop = asyncio.get_running_loop()
    ends = [os.openpty() for _ in range(2)]
    for master, slave in ends:
        tty.setraw(slave)
        os.set_blocking(master, False)

    def pump(source: int, target: int) -> None:
        with contextlib.suppress(OSError):
            os.write(target, os.read(source, 4096))

    (first, first_end), (second, second_end) = ends
    loop.add_reader(first, pump, first, second)
    loop.add_reader(second, pump, second, first)
    try:
        yield os.ttyname(first_end), os.ttyname(second_end)
    finally:
        loop.remove_reader(first)
        loop.remove_reader(second)
        for fd in (first, second, first_end, second_end):
            os.close(fd)


def unused_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
