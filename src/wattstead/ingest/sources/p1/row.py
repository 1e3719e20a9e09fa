"""P1 over TCP: a gateway such as ser2net hands on what the meter says; each telegram becomes readings of its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections
from wattstead.ingest.sources.p1 import telegram
from wattstead.ingest.sources.p1.telegram import Line
from wattstead.ingest.sources.source_protocol import (
    WHERE,
    Found,
    Message,
    SourceFailed,
    SourceProtocol,
    Unreadable,
    Way,
)
from wattstead.ingest.sources.wire import Line as Wire
from wattstead.ingest.sources.wire import Pieces, opened

_NAMES: Mapping[str, str] = {
    "1-0:1.8.0": "import", "1-0:1.8.1": "import T1", "1-0:1.8.2": "import T2",
    "1-0:2.8.0": "export", "1-0:2.8.1": "export T1", "1-0:2.8.2": "export T2",
    "1-0:1.7.0": "power import", "1-0:2.7.0": "power export", "0-0:96.14.0": "tariff",
    "1-0:32.7.0": "voltage L1", "1-0:52.7.0": "voltage L2", "1-0:72.7.0": "voltage L3",
    "1-0:31.7.0": "current L1", "1-0:51.7.0": "current L2", "1-0:71.7.0": "current L3",
    "1-0:21.7.0": "power import L1", "1-0:41.7.0": "power import L2", "1-0:61.7.0": "power import L3",
    "1-0:22.7.0": "power export L1", "1-0:42.7.0": "power export L2", "1-0:62.7.0": "power export L3",
}  # fmt: skip
"""Addresses by OBIS code; those of the template ``p1-dsmr5`` are the same."""
_TIME = "0-0:1.0.0"
_BESIDE: Mapping[str, str] = {"003": "gas", "004": "heat", "006": "warm water", "007": "water", "012": "cold"}
"""Meters beside the electricity meter, by their M-Bus type in ``0-n:24.1.0``."""
_BESIDE_READ = (".2.1", ".2.3")
"""Ends of the codes under which those are read: plain, and gas at standard temperature."""
_UNITS: Mapping[str, str] = {"kWh": "kWh", "Wh": "Wh", "kW": "kW", "W": "W", "V": "V", "A": "A", "m3": "m³", "GJ": "GJ"}


class P1Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the gateway is, and what its meter is like."""

    host: Annotated[str, Meta(min_length=1, max_length=253, title="Host", description="Name or address of the gateway.",
                              examples=["p1.home.arpa"], extra_json_schema=WHERE)]  # fmt: skip
    port: Annotated[int, Meta(ge=1, le=65_535, title="Port", description="TCP port of the gateway.",
                              extra_json_schema=WHERE)] = 2001  # fmt: skip
    prefix: Annotated[str, Meta(max_length=100, title="Prefix", description="What the addresses of its points begin "
                                "with; for a device of a template, that device's prefix.")] = "p1/"  # fmt: skip
    checksum: Annotated[bool, Meta(title="Checksum", description="Only telegrams with the right checksum are taken. "
                                   "Meters from before DSMR 4 send none.")] = True  # fmt: skip
    winter_minutes: Annotated[int, Meta(ge=-720, le=840, title="Winter time", description="Minutes that the meter's "
                              "winter time is ahead of UTC: 60 in the Netherlands, Belgium and Luxembourg, 120 in "
                              "Finland.")] = 60  # fmt: skip
    silence_s: Annotated[float, Meta(ge=2, le=86_400, title="Silence", description="Seconds without a telegram after "
                                     "which the connection is made anew.")] = 60.0  # fmt: skip


def decode(message: Message, settings: P1Settings) -> Columns:
    """The readings of a telegram; those of meters beside it have a time of their own. Raises `Unreadable`."""
    found = telegram.lines(message.raw, settings.checksum)
    time_us, untimed = _time_of(found, message, settings)
    rejected, beside = Rejections(), _beside(found)
    rows: list[tuple[str, int, float, str, str, bool]] = []
    for line in found:
        try:
            row = _row(line, beside, time_us, untimed, settings)
        except ValueError as fault:
            rejected.add(line.code, str(fault))
            continue
        if row is not None:
            rows.append((row[0], row[1], row[2], row[3], line.code, row[4]))
    if not rows and not rejected:
        raise Unreadable("the telegram has no line that is known here")
    codes = [row[4] for row in rows]
    return Columns(
        Names.of_rows([settings.prefix + row[0] for row in rows]),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        rejected,
        np.array([row[5] for row in rows], np.bool_) if untimed else False,
        lambda row: codes[row],
        units=[row[3] for row in rows],
    )


def _time_of(found: Sequence[Line], message: Message, settings: P1Settings) -> tuple[int, bool]:
    """The time of the telegram, and whether it is that of its arrival: meters from before DSMR 4 tell none."""
    told = next((line.groups[0] for line in found if line.code == _TIME), None)
    if told is None:
        return message.received_us, True
    try:
        return telegram.stamp_us(told, settings.winter_minutes), False
    except ValueError as fault:
        raise Unreadable(str(fault)) from None


def _row(
    line: Line, beside: Mapping[str, str], time_us: int, untimed: bool, settings: P1Settings
) -> tuple[str, int, float, str, bool] | None:
    """Address, time, value, unit and whether untimed; None for a line that is no reading. Raises `ValueError`."""
    name = _NAMES.get(line.code)
    if name is not None:
        value, unit = _number(line.groups[-1])
        return name, time_us, value, unit, untimed
    channel, _, rest = line.code.partition(":")
    if channel in beside and rest[:2] == "24" and rest[2:] in _BESIDE_READ and len(line.groups) == 2:
        own_us = telegram.stamp_us(line.groups[0], settings.winter_minutes)
        return beside[channel], own_us, *_number(line.groups[1]), False
    return None


def _beside(found: Sequence[Line]) -> dict[str, str]:
    """Names of the meters beside it by their channels: of several of a kind the first channel has the plain one."""
    kinds: dict[int, str] = {}
    for line in found:
        channel, _, rest = line.code.partition(":")
        if not channel.startswith("0-") or not rest.startswith("24."):
            continue
        number = int(channel[2:])
        if rest == "24.1.0":
            kinds[number] = line.groups[0].zfill(3)
        elif rest[2:] in _BESIDE_READ:
            kinds.setdefault(number, "003")
    names: dict[str, str] = {}
    count: Counter[str] = Counter()
    for number, kind in sorted(kinds.items()):
        if kind in _BESIDE:
            count[kind] += 1
            names[f"0-{number}"] = _BESIDE[kind] + (f" {count[kind]}" if count[kind] > 1 else "")
    return names


def _number(told: str) -> tuple[float, str]:
    text, _, unit = told.partition("*")
    if not text.replace(".", "", 1).isdecimal() or not text.isascii():
        raise ValueError(f"value is {text[:20]!r}; expected a number")
    if unit and unit not in _UNITS:
        raise ValueError(f"unit is {unit[:20]!r}; known are {', '.join(_UNITS)}")
    return float(text), _UNITS.get(unit, "")


async def run(settings: P1Settings, way: Way) -> None:
    """Hand on each telegram in its order; while readings are not taken, the gateway is not read."""
    where = f"{settings.host}:{settings.port}"
    async with _opened(settings, way.present_us) as pieces:
        way.connected(where)
        rest = b""
        async for piece in pieces:
            whole, rubbish, rest = telegram.cut(rest + piece.raw)
            for raw in rubbish:
                way.refuse(Message(raw, where, piece.came_us), "these bytes are no whole telegram")
            for raw in whole:
                message = Message(raw, where, piece.came_us)
                try:
                    columns = decode(message, settings)
                except Unreadable as error:
                    way.refuse(message, str(error))
                else:
                    await way.keep(columns, message)


async def look(settings: P1Settings, wanted: Mapping[str, Any]) -> Sequence[Found]:
    """What the next telegram says, line by line, with the address that each known one has here."""
    rest, whole = b"", list[bytes]()
    async with _opened(settings, lambda: 0) as pieces:
        while not whole:
            piece = await anext(pieces)
            whole, _, rest = telegram.cut(rest + piece.raw)
    try:
        found = telegram.lines(whole[0], settings.checksum)
    except Unreadable as error:
        raise SourceFailed(f"{settings.host}:{settings.port} answers, and {error}") from None
    return [_found(line) for line in found]


def _found(line: Line) -> Found:
    text, _, unit = line.groups[-1].partition("*")
    return Found(where=line.code, name=_NAMES.get(line.code, ""), value=text[:100], unit=_UNITS.get(unit, unit))


def _opened(settings: P1Settings, clock_us: Callable[[], int]) -> AbstractAsyncContextManager[Pieces]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return opened(f"tcp://{host}:{settings.port}", Wire(), clock_us, settings.silence_s)


def _decode(message: Message, settings: Any) -> Columns | Few:
    return decode(message, settings)


P1 = SourceProtocol(
    name="p1",
    page="docs/p1.md",
    title="DSMR P1 over TCP",
    settings=P1Settings,
    decode=_decode,
    run=run,
    look=look,
)
