"""The source of SML meters: what a meter's lamp says, read by an optical head on a serial port or through a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.ingest.sml.language import cut, entries
from wattstead.ingest.sources.listening import listen
from wattstead.ingest.sources.source_protocol import Found, Message, SourceProtocol, Unreadable, Way
from wattstead.ingest.sources.wire import Baud, Line, Where, opened

_UNITS: Mapping[int, str] = {
    9: "°C", 13: "m³", 14: "m³", 27: "W", 28: "VA", 29: "var", 30: "Wh", 33: "A", 35: "V", 44: "Hz",
}  # fmt: skip
"""Units by their code in DLMS/COSEM; of others the number is kept without one."""


class SmlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An optical head, or a gateway that hands on what one reads."""

    port: Where
    baud: Baud = 9_600
    prefix: Annotated[
        str,
        msgspec.Meta(title="Address", description="What the addresses of its points begin with.", max_length=100),
    ] = "sml/"
    every_s: Annotated[
        float,
        msgspec.Meta(title="At most every", description="Seconds between those kept; 0: all.", ge=0, le=3600),
    ] = 1.0


def decode(message: Message, settings: SmlSettings) -> Columns:
    """The numbers of one transmission under their OBIS codes; raises `Unreadable`.

    Names and signatures are no readings. The meter's own seconds count from when it was made, so the time is when the
    transmission came.
    """
    found = {entry.code: entry for entry in entries(message.raw)}
    if not found:
        raise Unreadable("the transmission has no number; some meters tell more once their PIN is entered")
    addresses = [settings.prefix + code for code in found]
    return Columns(
        Names.of_rows(addresses),
        np.full(len(found), message.received_us, np.int64),
        np.array([entry.value for entry in found.values()]),
        place=lambda row: addresses[row],
        units=[_UNITS.get(entry.unit, "") for entry in found.values()],
    )


async def run(settings: SmlSettings, way: Way) -> None:
    """Reads transmissions until the wire is gone or has been silent for a minute."""
    kept_us, rest, heard = 0, b"", False
    async with opened(settings.port, Line(settings.baud), way.present_us, silence_s=60.0) as pieces:
        async for piece in pieces:
            whole, rubbish, rest = cut(rest + piece.raw)
            if rest and not heard:
                heard, rubbish = True, rubbish[1:]  # the beginning of the first was before we listened
            for raw in rubbish:
                way.refuse(Message(raw, settings.port, piece.came_us), "these bytes are no whole transmission")
            for raw in whole:
                way.connected(settings.port)
                message = Message(raw, settings.port, piece.came_us)
                if piece.came_us - kept_us >= settings.every_s * 1_000_000:
                    kept_us = piece.came_us
                    try:
                        await way.keep(decode(message, settings), message)
                    except Unreadable as error:
                        way.refuse(message, str(error))


async def look(settings: SmlSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """What the meter says within ``seconds`` (5), where asked for; raises `SourceFailed`, `ParameterInvalid`."""
    line = Line(settings.baud)
    return await listen(
        settings.port, line, asked, 5.0, lambda said: cut(said)[0], lambda message: decode(message, settings)
    )


SML = SourceProtocol("sml", "docs/sml.md", "SML meter", SmlSettings, decode, run, look)
"""The row of the table of sources."""
