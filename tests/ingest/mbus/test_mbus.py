"""M-Bus: what real meters' bytes mean; meters on a bus found, read page by page, silent, garbled and cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.mbus.meters import PAYLOADS, Line, Meter, frame, over_port, over_tcp, rewritten
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.mbus.bus import other_than
from wattstead.ingest.mbus.decode import decode
from wattstead.ingest.mbus.frames import cut, frames_of
from wattstead.ingest.mbus.records import telegram_of
from wattstead.ingest.mbus.run import look, run
from wattstead.ingest.mbus.settings import MbusMeter, MbusSettings
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable

QUICK: dict[str, Any] = {"timeout_s": 0.2, "retries": 2, "every_s": 3600.0, "baud": 38_400}
EXPECTED: dict[str, dict[str, tuple[float, str]]] = {
    "kamstrup_multical601": {
        "heat energy": (37_351_000, "Wh"), "volume": (561.08, "m³"), "power": (34_700, "W"), "power max": (44_800, "W"),
        "flow": (0.543, "m³/h"), "flow temperature": (101.69, "°C"), "return temperature": (46.16, "°C"),
        "temperature difference K": (55.53, ""), "on time": (985 * 3600, "s"), "volume unit 1": (0, "m³"),
    },
    "itron_cyble_gas": {"gas volume": (0.26, "m³"), "bat. time": (4050, "")},
    "siemens_water": {"warm water volume": (0.101, "m³"), "on time": (873 * 86_400, "s"), "flow": (0, "m³/h")},
    "electricity_meter": {
        "energy T1": (2_540, "Wh"), "energy T2": (4_441_280, "Wh"), "voltage 7F 01": (233, "V"),
        "current 7F 03": (0.1, "A"), "power 7F 02 unit 1": (0, "W"),
    },
    "eastron_sdm630": {"voltage": (1234.56, "V"), "voltage 6": (1234.56, "V"), "current 4": (123.456, "A"),
                       "power 4": (12_345.6, "W")},
    "landis_gyr_t230": {"flow temperature": (19.5, "°C"), "temperature difference K": (-0.2, ""),
                        "flow temperature max T1": (30.7, "°C"), "heat energy T5": (0, "Wh")},
    "sontex_supercal_1of2": {"heat energy": (0, "J"), "flow": (0, "m³/h"), "power": (0, "W")},
}  # fmt: skip


def told(found: Columns | Few) -> dict[str, tuple[float, str]]:
    """Value and unit by what follows the meter's number."""
    columns = found.columns() if isinstance(found, Few) else found
    units = columns.units or [""] * len(columns)
    rows = range(len(columns))
    return {columns.names.address(row).split("/", 2)[2]: (float(columns.value[row]), units[row]) for row in rows}


def settings_for(port: str, *addresses: str, **more: Any) -> MbusSettings:
    meters = tuple(MbusMeter(address=one) for one in addresses)
    return MbusSettings(port=port, meters=meters, **{**QUICK, **more})


def message(*names: str, where: str = "5") -> Message:
    return Message(b"".join(frame(name) for name in names), where, 1_700_000_000_000_000)


@pytest.mark.unit
def test_every_payload_has_an_expectation() -> None:
    assert {file.stem for file in PAYLOADS.iterdir()} == set(EXPECTED)


@pytest.mark.unit
@pytest.mark.parametrize("name", EXPECTED)
def test_what_real_meters_say(name: str) -> None:
    found = decode(message(name), settings_for("tcp://x:1"))
    values = told(found)
    assert {key: values.get(key) for key in EXPECTED[name]} == EXPECTED[name]
    assert not found.rejected and not any(" 6F" in key for key in values), "dates of maxima are no temperatures"


@pytest.mark.unit
def test_names_are_the_templates_own() -> None:
    settings = MbusSettings(port="tcp://x:1", meters=(MbusMeter(address="5", prefix="kamstrup-multical403/"),))
    found = decode(message("kamstrup_multical601"), settings)
    names = set(found.names.addresses)
    assert {f"kamstrup-multical403/{one}" for one in ("heat energy", "volume", "power", "flow")} <= names


@pytest.mark.unit
def test_two_telegrams_are_one_answer() -> None:
    first = frame("sontex_supercal_1of2")
    other = frame("kamstrup_multical601")
    found = told(decode(Message(first + other, "5", 0), settings_for("tcp://x:1")))
    assert found["heat energy 2"] == (37_351_000, "Wh") and "power max" in found


@pytest.mark.unit
def test_a_value_that_is_not_the_quantity_itself_is_passed_over() -> None:
    """Per hour, since when, in gallons, with something to be added: told by an extension, and other numbers all."""
    plain, uncorrected = "04 13 e8030000", "04 93 3a d0070000"
    odd = [f"04 93 {code} 05000000" for code in ("22", "39", "3d", "78")]
    body = frame("siemens_water")[4:19] + bytes.fromhex("".join([plain, uncorrected, *odd]))
    raw = bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))
    found = told(decode(Message(raw, "5", 0), settings_for("tcp://x:1")))
    assert found == {"warm water volume": (1.0, "m³"), "warm water volume 3A": (2.0, "m³")}


@pytest.mark.unit
def test_what_is_wrong_is_named() -> None:
    whole = frame("siemens_water")
    broken = whole[:20] + b"\xff" + whole[21:]
    for raw, reason in (
        (b"", "no whole frame"), (broken, "no whole frame"), (whole[:-3], "no whole frame"),
        (rewritten(whole, 2, b"\x73"), "fixed form"), (rewritten(whole, 2, b"\x70"), "reports an error"),
        (rewritten(whole, 14, b"\x05"), "encrypted"), (rewritten(whole, 15, b"\x8c" + b"\x80" * 12), "extensions"),
    ):  # fmt: skip
        with pytest.raises(Unreadable, match=reason):
            decode(Message(raw, "5", 0), settings_for("tcp://x:1"))
    no_number = decode(Message(rewritten(whole, 17, b"\xaa"), "5", 0), settings_for("tcp://x:1"))
    assert no_number.rejected.listed[0].reason == "000001aa is no decimal number"
    assert len(no_number.names) == 2, "the others are kept"


@pytest.mark.unit
@given(st.binary(max_size=300), st.sampled_from(sorted(EXPECTED)), st.integers(3, 60), st.binary(max_size=40))
def test_no_bytes_break_it(rubbish: bytes, name: str, at: int, new: bytes) -> None:
    assert cut(rubbish).rubbish <= len(rubbish)
    raw = rewritten(frame(name), at, new[: len(frame(name)) - 6 - at])
    for one in (rubbish, raw, rubbish + frame(name)):
        with suppress(Unreadable):
            decode(Message(one, "5", 0), settings_for("tcp://x:1"))
    assert frames_of(b"\x00\x68" + frame(name))[-1:] == [frame(name)]


@asynccontextmanager
async def running(settings: MbusSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run(settings, way))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_line() -> Line:
    """Two meters, of which one answers in two telegrams."""
    heat = frame("sontex_supercal_1of2")
    second = frame("landis_gyr_t230")
    return Line([Meter(5, [heat, rewritten(second, 3, heat[7:15])]), Meter(7, [frame("siemens_water")])])


async def test_by_primary_and_secondary_address_over_tcp() -> None:
    line, way = a_line(), RecordingWay()
    line.lost = 3
    async with over_tcp(line) as port, running(settings_for(port, "5", "08021382", retries=4), way):
        await way.until(lambda way: "mbus/08021382/flow" in way.values())
    values = way.values()
    assert values["mbus/08420624/flow temperature 2"] == [19.5], "of its second telegram"
    assert values["mbus/08021382/warm water volume"] == [0.101] and not way.refused


async def test_over_a_serial_port_that_hears_itself(tmp_path: Path) -> None:
    line, way = a_line(), RecordingWay()
    line.echoes = True
    async with over_port(line, tmp_path / "ttyUSB0") as port, running(settings_for(port, "7"), way):
        await way.until(lambda way: way.kept)
    assert way.values()["mbus/08021382/warm water volume"] == [0.101]


async def test_one_is_silent_then_all() -> None:
    line, way = a_line(), RecordingWay()
    line.meters[0].dead = True
    async with over_tcp(line) as port:
        async with running(settings_for(port, "5", "7", every_s=1.0), way) as task:
            await way.until(lambda way: len(way.values().get("mbus/08021382/flow", ())) >= 2)
            assert [reason for _, reason in way.refused] == [
                "5: the meter does not answer: is it wired, and is this its address?"
            ], "once, not each time"
            line.meters[1].dead = True
            with pytest.raises(SourceFailed, match="none of 2 meters"):
                await task
        with pytest.raises(SourceFailed, match="no meter is named"):
            await run(settings_for(port), way)


async def test_the_gateway_goes() -> None:
    line, way = a_line(), RecordingWay()
    async with over_tcp(line) as port, running(settings_for(port, "7", every_s=1.0), way) as task:
        await way.until(lambda way: way.kept)
        for writer in line.cuts:
            writer.close()
        with pytest.raises(SourceFailed, match="has gone"):
            await task


async def test_meters_are_found_and_tested() -> None:
    line = Line([Meter(5, [frame("landis_gyr_t230")]), Meter(5, [frame("siemens_water")])])
    async with over_tcp(line) as port:
        found = {one.where: one for one in await look(settings_for(port, retries=0), {})}
        assert {(one.name, one.value) for one in found.values()} == {
            ("LUG 66660205", "heat"), ("LSE 08021382", "warm water"),
        }, "two of one primary address, told apart"  # fmt: skip
        meters = [one.settings["meters"][0]["address"] for one in found.values()]
        tested = await look(settings_for(port, *meters, "9"), {})
    assert ("mbus/08021382/warm water volume", "0.101", "m³") in [(one.name, one.value, one.unit) for one in tested]
    assert tested[-1].where == "9" and "does not answer" in tested[-1].fault


async def test_an_answer_of_another_meter_is_not_taken_for_the_one_that_was_asked() -> None:
    """Of a line whose converter hands out what another one said."""
    heat, water = frame("landis_gyr_t230"), frame("siemens_water")
    wrong = Meter(5, [frame("kamstrup_multical601")], says=7)
    whose = Meter(9, [heat], heard_as=water)
    way = RecordingWay()
    async with over_tcp(Line([wrong, whose])) as port:
        settings = settings_for(port, "5", "08021382", retries=0)
        with pytest.raises(SourceFailed, match="none of 2 meters"):
            await run(settings, way)
        tested = await look(settings, {})
    assert [reason for _, reason in way.refused] == [
        "5: meter 5 was asked and meter 7 answered: do two have one address?",
        "08021382: meter 08021382 was asked and meter 66660205A7320704 answered: do two have one address?",
    ]
    assert [one.fault for one in tested] == [reason.partition(": ")[2] for _, reason in way.refused]
    assert not way.kept


@pytest.mark.unit
def test_whose_answer_it_is() -> None:
    water = rewritten(frame("siemens_water"), 1, b"\x05")
    whole = telegram_of(water).who.secondary
    for address in ("", "254", "5", "08021382", "0802FFFF", whole, whole.lower(), whole[:8] + "FFFFFFFF"):
        assert other_than(address, water) == ""
    assert other_than("0803FFFF", water) == other_than(whole[:14] + "05", water) == whole
    assert other_than("77", rewritten(water, 1, b"\x00")) == "", "as gateways answer"
