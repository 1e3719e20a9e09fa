"""An Atom feed of ESPI entries as readings: which block is of which reading type and usage point, what a value means.

Amounts of an interval stand at its start, as everywhere here; a counter's level stands at the end of its interval.
Costs are no readings and are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.rows import Row, Rows
from wattstead.ingest.decoding.safe_xml import text_of, tree_of
from wattstead.ingest.errors import BodyInvalid
from wattstead.metering.quantity import Quality

PREFIX = "greenbutton/"
"""What addresses begin with unless something else is said."""
_UNITS: Mapping[int, str] = {
    0: "", 5: "A", 29: "V", 31: "J", 33: "Hz", 38: "W", 42: "m³", 61: "VA", 63: "var", 65: "", 72: "Wh",
    119: "ft³", 125: "m³/h", 128: "gal", 132: "BTU", 134: "l", 137: "l/h", 169: "therm",
}  # fmt: skip
"""Units by UomType."""
_DELTA, _COUNTED, _LEVELS = (4,), (1, 2, 3, 9), (0, 6, 12)
"""Kinds of accumulation: amounts of intervals, counters, and what is measured at the moment."""
_FLOWS: Mapping[int, str] = {
    1: "import", 4: "net", 19: "export", 0: "", 2: "Q1", 3: "Q1 and Q3", 15: "Q1 minus Q4", 16: "Q2", 20: "total",
}  # fmt: skip
"""Words for FlowDirectionType, seen from the site."""
_QUALITIES: Mapping[int, Quality] = {
    0: Quality.VALID, 7: Quality.EDITED, 8: Quality.ESTIMATED, 9: Quality.ESTIMATED, 10: Quality.SUSPECT,
    11: Quality.ESTIMATED, 12: Quality.ESTIMATED, 13: Quality.ESTIMATED, 14: Quality.RAW, 15: Quality.ESTIMATED,
    16: Quality.RAW, 17: Quality.VALID, 18: Quality.VALID, 19: Quality.VALID,
}  # fmt: skip
"""QualityOfReading as it is called here."""
_SERVICES: Mapping[int, str] = {0: "electricity", 1: "gas", 2: "water", 4: "heat"}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_LONGEST_S = 400 * 86_400
_MOST_POWER = 18
_MOST_LEVELS = 100
"""Of a path, on the way up from an entry to those it belongs to."""


class _Entry(NamedTuple):
    """An entry of the feed."""

    kind: str
    content: Sequence[Element]
    self_: str
    up: str
    related: tuple[str, ...]


class _Meaning(NamedTuple):
    """What the values of a block are."""

    address: str
    unit: str
    factor: int
    """Power of ten."""
    at_end: bool
    length_s: int
    """Of an interval that does not say how long it is."""


def decode(raw: bytes, prefix: str) -> Columns:
    """The readings of a feed, or of a single entry; raises `BodyInvalid` for what is neither."""
    root = tree_of(raw)
    entries = [_entry(one) for one in ([root] if root.tag == "entry" else root.findall("entry"))]
    if root.tag not in ("feed", "entry"):
        raise BodyInvalid("Green Button", f"this is a {root.tag[:60]}; expected an Atom feed of ESPI entries")
    blocks = [one for one in entries if one.kind == "IntervalBlock"]
    if not blocks:
        raise BodyInvalid("Green Button", f"there is no IntervalBlock in {len(entries)} entries")
    feed, rows = _Feed(entries), Rows()
    for block in blocks:
        try:
            meaning = feed.meaning(block, prefix)
        except ValueError as fault:
            count = sum(len(one.findall("IntervalReading")) for one in block.content)
            rows.rejected.add(block.self_[-80:] or "IntervalBlock", f"{fault}; {count} readings are not kept")
            rows.rejected.count += max(0, count - 1)
            continue
        for content in block.content:
            for at, reading in enumerate(content.findall("IntervalReading"), 1):
                _put(rows, reading, meaning, f"{block.self_[-60:]} reading {at}")
    return rows.columns()


def _entry(entry: Element) -> _Entry:
    links = [(one.get("rel", ""), _path(one.get("href", ""))) for one in entry.findall("link")]
    content = list(entry.find("content") or ())
    return _Entry(
        content[0].tag if content else "",
        content,
        next((href for rel, href in links if rel == "self"), ""),
        next((href for rel, href in links if rel == "up"), ""),
        tuple(href for rel, href in links if rel == "related"),
    )


def _path(href: str) -> str:
    try:
        return urlsplit(href).path.strip("/")
    except ValueError:
        raise BodyInvalid("Green Button", f"link {href[:60]!r} is no address") from None


class _Feed:
    """What the entries say of each other, by their links."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._by_kind: dict[str, list[_Entry]] = {}
        self._by_self: dict[tuple[str, str], _Entry] = {}
        for one in entries:
            self._by_kind.setdefault(one.kind, []).append(one)
            if one.self_:
                self._by_self.setdefault((one.kind, one.self_), one)
        self._types: dict[str, _Entry | None] = {}
        """The reading type that a meter reading is linked to, by its own address."""

    def meaning(self, block: _Entry, prefix: str) -> _Meaning:
        """Of the block's values; raises `ValueError` where the feed does not say, or nobody here knows."""
        meter = self._above("MeterReading", block)
        kind = self._reading_type(meter)
        usage = self._above("UsagePoint", meter or block)
        number = _number(kind, "uom")
        if number not in _UNITS:
            raise ValueError(f"unit (uom) {number} is not known here")
        power = _number(kind, "powerOfTenMultiplier")
        if abs(power) > _MOST_POWER:
            raise ValueError(f"powerOfTenMultiplier is {power}; expected at most {_MOST_POWER}")
        accumulation = _number(kind, "accumulationBehaviour")
        if accumulation not in (*_DELTA, *_COUNTED, *_LEVELS):
            raise ValueError(f"accumulationBehaviour {accumulation} is not known here")
        flow = _FLOWS.get(_number(kind, "flowDirection"), f"flow {_number(kind, 'flowDirection')}")
        service = _SERVICES.get(_number(usage.content[0], "ServiceCategory/kind") if usage else 0, "other")
        amount = "per interval" if accumulation in _DELTA else "total" if accumulation in _COUNTED else "level"
        names = [_last(usage), _last(meter), " ".join(filter(None, (service, flow, amount)))]
        length_s = _number(kind, "intervalLength")
        address = prefix + "/".join(filter(None, names))
        return _Meaning(address, _UNITS[number], power, accumulation in _COUNTED, length_s)

    def _above(self, kind: str, below: _Entry) -> _Entry | None:
        """The entry of that kind to which another belongs: by its links, or as the only one there is."""
        for start in (below.self_, below.up):
            path = start
            for _ in range(_MOST_LEVELS):
                found = self._by_self.get((kind, path))
                if found is not None:
                    return found
                path = path.rpartition("/")[0]
        known = self._by_kind.get(kind, [])
        return known[0] if len(known) == 1 else None

    def _reading_type(self, meter: _Entry | None) -> Element:
        known = self._by_kind.get("ReadingType", [])
        if meter is not None and meter.self_ not in self._types:
            linked = (self._by_self.get(("ReadingType", one)) for one in meter.related)
            self._types[meter.self_] = next((one for one in linked if one is not None), None)
        found_type = self._types[meter.self_] if meter is not None else None
        if found_type is not None:
            return found_type.content[0]
        if len(known) == 1:
            return known[0].content[0]
        found = "no ReadingType" if not known else f"{len(known)} ReadingTypes, none of which it is linked to"
        raise ValueError(f"the feed has {found}, so nobody knows what the values are")


def _last(entry: _Entry | None) -> str:
    """The last name in an entry's own address."""
    return unquote(entry.self_.rpartition("/")[2]).replace("/", " ")[:60] if entry else ""


def _number(element: Element, path: str) -> int:
    """An integer, 0 where there is none; raises `ValueError`."""
    text = text_of(element, path)
    if text and not _INTEGER.fullmatch(text):
        raise ValueError(f"{path} is {text[:20]!r}; expected an integer")
    return int(text) if text else 0


def _put(rows: Rows, reading: Element, meaning: _Meaning, place: str) -> None:
    try:
        start, value = text_of(reading, "timePeriod/start"), text_of(reading, "value")
        if not _INTEGER.fullmatch(start) or not _INTEGER.fullmatch(value):
            raise ValueError(f"start is {start[:20]!r} and value {value[:20]!r}; expected integers")
        duration_s = _number(reading, "timePeriod/duration") or meaning.length_s
        if not 0 <= duration_s <= _LONGEST_S:
            raise ValueError(f"duration is {duration_s} s; expected at most {_LONGEST_S}")
        quality = _quality(reading)
        at_s = int(start) + (duration_s if meaning.at_end else 0)
        if abs(at_s) > 9e11:
            raise ValueError(f"start is {start}; expected seconds since 1970")
    except ValueError as fault:
        rows.rejected.add(place, str(fault))
        return
    scaled = int(value) * 10**meaning.factor if meaning.factor >= 0 else int(value) / 10**-meaning.factor
    rows.put(Row(meaning.address, at_s * 1_000_000, float(scaled), meaning.unit, quality))


def _quality(reading: Element) -> Quality:
    """What the reading says of itself, the worst where it says several; raises `ValueError` for an unknown code."""
    found = [_number(one, "quality") for one in reading.findall("ReadingQuality")]
    for code in found:
        if code not in _QUALITIES:
            raise ValueError(f"quality {code} is not known here")
    return max((_QUALITIES[code] for code in found), default=Quality.RAW)
