"""Meters on a bus for tests: they answer a master's frames as EN 13757-2 says, over TCP or a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

PAYLOADS = Path(__file__).parents[2] / "payloads" / "mbus"
ACK, STOP = b"\xe5", 0x16


def frame(name: str) -> bytes:
    """The bytes of a real meter's answer."""
    return bytes.fromhex((PAYLOADS / f"{name}.hex").read_text())


def rewritten(answer: bytes, at: int, new: bytes) -> bytes:
    """An answer with other bytes somewhere in its body, and the checksum that fits."""
    body = bytearray(answer[4:-2])
    body[at : at + len(new)] = new
    return answer[:4] + bytes(body) + bytes((sum(body) & 0xFF, STOP))


@dataclass
class Meter:
    """One meter: its telegrams, in order, by a primary and by the secondary address in the first of them."""

    primary: int
    telegrams: list[bytes]
    dead: bool = False
    says: int | None = None
    """The primary address in its answers, where that is another one."""
    heard_as: bytes = b""
    """The answer by whose number it is selected, where that is another one's."""
    at: int = 0
    bit: int | None = None
    selected: bool = False

    @property
    def secondary(self) -> bytes:
        return (self.heard_as or self.telegrams[0])[7:15]

    def hears(self, question: bytes) -> bytes:
        """What it answers; nothing where it is not meant."""
        if self.dead:
            return b""
        if question[0] == 0x10:
            control, address = question[1], question[2]
            if address not in (self.primary, 254) and not (address == 253 and self.selected):
                return b""
            if control == 0x40:
                self.at, self.bit = 0, None
                self.selected = self.selected and address != 253
                return ACK
            bit = control & 0x20
            if self.bit is not None and bit != self.bit:
                self.at = (self.at + 1) % len(self.telegrams)
            self.bit = bit
            return rewritten(self.telegrams[self.at], 1, bytes((self.primary if self.says is None else self.says,)))
        wanted = question[7:15]
        self.selected = matches(wanted, self.secondary)
        self.at, self.bit = 0, None
        return ACK if self.selected else b""


def matches(wanted: bytes, own: bytes) -> bool:
    """Whether a selection with wildcards means a meter."""
    digits = zip(wanted[3::-1].hex(), own[3::-1].hex(), strict=True)
    rest = zip(wanted[4:], own[4:], strict=True)
    return all(one in ("f", is_) for one, is_ in digits) and all(one in (0xFF, is_) for one, is_ in rest)


@dataclass
class Line:
    """A bus: what one says all hear; who answers together garbles it."""

    meters: list[Meter]
    echoes: bool = False
    lost: int = 0
    """Answers that get lost from now on."""
    asked: list[bytes] = field(default_factory=list)
    cuts: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0

    def answer(self, question: bytes) -> bytes:
        self.asked.append(question)
        answers = [found for meter in self.meters if (found := meter.hears(question))]
        if self.lost and answers:
            self.lost -= 1
            return b""
        if len(answers) > 1 and len(set(answers)) > 1:
            length = min(map(len, answers))
            return bytes(a & b for a, b in zip(answers[0][:length], answers[1][:length], strict=True))
        return (question if self.echoes else b"") + (answers[0] if answers else b"")


def questions(stream: bytes) -> tuple[list[bytes], bytes]:
    """The master's frames at the front of a stream, and the rest."""
    found: list[bytes] = []
    while stream:
        length = 5 if stream[0] == 0x10 else stream[1] + 6 if len(stream) > 1 else 99
        if len(stream) < length:
            break
        found.append(stream[:length])
        stream = stream[length:]
    return found, stream


@asynccontextmanager
async def over_tcp(line: Line) -> AsyncIterator[str]:
    """The bus behind a gateway; the address of it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line.cuts.append(writer)
        rest = b""
        while piece := await reader.read(1000):
            asked, rest = questions(rest + piece)
            for question in asked:
                answer = line.answer(question)
                writer.write(answer[:10])
                await writer.drain()
                await asyncio.sleep(0)
                writer.write(answer[10:])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", line.port)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield f"tcp://127.0.0.1:{line.port}"
    finally:
        server.close()
        for writer in line.cuts:
            writer.close()
        line.cuts.clear()


@asynccontextmanager
async def over_port(line: Line, link: Path) -> AsyncIterator[str]:
    """The bus on a serial port; the name of it."""
    own, far = os.openpty()
    tty.setraw(far)
    link.symlink_to(os.ttyname(far))  # noqa: ASYNC240 - of a test
    os.set_blocking(own, False)
    rest = b""

    def read() -> None:
        nonlocal rest
        asked, rest = questions(rest + os.read(own, 1000))
        for question in asked:
            if answer := line.answer(question):
                os.write(own, answer)

    loop = asyncio.get_running_loop()
    loop.add_reader(own, read)
    try:
        yield str(link)
    finally:
        loop.remove_reader(own)
        os.close(own)
        os.close(far)
