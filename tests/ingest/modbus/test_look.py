"""Looking around before a device is saved: by the page's function and by the command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.ingest.modbus.devices import PAYLOADS, Answering, Gateway, Image, answering, gateway

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus.look import hosts_of, look, scan_hosts
from wattstead.ingest.modbus.settings import Device, ModbusSettings
from wattstead.ingest.sources.source_protocol import SourceFailed

METER = Image(PAYLOADS / "eastron-sdm630.txt")
INVERTER = Image(PAYLOADS / "sma-tripower.txt")


async def looked(answer: Answering, wish: dict[str, Any], **settings: Any) -> list[Any]:
    async with gateway(answer) as bus:
        return list(await look(ModbusSettings(host="127.0.0.1", port=bus.port, **settings), wish))


async def test_every_register_of_a_template_with_its_value() -> None:
    found = await looked(answering({1: METER.registers}), {"template": "eastron-sdm630"})
    assert len(found) == 13 and not any(one.fault for one in found)
    voltage = next(one for one in found if one.name == "eastron-sdm630/voltage L1")
    assert (voltage.where, voltage.value, voltage.unit) == ("unit 1 input 0", "230.2", "V")


async def test_devices_of_the_settings_are_tested_when_nothing_else_is_asked_for() -> None:
    devices = (Device(unit_id=1, template="eastron-sdm630"), Device(unit_id=2, template="sma-tripower"))
    found = await looked(answering({1: METER.registers, 2: INVERTER.registers}), {}, devices=devices)
    assert len(found) == 13 + 9
    (bad,) = (one for one in found if one.fault)
    assert (bad.where, bad.fault) == ("unit 2 input 30953", "the device says that it has no value here")


async def test_the_wrong_template_shows() -> None:
    """A meter read with the low word first: numbers come, and cannot be right."""
    registers = [{"name": "U", "unit": "V", "table": "input", "at": 0, "form": "float32le"}]
    devices = msgspec.convert([{"unit_id": 1, "registers": registers}], tuple[Device, ...])
    (found,) = await looked(answering({1: {("input", 0): 0x4366, ("input", 1): 0x7FFF}}), {}, devices=devices)
    assert found.fault.endswith("the device says that it has no value here")
    (found,) = await looked(answering({1: {("input", 0): 0x4366, ("input", 1): 0x7F33}}), {}, devices=devices)
    assert "V is not plausible; look at form, word order and scale" in found.fault


async def test_registers_that_are_missing_and_devices_that_are() -> None:
    lacking = {place: word for place, word in METER.registers.items() if place[1] not in (74, 75)}
    found = await looked(answering({1: lacking}, only_exact=True), {"template": "eastron-sdm630"})
    assert [one.fault for one in found if one.fault] == ["exception 2 (illegal data address)"]
    found = await looked(answering({}), {"template": "eastron-sdm630"}, timeout_s=0.05, retries=0)
    assert {one.fault for one in found} == {"unit 1 did not answer for input 0+18 within 0.05 s"}


async def test_some_registers_in_a_form_of_choice() -> None:
    wish = {"what": "read", "table": "input", "at": 0, "count": 4, "form": "float32"}
    found = await looked(answering({1: METER.registers}), wish)
    assert [(one.where, one.value[:5]) for one in found] == [("unit 1 input 0", "230.2"), ("unit 1 input 2", "229.9")]
    with pytest.raises(SourceFailed, match="exception 2"):
        await looked(answering({1: METER.registers}), {**wish, "table": "holding"})


async def test_a_scan_finds_who_answers_and_asks_nobody_else() -> None:
    async with gateway(answering({2: METER.registers, 5: Image(PAYLOADS / "fronius-symo.txt").registers})) as bus:
        settings = ModbusSettings(host="127.0.0.1", port=bus.port)
        found = await look(settings, {"what": "scan", "first": 1, "last": 6, "timeout_s": 0.1})
        assert {unit for unit, *_ in bus.asked} == {1, 2, 3, 4, 5, 6}
    assert [(one.where, one.name) for one in found] == [("unit 2", ""), ("unit 5", "Fronius Symo 5.0-3-M 34119102")]
    assert found[0].settings == {"devices": [{"unit_id": 2}]}


async def test_units_that_a_gateway_says_have_failed_are_no_devices() -> None:
    """They are named all the same, on one line: some devices answer so for registers that they have not."""
    meters = answering({2: METER.registers, 4: INVERTER.registers})

    def answer(unit: int, function: int, at: int, count: int) -> bytes | None:
        if unit == 4 and (function, at) == (3, 0):
            return bytes([function | 0x80, 4])
        return meters(unit, function, at, count) or bytes([function | 0x80, 4])

    found = await looked(answer, {"what": "scan", "first": 1, "last": 5, "timeout_s": 1.0})
    assert [one.where for one in found] == ["unit 2", "unit 4", "units 1, 3, 5"]
    assert not found[2].settings and not found[2].fault and "exception 4 (device failure)" in found[2].value


async def test_a_range_of_hosts_is_scanned_when_it_is_given() -> None:
    async with gateway(answering({1: Image(PAYLOADS / "fronius-symo.txt").registers})) as bus:
        (one,) = await scan_hosts(ModbusSettings(port=bus.port), "127.0.0.1-2", 1, 0.2)
    assert one.where == "127.0.0.1" and one.settings["host"] == "127.0.0.1"
    assert one.settings["devices"] == [{"unit_id": 1, "template": "fronius-symo"}]


async def test_templates_and_their_registers_without_asking_anybody() -> None:
    nowhere = ModbusSettings()
    assert "abb-b23" in {one.where for one in await look(nowhere, {"what": "templates"})}
    found = await look(nowhere, {"what": "registers", "template": "abb-b23", "unit": 7})
    assert found[0].settings["devices"][0]["registers"] == [
        {"name": "power", "unit": "W", "table": "holding", "at": 23316, "form": "int32", "factor": 0.01}
    ]
    registers = [register for one in found for device in one.settings["devices"] for register in device["registers"]]
    msgspec.convert({"host": "h", "devices": [{"unit_id": 7, "registers": registers}]}, ModbusSettings, strict=True)


@pytest.mark.parametrize(
    "wish, reason",
    [
        ({"what": "nonsense"}, "what is 'nonsense'; expected one of test, scan"),
        ({"what": "scan", "first": 9, "last": 2}, "unit ids from 0 to 255"),
        ({"what": "scan", "timeout_s": 100}, "timeout_s is '100.0'"),
        ({"what": "read", "count": 1, "form": "float64"}, "count is '1'"),
        ({"what": "read", "form": "text"}, "form is"),
        ({"what": "test"}, "expected a template, or devices"),
        ({"what": "scan", "hosts": "10.0.0.0/24"}, "unknown field"),
        ({"unknown": 1}, "unknown field"),
    ],
)
async def test_wishes_that_have_no_meaning(wish: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParameterInvalid, match=reason):
        await look(ModbusSettings(host="127.0.0.1", port=9), wish)


@pytest.mark.unit
@pytest.mark.parametrize(
    "hosts", ["10.0.0.0/8", "10.0.0.1", "169.254.0.0/24", "10.0.0.9-3", "10.0.0.1-300", "::1", "x"]
)
def test_ranges_that_are_not_scanned(hosts: str) -> None:
    if hosts == "10.0.0.1":
        assert hosts_of(hosts) == ["10.0.0.1"]
        return
    with pytest.raises(ParameterInvalid, match="of a private network"):
        hosts_of(hosts)


@pytest.fixture
def beside() -> Iterator[Gateway]:
    """A gateway in a thread, for commands that block."""
    device = Gateway(answering({1: METER.registers, 3: Image(PAYLOADS / "fronius-symo.txt").registers}))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(device.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield device
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(device.stop())
    loop.close()


def test_the_command(beside: Gateway, verb: Callable[..., str]) -> None:
    bus = f"127.0.0.1:{beside.port}"
    scanned = verb("modbus", "scan", bus, "--last", 3, "--timeout-s", 0.1)
    assert '{"devices": [{"unit_id": 3, "template": "fronius-symo"}]}' in scanned
    tested = verb("modbus", "test", bus, "eastron-sdm630")
    assert len(tested.splitlines()) == 13
    assert "unit 1 input 0            eastron-sdm630/voltage L1  230.2 V" in tested
    assert "49.98" in verb("modbus", "read", bus, 70, 2, "--table", "input", "--form", "float32")
    assert "no mark at 40000" in verb("modbus", "test", bus, expect=1)
