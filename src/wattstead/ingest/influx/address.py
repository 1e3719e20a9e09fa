"""The address of an Influx field: measurement, tags and field as one canonical text; it looks nothing up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

PREFIX = "influx/"
_IN_MEASUREMENT = re.compile(r"[\\,]")
_IN_TAG = re.compile(r"[\\,=]")
_IN_FIELD = re.compile(r"[\\/]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_FIELD = re.compile(r"/((?:[^\\/]|\\.)*)$", re.DOTALL)
_PARTS = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)
_TAG = re.compile(r"((?:[^\\=]|\\.)+)=((?:[^\\=]|\\.)*)", re.DOTALL)


class Series(NamedTuple):
    """What an address says."""

    measurement: str
    tags: dict[str, str]
    field: str


def series_part(measurement: str, tags: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """The part of an address that all fields of a series share; tags are sorted by name.

    >>> series_part("meter", {"site": "a b", "id": "7"})
    'influx/meter,id=7,site=a b/'
    """
    pairs = sorted(tags.items() if isinstance(tags, Mapping) else tags)
    written = "".join(f",{_escape(_IN_TAG, name)}={_escape(_IN_TAG, value)}" for name, value in pairs)
    return f"{PREFIX}{_escape(_IN_MEASUREMENT, measurement)}{written}/"


def field_part(field: str) -> str:
    """The last part of an address.

    >>> field_part("W/m²")
    'W\\\\/m²'
    """
    return _escape(_IN_FIELD, field)


def address_of(measurement: str, tags: Mapping[str, str], field: str) -> str:
    """The address of a field; different series have different addresses.

    >>> address_of("meter", {"id": "7"}, "power")
    'influx/meter,id=7/power'
    """
    return series_part(measurement, tags) + field_part(field)


def series_of(address: str) -> Series | None:
    """What an address says; None when it is not one of Influx.

    >>> series_of("influx/meter,id=7/power")
    Series(measurement='meter', tags={'id': '7'}, field='power')
    """
    if not address.startswith(PREFIX):
        return None
    if "\\" not in address:
        return _unescaped(address)
    found = _FIELD.search(address, len(PREFIX))
    if found is None:
        return None
    parts = _PARTS.findall(address, len(PREFIX), found.start())
    if not parts:
        return None
    tags: dict[str, str] = {}
    for part in parts[1:]:
        pair = _TAG.fullmatch(part)
        if pair is None:
            return None
        tags[_plain(pair.group(1))] = _plain(pair.group(2))
    return Series(_plain(parts[0]), tags, _plain(found.group(1)))


def _unescaped(address: str) -> Series | None:
    """`series_of` where nothing is escaped, as it nearly always is."""
    head, slash, field = address[len(PREFIX) :].rpartition("/")
    measurement, *pairs = filter(None, head.split(",")) if slash and head.strip(",") else ("",)
    tags: dict[str, str] = {}
    for part in pairs:
        name, equals, value = part.partition("=")
        if not name or not equals or "=" in value:
            return None
        tags[name] = value
    return Series(measurement, tags, field) if measurement else None


def _escape(special: re.Pattern[str], text: str) -> str:
    return text if text.isalnum() else special.sub(r"\\\g<0>", text)


def _plain(text: str) -> str:
    return text if "\\" not in text else _ESCAPED.sub(r"\1", text)
