"""Pulse: whether a store process that runs also answers; asks over HTTP, ends nobody.

Silence is counted in questions without an answer, not in time: after this machine itself stood still (a laptop that
slept, a stopped process group) one question may be lost, not several.
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from enum import Enum

QUESTIONS = 6
"""So many questions in a row without an answer, over the whole of the limit, are silence."""
BUSY = b"x-wattstead-busy"
"""The header in which the front says how many statements of the long kind it is at."""


class Heard(Enum):
    """What came back."""

    WELL = "well"
    """The engine answered."""
    BUSY = "busy"
    """The front answered, the engine did not, and a long statement is known to run."""
    STUCK = "stuck"
    """The front answered, the engine did not, and nothing long is known to run."""
    SILENT = "silent"
    """Nothing answered."""


class Pulse:
    """The questions to one process at 127.0.0.1. ``silence_s`` is how long one may be without an answer.

    ``busy_silence_s`` is the longer limit while a long statement runs: its own limit of time ends it before.
    """

    def __init__(self, key: str, silence_s: float, busy_silence_s: float) -> None:
        self._authorization = b64encode(f"wattstead:{key}".encode())
        self.silence_s, self.busy_silence_s = silence_s, busy_silence_s
        self.pause_s = silence_s / QUESTIONS

    async def until_lost(self, port: int) -> str:
        """Returns once the process has been silent for too long: what was found, for the log."""
        silent = busy = 0
        most_busy = max(QUESTIONS, round(self.busy_silence_s / self.pause_s))
        while True:
            begun = asyncio.get_running_loop().time()
            heard = await self.ask(port)
            silent = silent + 1 if heard in (Heard.SILENT, Heard.STUCK) else 0
            busy = busy + 1 if heard is not Heard.WELL else 0
            if silent >= QUESTIONS or busy >= most_busy:
                return f"{heard.value} for {max(silent, busy)} questions over {max(silent, busy) * self.pause_s:.0f} s"
            await asyncio.sleep(max(0.0, begun + self.pause_s - asyncio.get_running_loop().time()))

    async def ask(self, port: int) -> Heard:
        """One question to the engine, with two thirds of a pause to answer; then one to the front alone."""
        if await self._get(port, b"/alive", 0.6 * self.pause_s) is not None:
            return Heard.WELL
        head = await self._get(port, b"/ping", 0.3 * self.pause_s)
        if head is None:
            return Heard.SILENT
        return Heard.STUCK if BUSY + b": 0\r\n" in head.lower() else Heard.BUSY

    async def _get(self, port: int, path: bytes, patience_s: float) -> bytes | None:
        """The head of the answer, whatever its status; None when there is none in time."""
        writer = None
        try:
            async with asyncio.timeout(patience_s):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(
                    b"GET %b HTTP/1.1\r\nHost: store\r\nAuthorization: Basic %b\r\nConnection: close\r\n\r\n"
                    % (path, self._authorization)
                )
                return await reader.readuntil(b"\r\n\r\n")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await writer.wait_closed()
