"""Numbers out of registers: each form, what says that there is none, scale factors, the shipped maps."""

from __future__ import annotations

import math
import struct

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.ingest.modbus.devices import PAYLOADS, Image

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus.layout import Layout, decode, where_of
from wattstead.ingest.modbus.meters import completed, meters_of, with_registers
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.settings import Device, ModbusSettings, NamedRegister
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit

NOW_US = 1_700_000_000_000_000
CODES = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float32": "f", "float64": "d",
}  # fmt: skip
TWINS = {"eastron-sdm230": "eastron-sdm120", "janitza-umg96": "janitza-umg604"}
"""Templates with the map of another model."""


def settings(*registers: NamedRegister) -> ModbusSettings:
    return ModbusSettings(host="h", devices=(Device(unit_id=1, prefix="m/", registers=registers),))


def read(raw: bytes, *registers: NamedRegister, at: int = 0) -> dict[str, float]:
    where = where_of(1, [Block("holding", at, len(raw) // 2)])
    columns = decode(Message(raw, where, NOW_US), settings(*registers))
    assert len(columns) + columns.skipped + columns.rejected.count == len(registers)
    assert set(columns.time_us.tolist()) <= {NOW_US}
    return {columns.names.address(row): float(columns.value[row]) for row in range(len(columns))}


def one(form: str, at: int = 0, **more: object) -> NamedRegister:
    return NamedRegister(name="a", table="holding", at=at, form=form, **more)  # type: ignore[arg-type]


@given(st.data(), st.sampled_from(sorted(CODES)), st.booleans(), st.booleans())
def test_every_form_in_every_order(data: st.DataObject, form: str, low_first: bool, swapped: bool) -> None:
    width = {"16": 2, "32": 4, "64": 8}[form[-2:]]
    octets = data.draw(st.binary(min_size=width, max_size=width))
    (number,) = struct.unpack(">" + CODES[form], octets)
    words = [octets[at : at + 2] for at in range(0, width, 2)]
    words = [word[::-1] if swapped else word for word in (words[::-1] if low_first else words)]
    found = read(b"".join(words), one(form + "le" * low_first, swapped=swapped, full=True))
    assert found == ({"m/a": float(number)} if math.isfinite(number) else {})


@pytest.mark.parametrize(
    "form, octets",
    [
        ("int16", "8000"), ("uint16", "ffff"), ("int32", "80000000"), ("uint32", "ffffffff"),
        ("int64", "8000000000000000"), ("uint64", "ffffffffffffffff"), ("float32", "7fc00000"), ("float32", "ff800000"),
        ("float64", "7ff8000000000000"),
    ],
)  # fmt: skip
def test_what_says_that_there_is_none_is_left_out_and_counted(form: str, octets: str) -> None:
    raw = bytes.fromhex(octets)
    columns = decode(Message(raw, where_of(1, [Block("holding", 0, len(raw) // 2)]), NOW_US), settings(one(form)))
    assert (len(columns), columns.skipped, columns.rejected.count) == (0, 1, 0)


@given(st.integers(-32_767, 32_767), st.integers(-10, 10))
def test_scale_factors_are_powers_of_ten(number: int, power: int) -> None:
    raw = struct.pack(">hh", number, power)
    (found,) = read(raw, one("int16", scale_at=1)).values()
    assert found == (number * 10.0**power if power >= 0 else number / 10.0**-power)


def test_a_scale_factor_that_is_none_takes_its_number_along() -> None:
    assert read(struct.pack(">hh", 5, -32_768), one("int16", scale_at=1)) == {}


def test_a_scale_factor_beyond_its_range_is_named() -> None:
    message = Message(struct.pack(">hh", 5, 100), where_of(1, [Block("holding", 0, 2)]), NOW_US)
    columns = decode(message, settings(one("int16", scale_at=1)))
    assert (len(columns), columns.skipped) == (0, 0)
    assert columns.rejected.listed[0].reason == "scale factor is 100; expected -10 to 10"
    assert columns.rejected.listed[0].place == "unit 1 holding 0 (a)"


@given(st.integers(0, 2**32 - 2), st.sampled_from([0.1, 0.01, 0.001]))
def test_hundredths_are_exact(number: int, factor: float) -> None:
    (found,) = read(struct.pack(">I", number), one("uint32", factor=factor)).values()
    assert found == float(f"{number}e-{round(-math.log10(factor))}")


@given(st.integers(-32_767, 32_767), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_factor_and_offset(number: int, factor: float, offset: float) -> None:
    (found,) = read(struct.pack(">h", number), one("int16", factor=factor, offset=offset)).values()
    assert found == pytest.approx(number * factor + offset, rel=1e-9, abs=1e-6)


@given(st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=40), st.randoms())
def test_many_forms_in_one_answer_each_find_their_own(forms: list[str], random: object) -> None:
    registers, raw, expected = [], b"", {}
    for number, form in enumerate(forms):
        registers.append(NamedRegister(name=str(number), table="holding", at=100 + len(raw) // 2, form=form))
        raw += struct.pack(">" + CODES[form], number + 1)
        expected[f"m/{number}"] = float(number + 1)
    assume(len(raw) <= 250)
    random.shuffle(registers)  # type: ignore[attr-defined]
    assert read(raw, *registers, at=100) == expected


def test_numbers_of_which_not_all_was_answered_are_left_out() -> None:
    """Another block had no answer: neither the number nor what its scale factor is is known."""
    (meter,) = meters_of(
        settings(one("int16"), NamedRegister(name="b", table="holding", at=9, form="int16", scale_at=0))
    )
    layout = Layout(meter, [Block("holding", 0, 2)])
    assert [register.name for register in layout.registers] == ["a"]


@pytest.mark.parametrize(
    "where", ["", "unit 1", "unit 1 holding 0+1 nonsense", "unit 1 coil 0+1", "unit 9999 input 0+1"]
)
def test_a_message_from_nowhere_is_unreadable(where: str) -> None:
    with pytest.raises(Unreadable, match="names no registers"):
        decode(Message(b"\0\0", where, NOW_US), settings(one("int16")))


@given(st.binary(max_size=40))
def test_an_answer_of_another_length_is_unreadable(raw: bytes) -> None:
    assume(len(raw) != 4)
    with pytest.raises(Unreadable, match="expected two for each"):
        decode(Message(raw, "unit 1 holding 0+2", NOW_US), settings(one("int16")))


def test_a_device_that_is_no_longer_there_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="unit 7 is none of"):
        decode(Message(b"\0\0", "unit 7 holding 0+1", NOW_US), settings(one("int16")))


@pytest.mark.parametrize("template", with_registers())
def test_each_shipped_template_reads_what_its_device_answers(template: str) -> None:
    image = Image(PAYLOADS / f"{TWINS.get(template, template)}.txt")
    made = ModbusSettings(host="h", devices=(Device(unit_id=3, template=template),))
    (meter,) = meters_of(made)
    blocks = meter.plan()
    raw = b"".join(
        image.registers.get((block.table, at), 0).to_bytes(2, "big")
        for block in blocks
        for at in range(block.at, block.end)
    )
    columns = decode(Message(raw, where_of(3, blocks), NOW_US), made)
    found = {
        columns.names.address(row).removeprefix(meter.prefix): float(columns.value[row]) for row in range(len(columns))
    }
    wanted = {name: image.expected[name] for name in (register.name for register in meter.registers)}
    assert found == pytest.approx({name: value for name, value in wanted.items() if not math.isnan(value)}, rel=1e-12)
    assert columns.skipped == sum(math.isnan(value) for value in wanted.values())
    units = {register.name: register.unit for register in meter.registers}
    assert columns.units == [
        units[columns.names.address(row).removeprefix(meter.prefix)] for row in range(len(columns))
    ]


def test_the_same_numbers_have_the_same_names_so_that_points_are_found_once() -> None:
    (meter,) = meters_of(settings(one("int16"), NamedRegister(name="b", table="holding", at=1, form="int16")))
    layout = Layout(meter, [Block("holding", 0, 2)])
    names = [
        layout.columns(Message(raw, "", NOW_US)).names
        for raw in (b"\0\1\0\2", b"\0\3\0\4", b"\0\1\x80\0", b"\0\2\x80\0")
    ]
    assert names[0] is names[1] and names[2] is names[3]
    assert list(names[2].addresses) == ["m/a"]


@pytest.mark.parametrize(
    "devices, reason",
    [
        ((Device(unit_id=1, template="nothing"),), "template is 'nothing'"),
        ((Device(unit_id=1, template="linky-standard"),), "expected one with registers"),
        ((Device(unit_id=1),), "expected registers, or one of abb-b23"),
        ((Device(unit_id=1, template="abb-b23"), Device(unit_id=1, template="sma-tripower")), "no other device"),
        ((Device(unit_id=1, template="abb-b23"), Device(unit_id=2, template="abb-b23")), "keeps 'abb-b23/power' apart"),
        ((Device(unit_id=1, registers=(one("int16", unit="bananas"),)),), "'bananas'"),
        ((Device(registers=(NamedRegister(name=" ", table="input", at=0, form="int16"),), prefix=" "),), "blanks"),
    ],
)  # fmt: skip
def test_devices_that_do_not_go_together(devices: tuple[Device, ...], reason: str) -> None:
    with pytest.raises(ParameterInvalid, match=reason):
        meters_of(ModbusSettings(host="h", devices=devices))


def test_two_of_a_kind_with_prefixes_of_their_own() -> None:
    pair = (Device(unit_id=1, template="abb-b23"), Device(unit_id=2, template="abb-b23", prefix="second/", every_s=2))
    first, second = meters_of(ModbusSettings(host="h", devices=pair, every_s=7))
    assert (first.prefix, first.every_s, second.prefix, second.every_s) == ("abb-b23/", 7, "second/", 2)


@pytest.mark.parametrize("name", with_registers())
def test_what_is_written_out_for_an_edge_reads_the_same(name: str) -> None:
    settings = ModbusSettings(host="h", devices=(Device(unit_id=3, template=name, every_s=5.0), Device(unit_id=4)))
    with pytest.raises(ParameterInvalid):
        meters_of(settings)
    settings = msgspec.structs.replace(settings, devices=settings.devices[:1])
    written = completed(settings)
    assert written.devices[0].template == "" and meters_of(written) == meters_of(settings)
    again = msgspec.convert(msgspec.to_builtins(written), ModbusSettings, strict=True)
    assert again == written == completed(written)
