"""The source of pulse meters: from lines of a serial port to one pulse and its milliseconds per blink.

A blink is two readings of one instant: 1 on ``pulse/ID/blinks``, and on ``pulse/ID/ms`` the milliseconds since the last
one as the meter says them. How many pulses are a kWh is known of the point, not here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from wattstead.ingest.decoding.columns import Few, Names, Rejections
from wattstead.ingest.pulses.lines import LARGEST_METER, LONGEST_MS, Blink, Told, read
from wattstead.ingest.pulses.stamps import Stamps
from wattstead.ingest.sources.source_protocol import Found, Message, SourceProtocol, Unreadable, Way
from wattstead.ingest.sources.wire import Baud, Line, Pieces, Where, opened

_LONGEST_LINE = 200
_BY_ID = Path("/dev/serial/by-id")


class PulseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A port with one pulse meter, or with a board that gathers several."""

    port: Where
    baud: Baud = 9_600
    meter: Annotated[
        int,
        msgspec.Meta(
            title="Own number",
            description="The number of the meter whose blinks come without one.",
            ge=1,
            le=LARGEST_METER,
        ),
    ] = 1
    meters: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=LARGEST_METER)]],
        msgspec.Meta(title="Meters", description="Numbers that are expected; none given: any.", max_length=1_000),
    ] = []
    shortest_ms: Annotated[
        int,
        msgspec.Meta(
            title="Shortest gap",
            description="Milliseconds; a blink sooner after the last one is noise, and is refused.",
            ge=1,
            le=LONGEST_MS,
        ),
    ] = 1
    passed_over: Annotated[
        int,
        msgspec.Meta(
            title="Lines passed over",
            description="After opening: the first may be half a line, the next count from the start of the board.",
            ge=1,
            le=100,
        ),
    ] = 2


def decode(message: Message, settings: PulseSettings) -> Few:
    """One line's readings, at the instant in ``received_us``; raises `Unreadable`.

    >>> decode(Message(b"1234", "/dev/ttyUSB0", 1_000), PulseSettings(port="/dev/ttyUSB0")).values
    [1.0, 1234.0]
    """
    found = read(message.raw, settings.meter, settings.shortest_ms, settings.meters)
    if isinstance(found, Told):
        raise Unreadable(f"the board says {found.text!r}, which is no reading")
    values = [1.0, float(found.since_ms)]
    return Few(
        _names(found.meter), message.received_us, values, Rejections(), False, lambda row: f"meter {found.meter}"
    )


@lru_cache(1_000)
def _names(meter: int) -> Names:
    return Names([f"pulse/{meter}/blinks", f"pulse/{meter}/ms"])


async def run(settings: PulseSettings, way: Way) -> None:
    """Reads the port until it is gone."""
    async with opened(settings.port, Line(settings.baud), way.present_us) as pieces:
        way.connected(settings.port)
        await _Hearing(settings, way).all_of(pieces)


class _Hearing:
    """The lines of one opening of the port."""

    def __init__(self, settings: PulseSettings, way: Way) -> None:
        self._settings, self._way = settings, way
        self._stamps = Stamps()
        self._passed = 0
        self._rest = b""

    async def all_of(self, pieces: Pieces) -> None:
        """Every line, in order."""
        async for piece in pieces:
            *lines, self._rest = (self._rest + piece.raw).split(b"\n")
            self._rest = self._rest[: _LONGEST_LINE + 1]  # what is longer is no line of ours, however it ends
            heard = [(line, blink) for line in lines if (blink := self._heard(line, piece.came_us)) is not None]
            stamps = self._stamps.of([blink for _, blink in heard], piece.came_us // 1_000)
            for (line, _), stamp_ms in zip(heard, stamps, strict=True):
                message = Message(line, self._settings.port, stamp_ms * 1_000)
                await self._way.keep(decode(message, self._settings), message)

    def _heard(self, line: bytes, came_us: int) -> Blink | None:
        """The blink of a line; what is none is refused, what a board tells is said to people."""
        settings = self._settings
        line = line[: _LONGEST_LINE + 1].strip(b"\r\0 \t")
        if not line:
            return None
        message = Message(line, settings.port, came_us)
        self._passed += 1
        try:
            found = read(line, settings.meter, settings.shortest_ms, settings.meters)
        except Unreadable as error:
            self._way.refuse(message, str(error))
            return None
        if isinstance(found, Told):
            self._way.connected(f"{settings.port}, {found.text}")
            return None
        if self._passed <= settings.passed_over:
            self._way.refuse(message, f"one of the first {settings.passed_over} lines after opening is passed over")
            return None
        return found


async def look(settings: Any, wanted: Mapping[str, Any]) -> Sequence[Found]:
    """The serial ports of this machine, by the name that stays theirs."""
    del settings, wanted
    return await asyncio.to_thread(_ports)


def _ports() -> list[Found]:
    from serial.tools import list_ports  # noqa: PLC0415 - where somebody looks for ports

    names = {str(link.resolve()): str(link) for link in _BY_ID.iterdir()} if _BY_ID.is_dir() else {}
    return [
        Found(
            where=names.get(port.device, port.device),
            name=port.description or port.device,
            value=port.serial_number or "",
            settings={"port": names.get(port.device, port.device)},
        )
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
    ]


PULSES = SourceProtocol("pulses", "docs/pulses.md", "Pulse meter", PulseSettings, decode, run, look)
"""The row of the table of sources."""
