"""What tests of sources need: a pseudo-terminal as a serial port, and a way that writes down what it is handed."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.sources.source_protocol import Message


class Noted:
    """A way that keeps everything it is told."""

    source_id = 1
    identity = "under-test-1"

    def __init__(self) -> None:
        self.readings: list[tuple[str, int, float]] = []
        self.refused: list[tuple[bytes, str]] = []
        self.to: list[str] = []
        self.now_us = 1_700_000_000_000_000
        self._changed = asyncio.Event()

    def present_us(self) -> int:
        return self.now_us

    async def keep(self, columns: Columns | Few, message: Message) -> None:
        found = columns.columns() if isinstance(columns, Few) else columns
        for row in range(len(found)):
            self.readings.append((found.names.address(row), int(found.time_us[row]), float(found.value[row])))
        self._changed.set()

    def refuse(self, message: Message, reason: str) -> None:
        self.refused.append((message.raw, reason))
        self._changed.set()

    def connected(self, to: str) -> None:
        self.to.append(to)
        self._changed.set()

    def slowing(self, told: str) -> None:
        pass

    def lagging(self, seconds: float) -> None:
        del seconds

    async def until(self, there: Callable[[], object]) -> None:
        """Wait until something is there."""
        async with asyncio.timeout(60):
            while not there():
                self._changed.clear()
                await self._changed.wait()


class Port:
    """A serial port: what is written on our side comes out of it."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._own = -1
        self.plug()

    def plug(self) -> None:
        """A device is there, below the same name as before."""
        self._own, far = os.openpty()
        tty.setraw(far)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(far))
        os.close(far)

    def unplug(self) -> None:
        """The device has gone."""
        os.close(self._own)
        self._own = -1

    def waits(self, yes: bool) -> None:
        """Whether `say` waits while nobody listens, or raises `BlockingIOError`."""
        os.set_blocking(self._own, yes)

    def say(self, raw: bytes) -> None:
        """Bytes from the device."""
        os.write(self._own, raw)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    """A device on a serial port."""
    found = Port(tmp_path / "ttyUSB0")
    yield found
    found.unplug()


@pytest.fixture
def running() -> Callable[[Callable[[Any, Any], Awaitable[None]], Any, Noted], asyncio.Task[None]]:
    """Starts a source."""

    def start(run: Callable[[Any, Any], Awaitable[None]], settings: Any, way: Noted) -> asyncio.Task[None]:
        async def ran() -> None:
            await run(settings, way)

        return asyncio.create_task(ran())

    return start


@pytest.fixture
def way() -> Noted:
    return Noted()
