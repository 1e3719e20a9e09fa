"""Looking around: for people who set a source up; scans, reads and tests, and proposes settings. It keeps nothing.

``what`` says for what: ``test`` (every register of the devices, with its value), ``scan`` (which unit ids answer),
``sunspec`` (what a device says of itself), ``read`` (some registers),
``registers`` (those of a template; asks nobody), ``templates``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus import sunspec
from wattstead.ingest.modbus.bus import Bus, NoAnswer, Refused, opened
from wattstead.ingest.modbus.frames import meaning
from wattstead.ingest.modbus.layout import Layout
from wattstead.ingest.modbus.meters import Meter, check_place, meters_of, registers_from, template_named, with_registers
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.settings import Device, ModbusSettings, NamedRegister
from wattstead.ingest.modbus.testing import shown, tested
from wattstead.ingest.sources.source_protocol import Found, SourceFailed
from wattstead.registry.templates.library import Library, shipped

_MOST_HOSTS = 256
_AT_ONCE = 32
_UNITS_TCP, _UNITS_SERIAL = 16, 32
_SCAN_S = 0.3
_MOST_WORDS = 125
_NOBODY = frozenset({10, 11})
"""Exceptions of gateways, which say that nobody answers there."""
_FAILURE = 4
"""What many gateways say of a unit that is not there, and some devices of a register."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for; what does not belong to ``what`` is not looked at."""

    what: str = ""
    unit: int = 1
    first: int = 1
    last: int = 0
    """Unit ids of a scan; 0: 16 over TCP, 32 on a line."""
    template: str = ""
    table: str = "holding"
    at: int = 0
    count: int = 10
    form: str = "uint16"
    timeout_s: float = _SCAN_S


async def look(settings: ModbusSettings, wish: Mapping[str, Any]) -> Sequence[Found]:
    """What was looked for; raises `SourceFailed`, `ParameterInvalid`."""
    try:
        wanted = msgspec.convert(dict(wish), Wish)
    except msgspec.ValidationError as error:
        raise ParameterInvalid("wish", str(dict(wish)), str(error)) from None
    what = wanted.what or ("test" if settings.devices or wanted.template else "scan")
    looking = _LOOKS.get(what)
    if looking is None:
        raise ParameterInvalid("what", what, f"one of {', '.join(_LOOKS)}")
    if looking not in (_templates, _registers):
        check_place(settings)
    return await looking(settings, wanted)


async def _templates(settings: ModbusSettings, wish: Wish) -> list[Found]:
    titles = {one.template.name: one.template.title for one in Library(shipped())}
    return [
        Found(where=name, name=titles[name], settings={"devices": [{"unit_id": wish.unit, "template": name}]})
        for name in with_registers()
    ]


async def _registers(settings: ModbusSettings, wish: Wish) -> list[Found]:
    template = template_named(wish.template)
    device = {"unit_id": wish.unit, "prefix": template.prefix}
    return [
        Found(
            where=f"{one.table} {one.at}",
            name=one.name,
            unit=one.unit,
            settings={"devices": [{**device, "registers": [msgspec.to_builtins(one)]}]},
        )
        for one in registers_from(template)
    ]


async def _test(settings: ModbusSettings, wish: Wish) -> list[Found]:
    if wish.template:
        settings = msgspec.structs.replace(settings, devices=(Device(unit_id=wish.unit, template=wish.template),))
    meters = meters_of(settings)
    if not meters:
        raise ParameterInvalid("template", "", f"a template, or devices in the settings: {', '.join(with_registers())}")
    async with opened(settings) as bus:
        return [one for meter in meters for one in await tested(bus, meter, settings)]


async def _read(settings: ModbusSettings, wish: Wish) -> list[Found]:
    try:
        form = msgspec.convert(
            {"name": "a", "table": wish.table, "at": wish.at, "form": wish.form, "full": True}, NamedRegister
        )
    except msgspec.ValidationError as error:
        raise ParameterInvalid("form", f"{wish.table} {wish.at} {wish.form}", str(error)) from None
    count = wish.count - wish.count % form.words
    if not form.words <= count <= _MOST_WORDS or wish.at + count > 65_536:
        raise ParameterInvalid("count", str(wish.count), f"{form.words} to {_MOST_WORDS} registers below 65,536")
    registers = tuple(
        msgspec.structs.replace(form, name=str(at), at=at) for at in range(wish.at, wish.at + count, form.words)
    )
    block = Block(wish.table, wish.at, count)
    async with opened(settings) as bus:
        try:
            raw = await bus.read(wish.unit, block, settings.timeout_s)
        except (NoAnswer, Refused) as error:
            raise SourceFailed(str(error)) from None
    meter = Meter(wish.unit, "", registers, settings.every_s, 0, _MOST_WORDS)
    number, there, _ = Layout(meter, [block]).values(raw)
    return [
        Found(
            where=f"unit {wish.unit} {one.table} {one.at}",
            value=shown(float(number[row]), one.form) if there[row] else "",
            fault="" if there[row] else "is no number",
        )
        for row, one in enumerate(registers)
    ]


async def _sunspec(settings: ModbusSettings, wish: Wish) -> list[Found]:
    async with opened(settings) as bus:
        try:
            device = await sunspec.discover(reading(bus, wish.unit, settings.timeout_s))
        except NoAnswer as error:
            raise SourceFailed(str(error)) from None
    if device is None:
        raise SourceFailed(f"unit {wish.unit} does not speak SunSpec: no mark at {', '.join(map(str, sunspec.BASES))}")
    return [_of_sunspec(device, wish.unit)]


def _of_sunspec(device: sunspec.Device, unit: int) -> Found:
    template = sunspec.fitting(device)
    settings: dict[str, Any] = {"unit_id": unit}
    if template:
        settings["template"] = template
    else:
        settings["registers"] = [msgspec.to_builtins(one) for one in device.registers]
    models = ", ".join(str(model.id) for model in device.models)
    rated = f", {device.rated_w:,.0f} W" if device.rated_w else ""
    numbers = f"template {template}" if template else f"{len(device.registers)} registers"
    return Found(
        where=f"unit {unit}",
        name=" ".join(filter(None, (device.maker, device.model, device.serial))),
        value=f"SunSpec {models}{rated}; {numbers}",
        settings={"devices": [settings]},
    )


async def _scan(settings: ModbusSettings, wish: Wish) -> list[Found]:
    if not 0.02 <= wish.timeout_s <= 10:
        raise ParameterInvalid("timeout_s", str(wish.timeout_s), "0.02 to 10")
    last = wish.last or (_UNITS_SERIAL if settings.link == "serial" else _UNITS_TCP)
    if not 0 <= wish.first <= last <= 255:
        raise ParameterInvalid("first", f"{wish.first} to {last}", "unit ids from 0 to 255")
    found: list[Found] = []
    failing: list[int] = []
    async with opened(settings) as bus:
        for unit in range(wish.first, last + 1):
            one = await _one(bus, unit, wish.timeout_s)
            if one is not None and one.settings:
                found.append(one)
            elif one is not None:
                failing.append(unit)
    if failing:
        units = f"unit{'s' if len(failing) > 1 else ''} {', '.join(map(str, failing))}"
        found.append(Found(where=units, value=_failing()))
    return found


async def _one(bus: Bus, unit: int, timeout_s: float) -> Found | None:
    """A device with that unit id, where one answers, whatever it answers; without settings where it may be none."""
    code = 0
    for table in ("holding", "input"):
        try:
            await bus.read(unit, Block(table, 0, 1), timeout_s)
        except NoAnswer:
            if code == _FAILURE:
                break
            return None
        except Refused as error:
            code = error.code
        else:
            code = 0
        if code in _NOBODY:
            return None
        if code != _FAILURE:
            break
    with contextlib.suppress(NoAnswer, Refused):
        device = await sunspec.discover(reading(bus, unit, timeout_s))
        if device is not None:
            return _of_sunspec(device, unit)
    if code == _FAILURE:
        return Found(where=f"unit {unit}", value=_failing())
    said = f"answers with {meaning(code)}" if code else "answers"
    return Found(where=f"unit {unit}", value=said, settings={"devices": [{"unit_id": unit}]})


def _failing() -> str:
    return f"{meaning(_FAILURE)} is all that is answered, as gateways do where nobody is"


async def scan_hosts(settings: ModbusSettings, text: str, unit: int, timeout_s: float) -> list[Found]:
    """The hosts of a range that take connections; raises `ParameterInvalid`.

    Only for who sits at this machine: on a page it would reach networks that sources of a server must not.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def at(host: str) -> Found | None:
        there = msgspec.structs.replace(settings, host=host)
        async with turns:
            try:
                async with asyncio.timeout(max(1.0, 4 * timeout_s)), opened(there) as bus:
                    one = await _one(bus, unit, timeout_s)
            except (SourceFailed, TimeoutError):
                return None
        if one is None:
            return Found(where=host, value=f"takes connections at {settings.port}; unit {unit} does not answer")
        return msgspec.structs.replace(one, where=host, settings={**one.settings, "host": host})

    found = await asyncio.gather(*map(at, hosts_of(text)))
    return [one for one in found if one is not None]


def hosts_of(text: str) -> list[str]:
    """The addresses of a range of a private network; raises `ParameterInvalid` when it is none or too large.

    >>> hosts_of("10.0.0.0/30"), hosts_of("10.0.0.9-11")
    (['10.0.0.1', '10.0.0.2'], ['10.0.0.9', '10.0.0.10', '10.0.0.11'])
    """
    try:
        first, dash, last = text.partition("-")
        if dash:
            start = ipaddress.IPv4Address(first)
            end = ipaddress.IPv4Address(f"{first.rpartition('.')[0]}.{last}")
            found = [ipaddress.IPv4Address(at) for at in range(int(start), min(int(end), int(start) + _MOST_HOSTS) + 1)]
        else:
            network = ipaddress.IPv4Network(text)
            found = list(network.hosts()) if network.num_addresses <= _MOST_HOSTS else []
    except ValueError:
        found = []
    if not 0 < len(found) <= _MOST_HOSTS or not all(one.is_private and not one.is_link_local for one in found):
        expected = f"192.168.1.0/24 or 192.168.1.10-40: at most {_MOST_HOSTS} addresses of a private network"
        raise ParameterInvalid("hosts", text, expected)
    return [str(one) for one in found]


def reading(bus: Bus, unit: int, timeout_s: float) -> sunspec.Read:
    """Reads holding registers of one device."""

    async def read(at: int, count: int) -> bytes:
        return await bus.read(unit, Block("holding", at, count), timeout_s)

    return read


_LOOKS: dict[str, Callable[[ModbusSettings, Wish], Awaitable[list[Found]]]] = {
    "test": _test,
    "scan": _scan,
    "sunspec": _sunspec,
    "read": _read,
    "registers": _registers,
    "templates": _templates,
}
