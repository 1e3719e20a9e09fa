"""Live values at a real broker, as Home Assistant and others find them there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gmqtt
import msgspec
import numpy as np
import pytest
import uvloop
from tests.brokers import Mosquitto, mosquitto

from wattstead.egress.discovery import config_of, device_class, state_class
from wattstead.egress.published import PublishedPoint
from wattstead.egress.publisher import Publisher
from wattstead.egress.settings import EgressSettings
from wattstead.metering.quantity import UNITS, Kind, Quantity
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest, Readings
from wattstead.refining.live import Live

POWER = PublishedPoint(id=1, site_id=4, site="Home", address="emon/tx/power", label="Solar", unit="W")
METER = PublishedPoint(
    id=2, site_id=4, site="Home", address="meter+1", label="Import", unit="kWh", kind=Kind.REGISTER
)  # fmt: skip


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


class Heard:
    """A client that hears everything, as Home Assistant does."""

    def __init__(self) -> None:
        self.last: dict[str, bytes] = {}
        self.changed = asyncio.Event()

    async def until(self, wanted: Callable[[dict[str, bytes]], object]) -> None:
        async with asyncio.timeout(60):
            while not wanted(self.last):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def hearing(broker: Mosquitto) -> AsyncIterator[Heard]:
    heard = Heard()

    def on_message(client: object, topic: str, raw: bytes, qos: int, properties: object) -> None:
        heard.last[topic] = raw
        heard.changed.set()

    client = gmqtt.Client("hears")
    client.on_message = on_message
    client.on_subscribe = lambda *given: heard.changed.set()
    await client.connect("127.0.0.1", broker.port)
    client.subscribe("#", qos=1)
    try:
        yield heard
    finally:
        await client.disconnect()


class House:
    """What the roof hands over: real latest values, real live ones, and points that may change."""

    def __init__(self, *points: PublishedPoint) -> None:
        self.points, self.version = list(points), 1
        self.latest = Latest()
        self.live = Live(self.latest)
        self._stamp = 0

    def measure(self, point: int, time_s: float, value: float) -> None:
        self._stamp += 1
        readings = Readings(np.array([point], np.uint32), np.array([time_s * 1e6], np.int64), np.array([value]))
        version = np.array([self._stamp], np.uint64)
        self.latest.take(Columns(readings.point, readings.time_us, readings.value, np.zeros(1, np.uint8), version))
        self.live.publish(readings)

    def publisher(self, broker: Mosquitto, **more: Any) -> Publisher:
        settings = EgressSettings(host="127.0.0.1", port=broker.port, installation="a1", every_s=0.1, **more)
        return Publisher(settings, lambda: list(self.points), lambda: self.version, self.live.subscribe)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


CONFIG = "homeassistant/sensor/wattstead_a1/point_1/config"


async def test_values_and_what_home_assistant_needs(broker: Mosquitto) -> None:
    house = House(POWER, METER)
    house.measure(1, 1_700_000_000, 5)
    publisher = house.publisher(broker)
    await publisher.start()
    async with hearing(broker) as heard:
        await heard.until(lambda last: "wattstead/4/emon/tx/power" in last)
        assert json.loads(heard.last["wattstead/4/emon/tx/power"]) == {"value": 5.0, "time": 1.7e9, "unit": "W"}
        assert heard.last["wattstead/status"] == b"online"
        config = json.loads(heard.last[CONFIG])
        assert config["state_topic"] == "wattstead/4/emon/tx/power" and config["device_class"] == "power"
        house.measure(1, 1_700_000_001, 6.5)
        house.measure(2, 1_700_000_001, 100.25)
        await heard.until(lambda last: b"6.5" in last["wattstead/4/emon/tx/power"] and "wattstead/4/meter_1" in last)
        house.points[0] = msgspec.structs.replace(POWER, label="Roof", unit="kW")
        del house.points[1]
        house.version += 1
        await heard.until(lambda last: json.loads(last[CONFIG])["name"] == "Roof")
        await heard.until(lambda last: last["homeassistant/sensor/wattstead_a1/point_2/config"] == b"")
        await publisher.stop()
        await heard.until(lambda last: last["wattstead/status"] == b"offline")


async def test_a_point_that_went_meanwhile_is_taken_away(broker: Mosquitto) -> None:
    house = House(POWER, METER)
    other = "homeassistant/sensor/somebody_else/point_2/config"
    theirs = gmqtt.Client("theirs")
    await theirs.connect("127.0.0.1", broker.port)
    theirs.publish(other, b"{}", qos=1, retain=True)
    publisher = house.publisher(broker)
    await publisher.start()
    async with hearing(broker) as heard:
        await heard.until(lambda last: CONFIG in last and CONFIG.replace("_1/", "_2/") in last and other in last)
        await publisher.stop()
        await heard.until(lambda last: last["wattstead/status"] == b"offline")
        del house.points[1]
        again = house.publisher(broker)
        await again.start()
        await heard.until(lambda last: last[CONFIG.replace("_1/", "_2/")] == b"")
        await again.stop()
    await theirs.disconnect()
    async with hearing(broker) as heard:
        await heard.until(lambda last: CONFIG in last and other in last)
        assert CONFIG.replace("_1/", "_2/") not in heard.last


async def test_a_broker_that_goes_and_comes_again(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    house = House(POWER)
    publisher = house.publisher(broker, qos=1, discovery=False, prefix="elsewhere")
    await publisher.start()
    house.measure(1, 1, 1)
    broker.start()
    try:
        async with hearing(broker) as heard:
            await heard.until(lambda last: "elsewhere/4/emon/tx/power" in last)
        broker.stop()
        house.measure(1, 2, 2)
        broker.start()
        async with hearing(broker) as heard:
            await heard.until(lambda last: b'"value":2.0' in last.get("elsewhere/4/emon/tx/power", b""))
            assert not [topic for topic in heard.last if topic.startswith("homeassistant")]
    finally:
        await publisher.stop()
        broker.stop()


async def test_more_points_than_a_broker_lets_wait_for_its_answers(broker: Mosquitto) -> None:
    """Mosquitto allows twenty messages with QoS 1 on their way."""
    house = House(*(msgspec.structs.replace(POWER, id=n, address=f"p/{n}") for n in range(1, 61)))
    publisher = house.publisher(broker, qos=1)
    await publisher.start()
    async with hearing(broker) as heard:
        for n in range(1, 61):
            house.measure(n, 1_700_000_000, n)
        await heard.until(lambda last: all(f"wattstead/4/p/{n}" in last for n in range(1, 61)))
        assert sum(topic.endswith("/config") for topic in heard.last) == 60
        await publisher.stop()
        await heard.until(lambda last: last["wattstead/status"] == b"offline")


@pytest.mark.unit
@pytest.mark.parametrize("symbol", [symbol for symbol in UNITS if symbol not in ("", "1")])
def test_each_unit_has_a_class_that_takes_it_or_none(symbol: str) -> None:
    point = PublishedPoint(id=1, site_id=1, site="s", address="a", label="l", unit=symbol)
    config = config_of(point, "p", "i")
    assert config["unit_of_measurement"]
    assert config.get("device_class") in {None, *HOME_ASSISTANT}
    if "device_class" in config:
        assert config["unit_of_measurement"] in HOME_ASSISTANT[config["device_class"]]
    if config.get("device_class") in ("energy", "gas", "water"):
        assert config.get("state_class") in (None, "total", "total_increasing")


HOME_ASSISTANT = {
    "power": {"mW", "W", "kW", "MW", "GW", "TW"},
    "apparent_power": {"mVA", "VA", "kVA"},
    "reactive_power": {"mvar", "var", "kvar"},
    "energy": {"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal", "Gcal"},
    "voltage": {"μV", "mV", "V", "kV", "MV"},
    "current": {"A", "mA"},
    "frequency": {"Hz", "kHz", "MHz", "GHz"},
    "temperature": {"°C", "°F", "K"},
    "irradiance": {"W/m²", "BTU/(h⋅ft²)"},
    "volume_flow_rate": {"m³/h", "m³/min", "m³/s", "ft³/min", "L/h", "L/min", "L/s", "gal/min", "mL/s"},
    "wind_speed": {"ft/s", "km/h", "kn", "m/s", "mph", "Beaufort"},
    "pressure": {"cbar", "bar", "hPa", "mmHg", "inHg", "inH₂O", "kPa", "mbar", "Pa", "psi", "mPa"},
    "signal_strength": {"dB", "dBm"},
    "humidity": {"%"}, "battery": {"%"}, "gas": {"m³", "ft³", "CCF", "L"}, "water": {"m³", "L", "gal", "ft³", "CCF"},
}  # fmt: skip
"""Units of its device classes, from its developer documentation of sensors."""


@pytest.mark.unit
@pytest.mark.parametrize(
    "more, expected",
    [
        ({"unit": "%", "quantity": Quantity.HUMIDITY}, ("humidity", "measurement")),
        ({"unit": "m³", "quantity": Quantity.GAS, "kind": Kind.REGISTER}, ("gas", "total_increasing")),
        ({"unit": "kWh", "kind": Kind.DELTA}, ("energy", "")),
        ({"unit": "", "kind": Kind.STATE}, ("", "")),
        ({"unit": "pulse", "kind": Kind.REGISTER}, ("", "total_increasing")),
    ],
)
def test_classes(more: dict[str, Any], expected: tuple[str, str]) -> None:
    point = PublishedPoint(**{"id": 1, "site_id": 1, "site": "s", "address": "a", "label": "l", **more})
    kind = device_class(point)
    assert (kind, state_class(point, kind)) == expected
