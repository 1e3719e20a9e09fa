"""Running: the rooms of an edge put together: journal, sources, sending, and asking the server how to go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from wattstead import __version__
from wattstead.edge.budget import Budget
from wattstead.edge.configuration import Configuration
from wattstead.edge.files import got
from wattstead.edge.identity import Identity
from wattstead.edge.link import Link
from wattstead.edge.names import NameBook
from wattstead.edge.sending import Sender
from wattstead.edge.site_map import SiteMap
from wattstead.edge.treating import EdgeReception, Treatments, averages
from wattstead.edge.waiting import Plan, Waiting
from wattstead.ingest.edge.wire import Sync
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.opcua import identity as opcua_identity
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.sight import TROUBLED, State
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import SOURCES
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import EdgeHealth, EdgeSettings
from wattstead.stream import Journal, JournalLimits

_log = structlog.get_logger("wattstead.edge")
SYNC_S = 10.0
_FIRST_FILE_BYTES, _LARGEST_FILE_BYTES = 64_000, 4_000_000
_NO_LIMIT = 1 << 50
"""Of unsent bytes in the journal: the budget thins and packs long before, and a full disk says so itself."""


class Edge:
    """One edge in one folder, as long as it runs; for one event loop."""

    def __init__(
        self, folder: Path, table: Sequence[SourceProtocol] = SOURCES, sync_s: float = SYNC_S, old_s: float = 10.0,
        longest_wait_s: float = 60.0,
    ) -> None:  # fmt: skip
        """``sync_s``: how often the server is asked how to go on.

        Raises `NotJoined`, `JournalInUse`, and `OSError` where the folder cannot be written.
        """
        self.folder, self._sync_s, self._old_s = folder, sync_s, old_s
        self.identity = Identity.load(folder)
        self.configuration = Configuration(folder, self.identity, table)
        self.journal = Journal.open(
            folder / "journal", 0, _journal_limits(self.configuration.settings or EdgeSettings())
        )
        self.names = NameBook(folder / "names")
        self.site_map = SiteMap(self.names)
        self.letters = Letters(folder / "letters.db")
        self.reception = EdgeReception(self.journal, self.site_map, IngestLimits())
        self.reception.treatments = Treatments()
        opcua_identity.keep_in(folder / "opcua")
        installation = f"{self.identity.server_key} edge {self.identity.edge_id}"
        self.sources = Sources(
            self.configuration, self.reception, self.letters, table, installation=installation
        )  # fmt: skip
        self.waiting = Waiting(folder, self.names)
        self.budget = Budget(folder, self.waiting)
        self.link = Link(self.identity)
        self.sender = Sender(
            self.waiting, self.budget, self.link, self.letters, lambda: self.configuration.settings, self._plan,
            lambda: self.site_map.meanings, longest_wait_s,
        )  # fmt: skip
        self.contact = 0.0
        self.unasked = ""
        """Why the server could not be asked how to go on; empty: it was."""
        self._wake = asyncio.Event()
        self._learn()

    async def run(self) -> None:
        """Run until cancelled; readings that were acknowledged are on disk then."""
        await self.sources.start()
        tasks = [asyncio.create_task(work) for work in (self.sender.run(), self._follow())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.sources.stop()
            await self.journal.close()
            await self.link.close()
            await asyncio.to_thread(self.letters.close)
            self.reception.close()
            self.waiting.close()

    def health(self) -> EdgeHealth:
        """How this edge is doing."""
        held, lanes = self.configuration.held, self.waiting.lanes
        sights = self.sources.sights()
        oldest_us = self.waiting.oldest_us
        return EdgeHealth(
            program=__version__,
            clock_us=time.time_ns() // 1000,
            applied=self.configuration.number,
            refused=abs(held.refused),
            refused_why=held.refused_why,
            waiting_bytes=self.budget.waiting_bytes() if oldest_us else 0,
            waiting_readings=self.budget.waiting_readings() if oldest_us else 0,
            behind_s=max(0.0, time.time() - oldest_us / 1e6) if oldest_us else 0.0,
            packed=lanes.packed,
            thinned=lanes.thinned,
            lost=lanes.lost,
            thinned_why=self.budget.why,
            letters=sum(self.letters.held(one).letters for one in self.configuration.source_ids()),
            rate_per_s=round(sum(sight.rate_per_s for sight in sights.values()), 3),
            last_error=self.sender.last_trouble[:500],
            last_error_us=self.sender.last_trouble_us,
            memory_mb=memory_mb(),
            disk_free_mb=round(shutil.disk_usage(self.folder).free / 1e6, 1),
            sources={str(one): _shown(sight.state, sight.last_error) for one, sight in sights.items()},
        )

    async def _follow(self) -> None:
        """Ask the server how to go on, now and then; take back what does not work."""
        wait_s = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)
            self._wake.clear()
            try:
                await self._ask()
                self.unasked = ""
            except (WattsteadError, OSError) as error:
                if str(error) != self.unasked:
                    _log.warning("server_not_asked", reason=str(error))
                self.unasked = str(error)
            except Exception as error:
                _log.error("following_broke", exc_info=error)
            self._look_at_trial()
            wait_s = self._sync_s

    async def _ask(self) -> None:
        health = await asyncio.to_thread(self.health)
        challenge = secrets.token_hex(16)
        told = await self.link.sync(Sync(health, self.configuration.held.tag, challenge))
        self.contact = time.monotonic()
        skew_s = time.time() - told.server_us / 1e6
        if abs(skew_s) > 60:
            _log.error("clock_differs", seconds=round(skew_s), advice="set this machine's clock, with NTP for example")
        connected = [one for one, sight in self.sources.sights().items() if sight.state is State.CONNECTED]
        if self.configuration.take(told, connected, challenge):
            self._learn()

    def _look_at_trial(self) -> None:
        if not self.configuration.on_trial:
            return
        failing = {one: sight.last_error for one, sight in self.sources.sights().items() if sight.state in TROUBLED}
        if self.configuration.watch(failing, max(self.contact, self.sender.contact)):
            self._learn()
            self._wake.set()

    def _learn(self) -> None:
        """Take over what the configuration says."""
        document = self.configuration.document
        if document is not None:
            self.site_map.learn(document.points)
            self.reception.treatments.learn(document.settings.rules)
        self.sources.wake()

    def _plan(self) -> Plan:
        settings = self.configuration.settings or EdgeSettings()
        return Plan(
            aggregate_s=settings.aggregate_s,
            averages=averages(settings.rules),
            old_s=max(self._old_s, 3 * settings.send_every_s),
        )


async def run_until_told(folder: Path) -> None:
    """Run an edge until SIGTERM or SIGINT."""
    edge = Edge(folder)
    task = asyncio.create_task(edge.run())
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, task.cancel)
    _log.info("edge_runs", edge=edge.identity.edge_id, server=edge.identity.url, site=edge.identity.site)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def say_in_lines() -> None:
    """Log lines on standard error, as the server's are."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(os.fdopen(os.dup(2), "w", buffering=1)),
    )


def memory_mb() -> float:
    """What this process had in memory at most so far."""
    text = got(Path("/proc/self/status")) or b""
    if b"VmHWM:" in text:  # what the system counts for children holds that of whoever started them
        return round(int(text.split(b"VmHWM:")[1].split()[0]) / 1000, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3), 1)


def _shown(state: State, last_error: str) -> str:
    return f"{state.value}: {last_error}"[:300] if state in TROUBLED and last_error else state.value


def _journal_limits(settings: EdgeSettings) -> JournalLimits:
    """Small files, gone as soon as they are passed, so that there is always an oldest one to make less of."""
    file_bytes = min(_LARGEST_FILE_BYTES, max(_FIRST_FILE_BYTES, settings.disk_mb * 1_000_000 // 16))
    return JournalLimits(
        unconsumed_bytes=_NO_LIMIT, rotate_bytes=file_bytes, keep_bytes=0, keep_s=0.0, sweep_s=5.0,
        checkpoint_bytes=min(4_000_000, file_bytes),
    )  # fmt: skip
