"""Sources over a real registry, journal and file of letters, and the gateway of a meter: all of it on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.reception import Reception, present_us
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.ingest.sources.letters import LetterLimits, Letters
from wattstead.ingest.sources.outward import Outward
from wattstead.ingest.sources.p1.telegram import crc16
from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.sight import Sight, State
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import SOURCES
from wattstead.registry.places.sources import Given
from wattstead.registry.registry import Registry
from wattstead.stream import Journal, JournalLimits, JournalReader

PATIENCE_S = 60.0


async def until(found: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What is found, once it is anything; time decides nothing but when to give up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience_s
    while not (value := found()):
        assert loop.time() < end, "it did not happen"
        await asyncio.sleep(0.01)
    return value


class House:
    """The rooms that sources stand on."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        owner = registry.first_owner("a@b.example", "long enough")
        assert owner is not None
        self.organization = owner.account.organization_id
        self.site = registry.create_site(self.organization, "Home", "Europe/Amsterdam").id
        self.now_us = 0
        self.resolver: RegistryResolver
        self.journal: Journal
        self.reception: Reception
        self.letters: Letters
        self.sources: Sources

    def open(
        self, table: Sequence[SourceProtocol], limits: IngestLimits, journal_limits: JournalLimits, rate: float,
        outward: Outward, letter_limits: LetterLimits,
    ) -> None:  # fmt: skip
        self.resolver = RegistryResolver(self.registry, poll_s=0.05)
        self.resolver.start()
        self.journal = Journal.open(self.folder / "journal", 0, journal_limits)
        self.reception = Reception(self.journal, self.resolver, limits, self.present_us)
        self.letters = Letters(self.folder / "letters.db", letter_limits)
        self.sources = Sources(
            self.registry, self.reception, self.letters, table, outward=outward, rate=rate, poll_s=0.05,
            sender=self.registry.sender,
        )  # fmt: skip

    async def close(self) -> None:
        await self.sources.stop()
        self.letters.close()
        self.reception.close()
        self.resolver.close()
        await self.journal.close()

    def present_us(self) -> int:
        return self.now_us or present_us()

    def source(self, protocol: str, settings: dict[str, Any], **given: Any) -> int:
        """A new source of the site."""
        told = Given(**{"name": "a source", "settings": settings} | given)
        return self.registry.create_source(self.site, protocol, told).id

    async def is_in(self, source_id: int, *states: State) -> Sight:
        """How a source is doing, once it is in one of those states."""

        def found() -> Sight | None:
            sight = self.sources.sight(source_id)
            return sight if sight is not None and sight.state in states else None

        sight: Sight = await until(found)
        return sight

    def stored(self) -> list[tuple[str, int, float]]:
        """Address, time (µs) and value of all readings in the journal's files, in order."""
        names = {row.point.id: row.address for row in self.registry.points()}
        reader = JournalReader(self.folder / "journal")
        found: list[tuple[str, int, float]] = []
        while entries := reader.read(10_000_000):
            for entry in entries:
                batch = entry.batch
                rows = zip(batch.point.tolist(), batch.time_us.tolist(), batch.value.tolist(), strict=True)
                found += [(names[point], time_us, value) for point, time_us, value in rows]
        reader.close()
        return found


class Gateway:
    """A meter behind a TCP gateway: says to everybody who is connected what it is told to say."""

    def __init__(self) -> None:
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.came = 0
        """How many have connected so far."""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self.writers:
                writer.transport.abort()
            self.writers.clear()
            await self._server.wait_closed()
            self._server = None

    async def say(self, raw: bytes) -> None:
        await until(lambda: self.writers)
        for writer in list(self.writers):
            writer.write(raw)
            with contextlib.suppress(OSError):
                await writer.drain()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        self.writers.append(writer)
        with contextlib.suppress(OSError):
            await reader.read()
        if writer in self.writers:
            self.writers.remove(writer)
        writer.close()


def telegram(at: datetime | None = None, kwh: float = 1000.0, extra: str = "", checksum: str = "") -> bytes:
    """A telegram of a meter in the Netherlands in winter, with its checksum unless another is given."""
    local = (at or datetime.now(UTC)).timestamp() + 3600
    stamp = datetime.fromtimestamp(local, UTC).strftime("%y%m%d%H%M%SW")
    text = f"/TST5\\METER\r\n\r\n0-0:1.0.0({stamp})\r\n1-0:1.8.1({kwh:010.3f}*kWh)\r\n1-0:1.7.0(00.244*kW)\r\n{extra}!"
    return text.encode() + (checksum or f"{crc16(text.encode()):04X}").encode() + b"\r\n"


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated registry without rows, to copy."""
    file = tmp_path_factory.mktemp("registry") / "registry.db"
    with Registry(f"sqlite:///{file}") as made:
        made.migrate()
    return file


@pytest.fixture
async def open_house(tmp_path: Path, empty_registry: Path) -> AsyncIterator[Callable[..., House]]:
    """Opens a house with a table and limits of the test's choice; its sources are the test's to start."""
    shutil.copy(empty_registry, tmp_path / "registry.db")
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    house = House(tmp_path, registry)

    def opened(
        table: Sequence[SourceProtocol] = SOURCES, limits: IngestLimits | None = None,
        journal_limits: JournalLimits | None = None, rate: float = 50_000.0, outward: Outward | None = None,
        letter_limits: LetterLimits | None = None,
    ) -> House:  # fmt: skip
        house.open(
            table, limits or IngestLimits(), journal_limits or JournalLimits(), rate, outward or Outward(),
            letter_limits or LetterLimits(),
        )  # fmt: skip
        return house

    yield opened
    if hasattr(house, "sources"):
        await house.close()
    registry.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that answers."""
    made = Gateway()
    await made.start()
    yield made
    await made.stop()
