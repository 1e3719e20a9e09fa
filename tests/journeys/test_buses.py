"""A Modbus device and an OPC UA server, from looking around to the answer, through the whole product."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer
from tests.ingest.modbus.devices import PAYLOADS, Gateway, Image, answering, line, unused_port
from tests.ingest.modbus.test_servers import devices, served
from tests.ingest.opcua.servers import SERVER_URI, Meters, meters, pair
from tests.journeys.test_sources import Serving, _sight, serving

__all__ = ["serving"]
WRAPS_AT = 4_294_967_296
WH = 40_093


class Beside:
    """A loop in a thread of its own, in which devices live while a test waits for the product."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def beside() -> Iterator[Beside]:
    made = Beside()
    yield made
    made.end()


def _values(client: httpx.Client, point: int) -> list[tuple[int, float]]:
    answer = client.get("/readings", params={"point": point, "start": 0, "end": 4_000_000_000_000, "limit": 10_000})
    if answer.status_code == 503:  # they are being stored
        return []
    told = answer.raise_for_status().json()
    return list(zip(told["time"], told["value"], strict=True))


def _made(client: httpx.Client, site: int, protocol: str, settings: dict[str, Any]) -> int:
    body = {"site_id": site, "name": protocol, "protocol": protocol, "settings": settings}
    return int(client.post("/sources", json=body).raise_for_status().json()["id"])


def _looked(
    client: httpx.Client, site: int, protocol: str, settings: dict[str, Any], **wish: Any
) -> list[dict[str, Any]]:
    body = {"site_id": site, "protocol": protocol, "settings": settings, "wanted": wish}
    told = client.post("/sources/look", json=body).raise_for_status().json()
    assert not told.get("fault"), told
    found: list[Any] = told["found"]
    return found


def test_an_inverter_from_the_scan_to_its_energy(
    serving: Serving, beside: Beside, eventually: Callable[..., Any]
) -> None:
    """Found by its unit id and by SunSpec, tested, read; its counter wraps, its bus is cut and comes back."""
    registers = Image(PAYLOADS / "fronius-symo.txt").registers
    gateway = Gateway(answering({3: registers}, only_exact=True))
    beside.do(gateway.start())
    client = serving.client()

    def counter(wh: int) -> None:
        high, low = struct.unpack(">HH", struct.pack(">I", wh))
        registers.update({("holding", WH): high, ("holding", WH + 1): low})

    counter(WRAPS_AT - 10)
    bus = {"host": "127.0.0.1", "port": gateway.port, "every_s": 0.2, "timeout_s": 0.3, "retries": 0}
    (found,) = _looked(client, serving.site, "modbus", bus, what="scan", first=2, last=4, timeout_s=0.1)
    assert found["name"].startswith("Fronius Symo") and found["settings"]["devices"][0]["template"] == "fronius-symo"
    tested = _looked(client, serving.site, "modbus", {**bus, **found["settings"]})
    assert {one["name"]: one["value"] for one in tested}["fronius-symo/W"] == "4871"
    device = {"site_id": serving.site, "name": "Roof", "template": "fronius-symo"}
    client.post("/devices", json=device).raise_for_status()

    source = _made(client, serving.site, "modbus", {**bus, **found["settings"]})
    eventually(lambda: _sight(client, source)["readings"], lambda count: count >= 24)
    points = {row["address"]: row for row in client.get("/points").json()}
    energy, power = points["fronius-symo/WH"], points["fronius-symo/W"]
    assert energy["width"] == WRAPS_AT and energy["unit"] == "Wh" and power["unit"] == "W"
    counter(5)
    eventually(lambda: _values(client, energy["id"]), lambda values: [value for _, value in values[-1:]] == [5])

    beside.do(gateway.stop())
    eventually(lambda: _sight(client, source)["state"], lambda state: state == "waiting")
    before = _sight(client, source)["readings"]
    counter(12)
    beside.do(gateway.start())
    eventually(lambda: _sight(client, source)["readings"], lambda count: count > before)
    found = eventually(lambda: _values(client, energy["id"]), lambda values: values and values[-1][1] == 12)
    assert [value for _, value in found] == sorted((value for _, value in found), key=[WRAPS_AT - 10, 5, 12].index)
    now_ms = int(time.time() * 1000)
    query = {"points": energy["id"], "start": now_ms - 3_600_000, "end": now_ms + 60_000, "step": "1min"}
    series = lambda: client.get("/series", params=query).raise_for_status().json()["points"][0]  # noqa: E731
    told = eventually(series, lambda one: one["amount_total"] is not None and one["amount_total"] >= 22)
    assert told["amount_total"] == 22, "10 Wh to the end of the register and 12 beyond"
    assert {value for _, value in _values(client, power["id"])} == {4871}
    assert _sight(client, source)["letters"] == 0
    beside.do(gateway.stop())
    serving.stop()


def test_an_inverter_on_a_serial_line(serving: Serving, beside: Beside, eventually: Callable[..., Any]) -> None:
    """Modbus RTU: found by the scan, tested, read to its values."""
    both = contextlib.AsyncExitStack()
    ours, theirs = beside.do(both.enter_async_context(line()))

    async def speak() -> None:
        speaking = ModbusSerialServer(devices(), framer=FramerType.RTU, port=theirs, baudrate=115_200)
        await both.enter_async_context(served(speaking))

    beside.do(speak())
    client = serving.client()
    bus = {"link": "serial", "serial": ours, "baud": 115_200, "every_s": 0.2}
    (found,) = _looked(client, serving.site, "modbus", bus, what="scan", first=9, last=9)
    assert found["settings"]["devices"][0]["template"] == "fronius-symo"
    tested = _looked(client, serving.site, "modbus", {**bus, **found["settings"]})
    assert {one["name"]: one["value"] for one in tested}["fronius-symo/W"] == "4871"
    source = _made(client, serving.site, "modbus", {**bus, **found["settings"]})
    eventually(lambda: _sight(client, source)["readings"], lambda count: count >= 24)
    points = {row["address"]: row for row in client.get("/points").json()}
    values = eventually(lambda: _values(client, points["fronius-symo/W"]["id"]), lambda values: len(values) >= 2)
    assert {value for _, value in values} == {4871}
    beside.do(both.aclose())
    eventually(lambda: _sight(client, source)["state"], lambda state: state == "waiting")
    serving.stop()


@pytest.fixture
def secured(beside: Beside, tmp_path: Path) -> Iterator[Meters]:
    """An OPC UA server with a certificate, and a password for its users."""
    certificate, key = tmp_path / "server.pem", tmp_path / "server-key.pem"
    for file, content in zip((certificate, key), pair("Meters", SERVER_URI), strict=True):
        file.write_bytes(content)
    running = meters(unused_port(), certificate, key)
    yield beside.do(running.__aenter__())
    beside.do(running.__aexit__(None, None, None))


def test_nodes_of_a_secured_server(
    serving: Serving, secured: Meters, beside: Beside, eventually: Callable[..., Any]
) -> None:
    """Trusted by its fingerprint, entered with a password, browsed, received; the password stands nowhere."""
    client, secret = serving.client(), secured.users.password
    beside.do(secured.add("Power", 1500.5, unit="W"))
    settings: dict[str, Any] = {"url": secured.url, "publish_s": 0.2, "sample_s": 0.0, "queue": 100}
    offered = {one["where"]: one for one in _looked(client, serving.site, "opcua", settings)}
    settings |= {**offered["Aes256Sha256RsaPss sign-and-encrypt"]["settings"], "user": "reader", "password": secret}
    seen = {one["name"]: one for one in _looked(client, serving.site, "opcua", settings)}
    assert (seen["Meter/Power"]["value"], seen["Meter/Power"]["unit"]) == ("1500.5", "W")
    source = _made(client, serving.site, "opcua", {**settings, **seen["Meter/Power"]["settings"]})
    eventually(lambda: _sight(client, source)["readings"], lambda count: count >= 1)
    for step in range(50):
        beside.do(secured.set("Power", float(step)))
    (point,) = client.get("/points").json()
    assert point["address"] == "opcua/Meter/Power"
    found = eventually(lambda: [value for _, value in _values(client, point["id"])], lambda values: values[-1:] == [49])
    assert found == [1500.5, *map(float, range(50))], "every change, in order, each once"
    told = client.get(f"/sources/{source}").text + (serving.folder.parent / "log").read_text()
    assert secret not in told
    assert (serving.folder / "opcua" / "opcua.key").stat().st_mode & 0o077 == 0
    serving.stop()
