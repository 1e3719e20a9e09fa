"""The source of Linky meters: frames from a serial port or a gateway, as readings by the meter's own labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.sources.listening import listen
from wattstead.ingest.sources.source_protocol import Found, Message, SourceProtocol, Unreadable, Way
from wattstead.ingest.sources.wire import Line, Where, opened
from wattstead.ingest.tic.frame import ETX, STX, groups

_LONGEST = 8_192
_UNITS: tuple[tuple[str, str], ...] = (
    (r"BASE|HCH[CP]|EJPHP?[NM]|BBRH[CP]J[BWR]|EAST|EASF\d\d|EASD\d\d|EAIT", "Wh"),
    (r"PAPP|SINST[SI][123]?|SMAX(S|I)N[123]?(-1)?", "VA"),
    (r"CCA[SI]N(-1)?|PMAX", "W"),
    (r"IINST[123]?|IMAX[123]?|ISOUSC|ADIR[123]|ADPS|IRMS[123]", "A"),
    (r"URMS[123]|UMOY[123]", "V"),
    (r"PREF|PCOUP", "kVA"),
    (r"ERQ[1234]|NTARF|RELAIS|PEJP", ""),
    (r"STGE|MOTDETAT", "hex"),
)
_KNOWN = tuple((re.compile(pattern), unit) for pattern, unit in _UNITS)
_SPEED = {"historique": 1_200, "standard": 9_600}


class TicSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Linky's customer output."""

    port: Where
    mode: Annotated[
        Literal["historique", "standard"],
        msgspec.Meta(title="Mode", description="As the meter is set: historique unless the supplier changed it."),
    ] = "historique"
    prefix: Annotated[
        str,
        msgspec.Meta(
            title="Address",
            description="What the addresses of its points begin with; empty: linky-historique/ or linky-standard/, as "
            "in the templates.",
            max_length=100,
        ),
    ] = ""
    every_s: Annotated[
        float,
        msgspec.Meta(title="At most every", description="Seconds between frames that are kept; 0: all.", ge=0, le=3600),
    ] = 10.0

    @property
    def line(self) -> Line:
        """How the port is set in this mode."""
        return Line(_SPEED[self.mode], 7, "E")

    @property
    def stem(self) -> str:
        """What addresses begin with."""
        return self.prefix or f"linky-{self.mode}/"


def decode(message: Message, settings: TicSettings) -> Columns:
    """The numbers of one frame; texts are passed over, groups with a wrong checksum named as rejected.

    Raises `Unreadable` where no group can be read, and for a frame of the other mode, whose labels mean other points.
    """
    addresses: list[str] = []
    times: list[int] = []
    values: list[float] = []
    units: list[str] = []
    rejected = Rejections()
    skipped = read = 0
    for group in groups(message.raw):
        if group.fault:
            rejected.add(group.label, group.fault)
            continue
        read += 1
        unit = next((unit for pattern, unit in _KNOWN if pattern.fullmatch(group.label)), None)
        if unit is None:
            skipped += 1
            continue
        try:
            value = float(int(group.text, 16 if unit == "hex" else 10))
        except ValueError:
            rejected.add(group.label, f"{group.text[:40]!r} is no number")
            continue
        addresses.append(settings.stem + group.label)
        times.append(message.received_us if group.time_us is None else group.time_us)
        values.append(value)
        units.append("" if unit == "hex" else unit)
    said = "standard" if b"\t" in message.raw else "historique"
    if read and said != settings.mode:
        raise Unreadable(f"the meter speaks in mode {said}, and the mode of this source is {settings.mode}; change it")
    if not read:
        first = f"; {rejected.listed[0].place}: {rejected.listed[0].reason}" if rejected else ""
        raise Unreadable(f"no group of a frame in {len(message.raw)} bytes{first}; is the mode {settings.mode}?")
    return Columns(
        Names.of_rows(addresses), np.array(times, np.int64), np.array(values), rejected,
        place=lambda row: addresses[row], skipped=skipped, units=units,
    )  # fmt: skip


async def run(settings: TicSettings, way: Way) -> None:
    """Reads frames until the wire is gone or has been silent for a minute."""
    kept_us = 0
    rest = b""
    async with opened(settings.port, settings.line, way.present_us, silence_s=60.0) as pieces:
        async for piece in pieces:
            rest += piece.raw
            while (end := rest.find(ETX)) >= 0:
                whole, rest = rest[:end], rest[end + 1 :]
                _, begun, frame = whole.rpartition(STX)
                if not begun:
                    continue  # its beginning was before we listened
                way.connected(settings.port)
                if piece.came_us - kept_us >= settings.every_s * 1_000_000:
                    kept_us = piece.came_us
                    await _hand_on(Message(frame, settings.port, piece.came_us), settings, way)
            if len(rest) > _LONGEST:
                cut = Message(rest[:_LONGEST], settings.port, piece.came_us)
                way.refuse(cut, f"no end of a frame in {len(rest)} bytes; is the mode {settings.mode}?")
                rest = b""


async def _hand_on(message: Message, settings: TicSettings, way: Way) -> None:
    try:
        await way.keep(decode(message, settings), message)
    except Unreadable as error:
        way.refuse(message, str(error))


async def look(settings: TicSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """What the meter says within ``seconds`` (6), where asked for; raises `SourceFailed`, `ParameterInvalid`."""
    return await listen(settings.port, settings.line, asked, 6.0, _frames, lambda message: decode(message, settings))


def _frames(said: bytes) -> list[bytes]:
    """The whole frames in what a wire said, without their STX and ETX."""
    *ended, _ = said.split(ETX)
    return [one.rpartition(STX)[2] for one in ended if STX in one]


TIC = SourceProtocol("tic", "docs/linky.md", "Linky (TIC)", TicSettings, decode, run, look)
"""The row of the table of sources."""
