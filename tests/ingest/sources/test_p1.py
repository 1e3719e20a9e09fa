"""P1: telegrams of real meters become the points of their template, at their own times; the gateway is real TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.ingest.sources.conftest import Gateway, telegram, until

from wattstead.ingest.sources.p1.row import P1Settings, decode
from wattstead.ingest.sources.p1.telegram import crc16, cut, stamp_us
from wattstead.ingest.sources.sight import State
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.registry.places.sources import Given
from wattstead.registry.templates.library import shipped

if TYPE_CHECKING:
    from tests.ingest.sources.conftest import House

pytestmark = pytest.mark.unit
PAYLOADS = Path(__file__).parents[2] / "payloads" / "p1"
SETTINGS = P1Settings(host="meter", prefix="")
Open = Callable[..., "House"]


def us(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1e6)  # type: ignore[misc]


def read(raw: bytes, settings: P1Settings = SETTINGS) -> dict[str, tuple[int, float, str]]:
    """Time, value and unit by address."""
    columns = decode(Message(raw, "meter:2001", us(2026, 12, 1)), settings)
    assert columns.units is not None and not columns.rejected
    rows = zip(columns.time_us.tolist(), columns.value.tolist(), columns.units, strict=True)
    return {columns.names.address(at): row for at, row in enumerate(rows)}


def test_the_telegram_of_the_specification() -> None:
    found = read((PAYLOADS / "dsmr5.txt").read_bytes())
    at = us(2010, 12, 9, 10, 30, 20)
    assert found["import T1"] == (at, 123456.789, "kWh") and found["export T2"] == (at, 123456.789, "kWh")
    assert found["power import"] == (at, 1.193, "kW") and found["tariff"] == (at, 2.0, "")
    assert found["voltage L3"] == (at, 220.3, "V") and found["current L2"] == (at, 2.0, "A")
    assert found["power export L3"] == (at, 6.666, "kW")
    assert found["gas"] == (us(2010, 12, 9, 10, 25), 12785.123, "m³")


def test_every_point_of_the_template_is_found() -> None:
    (template,) = (one.template for one in shipped() if one.template.name == "p1-dsmr5")
    found = read((PAYLOADS / "dsmr5.txt").read_bytes())
    assert {point.address for point in template.points} <= set(found)
    for point in template.points:
        assert found[point.address][2] == point.unit


def test_a_belgian_meter_with_gas_and_water() -> None:
    found = read((PAYLOADS / "fluvius.txt").read_bytes())
    assert found["gas"] == (us(2026, 6, 15, 10, 0), 112.384, "m³")
    assert found["water"] == (us(2026, 6, 15, 10, 1), 872.234, "m³")
    assert found["import T1"] == (us(2026, 6, 15, 10, 2, 3), 34.567, "kWh")


def test_of_two_channels_of_a_kind_each_is_a_point() -> None:
    """As after a gas meter was exchanged: one point of both would count the difference at every telegram."""
    raw = (PAYLOADS / "fluvius_two_gas.txt").read_bytes()
    found = read(raw)
    assert found["gas"] == (us(2026, 6, 15, 10, 0), 112.384, "m³")
    assert found["gas 2"] == (us(2026, 6, 15, 10, 0), 7.031, "m³")
    assert found["water"] == (us(2026, 6, 15, 10, 1), 872.234, "m³") and "water 2" not in found
    lines = raw[: raw.rindex(b"!")].split(b"\r\n")
    turned = b"\r\n".join([*lines[:2], *reversed(lines[2:]), b"!"])
    anew = read(turned + f"{crc16(turned):04X}\r\n".encode())
    assert (anew["gas"], anew["gas 2"]) == (found["gas"], found["gas 2"]), "by the channels, not by their order"


def test_summer_and_winter_are_told_apart_where_the_clock_shows_the_same() -> None:
    summer, winter = stamp_us("261025023000S", 60), stamp_us("261025023000W", 60)
    assert (summer, winter) == (us(2026, 10, 25, 0, 30), us(2026, 10, 25, 1, 30))
    assert stamp_us("260329030000S", 60) - stamp_us("260329015959W", 60) == 1_000_000
    assert stamp_us("261201120000W", 120) == us(2026, 12, 1, 10)


@pytest.mark.parametrize(
    "text", ["", "261025023000", "261325023000W", "260230000000W", "2610250230٠0W", "261025023000X"]
)
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is none"):
        stamp_us(text, 60)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (telegram(checksum="0000"), "the checksum is '0000'"),
        (telegram(checksum=""), None),
        (telegram().replace(b"1000", b"1001"), "the bytes make"),
        (telegram(checksum="\r"), "no checksum"),
        (b"hello", "no telegram"),
        (telegram(extra="").replace(b"W)", b"X)"), "the bytes make"),
    ],
    ids=["wrong sum", "good sum", "changed", "no sum", "hello", "no time"],
)
def test_what_is_no_telegram(raw: bytes, said: str | None) -> None:
    if said is None:
        assert read(raw)
        return
    with pytest.raises(Unreadable, match=said):
        read(raw)


def test_a_bad_line_costs_itself_alone() -> None:
    raw = telegram(extra="1-0:2.7.0(zz.000*kW)\r\n0-1:24.1.0(003)\r\n0-1:24.2.1(bad)(00001.000*m3)\r\n")
    columns = decode(Message(raw, "", 0), SETTINGS)
    assert [issue.place for issue in columns.rejected.listed] == ["1-0:2.7.0", "0-1:24.2.1"]
    assert list(columns.names.addresses) == ["import T1", "power import"]


def test_a_meter_without_time_and_checksum() -> None:
    raw = b"/ISk5\\2MT382-1004\r\n\r\n1-0:1.8.1(00001.001*kWh)\r\n!\r\n"
    columns = decode(Message(raw, "", 5), P1Settings(host="m", checksum=False))
    assert columns.time_us.tolist() == [5] and columns.untimed is not False
    assert columns.names.addresses == ["p1/import T1"]


def test_a_stream_is_cut_wherever_it_breaks() -> None:
    stream = b"end of one\r\n!1234\r\n" + telegram() + b"\xff\xfe" + telegram()[:50] + b"\r\n" + telegram() + b"/half"
    whole: list[bytes] = []
    rubbish: list[bytes] = []
    rest = b""
    for at in range(0, len(stream), 7):
        found = cut(rest + stream[at : at + 7])
        whole, rubbish, rest = whole + found.telegrams, rubbish + found.rubbish, found.rest
    assert [crc16(one[: one.rfind(b"!") + 1]) == int(one[one.rfind(b"!") + 1 :], 16) for one in whole] == [True, True]
    assert rest == b"/half" and any(b"\xff\xfe" in one for one in rubbish)
    huge = cut(b"/" + b"x" * 20_000)
    assert len(huge.rubbish) == 1 and huge.rest == b""


async def test_from_the_wire_to_the_journal(open_house: Open, gateway: Gateway) -> None:
    house = open_house()
    source = house.source("p1", {"host": "127.0.0.1", "port": gateway.port})
    await house.sources.start()
    sight = await house.is_in(source, State.CONNECTED)
    assert sight.connected_to == f"127.0.0.1:{gateway.port}"
    at = datetime.now(UTC).replace(microsecond=0)
    raw = telegram(at, 1234.567)
    await gateway.say(b"\0rubbish\r\n" + raw[:40])
    await gateway.say(raw[40:])
    await until(lambda: len(house.stored()) == 2)
    assert house.stored()[0] == ("p1/import T1", int(at.timestamp() * 1e6), 1234.567)
    await until(lambda: house.letters.held(source).letters == 1)
    assert house.letters.page(source)[0].message.raw == b"rubbish"
    hints = house.registry.units_of_points([row.point.id for row in house.registry.points()])
    assert sorted(hints.values()) == ["kW", "kWh"]


async def test_a_gateway_that_dies_and_comes_back(open_house: Open, gateway: Gateway) -> None:
    house = open_house()
    source = house.source("p1", {"host": "127.0.0.1", "port": gateway.port})
    await house.sources.start()
    await house.is_in(source, State.CONNECTED)
    await gateway.stop()
    sight = await house.is_in(source, State.WAITING)
    assert "has gone" in sight.last_error
    await until(lambda: "cannot be reached" in house.sources.sight(source).last_error)  # type: ignore[union-attr]
    await gateway.start()
    await house.is_in(source, State.CONNECTED)
    await gateway.say(telegram())
    await until(house.stored)


async def test_a_gateway_that_says_nothing_is_connected_anew(open_house: Open, gateway: Gateway) -> None:
    house = open_house()
    source = house.source("p1", {"host": "127.0.0.1", "port": gateway.port, "silence_s": 2})
    await house.sources.start()
    sight = await house.is_in(source, State.WAITING)
    assert "has said nothing for 2 s" in sight.last_error


async def test_telegrams_wait_as_letters_until_the_settings_are_right(open_house: Open, gateway: Gateway) -> None:
    house = open_house()
    source = house.source("p1", {"host": "127.0.0.1", "port": gateway.port})
    await house.sources.start()
    await gateway.say(telegram(checksum="\r"))
    await until(lambda: house.letters.held(source).letters == 1)
    assert (await house.sources.replay(source)).left == 1
    house.registry.change_source(
        source, Given(settings={"host": "127.0.0.1", "port": gateway.port, "checksum": False})
    )  # fmt: skip
    again = await house.sources.replay(source)
    assert (again.gone, again.left, again.readings) == (1, 0, 2)
    assert house.letters.held(source).letters == 0 and len(house.stored()) == 2


async def test_looking_says_what_the_meter_says(open_house: Open, gateway: Gateway) -> None:
    house = open_house()
    task = asyncio.create_task(house.sources.look("p1", {"host": "127.0.0.1", "port": gateway.port}, {}, {}))
    await until(lambda: gateway.came)
    await gateway.say(telegram())
    found = {one.where: one for one in await task}
    assert (found["1-0:1.8.1"].name, found["1-0:1.8.1"].value, found["1-0:1.8.1"].unit) == (
        "import T1", "001000.000", "kWh"
    )  # fmt: skip
