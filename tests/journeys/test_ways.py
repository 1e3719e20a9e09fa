"""Weather, prices, a utility's feed, meters that speak by themselves or on an M-Bus, NATS: from bytes to pictures."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import nats
import pytest
from tests.brokers import NatsServer, nats_server
from tests.ingest.fetched.web_server import Asked, Reply, WebServer, web_server
from tests.ingest.mbus.meters import Line, Meter, frame, over_tcp
from tests.ingest.wires import Port
from tests.journeys.test_buses import Beside, _looked, _made, _values, beside
from tests.journeys.test_sources import Serving, _sight, serving

if TYPE_CHECKING:
    from tests.conftest import Running

__all__ = ["beside", "serving"]
PAYLOADS = Path(__file__).parents[1] / "payloads"
HOUR_S, DAY_S = 3_600, 86_400
TOKEN = "a-token-that-nobody-may-see"


class Outside:
    """What is told over HTTP, around the present."""

    def __init__(self, server: WebServer) -> None:
        self.hour = int(time.time()) // HOUR_S * HOUR_S
        self.day = datetime.fromtimestamp(self.hour, UTC).replace(hour=0)
        self.server = server
        self.busy = 1
        server.answers = self.answer

    def answer(self, asked: Asked) -> Reply:
        """Each by its path; prices at first by a server that is busy."""
        if asked.path == "/forecast":
            return Reply(json.dumps(self.weather(range(-24, 72))).encode())
        if asked.path == "/archive":
            return Reply(json.dumps(self.weather(range(-48, 0))).encode())
        if asked.path == "/feed":
            return Reply((PAYLOADS / "greenbutton/feed.xml").read_bytes().replace(b"178027", b"%06d" % self.feed))
        if asked.path.startswith("/octopus/"):
            return Reply(json.dumps({"results": self.half_hours(), "next": None}).encode())
        if asked.query.get("securityToken") != TOKEN:
            return Reply(f"no such token: {asked.query}".encode(), 401)
        self.busy -= 1
        return Reply(b"busy", 503, {"Retry-After": "0"}) if self.busy >= 0 else Reply(self.prices())

    @property
    def feed(self) -> int:
        """The first six digits of the feed's seconds: a day or so ago."""
        return (self.hour - DAY_S) // 10_000

    def weather(self, hours: range) -> dict[str, Any]:
        times = [self.hour + at * HOUR_S for at in hours]
        values = {"temperature_2m": [at / 10 for at in hours], "shortwave_radiation": [100.0] * len(hours)}
        units = {"time": "unixtime", "temperature_2m": "°C", "shortwave_radiation": "W/m²"}
        return {"utc_offset_seconds": 0, "hourly_units": units, "hourly": {"time": times, **values}}

    def half_hours(self) -> list[dict[str, Any]]:
        told = []
        for at in range(96):
            start = self.day + timedelta(minutes=30 * at)
            end = start + timedelta(minutes=30)
            span = {"valid_from": f"{start:%Y-%m-%dT%H:%M:%SZ}", "valid_to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
            told.append({"value_exc_vat": 10.0, "value_inc_vat": 10.5, **span})
        return told[::-1]

    def prices(self) -> bytes:
        """Today and tomorrow by the quarter: two prices a day."""
        text = (PAYLOADS / "entsoe/day_ahead.xml").read_text()
        head, tail = text[: text.index("  <TimeSeries>")], "</Publication_MarketDocument>"
        series = text[text.index("  <TimeSeries>") : text.index("    <Period>")]
        periods = "".join(
            f"<Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
            "<resolution>PT15M</resolution><Point><position>1</position><price.amount>120</price.amount></Point>"
            "<Point><position>49</position><price.amount>-5.5</price.amount></Point></Period>"
            for start in (self.day, self.day + timedelta(days=1))
            for end in (start + timedelta(days=1),)
        )
        return f"{head}{series}{periods}</TimeSeries>{tail}".encode()


@pytest.fixture
def outside() -> Iterator[Outside]:
    with web_server() as server:
        yield Outside(server)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsServer]:
    with nats_server(tmp_path / "nats") as server:
        yield server


def _adopt(client: httpx.Client, point: int, **change: Any) -> None:
    seen = client.get(f"/points/{point}")
    told = {name: value for name, value in seen.json()["suggestion"].items() if name != "role"} | change
    headers = {"If-Match": seen.headers["ETag"]}
    client.patch(f"/points/{point}", json=told, headers=headers).raise_for_status()


def test_from_the_bytes_to_the_picture(
    serving: Serving, outside: Outside, broker: NatsServer, beside: Beside, verb: Callable[..., str],
    tmp_path: Path, eventually: Callable[..., Any],
) -> None:  # fmt: skip
    client, url = serving.client(), outside.server.url
    place = {"latitude": 52.52, "longitude": 13.41}
    line = Line([Meter(5, [frame("kamstrup_multical601")]), Meter(5, [frame("siemens_water")])])
    bus = over_tcp(line)
    port = beside.do(bus.__aenter__())
    meters = [{"address": "06855817"}, {"address": "0802138265329906"}]
    settings = {"port": port, "meters": meters, "baud": 38_400, "every_s": 1.0}
    seen = _looked(client, serving.site, "mbus", settings)
    assert ("mbus/08021382/warm water volume", "0.101") in [(one["name"], one["value"]) for one in seen]
    asyncio.run(_stream(broker))
    sources = {
        name: _made(client, serving.site, protocol, settings)
        for name, protocol, settings in (
            ("forecast", "openmeteo", {**place, "url": f"{url}/forecast"}),
            ("history", "openmeteo", {**place, "url": f"{url}/archive", "kind": "history"}),
            ("entsoe", "entsoe", {"url": f"{url}/entsoe", "area": "10Y1001A1001A82H", "token": TOKEN}),
            ("octopus", "octopus", {"url": f"{url}/octopus", "product": "AGILE-24-10-01", "region": "C"}),
            ("feed", "greenbutton", {"url": f"{url}/feed"}),
            ("mbus", "mbus", settings),
            ("nats", "nats", {"host": "127.0.0.1", "port": broker.port, "stream": "METERS"}),
        )
    }
    table = tmp_path / "meter.csv"
    table.write_text("time,kW\n" + "".join(f"{outside.hour - 60 + at},{at}\n" for at in range(50)))
    to = f"nats://127.0.0.1:{broker.port}"
    verb("simulate", "device", "--csv", table, "--device", "m1", "--pace", "0", "--to", to)
    least = {"forecast": 2 * 71, "history": 96, "entsoe": 192, "octopus": 192, "feed": 7, "mbus": 10, "nats": 50}
    for name, count in least.items():
        eventually(lambda name=name: _sight(client, sources[name])["readings"], lambda found, c=count: found >= c)
        assert _sight(client, sources[name])["letters"] == 0, name
    points = {row["address"]: row for row in client.get("/points", params={"limit": 1000}).json()}
    _weather(client, points, outside, eventually)
    _prices(client, points, outside, eventually)
    _meters(client, points, outside, eventually)
    key = client.post("/keys", json={"site_id": serving.site, "name": "file", "scope": "write"})
    file = tmp_path / "usage.xml"
    file.write_bytes((PAYLOADS / "greenbutton/feed.xml").read_bytes())
    secret = key.raise_for_status().json()["secret"]
    said = verb("import", file, "--url", serving.url, "--key", secret, "--prefix", "utility/")
    assert "7 readings" in said and "accepted   7" in said
    everything = client.get("/sources").text + (serving.folder.parent / "log").read_text()
    assert TOKEN not in everything
    beside.do(bus.__aexit__(None, None, None))
    serving.stop()


def _read(person: httpx.Client, point: int) -> int:
    """When the first reading of a point was, ms; 0 while there is none."""
    query = {"point": point, "start": 0, "end": 4_000_000_000_000, "limit": 1}
    found = person.get("/api/v1/readings", params=query).raise_for_status().json()["time"]
    return int(found[0]) if found else 0


class Speaker:
    """Meters that say the same again and again, each on a serial port, as optical heads and dongles do."""

    def __init__(self, folder: Path, **said: bytes) -> None:
        self.ports = {name: Port(folder / name) for name in said}
        self._said, self._ended = said, threading.Event()
        for port in self.ports.values():
            port.waits(False)
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        while not self._ended.wait(0.1):
            for name, port in self.ports.items():
                with contextlib.suppress(BlockingIOError):  # nobody listens
                    port.say(self._said[name])

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        for port in self.ports.values():
            port.unplug()


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    made = Speaker(tmp_path, ttySML=(PAYLOADS / "sml/isk_mt175.bin").read_bytes(),
                   ttyTIC=(PAYLOADS / "tic/historique.bin").read_bytes())  # fmt: skip
    yield made
    made.end()


def test_meters_that_speak_by_themselves_and_what_is_posted(
    product: Running, speaker: Speaker, eventually: Callable[..., Any]
) -> None:
    """SML and a Linky on serial ports, listened to before they are saved; SenML and Prometheus by a write key."""
    with product.signed_in() as person:
        site = person.get("/api/v1/sites").json()["rows"][0]["id"]
        sources = []
        for protocol, port, address, value in (
            ("sml", speaker.ports["ttySML"], "journey-sml/1-0:16.7.0", "168"),
            ("tic", speaker.ports["ttyTIC"], "journey-tic/PAPP", "520"),
        ):
            told = {"site_id": site, "protocol": protocol,
                    "settings": {"port": str(port.link), "prefix": f"journey-{protocol}/", "every_s": 0.2}}  # fmt: skip
            seen = person.post("/api/v1/sources/look", json=told | {"wanted": {"seconds": 0.5}}).json()
            assert (address, value) in [(one["where"], one["value"]) for one in seen["found"]], seen
            made = person.post("/api/v1/sources", json=told | {"name": protocol})
            sources.append(made.raise_for_status().json()["id"])
        now_s = int(time.time()) - 5
        write = {"Authorization": f"Bearer {product.write_key}"}
        pack = [{"bn": "journey-senml:", "bt": now_s, "n": "power", "u": "W", "v": 230.5}]
        with httpx.Client(base_url=product.url, timeout=60, headers=write) as sender:
            sender.post("/senml", json=pack, headers={"Content-Type": "application/senml+json"}).raise_for_status()
            snappy = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
            body = (PAYLOADS / "prometheus/write.bin").read_bytes()
            assert sender.post("/api/v1/write", content=body, headers=snappy).status_code == 204
        wanted = {"journey-sml/1-0:16.7.0": 168.0, "journey-tic/PAPP": 520.0, "senml/journey-senml:power": 230.5,
                  "prometheus/meter_energy_kwh_total,instance=house,job=house": 10_234.25}  # fmt: skip

        def points() -> dict[str, int]:
            return {row["address"]: row["id"] for row in person.get("/api/v1/points?limit=1000").json()}

        there = eventually(points, lambda found: wanted.keys() <= found.keys())
        for address, value in wanted.items():
            at_ms = eventually(lambda address=address: _read(person, there[address]))
            query = {"points": there[address], "start": at_ms - 60_000, "end": at_ms + 60_000, "step": "1min"}
            told = eventually(
                lambda query=query: person.get("/api/v1/series", params=query).json().get("points", [{}])[0],
                lambda one: any(mean is not None for mean in one.get("mean", ())),
            )
            assert {mean for mean in told["mean"] if mean is not None} == {value}, address
        for source in sources:
            sight = person.get(f"/api/v1/sources/{source}").json()["sight"]
            assert sight["state"] == "connected"
            headers = {"If-Match": person.get(f"/api/v1/sources/{source}").headers["ETag"]}
            assert person.delete(f"/api/v1/sources/{source}", headers=headers).status_code == 204


async def _stream(broker: NatsServer) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{broker.port}")
    await client.jetstream().add_stream(name="METERS", subjects=["device_consumption.>"])
    await client.close()


def _weather(client: httpx.Client, points: Any, outside: Outside, eventually: Callable[..., Any]) -> None:
    """Forecasts lie ahead, history behind, and neither touches the other."""
    now_ms = outside.hour * 1000
    ahead = eventually(lambda: _values(client, points["weather/forecast/temperature_2m"]["id"]))
    assert ahead[0][0] >= now_ms and ahead[-1] == (now_ms + 71 * HOUR_S * 1000, 7.1)
    behind = eventually(lambda: _values(client, points["weather/history/temperature_2m"]["id"]))
    assert behind[-1] == (now_ms - HOUR_S * 1000, -0.1) and len(behind) == 48
    day = eventually(lambda: _values(client, points["weather/forecast 1 d ahead/temperature_2m"]["id"]))
    assert day[0][0] >= now_ms + DAY_S * 1000
    assert points["weather/forecast/temperature_2m"]["suggestion"]["quantity"] == "temperature"


def _prices(client: httpx.Client, points: Any, outside: Outside, eventually: Callable[..., Any]) -> None:
    """By the quarter, in the currency of a kWh on every picture."""
    point = points["price/10Y1001A1001A82H/day-ahead"]["id"]
    _adopt(client, point)
    start = int(outside.day.timestamp() * 1000)
    query = {"points": point, "start": start, "end": start + 2 * DAY_S * 1000, "step": "15min"}
    told = eventually(
        lambda: client.get("/series", params=query).json().get("points", [{}])[0],
        lambda one: len([mean for mean in one.get("mean", ()) if mean is not None]) == 192,
    )
    assert (told["mean"][0], told["mean"][48]) == (pytest.approx(0.12), pytest.approx(-0.0055)), "EUR/kWh"
    tariff = _values(client, points["price/octopus/AGILE-24-10-01 C/import with VAT"]["id"])
    assert len(tariff) == 96 and {value for _, value in tariff} == {10.5}


def _meters(client: httpx.Client, points: Any, outside: Outside, eventually: Callable[..., Any]) -> None:
    """Amounts of a utility's intervals add up; a counter and a power are what the meters said."""
    used = points["greenbutton/5446AF3F/01/electricity import per interval"]
    assert used["suggestion"]["kind"] == "delta"
    _adopt(client, used["id"])
    start = outside.feed * 10_000_000
    query = {"points": used["id"], "start": start - DAY_S * 1000, "end": start + DAY_S * 1000, "step": "day"}
    told = eventually(
        lambda: client.get("/series", params=query).json().get("points", [{}])[0], lambda one: one.get("amount_total")
    )
    assert told["amount_total"] == pytest.approx(1_515_000), "302 + 299 + 304 + 610 kWh, the last of half an hour"
    heat = _values(client, points["mbus/06855817/heat energy"]["id"])
    assert {value for _, value in heat} == {37_351_000} and "mbus/08021382/warm water volume" in points
    played = _values(client, points["device_consumption/m1/power"]["id"])
    assert [value for _, value in played] == [float(at) for at in range(50)]
