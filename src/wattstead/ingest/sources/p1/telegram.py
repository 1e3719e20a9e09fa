"""A P1 telegram (DSMR 4 and 5, eMUCS P1): where it begins and ends, its checksum, its lines; it names no point."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from wattstead.ingest.sources.source_protocol import Unreadable

LARGEST = 16_384
"""Bytes of the longest telegram: real ones have about 1,000."""
_LINE = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+)(?:\*\d+)?((?:\([^()]*\))+)$")
_GROUP = re.compile(r"\(([^()]*)\)")
_STAMP = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        found.append(crc)
    return tuple(found)


_CRC = _table()


def crc16(raw: bytes) -> int:
    """CRC-16 as P1 has it: polynomial x¹⁶+x¹⁵+x²+1, least significant bit first, from zero.

    >>> f"{crc16(b'123456789'):04X}"
    'BB3D'
    """
    crc = 0
    for byte in raw:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


class Cut(NamedTuple):
    """What was cut off the front of a stream."""

    telegrams: list[bytes]
    rubbish: list[bytes]
    """What stood between them, or was too long to be one."""
    rest: bytes


def cut(stream: bytes) -> Cut:
    """The whole telegrams at the front of a stream: each from ``/`` to the end of the line that begins with ``!``.

    >>> cut(b"x\\r\\n/AB\\r\\n!0000\\r\\n/CD")
    Cut(telegrams=[b'/AB\\r\\n!0000\\r\\n'], rubbish=[b'x'], rest=b'/CD')
    """
    telegrams: list[bytes] = []
    rubbish: list[bytes] = []
    while True:
        begin = stream.find(b"/")
        if begin < 0:
            if len(stream) > LARGEST:
                rubbish.append(stream)
                stream = b""
            return Cut(telegrams, rubbish, stream)
        before = stream[:begin].strip(b"\r\n\0 ")
        if before:
            rubbish.append(before)
        stream = stream[begin:]
        mark = stream.find(b"!")
        end = stream.find(b"\n", mark) if mark >= 0 else -1
        again = stream.find(b"\n/", 1)
        if again >= 0 and (end < 0 or again < end):  # a telegram that broke off, and the next
            rubbish.append(stream[: again + 1])
            stream = stream[again + 1 :]
        elif end >= 0:
            telegrams.append(stream[: end + 1])
            stream = stream[end + 1 :]
        elif len(stream) > LARGEST:
            rubbish.append(stream)
            stream = b""
        else:
            return Cut(telegrams, rubbish, stream)


class Line(NamedTuple):
    """One object of a telegram: its OBIS code, and what stands in its brackets."""

    code: str
    groups: tuple[str, ...]


def lines(raw: bytes, checked: bool) -> list[Line]:
    """The objects of a telegram; ``checked``: only if its checksum is right. Raises `Unreadable`.

    A line that is none is left out: makers add lines of their own.
    """
    mark = raw.rfind(b"!")
    if not raw.startswith(b"/") or mark < 0:
        raise Unreadable("this is no telegram: it begins with / and ends with a line of ! and a checksum")
    if checked:
        _check(raw, mark)
    text = raw[:mark].decode("ascii", "replace").replace("\r\n(", "(").replace("\n(", "(")
    found = (_LINE.match(line.strip()) for line in text.split("\n"))
    return [Line(one.group(1), tuple(_GROUP.findall(one.group(2)))) for one in found if one is not None]


def _check(raw: bytes, mark: int) -> None:
    told = raw[mark + 1 :].strip()
    if not told:
        raise Unreadable("the telegram has no checksum; a meter from before DSMR 4 sends none: then switch it off")
    try:
        expected = int(told, 16) if len(told) == 4 else -1
    except ValueError:
        expected = -1
    found = crc16(raw[: mark + 1])
    if found != expected:
        raise Unreadable(f"the checksum is {told[:8].decode('ascii', 'replace')!r}, the bytes make {found:04X}: "
                         "some were changed or lost on the way")  # fmt: skip


def stamp_us(text: str, winter_minutes: int) -> int:
    """A time of a telegram as microseconds since 1970: local time, with S in summer (an hour more), W in winter.

    ``winter_minutes``: how far winter time is ahead of UTC. Raises `ValueError`.

    >>> stamp_us("201025023000S", 60) - stamp_us("201025013000W", 60)
    0
    >>> (stamp_us("201025023000W", 60) - stamp_us("201025023000S", 60)) // 60_000_000
    60
    """
    found = _STAMP.match(text)
    if found is None:
        raise ValueError(f"time {text[:20]!r} is none; expected YYMMDDhhmmss and S or W")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    ahead = timedelta(minutes=winter_minutes + (60 if found.group(7) == "S" else 0))
    try:
        instant = datetime(2000 + year, month, day, hour, minute, second, tzinfo=timezone(ahead))
    except ValueError as error:
        raise ValueError(f"time {text!r} is none: {error}") from None
    return (instant - _EPOCH) // timedelta(microseconds=1)
