"""What a line of a pulse meter says: a blink, or something about the meter; knows no port and keeps nothing.

``1234`` is a blink 1,234 ms after the last one; ``2 1234`` (also ``V2 1234``) is one of meter 2; ``CONNECTED …`` and
``INFO 2 text`` are told by boards that gather several meters.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from wattstead.ingest.sources.source_protocol import Unreadable

LONGEST_MS = 2**31 - 1
"""What an INTEGER of the tables that such meters were kept in holds: 24 days."""
LARGEST_METER = 99_999
_BLINK = re.compile(r"(?:[Vv]?([0-9]{1,9})\s+)?([0-9]{1,12})")
_INFO = re.compile(r"INFO\s+([0-9]{1,9})\s+(.+)")
_QUOTED = re.compile(r"\\([0-9a-fA-F]{2})")
_SHOWN = 60


class Blink(NamedTuple):
    """One blink of a meter and how long after the last one it came, by the meter's own clock."""

    meter: int
    since_ms: int


class Told(NamedTuple):
    """What a board tells about itself or a meter; no reading."""

    text: str


def read(raw: bytes, own_meter: int = 1, shortest_ms: int = 1, meters: Collection[int] = ()) -> Blink | Told:
    """One line without its end; ``own_meter`` is whose blinks come without a number. Raises `Unreadable`.

    >>> read(b"1234"), read(b"2 1234").meter, read(rb"INFO 2 Arres\\c3\\b8gade")
    (Blink(meter=1, since_ms=1234), 2, Told(text='meter 2: Arresøgade'))
    """
    text = raw.decode("ascii", "replace").strip("\r\n\t \0")
    if text.startswith("CONNECTED"):
        return Told(text[:_SHOWN])
    info = _INFO.fullmatch(text)
    if info is not None:
        return Told(f"meter {int(info[1])}: {_unquoted(info[2])[:_SHOWN]}")
    found = _BLINK.fullmatch(text)
    if found is None:
        raise Unreadable(
            f"{text[:_SHOWN]!r} is no line of a pulse meter; expected the milliseconds since the last blink, alone or "
            "after the number of the meter"
        )
    blink = Blink(own_meter if found[1] is None else int(found[1]), int(found[2]))
    fault = _fault(blink, shortest_ms, meters)
    if fault:
        raise Unreadable(fault)
    return blink


def _fault(blink: Blink, shortest_ms: int, meters: Collection[int]) -> str:
    if meters and blink.meter not in meters:
        return f"meter {blink.meter} is none of those that are expected here ({', '.join(map(str, sorted(meters)))})"
    if not 1 <= blink.meter <= LARGEST_METER:
        return f"meter {blink.meter} lies outside 1 to {LARGEST_METER}"
    if not shortest_ms <= blink.since_ms <= LONGEST_MS:
        return f"{blink.since_ms} ms since the last blink lie outside {shortest_ms} to {LONGEST_MS} ms"
    return ""


def _unquoted(text: str) -> str:
    r"""A text in which a board writes bytes that are no letters as ``\c3``."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    return (
        _QUOTED.sub(lambda found: chr(int(found[1], 16)), plain).encode("latin-1", "replace").decode("utf-8", "replace")
    )
