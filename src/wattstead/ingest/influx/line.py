"""One line of line protocol at a time, with every escape and quote of the specification; it knows no points.

The words of its errors are those of InfluxDB, so that clients which look for them find them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wattstead.ingest.decoding.remembered import Remembered, size_of
from wattstead.ingest.influx.address import field_part, series_part
from wattstead.metering.errors import WattsteadError

_MOST_FIELDS = 10_000
"""Fields of one series whose names are remembered."""
LONGEST_LINE = 131_072
"""Bytes of a line; a quote that is open for longer was never closed."""
_WORD = rb"(?:[^, \\]++|\\[, ]?)++"
_TAG_WORD = rb"(?:[^,= \\]++|\\[,= ]?)++"
_KEY = re.compile(rb"(" + _WORD + rb")((?:," + _TAG_WORD + rb"=" + _TAG_WORD + rb")*+)( ++)")
_MEASUREMENT = re.compile(_WORD)
_TAG = re.compile(rb",(" + _TAG_WORD + rb")=(" + _TAG_WORD + rb")")
_FIELD = re.compile(rb'((?:[^,= \\]++|\\.)++)=(?:"((?:[^"\\]++|\\.)*+)"|([^, \n]*+))(,| ++|(?=\n)|\Z)', re.DOTALL)
_NUMBER = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_INTEGER = re.compile(rb"-?\d+")
_BOOLEANS = {b"t": 1.0, b"T": 1.0, b"true": 1.0, b"True": 1.0, b"TRUE": 1.0} | {
    b"f": 0.0, b"F": 0.0, b"false": 0.0, b"False": 0.0, b"FALSE": 0.0,
}  # fmt: skip
_MEASUREMENT_ESCAPE = re.compile(rb"\\([, ])")
_TAG_ESCAPE = re.compile(rb"\\([,= ])")
_FIELD_ESCAPE = re.compile(rb'\\([,="\\ ])')
_BLANK = b" \t\0\r"
_NOTE = ord("#")
_INT64, _UINT64 = 1 << 63, 1 << 64


class LineInvalid(WattsteadError):
    """A line that is not line protocol; the message is InfluxDB's own for that fault."""


class Line(NamedTuple):
    """One parsed line: the address and number of each field; ``texts`` counts fields that hold a text."""

    addresses: list[str]
    values: list[float]
    texts: int
    time: int | None
    """In the sender's precision; None when the line has none."""


def lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that say something, with their numbers from 1; a quoted text may hold line ends.

    >>> list(lines(b'a b=1\\n\\n# note\\nc d="x\\ny",e=2'))
    [(1, b'a b=1'), (4, b'c d="x\\ny",e=2')]
    """
    number, start, size = 1, 0, len(body)
    while start < size:
        end = body.find(b"\n", start)
        if end < 0:
            end = size
        line = body[start:end]
        if line[:1] in _BLANK or line[-1:] in _BLANK:
            line = line.strip(_BLANK)
        taken = 1
        if line and line[0] != _NOTE:
            if b'"' in line and (further := _end_of_quoted(body, start, end)) > end:
                end, line = further, body[start:further].strip(_BLANK)
                taken += line.count(b"\n")
            yield number, line
        number += taken
        start = end + 1


class SeriesMemory(Remembered[bytes, dict[bytes, str]]):
    """Addresses by the bytes of the series key, then by those of the field name; under no name stands the prefix."""

    def __init__(self, most_bytes: int = 1_000_000) -> None:
        super().__init__(most_bytes)


def parse(line: bytes, memory: SeriesMemory) -> Line:
    """One line; ``memory`` remembers the addresses of names between lines.

    Raises `LineInvalid` with InfluxDB's words for what is wrong.

    >>> parse(b'meter,id=7 power=1.5,note="x",on=t 1700000000', SeriesMemory())
    Line(addresses=['influx/meter,id=7/power', 'influx/meter,id=7/on'], values=[1.5, 1.0], texts=1, time=1700000000)
    """
    key = _KEY.match(line) if len(line) <= LONGEST_LINE else None
    if key is None:
        raise LineInvalid(_key_fault(line))
    head = line[: key.start(3)]
    known = memory.get(head)
    if known is None:
        known = {b"": _series(key.group(1), key.group(2))}
        memory.keep(head, known, size_of((head, known[b""])))
    addresses: list[str] = []
    values: list[float] = []
    texts = 0
    at = key.end()
    ending = b","
    while ending == b",":
        found = _FIELD.match(line, at)
        if found is None:
            raise LineInvalid(_field_fault(line, at))
        name, text, number, ending = found.groups()
        if text is None:
            values.append(value_of(number))
            addresses.append(known.get(name) or _remember(memory, known, name))
        else:
            texts += 1
        at = found.end()
    return Line(addresses, values, texts, time_of(line[at:]) if at < len(line) else None)


def value_of(text: bytes) -> float:
    """The number of a field; raises `LineInvalid`.

    >>> value_of(b"-3i"), value_of(b"1e3"), value_of(b"T")
    (-3.0, 1000.0, 1.0)
    """
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number - number != 0.0:
            raise LineInvalid("invalid float")
        return number
    last = text[-1:]
    if last in b"iu" and text and _INTEGER.fullmatch(text, 0, len(text) - 1):
        whole = int(text[:-1]) if len(text) < 24 else _UINT64
        if (-_INT64 <= whole < _INT64) if last == b"i" else (0 <= whole < _UINT64 and text[0] != 45):
            return float(whole)
        raise LineInvalid(f"unable to parse {'integer' if last == b'i' else 'unsigned'} {_shown(text[:-1])}")
    boolean = _BOOLEANS.get(text)
    if boolean is not None:
        return boolean
    if not text:
        raise LineInvalid("missing field value")
    if text[:1] == b'"':
        raise LineInvalid("unbalanced quotes")
    raise LineInvalid("invalid number" if text[0] in b"0123456789.-+nNiI" else "invalid boolean")


def time_of(text: bytes) -> int:
    """The time of a line, in its sender's precision; raises `LineInvalid`."""
    if text[-1:] in _BLANK:
        text = text.rstrip(_BLANK)
    if not _INTEGER.fullmatch(text):
        raise LineInvalid("bad timestamp")
    time = int(text) if len(text) < 24 else _INT64
    if not -_INT64 <= time < _INT64:
        raise LineInvalid("time outside range")
    return time


def _series(measurement: bytes, tags: bytes) -> str:
    pairs = [(_tag(name), _tag(value)) for name, value in _TAG.findall(tags)]
    if len({name for name, _ in pairs}) < len(pairs):
        raise LineInvalid("duplicate tags")
    return series_part(_decoded(_MEASUREMENT_ESCAPE.sub(rb"\1", measurement)), pairs)


def _remember(memory: SeriesMemory, known: dict[bytes, str], name: bytes) -> str:
    plain = _FIELD_ESCAPE.sub(rb"\1", name) if b"\\" in name else name
    address = known[b""] + field_part(_decoded(plain))
    memory.grow(size_of((name, address)))
    if len(known) < _MOST_FIELDS:
        known[name] = address
    return address


def _tag(text: bytes) -> str:
    return _decoded(_TAG_ESCAPE.sub(rb"\1", text) if b"\\" in text else text)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise LineInvalid(f"name {_shown(text)} is not UTF-8") from None


def _shown(text: bytes) -> str:
    return ascii(text[:60].decode("utf-8", "backslashreplace"))


def _end_of_quoted(body: bytes, start: int, end: int) -> int:
    """Where a line ends whose quoted texts hold line ends; ``end`` itself when they hold none or are never closed."""
    window = body[start : start + LONGEST_LINE].lstrip(_BLANK)
    skipped = min(LONGEST_LINE, len(body) - start) - len(window)
    key = _KEY.match(window, 0, end - start - skipped)
    found = _FIELD.match(window, key.end()) if key else None
    while found is not None and found.group(4) == b",":
        found = _FIELD.match(window, found.end())
    if found is None or start + skipped + found.end() <= end:
        return end
    stop = body.find(b"\n", start + skipped + found.end())
    further = len(body) if stop < 0 else stop
    try:
        parse(body[start:further].strip(_BLANK), SeriesMemory())
    except LineInvalid:
        return end
    return further


def _key_fault(line: bytes) -> str:
    """InfluxDB's words for a line whose measurement and tags do not parse."""
    if len(line) > LONGEST_LINE:
        return f"a line of {len(line):,} bytes; at most {LONGEST_LINE:,} are read"
    if line[:1] == b",":
        return "missing measurement"
    measurement = _MEASUREMENT.match(line)
    at = measurement.end() if measurement else 0
    while line[at : at + 1] == b",":
        tag = _TAG.match(line, at)
        if tag is None:
            return "missing tag key" if line[at + 1 : at + 2] in b", =" else "missing tag value"
        at = tag.end()
    if line[at : at + 1] == b"=":
        return "invalid tag format"
    return "missing fields"


def _field_fault(line: bytes, at: int) -> str:
    """InfluxDB's words for fields that do not parse from ``at`` on."""
    if at >= len(line):
        return "missing fields" if line[at - 1 : at] != b"," else "invalid field format"
    if line[at : at + 1] == b"=":
        return "missing field key"
    return "unbalanced quotes" if b'="' in line[at:] and line.count(b'"', at) % 2 else "invalid field format"
