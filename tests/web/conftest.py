"""A real server on a free port over a real registry, store and series, with two sites and readings in them."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from tests.migrated import migrated

from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.reception import Reception
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.running import Sources
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest, Readings
from wattstead.refining.live import Live
from wattstead.registry.policy import Role as PersonRole
from wattstead.registry.records import Letter, NewAddress, PointDeclaration, Scope
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor
from wattstead.series import Series
from wattstead.store.supervise import StoreProcess
from wattstead.stream import Journal
from wattstead.web.app import create_web
from wattstead.web.rooms import StatusPart
from wattstead.web.settings import Demo, WebSettings

OWNER, PASSWORD = "owner@test.example", "correct horse battery"
START_S = 1_772_323_200
"""2026-03-01T00:00Z: the month in which Berlin's clocks change."""
DAY_S = 86_400
PLAIN: dict[str, Any] = {"verify": False}
"""Of clients without TLS: they need not read the machine's list of authorities, which takes each 30 ms."""
logging.getLogger("httpx").setLevel(logging.WARNING)


class House:
    """The server, what is behind it, and what was put in."""

    owner, password, start_s = OWNER, PASSWORD, START_S

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.registry = Registry(migrated(folder))
        self.live = Live(Latest())
        self.series: Series
        self.server: uvicorn.Server
        self.loop: asyncio.AbstractEventLoop
        self.points: dict[str, int] = {}
        self.clock_s = 1_800_000_000

    def furnish(self) -> None:
        """Two sites with their keys; the first belongs to the home in Berlin, the second has one point."""
        made = self.registry.first_owner(OWNER, PASSWORD)
        assert made is not None
        organization = made.account.organization_id
        self.home = self.registry.create_site(organization, "Home", "Europe/Berlin", "a recorded home").id
        self.barn = self.registry.create_site(organization, "Barn", "Asia/Kolkata").id
        self.read = self.registry.create_key(self.home, Scope.READ, "reader").secret
        self.write = self.registry.create_key(self.home, Scope.WRITE, "writer").secret
        self.barn_read = self.registry.create_key(self.barn, Scope.READ, "barn reader").secret
        electric: dict[str, Any] = {"quantity": Quantity.ELECTRICITY, "max_gap_s": 7200.0}
        declared = [
            PointDeclaration(address="emon/emontx/power1", name="House power", unit="W", role=Role.HOME, **electric),
            PointDeclaration(
                address="emon/meter/kwh", name="kwh", unit="kWh", kind=Kind.REGISTER, direction=Direction.IMPORT,
                role=Role.GRID, **electric,
            ),
            PointDeclaration(
                address="outdoor", name="Outdoor", unit="°F", quantity=Quantity.TEMPERATURE, adopted=False
            ),
        ]  # fmt: skip
        ids = self.registry.create_points(self.home, declared)
        self.points = dict(zip(("power", "kwh", "outdoor"), ids, strict=True))
        found = self.registry.create_points(self.barn, [PointDeclaration(address="secret", name="Secret")])
        self.points["secret"] = found[0]
        grant = self.registry.key(self.write)
        assert grant is not None
        for room in ("kitchen", "cellar"):
            path = f"influx/climate,floor={'0' if room == 'kitchen' else '-1'},room={room}/temp"
            self.points[room] = self.registry.resolve(grant, [NewAddress(path)])[path]

    def readings(self) -> ReadingBatch:
        """Two days: power each minute (0 to 1439 W by minute of the day), a register that grows by the same energy,
        and two temperatures each ten minutes."""
        minutes = np.arange(2 * 1440)
        time_s = START_S + minutes * 60
        power = (minutes % 1440).astype(float)
        energy_kwh = np.round(np.concatenate([[0.0], np.cumsum(power[:-1])]) / 60_000, 3) + 1000
        tens = time_s[::10]
        columns = [
            (self.points["power"], time_s, power),
            (self.points["kwh"], time_s, energy_kwh),
            (self.points["outdoor"], tens, np.full(len(tens), 50.0)),
            (self.points["kitchen"], tens, 20.0 + minutes[::10] % 5),
            (self.points["cellar"], tens, 10.0 + minutes[::10] % 5),
            (self.points["secret"], tens, np.full(len(tens), 666.0)),
        ]
        return ReadingBatch.of(
            np.concatenate([np.full(len(t), p) for p, t, _ in columns]),
            np.concatenate([t for _, t, _ in columns]) * 1_000_000,
            np.concatenate([v for _, _, v in columns]),
            version=1,
        )

    def status(self) -> Sequence[StatusPart]:
        return [StatusPart("journal", True, "All readings are stored.", {"lag_bytes": 0.0})]

    def publish(self, point: int, value: float) -> int:
        """A reading arrives, as the refinery would say, later than all before it; answers its time in seconds."""
        self.clock_s += 10
        batch = ReadingBatch.of([point], [self.clock_s * 1_000_000], [value], version=2)
        self.live.latest.take(Columns.of([batch]))
        readings = Readings(batch.point, batch.time_us, batch.value)
        self.loop.call_soon_threadsafe(self.live.publish, readings)
        return self.clock_s

    def client(self, key: str = "", **rest: Any) -> httpx.Client:
        """A client with a read key, or nobody."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= rest.pop("headers", {})
        return httpx.Client(base_url=self.url, headers=headers, timeout=30.0, **PLAIN, **rest)

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """A client with the owner's session, which says that it is a page of ours."""
        with self.client(headers={"X-Wattstead": "1"}) as client:
            answer = client.post("/api/v1/session", json={"email": OWNER, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            yield client

    async def serve(self, port: int, ready: threading.Event, settings: WebSettings) -> None:
        """Start the store, put the readings in, answer until told to stop."""
        self.loop = asyncio.get_running_loop()
        async with StoreProcess(self.folder / "store") as store:
            await asyncio.to_thread(self.fill, store.address)
            web = create_web(self.registry, self.series, self.live, settings, self.status)
            about: dict[str, Any] = {"lifespan": "on", "date_header": False, "proxy_headers": False}
            config = uvicorn.Config(web, port=port, log_level="warning", timeout_graceful_shutdown=2, **about)  # type: ignore[arg-type]
            self.server = uvicorn.Server(config)
            ready.set()
            await self.server.serve()
        self.series.close()
        self.registry.close()

    def fill(self, address: str) -> None:
        """Store and roll up the readings."""
        self.series = Series(f"{address}/wattstead")
        self.series.migrate()
        self.series.put_rules([row.point for row in self.registry.points()])
        self.series.append([self.readings()])
        self.series.roll(START_S * 1_000_000, (START_S + 10 * DAY_S) * 1_000_000)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_house(folder: Path, furnish: Callable[[House], object] = House.furnish) -> Iterator[House]:
    """A house that answers; ``furnish`` puts into its registry what is there from the beginning."""
    (folder / "static" / "assets").mkdir(parents=True)
    (folder / "static" / "index.html").write_text('<!doctype html><head><base href="/" /><title>W</title></head>')
    (folder / "static" / "assets" / "index-AbCdEf12.js").write_text("console.log(1);" * 50)
    found = House(folder)
    furnish(found)
    port, ready = free_port(), threading.Event()
    found.url = f"http://127.0.0.1:{port}"
    settings = WebSettings(
        static=folder / "static", heartbeat_s=0.2, live_streams_each=3, trust_forwarded=True,
        demo=Demo("replayed", found.write),
    )  # fmt: skip
    thread = threading.Thread(target=lambda: asyncio.run(found.serve(port, ready, settings)), daemon=True)
    thread.start()
    assert ready.wait(120), "the server did not start"
    for _ in range(600):
        try:
            httpx.get(f"{found.url}/api/v1/docs", **PLAIN)
            break
        except httpx.TransportError:
            threading.Event().wait(0.05)
    yield found
    found.server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The server of this test session."""
    with open_house(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="session", name="open_house")
def _open_house() -> Any:
    """Opens a house of one's own."""
    return open_house


@pytest.fixture
def reader(house: House) -> Iterator[httpx.Client]:
    """A program with the home's read key."""
    with house.client(house.read) as client:
        yield client


@pytest.fixture
def person(house: House) -> Iterator[httpx.Client]:
    """The owner's browser."""
    with house.signed_in() as client:
        yield client


@pytest.fixture
def nobody(house: House) -> Iterator[httpx.Client]:
    """A client that shows nothing."""
    with house.client() as client:
        yield client


class Office:
    """A server of people: one registry behind it, no readings; mails wait in its outbox."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.settings = folder, settings
        self.registry = Registry(migrated(folder))
        made = self.registry.first_owner(OWNER, PASSWORD)
        assert made is not None
        self.owner, self.root = made.account, made.account.organization_id
        self.site = self.registry.create_site(self.root, "Mill", "Europe/Paris").id
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: uvicorn.Server
        self.web: Any
        self.sources: Sources

    async def serve(self) -> None:
        """Answer until told to stop."""
        journal, resolver = Journal.open(self.folder / "journal", 0), RegistryResolver(self.registry)
        resolver.start()
        reception = Reception(journal, resolver, IngestLimits())
        letters = Letters(self.folder / "letters.db")
        self.sources = Sources(self.registry, reception, letters, poll_s=0.05)
        await self.sources.start()
        try:
            await self._answer()
        finally:
            await self.sources.stop()
            letters.close()
            reception.close()
            resolver.close()
            await journal.close()
            self.registry.close()

    async def _answer(self) -> None:
        series = Series("http://nobody:x@127.0.0.1:9/none")
        settings = WebSettings(**{"public_url": self.url, **self.settings})
        web = self.web = create_web(self.registry, series, Live(Latest()), settings, sources=self.sources)
        about: dict[str, Any] = {"lifespan": "on", "date_header": False, "proxy_headers": False}
        config = uvicorn.Config(web, port=self.port, log_level="warning", timeout_graceful_shutdown=2, **about)  # type: ignore[arg-type]
        self.server = uvicorn.Server(config)
        await self.server.serve()
        series.close()

    def client(self, **headers: str) -> httpx.Client:
        """A browser on a page of ours, where nobody is signed in."""
        headers = {"X-Wattstead": "1"} | headers
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30.0, **PLAIN)

    def signed_in(self, email: str = OWNER, password: str = PASSWORD) -> httpx.Client:
        """The browser of somebody."""
        client = self.client()
        with self.client() as door:
            answer = door.post("/session", json={"email": email, "password": password})
            assert answer.status_code == 201, answer.text
            client.cookies = door.cookies
        return client

    def join(self, email: str, role: str, **place: int) -> httpx.Client:
        """The browser of somebody who accepted an invitation; whoever invites is the owner."""
        boss = self.registry.signed(self.registry.login(OWNER, PASSWORD))
        assert boss is not None
        made = self.registry.invite(Actor(self.owner.id), boss.authority, email, PersonRole(role), **place)
        self.registry.accept_invitation(made.token, email.partition("@")[0], PASSWORD)
        return self.signed_in(email)

    def mails(self) -> list[Letter]:
        """The mails that wait, which wait no more."""
        found = self.registry.take_due_mails(100)
        for mail in found:
            self.registry.note_mail_sent(mail.id)
        return [mail.letter for mail in found]


@contextmanager
def open_office(folder: Path, **settings: Any) -> Iterator[Office]:
    """An office that answers."""
    office = Office(folder, **settings)
    thread = threading.Thread(target=lambda: asyncio.run(office.serve()), daemon=True)
    thread.start()
    for _ in range(600):
        try:
            httpx.get(f"{office.url}/api/v1/docs", **PLAIN)
            break
        except httpx.TransportError:
            threading.Event().wait(0.05)
    yield office
    office.server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="session", name="open_office")
def _open_office() -> Any:
    """Opens an office with settings of one's own."""
    return open_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server that sends no mail."""
    with open_office(tmp_path_factory.mktemp("office")) as found:
        yield found


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server that sends mails, reached by another address than it listens on."""
    with open_office(tmp_path_factory.mktemp("mailing"), mail=True, public_url="https://energy.example/w") as found:
        yield found
