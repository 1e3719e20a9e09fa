"""SunSpec: what a device says it is and where it keeps which number, found by walking its models; nothing is kept.

Offsets and forms follow the SunSpec Device Information Model Specification; only what is worth a reading is here.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

from wattstead.ingest.modbus.bus import Refused
from wattstead.ingest.modbus.meters import registers_from
from wattstead.ingest.modbus.settings import NamedRegister
from wattstead.registry.templates.library import Library, shipped

BASES = (40_000, 0, 50_000)
_MARK = b"SunS"
_END = 0xFFFF
_MOST_MODELS = 100
_LONGEST_MODEL = 2_000
_MOST_MODULES = 20
_COMMON = 1
_NAMEPLATE = 120
_MODULES = 160

Read = Callable[[int, int], Awaitable[bytes]]
"""Reads so many holding registers from a place; raises `NoAnswer`, `Refused`, `SourceFailed`."""


class Spot(NamedTuple):
    """A number in a model: offset from the model's first register, form, unit, offset of its scale factor."""

    name: str
    at: int
    form: str
    unit: str = ""
    scale_at: int | None = None


class Model(NamedTuple):
    """A model that a device has, and where."""

    id: int
    at: int
    """Register of its id."""
    length: int
    """Registers after id and length."""


class Device(NamedTuple):
    """What a device says of itself."""

    maker: str
    model: str
    version: str
    serial: str
    rated_w: float
    """0: it does not say."""
    models: tuple[Model, ...]
    registers: tuple[NamedRegister, ...]


def _spots(form: str, scale_at: int | None, unit: str, names: str, start: int, step: int = 1) -> list[Spot]:
    """Numbers of one form and unit that stand one after the other."""
    return [Spot(name, start + step * at, form, unit, scale_at) for at, name in enumerate(names.split()) if name != "-"]


def _der_phase(phase: str, start: int) -> Iterator[Spot]:
    """What model 701 has of the whole and of each phase, in the same order."""
    yield Spot(f"W{phase}", start, "int16", "W", 116)
    yield Spot(f"VA{phase}", start + 1, "int16", "VA", 118)
    yield Spot(f"Var{phase}", start + 2, "int16", "var", 119)
    yield Spot(f"PF{phase}", start + 3, "uint16", "", 117)
    yield Spot(f"A{phase}", start + 4, "int16", "A", 113)
    lines = {"": "LLV", "L1": "VL1L2", "L2": "VL2L3", "L3": "VL3L1"}[phase]
    yield Spot(lines, start + 5, "int16", "V", 114)
    yield Spot(f"V{phase}" if phase else "LNV", start + 6, "int16", "V", 114)
    if phase:
        yield from _spots("uint64", 120, "Wh", f"TotWhInj{phase} TotWhAbs{phase}", start + 7, 4)


_INVERTER = (
    *_spots("uint16", 6, "A", "A AphA AphB AphC", 2),
    *_spots("uint16", 13, "V", "PPVphAB PPVphBC PPVphCA PhVphA PhVphB PhVphC", 7),
    Spot("W", 14, "int16", "W", 15),
    Spot("Hz", 16, "uint16", "Hz", 17),
    Spot("VA", 18, "int16", "VA", 19),
    Spot("VAr", 20, "int16", "var", 21),
    Spot("PF", 22, "int16", "%", 23),
    Spot("WH", 24, "uint32", "Wh", 26),
    Spot("DCA", 27, "uint16", "A", 28),
    Spot("DCV", 29, "uint16", "V", 30),
    Spot("DCW", 31, "int16", "W", 32),
    *_spots("int16", 37, "°C", "TmpCab TmpSnk TmpTrns TmpOt", 33),
    *_spots("uint16", None, "", "St StVnd", 38),
)
_INVERTER_FLOAT = (
    *_spots("float32", None, "A", "A AphA AphB AphC", 2, 2),
    *_spots("float32", None, "V", "PPVphAB PPVphBC PPVphCA PhVphA PhVphB PhVphC", 10, 2),
    *(Spot(name, at, "float32", unit) for name, at, unit in (
        ("W", 22, "W"), ("Hz", 24, "Hz"), ("VA", 26, "VA"), ("VAr", 28, "var"), ("PF", 30, "%"), ("WH", 32, "Wh"),
        ("DCA", 34, "A"), ("DCV", 36, "V"), ("DCW", 38, "W"),
    )),
    *_spots("float32", None, "°C", "TmpCab TmpSnk TmpTrns TmpOt", 40, 2),
    *_spots("uint16", None, "", "St StVnd", 48),
)  # fmt: skip
_METER = (
    *_spots("int16", 6, "A", "A AphA AphB AphC", 2),
    *_spots("int16", 15, "V", "PhV PhVphA PhVphB PhVphC PPV PhVphAB PhVphBC PhVphCA", 7),
    Spot("Hz", 16, "int16", "Hz", 17),
    *_spots("int16", 22, "W", "W WphA WphB WphC", 18),
    *_spots("int16", 27, "VA", "VA", 23),
    *_spots("int16", 32, "var", "VAR", 28),
    Spot("PF", 33, "int16", "%", 37),
    *_spots("uint32", 54, "Wh", "TotWhExp TotWhExpPhA TotWhExpPhB TotWhExpPhC", 38, 2),
    *_spots("uint32", 54, "Wh", "TotWhImp TotWhImpPhA TotWhImpPhB TotWhImpPhC", 46, 2),
)
_DER = (
    *_spots("uint16", None, "", "St InvSt ConnSt", 3),
    *_der_phase("", 10),
    Spot("Hz", 17, "uint32", "Hz", 115),
    *_spots("uint64", 120, "Wh", "TotWhInj TotWhAbs", 19, 4),
    *_spots("int16", 122, "°C", "TmpAmb TmpCab TmpSnk TmpTrns TmpSw TmpOt", 35),
    *(spot for phase in (1, 2, 3) for spot in _der_phase(f"L{phase}", 18 + 23 * phase)),
)
MODELS: dict[int, tuple[Spot, ...]] = {
    **dict.fromkeys((101, 102, 103), _INVERTER),
    **dict.fromkeys((111, 112, 113), _INVERTER_FLOAT),
    **dict.fromkeys((201, 202, 203, 204), _METER),
    701: _DER,
}
"""What is read of each model. 120 and 160 are read by themselves: what a device is, and its trackers."""


async def discover(read: Read) -> Device | None:
    """What the device says of itself; None where it does not speak SunSpec. Raises `NoAnswer`, `SourceFailed`."""
    for base in BASES:
        try:
            if await read(base, 2) == _MARK:
                return await _device(read, await _walk(read, base + 2))
        except Refused:
            continue
    return None


async def _walk(read: Read, at: int) -> list[Model]:
    models: list[Model] = []
    while len(models) < _MOST_MODELS and at < 65_534:
        try:
            number, length = struct.unpack(">HH", await read(at, 2))
        except Refused:  # some devices end without saying so
            break
        if number in (_END, 0) or length > _LONGEST_MODEL:
            break
        models.append(Model(number, at, length))
        at += 2 + length
    return models


async def _device(read: Read, models: Sequence[Model]) -> Device:
    maker = name = version = serial = ""
    rated_w, modules = 0.0, {}
    for model in models:
        if model.id == _COMMON and not maker and model.length >= 64:
            said = await read(model.at + 2, 64)
            maker, name, version, serial = (_text(said[a:b]) for a, b in ((0, 32), (32, 64), (80, 96), (96, 128)))
        elif model.id == _NAMEPLATE and model.length >= 3:
            watts, power = struct.unpack(">Hh", await read(model.at + 3, 2))
            rated_w = watts * 10.0**power if watts != 0xFFFF and abs(power) <= 10 else 0.0
        elif model.id == _MODULES and model.length >= 8:
            (count,) = struct.unpack(">H", await read(model.at + 8, 1))
            modules[model] = min(count, _MOST_MODULES, (model.length - 8) // 20)
    return Device(maker, name, version, serial, rated_w, tuple(models), tuple(_registers(models, modules)))


def _registers(models: Sequence[Model], modules: dict[Model, int]) -> Iterator[NamedRegister]:
    """The registers of all models; where two have a name in common the later one's begins with its number."""
    taken: set[str] = set()
    times: dict[int, int] = {}
    for model in models:
        spots = _trackers(modules[model]) if model in modules else MODELS.get(model.id, ())
        times[model.id] = times.get(model.id, 0) + 1
        clash = any(spot.name in taken for spot in spots)
        before = f"{model.id}{'' if times[model.id] == 1 else f'-{times[model.id]}'}/" if clash else ""
        for spot in spots:
            words = int(spot.form[-2:]) // 16
            if max(spot.at + words, (spot.scale_at or 0) + 1) > model.length + 2:
                continue  # a shorter revision of the model
            taken.add(before + spot.name)
            yield NamedRegister(
                name=before + spot.name,
                unit=spot.unit,
                table="holding",
                at=model.at + spot.at,
                form=spot.form,
                scale_at=None if spot.scale_at is None else model.at + spot.scale_at,
            )


def _trackers(count: int) -> list[Spot]:
    """The numbers of model 160, for so many trackers."""
    spots = []
    for module in range(count):
        start, name = 10 + 20 * module, f"tracker {module + 1} "
        spots += [
            Spot(name + "DCA", start + 9, "uint16", "A", 2),
            Spot(name + "DCV", start + 10, "uint16", "V", 3),
            Spot(name + "DCW", start + 11, "uint16", "W", 4),
            Spot(name + "DCWH", start + 12, "uint32", "Wh", 5),
            Spot(name + "Tmp", start + 16, "int16", "°C"),
        ]
    return spots


def fitting(device: Device) -> str:
    """The shipped template of the maker whose registers all stand where the device has them; empty where none does."""
    has = {(one.at, one.form, one.scale_at) for one in device.registers}
    for shelved in Library(shipped()):
        template = shelved.template
        registers = registers_from(template)
        if not registers or template.maker.casefold() not in device.maker.casefold() or not template.maker:
            continue
        if all(
            register.table == "holding" and (register.at, register.form, register.scale_at) in has
            for register in registers
        ):
            return template.name
    return ""


def _text(octets: bytes) -> str:
    """
    >>> _text(b"Fronius\\0\\0 ")
    'Fronius'
    """
    return octets.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
