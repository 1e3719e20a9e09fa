"""SunSpec: devices say what they are; walking their models finds every number and the template."""

from __future__ import annotations

import msgspec
import pytest
from tests.ingest.modbus.devices import PAYLOADS, Image, Registers, answering, gateway

from wattstead.ingest.modbus.bus import opened
from wattstead.ingest.modbus.look import look, reading
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.modbus.sunspec import MODELS, Device, discover, fitting
from wattstead.ingest.sources.source_protocol import SourceFailed


async def discovered(name: str) -> tuple[Device, Image]:
    image = Image(PAYLOADS / f"{name}.txt")
    device = await asked(image.registers)
    assert device is not None
    return device, image


async def asked(registers: Registers) -> Device | None:
    async with (
        gateway(answering({1: registers}, only_exact=True)) as bus,
        opened(ModbusSettings(host="127.0.0.1", port=bus.port)) as connection,
    ):
        return await discover(reading(connection, 1, 2.0))


@pytest.mark.parametrize(
    "name, maker, models, template",
    [
        ("fronius-symo", "Fronius", [1, 103, 120, 160], "fronius-symo"),
        ("solaredge", "SolarEdge", [1, 103, 1, 203], "solaredge"),
        ("sunspec-113", "Example", [1, 113], ""),
        ("sunspec-701", "Example", [1, 701], ""),
    ],
)
async def test_a_device_says_what_it_is_and_its_template_is_found(
    name: str, maker: str, models: list[int], template: str
) -> None:
    device, _ = await discovered(name)
    assert device.maker == maker
    assert [model.id for model in device.models] == models
    assert fitting(device) == template


async def test_what_it_says_of_itself() -> None:
    device, _ = await discovered("fronius-symo")
    assert device[:5] == ("Fronius", "Symo 5.0-3-M", "3.19.7-1", "34119102", 5000.0)
    assert [(model.id, model.at, model.length) for model in device.models] == [
        (1, 40002, 65), (103, 40069, 50), (120, 40121, 26), (160, 40149, 48),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["fronius-symo", "solaredge", "sunspec-113", "sunspec-701"])
async def test_each_number_has_the_value_that_the_device_means(name: str) -> None:
    device, image = await discovered(name)
    made = {"devices": [{"unit_id": 1, "registers": device.registers}]}
    async with gateway(answering({1: image.registers}, only_exact=True)) as bus:
        settings = ModbusSettings(host="127.0.0.1", port=bus.port)
        settings = msgspec.convert({**msgspec.to_builtins(settings), **msgspec.to_builtins(made)}, ModbusSettings)
        found = {one.name.removeprefix("modbus/1/"): one for one in await look(settings, {})}
    for address, value in image.expected.items():
        assert found[address].fault == ""
        assert float(found[address].value) == pytest.approx(value, rel=1e-6), address


async def test_trackers_and_a_meter_behind_the_inverter() -> None:
    symo, _ = await discovered("fronius-symo")
    names = [one.name for one in symo.registers]
    assert "tracker 1 DCW" in names and "tracker 2 DCWH" in names and "tracker 3 DCW" not in names
    edge, _ = await discovered("solaredge")
    meter = {one.name: one.at for one in edge.registers if one.name.startswith("203/")}
    assert meter["203/W"] == 40206 and meter["203/TotWhImp"] == 40234 and meter["203/TotWhExp"] == 40226
    assert len({one.name for one in edge.registers}) == len(edge.registers)


async def test_looking_proposes_the_template_or_the_registers() -> None:
    for name, expected in (("fronius-symo", "template fronius-symo"), ("sunspec-701", "registers")):
        image = Image(PAYLOADS / f"{name}.txt")
        async with gateway(answering({4: image.registers}, only_exact=True)) as bus:
            (found,) = await look(ModbusSettings(host="127.0.0.1", port=bus.port), {"what": "sunspec", "unit": 4})
        assert found.where == "unit 4" and expected in found.value
        (device,) = found.settings["devices"]
        assert device["unit_id"] == 4 and ("template" in device) != ("registers" in device)


async def test_a_device_without_sunspec_is_said_to_have_none() -> None:
    meter = Image(PAYLOADS / "abb-b23.txt")
    async with gateway(answering({1: meter.registers})) as bus:
        with pytest.raises(SourceFailed, match="does not speak SunSpec: no mark at 40000, 0, 50000"):
            await look(ModbusSettings(host="127.0.0.1", port=bus.port), {"what": "sunspec"})


@pytest.mark.parametrize(
    "registers",
    [
        {("holding", 40000): 0x5375, ("holding", 40001): 0x6E53},
        {("holding", 40000): 0x5375, ("holding", 40001): 0x6E53, ("holding", 40002): 103, ("holding", 40003): 60_000},
        {("holding", 40000): 0x5375, ("holding", 40001): 0x6E53, ("holding", 40002): 103, ("holding", 40003): 4},
    ],
    ids=["ends at once", "a model longer than the map", "a model shorter than it should be"],
)
async def test_maps_that_are_broken_lead_nowhere_and_end(registers: Registers) -> None:
    device = await asked(registers)
    assert device is not None
    assert {one.name for one in device.registers} <= {"A", "AphA", "AphB", "AphC"}


@pytest.mark.unit
def test_no_number_of_a_model_lies_on_another() -> None:
    for model, spots in MODELS.items():
        places = [at for spot in spots for at in range(spot.at, spot.at + int(spot.form[-2:]) // 16)]
        scales = {spot.scale_at for spot in spots if spot.scale_at is not None}
        assert len(places) == len(set(places)), model
        assert not scales & set(places), model
        assert len({spot.name for spot in spots}) == len(spots), model
