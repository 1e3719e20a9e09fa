"""A real door: uvicorn on a free port, the real journal in a temporary folder, readings read back from its files."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import httpx
import pytest
import uvicorn

from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.http.asgi import CLEAR, Receive, Scope, Send
from wattstead.ingest.http.clear import Clear, came
from wattstead.ingest.http.swift import SwiftProtocol, protocol_for
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.resolving.pointmap import PointMap
from wattstead.registry.records import KeyGrant
from wattstead.registry.records import Scope as KeyScope
from wattstead.stream import Journal, JournalLimits, JournalReader

NOW_S = 1_700_000_000
NOW_US = NOW_S * 1_000_000


class Stored(NamedTuple):
    """One reading as the journal has it."""

    address: str
    time_us: int
    value: float
    quality: int


class Server:
    """A running ingest application with its journal."""

    def __init__(
        self, folder: Path, limits: IngestLimits, journal_limits: JournalLimits, port: Clear | None = None
    ) -> None:
        """``port``: a proxy tells how requests came, and that is made of those in the clear."""
        self.folder = folder
        self.journal = Journal.open(folder, 0, journal_limits)
        self.points = PointMap()
        self.now_us = NOW_US
        self.app = IngestApp(self.journal, self.points, limits, clock_us=lambda: self.now_us)
        self.usual = 0
        """Requests that came through ASGI, not by the short way."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, verify=False)
        self.kind = port
        protocol = protocol_for(self.app) if port is None else protocol_for(self.app, "", port, trust_forwarded=True)
        config = uvicorn.Config(self._counted, http=protocol, interface="asgi3", log_level="critical", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.005)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.usual += scope["type"] == "http"
        if self.kind is not None and scope["type"] == "http":
            scope[CLEAR] = came(scope, self.kind, trust_forwarded=True)
        await self.app(scope, receive, send)

    @property
    def connections(self) -> list[SwiftProtocol]:
        """Those that are open."""
        return list(cast("set[SwiftProtocol]", self._server.server_state.connections))

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Requests of the usual way that are being answered."""
        return list(self._server.server_state.tasks)

    def stop(self) -> None:
        """Stop the server, then the journal."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.journal.close_sync()


class Door:
    """A running server as two sites of one test see it, with keys of their own."""

    def __init__(self, server: Server, number: int) -> None:
        self.server, self.http, self.points, self.app = server, server.http, server.points, server.app
        server.now_us = NOW_US
        self.site, self.other_site = 2 * number + 1, 2 * number + 2
        self.key, self.read_key, self.other_key, self.small_key = (f"{number:016x}{n:016x}" for n in range(4))
        self.small_id = 4 * number + 4
        add = server.points.add_key
        add(self.key, KeyGrant(4 * number + 1, self.site, 1, KeyScope.WRITE, 20_000))
        add(self.read_key, KeyGrant(4 * number + 2, self.site, 1, KeyScope.READ, 0))
        add(self.other_key, KeyGrant(4 * number + 3, self.other_site, 1, KeyScope.WRITE, 20_000))
        add(self.small_key, KeyGrant(self.small_id, self.site, 1, KeyScope.WRITE, 3), sealed=True)

    def stored(self, other: bool = False) -> list[Stored]:
        """All readings of the site in the journal's files, in the order they arrived."""
        addresses = self.points.addresses(self.other_site if other else self.site)
        names = {point: address for address, point in addresses.items()}
        reader = JournalReader(self.server.folder)
        found: list[Stored] = []
        while entries := reader.read(10_000_000):
            for entry in entries:
                batch = entry.batch
                rows = zip(batch.point, batch.time_us, batch.value, batch.quality, strict=True)
                found += (Stored(names[int(p)], int(t), float(v), int(q)) for p, t, v, q in rows if int(p) in names)
        reader.close()
        return found

    def values(self, other: bool = False) -> dict[str, float]:
        """The last value of each address of the site."""
        return {row.address: row.value for row in self.stored(other)}

    def declare(self, address: str, other: bool = False, delta: bool = False) -> int:
        """A point of the site that exists before anybody posts."""
        return self.points.declare(self.other_site if other else self.site, address, delta)


_numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the usual limits, shared by all tests that change nothing in it."""
    running = Server(tmp_path_factory.mktemp("journal"), IngestLimits(), JournalLimits())
    yield running
    running.stop()


@pytest.fixture
def door(server: Server) -> Door:
    """Two sites of one test, on the shared server."""
    return Door(server, next(_numbers))


@pytest.fixture
def open_door(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    """Opens doors on servers of their own, with limits of the test's choice."""
    servers: list[Server] = []

    def opened(
        limits: IngestLimits | None = None, journal_limits: JournalLimits | None = None, port: Clear | None = None
    ) -> Door:
        folder = tmp_path / f"journal{len(servers)}"
        servers.append(Server(folder, limits or IngestLimits(), journal_limits or JournalLimits(), port))
        return Door(servers[-1], next(_numbers))

    yield opened
    for one in servers:
        one.stop()


@pytest.fixture
def bearer(door: Door) -> dict[str, str]:
    """The headers of a sender with a write key."""
    return {"Authorization": f"Bearer {door.key}"}
