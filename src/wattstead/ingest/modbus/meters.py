"""Meters: what follows from the settings of each device: names, registers, what to read; it asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus.plan import Block, Span, plan
from wattstead.ingest.modbus.settings import Device, ModbusSettings, NamedRegister
from wattstead.metering.quantity import UNITS
from wattstead.registry.errors import Unknown
from wattstead.registry.names import address_fault
from wattstead.registry.templates.library import Library, shipped
from wattstead.registry.templates.template import Template


@dataclass(frozen=True)
class Meter:
    """A device with everything that its settings leave to its template."""

    unit: int
    prefix: str
    registers: tuple[NamedRegister, ...]
    every_s: float
    longest_gap: int
    longest_block: int

    @cached_property
    def spans(self) -> list[Span]:
        """All registers that are wanted, scale factors too, each once."""
        return sorted({span for register in self.registers for span in spans_of(register)})

    def plan(self) -> list[Block]:
        """What to read when nothing is known of the device yet."""
        return plan(self.spans, self.longest_gap, self.longest_block)


def spans_of(register: NamedRegister) -> list[Span]:
    """The registers that one number needs: its own, and that of its scale factor.

    >>> spans_of(NamedRegister(name="W", table="holding", at=83, form="int16", scale_at=84))
    [Span(table='holding', at=83, words=1), Span(table='holding', at=84, words=1)]
    """
    own = [Span(register.table, register.at, register.words)]
    return own if register.scale_at is None else [*own, Span(register.table, register.scale_at, 1)]


def meters_of(settings: ModbusSettings) -> list[Meter]:
    """The devices of a source; raises `ParameterInvalid` where they do not go together."""
    meters = [_meter(device, settings.every_s, f"devices[{at}]") for at, device in enumerate(settings.devices)]
    units: set[int] = set()
    addresses: dict[str, int] = {}
    for at, meter in enumerate(meters):
        if meter.unit in units:
            raise ParameterInvalid(
                f"devices[{at}].unit_id", str(meter.unit), "a unit id that no other device of the bus has"
            )
        units.add(meter.unit)
        for register in meter.registers:
            address = meter.prefix + register.name
            if address in addresses:
                raise ParameterInvalid(
                    f"devices[{at}].prefix", meter.prefix,
                    f"a prefix or name that keeps {address!r} apart from that of unit {addresses[address]}",
                )  # fmt: skip
            addresses[address] = meter.unit
            wrong = address_fault(address)
            if wrong:
                raise ParameterInvalid(f"devices[{at}].registers", address, f"an address that may be: {wrong.reason}")
    return meters


def check(settings: ModbusSettings) -> None:
    """Raise `ParameterInvalid` where there is no bus to open, no device on it, or they do not go together."""
    check_place(settings)
    if not settings.devices:
        raise ParameterInvalid("devices", "", "a device with its unit id and template; look around to find some")
    meters_of(settings)


def check_place(settings: ModbusSettings) -> None:
    """Raise `ParameterInvalid` where there is no bus to open."""
    if settings.link == "serial" and not settings.serial:
        raise ParameterInvalid("serial", "", "a serial line such as /dev/ttyUSB0")
    if settings.link != "serial" and not settings.host:
        raise ParameterInvalid("host", "", "the name or address of the device or gateway")


def completed(settings: ModbusSettings) -> ModbusSettings:
    """The settings with the registers of every template written out; raises `ParameterInvalid`."""

    def written_out(device: Device) -> Device:
        if device.registers or not device.template:
            return device
        template = template_named(device.template)
        told = {"prefix": device.prefix or template.prefix, "registers": registers_from(template)}
        return msgspec.structs.replace(device, template="", **told)

    return msgspec.structs.replace(settings, devices=tuple(written_out(device) for device in settings.devices))


def spelt_out(told: dict[str, Any], find: Callable[[str], Template | None]) -> dict[str, Any]:
    """Settings as they are given with the registers of own templates; what names a shipped one, or none, stays."""

    def registers_of(device: Any) -> Any:
        name = device.get("template") if isinstance(device, dict) and not device.get("registers") else ""
        own = find(name) if isinstance(name, str) and name and name not in with_registers() else None
        if own is None or not (registers := registers_from(own)):
            return device
        kept = {key: value for key, value in device.items() if key != "template"}
        return {**kept, "prefix": kept.get("prefix") or own.prefix, "registers": msgspec.to_builtins(registers)}

    devices = told.get("devices")
    return {**told, "devices": [registers_of(one) for one in devices]} if isinstance(devices, list) else told


def template_named(name: str, place: str = "template") -> Template:
    """The shipped template of that name; raises `ParameterInvalid` where there is none, or it has no registers."""
    try:
        template = Library(shipped()).find(name).template
    except Unknown:
        raise ParameterInvalid(place, name, f"one of {', '.join(with_registers())}") from None
    if not any(point.register for point in template.points):
        raise ParameterInvalid(place, name, f"one with registers: {', '.join(with_registers())}")
    return template


def with_registers() -> list[str]:
    """Names of the shipped templates of Modbus devices."""
    return [one.template.name for one in Library(shipped()) if any(point.register for point in one.template.points)]


def registers_from(template: Template) -> tuple[NamedRegister, ...]:
    """A template's registers under the names of its points, each in the unit of its point."""
    return tuple(
        NamedRegister(
            name=point.address,
            unit=point.unit if point.unit in UNITS else "",
            **{field: getattr(point.register, field) for field in point.register.__struct_fields__},
        )
        for point in template.points
        if point.register is not None
    )


def _meter(device: Device, every_s: float, place: str) -> Meter:
    registers, prefix = device.registers, device.prefix
    if not registers:
        if not device.template:
            raise ParameterInvalid(f"{place}.template", "", f"registers, or one of {', '.join(with_registers())}")
        template = template_named(device.template, f"{place}.template")
        registers = registers_from(template)
        prefix = prefix or template.prefix
    _known_units(registers, place)
    return Meter(
        unit=device.unit_id,
        prefix=prefix or f"modbus/{device.unit_id}/",
        registers=registers,
        every_s=device.every_s or every_s,
        longest_gap=device.longest_gap,
        longest_block=device.longest_block,
    )


def _known_units(registers: Iterable[NamedRegister], place: str) -> None:
    for register in registers:
        if register.unit not in UNITS:
            raise ParameterInvalid(
                f"{place}.registers[{register.name}].unit", register.unit, "one like W, kWh, V or none"
            )
