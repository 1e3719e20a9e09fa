"""Reads the meters of a bus one after another at their pace; a dead one keeps the others waiting for a moment only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.mbus.bus import Bus, Garbled, Silent, Stranger
from wattstead.ingest.mbus.decode import decode
from wattstead.ingest.mbus.frames import SELECTED, frames_of
from wattstead.ingest.mbus.records import Who, telegram_of
from wattstead.ingest.mbus.settings import MbusMeter, MbusSettings
from wattstead.ingest.sources.source_protocol import Found, Message, SourceFailed, Unreadable, Way
from wattstead.ingest.sources.wire import Line, opened

_DIGITS = 8
_LOOK_S = 26.0
_MOST_FOUND = 250
_SILENT = "the meter does not answer: is it wired, and is this its address?"
_GARBLED = "what the meter answers is garbled, or several meters answer at once"


async def run(settings: MbusSettings, way: Way) -> None:
    """Read until cancelled; raises `SourceFailed`."""
    if not settings.meters:
        raise SourceFailed("no meter is named; look around to find those on the bus", hopeless=True)
    async with opened(settings.port, _line(settings), way.present_us) as pieces:
        bus = Bus(pieces, settings)
        silent: set[str] = set()
        while True:
            for meter in settings.meters:
                await _read(bus, meter, settings, way, silent)
            if len(silent) == len(settings.meters):
                raise SourceFailed(f"{settings.port} is there, and none of {len(silent)} meters answers")
            wait_s = settings.every_s - way.present_us() / 1e6 % settings.every_s
            await asyncio.sleep(wait_s)


def _line(settings: MbusSettings) -> Line:
    return Line(settings.baud, 8, "E")


async def _read(bus: Bus, meter: MbusMeter, settings: MbusSettings, way: Way, silent: set[str]) -> None:
    """One meter once; that it does not answer is told when that begins, not each time."""
    fault = ""
    try:
        raw = await bus.read(meter.address)
    except Silent:
        fault = _SILENT
    except Garbled:
        fault = _GARBLED
    except Stranger as other:
        fault = str(other)
    if fault:
        if meter.address not in silent:
            way.refuse(Message(b"", meter.address, way.present_us()), f"{meter.address}: {fault}")
        silent.add(meter.address)
        return
    silent.discard(meter.address)
    way.connected(settings.port)
    message = Message(raw, meter.address, way.present_us())
    try:
        await way.keep(decode(message, settings), message)
    except Unreadable as error:
        way.refuse(message, str(error))


async def look(settings: MbusSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """What the meters of the settings say; without any, which meters are on the bus, by their secondary addresses.

    Raises `SourceFailed`.
    """
    clock = asyncio.get_running_loop().time
    async with opened(settings.port, _line(settings), lambda: 0) as pieces:
        bus = Bus(pieces, settings)
        if settings.meters:
            return [one for meter in settings.meters for one in await _tested(bus, meter, settings)]
        bus = Bus(pieces, msgspec.structs.replace(settings, retries=0))  # most questions are to nobody
        found: list[Found] = []
        until_s = clock() + _LOOK_S
        await _search(bus, "", found, until_s)
        if clock() > until_s:
            found.append(Found(where="…", fault=f"the search ended after {_LOOK_S:.0f} s; there may be others"))
        if not found:
            raise SourceFailed(f"{settings.port} is there, and no meter answers")
        return found


async def _tested(bus: Bus, meter: MbusMeter, settings: MbusSettings) -> list[Found]:
    try:
        raw = await bus.read(meter.address)
        columns = decode(Message(raw, meter.address, 0), settings)
    except Silent:
        return [Found(where=meter.address, fault=_SILENT)]
    except Garbled:
        return [Found(where=meter.address, fault=_GARBLED)]
    except (Stranger, Unreadable) as error:
        return [Found(where=meter.address, fault=str(error))]
    whole = columns.columns() if isinstance(columns, Few) else columns
    units = whole.units or [""] * len(whole)
    return [
        Found(where=meter.address, name=whole.names.address(row), value=f"{whole.value[row]:g}", unit=units[row])
        for row in range(len(whole))
    ]


async def _search(bus: Bus, digits: str, found: list[Found], until_s: float) -> None:
    """Meters whose number begins so: several that answer at once are told apart by the next digit."""
    if asyncio.get_running_loop().time() > until_s or len(found) >= _MOST_FOUND:
        return
    try:
        await bus.choose(digits.ljust(_DIGITS, "F"))
        raw = await bus.telegrams(SELECTED)
        who = telegram_of(frames_of(raw)[0]).who
    except Silent:
        return
    except (Garbled, Unreadable, IndexError):
        if len(digits) < _DIGITS:
            for digit in "0123456789":
                await _search(bus, digits + digit, found, until_s)
        return
    if all(one.where != who.secondary for one in found):
        found.append(_met(who))


def _met(who: Who) -> Found:
    address = who.secondary or "254"
    return Found(
        where=address,
        name=f"{who.maker} {who.number}".strip(),
        value=who.medium,
        settings={"meters": [{"address": address}]},
    )
