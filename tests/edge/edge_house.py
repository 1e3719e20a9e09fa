"""A server's door and edges in folders of the test's own, a way between them that can be cut, and what arrived."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import uvicorn

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_server import answer

from wattstead.edge.identity import Identity
from wattstead.edge.link import join
from wattstead.edge.names import NameBook
from wattstead.edge.thinning import Meaning
from wattstead.ingest.edge.wire import Name
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.records import EdgeSettings
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.stream import Journal, JournalReader

PATIENCE_S = 240.0
HERE = Path(__file__).parent


async def until(found: Callable[[], Any], patience_s: float = PATIENCE_S, every_s: float = 0.05) -> Any:
    """What is found, once it is anything; time decides nothing but when to give up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience_s
    while not (value := found()):
        assert loop.time() < end, "it did not happen"
        await asyncio.sleep(every_s)
    return value


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Home:
    """A server with a site, as long as the test lasts; its door runs when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.registry = Registry(f"sqlite:///{folder / 'registry.db'}", seal=Seal.of_file(folder / "seal.key"))
        owner = self.registry.first_owner("a@b.example", "long enough")
        assert owner is not None
        self.site = self.registry.create_site(owner.account.organization_id, "Home", "Europe/Berlin").id
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    async def answer(self) -> None:
        """Run the door in this process: quicker, and not to be killed."""

        def started(server: uvicorn.Server) -> None:
            self._server = server

        self._task = asyncio.create_task(answer(self.registry, self.folder, self.port, started))
        await until(lambda: self._server is not None and self._server.started)

    async def leave(self) -> None:
        """End what `answer` began."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = self._task = None

    async def start(self) -> None:
        """Run the door in a process of its own."""
        command = [sys.executable, HERE / "edge_server.py", str(self.folder), str(self.port)]
        self._process = await asyncio.to_thread(subprocess.Popen, command)

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/nothing", verify=False).status_code == 404
            return False

        await until(answers)

    def kill(self) -> None:
        """End it as a power cut would, but for the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def edge(self, folder: Path, url: str = "", **settings: Any) -> int:
        """A machine that has joined; its id."""
        made = self.registry.create_edge(self.site, "Pi", EdgeSettings(**settings))
        identity = await join(url or self.url, made.code, "")
        await asyncio.to_thread(folder.mkdir, exist_ok=True)
        identity.save(folder)
        return identity.edge_id

    def arrived(self) -> list[tuple[str, int, float]]:
        """Address, time (µs) and value of all readings in the journal's files, in order."""
        reader = JournalReader(self.folder / "journal")
        rows: list[tuple[int, int, float]] = []
        while entries := reader.read(50_000_000):
            for batch in (entry.batch for entry in entries):
                rows += zip(batch.point.tolist(), batch.time_us.tolist(), batch.value.tolist(), strict=True)
        reader.close()
        names = {row.point.id: row.address for row in self.registry.points()}  # last: they are made while it runs
        return [(names[point] or "", time_us, value) for point, time_us, value in rows]

    def standing(self) -> dict[tuple[str, int], float]:
        """What stands at each series and instant."""
        return {(name, time_us): value for name, time_us, value in self.arrived()}

    def close(self) -> None:
        self.kill()
        self.registry.close()


class Agent:
    """An edge as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before: list[str] = []
        """Words before the command, such as those that enter a network namespace."""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([*self.before, sys.executable, HERE / "edge_agent.py", str(self.folder)])

    def move(self, url: str) -> None:
        """Another address of its server."""
        moved = msgspec.structs.replace(Identity.load(self.folder), url=url)
        (self.folder / "identity.json").unlink()  # one that has joined is not overwritten
        moved.save(self.folder)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def most_memory_mb(self) -> float:
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000


class Way:
    """A way to the server that is cut, or loses connections in the middle of what they carry, as the test says."""

    def __init__(self, port: int) -> None:
        self.port, self._to = free_port(), port
        self.url = f"http://127.0.0.1:{self.port}"
        self.open, self.loss = True, 0.0
        self.cuts = 0
        self._chance = random.Random(7)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def stop(self) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()

    def cut(self) -> None:
        """Nothing passes, from this moment on."""
        self.open = False
        for writer in self._writers:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, forth}
        await asyncio.gather(self._carry(reader, forth, writer), self._carry(back, writer, forth))
        self._writers -= {writer, forth}

    async def _carry(self, one: asyncio.StreamReader, to: asyncio.StreamWriter, other: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await one.read(20_000):
                if self.loss and self._chance.random() < self.loss:
                    self.cuts += 1
                    to.write(data[: len(data) // 2])
                    break
                to.write(data)
                await to.drain()
        to.transport.abort() if self.loss else to.close()
        if self.loss:
            other.transport.abort()


LEVELS = {number: Meaning.guessed("power", "W") for number in range(1, 101)}
"""What the series of `fill` mean where a test wants them thinned."""


def fill(folder: Path, series: int, first_s: int, seconds: int, every_s: int = 1, at_once: int = 1) -> int:
    """Put readings into an edge's journal as its sources would: ``series`` of them each second; how many there are."""
    journal = Journal.open(folder / "journal", 0)
    book = NameBook(folder / "names")
    names = [f"meter/{one}" for one in range(series)]
    new = [Name(0, name, "") for name in names if book.find(0, name) is None]
    book.add(new)
    ids = np.array([book.find(0, name) for name in names], np.uint32)
    waiting = []
    for second in range(first_s, first_s + seconds, every_s * at_once):
        seconds_of = np.repeat(np.arange(second, second + every_s * at_once, every_s), series)
        point = np.tile(ids, at_once)
        value = (seconds_of * 31 + point) % 5000 / 10
        batch = ReadingBatch.of(point, seconds_of * 1_000_000, value.astype(np.float64))
        waiting.append(journal.submit_sync(batch.encode()))
        if len(waiting) > 2_000:
            waiting.pop(0).result()
    for one in waiting:
        one.result()
    journal.close_sync()
    return series * len(range(first_s, first_s + seconds, every_s))


def expected(series: int, first_s: int, seconds: int, every_s: int = 1) -> dict[tuple[str, int], float]:
    """What `fill` put there."""
    return {
        (f"meter/{one}", second * 1_000_000): (second * 31 + one + 1) % 5000 / 10
        for second in range(first_s, first_s + seconds, every_s)
        for one in range(series)
    }
