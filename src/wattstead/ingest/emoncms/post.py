"""input/post: one packet of one node, as fulljson, json, csv or data, to readings of one instant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Few, Names, Rejections
from wattstead.ingest.decoding.loose_json import loads
from wattstead.ingest.emoncms.address import address_of
from wattstead.ingest.emoncms.values import NameMemory, PostRefused, instant_of, named_alone, numbers_of
from wattstead.ingest.errors import BodyInvalid

_STRIPPED = re.compile(r"[^\w\s\-.:,]+")
_NUMERIC = re.compile(r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|null)\s*", re.ASCII)
_numbers = msgspec.json.Decoder(dict[str, float])


def decode(given: Mapping[str, str], path_node: str, now_us: int, memory: NameMemory) -> Few:
    """The readings of a packet; null is no reading, a value that is no number is named as rejected and the others kept.

    Raises `PostRefused` for what EmonCMS refuses where nothing is left to keep, `BodyInvalid` for a time that is none.

    >>> few = decode({"node": "emontx", "fulljson": '{"power1":100,"time":5}'}, "", 0, NameMemory())
    >>> few.names.address(0), few.values, few.time_us
    ('emon/emontx/power1', [100.0], 5000000)
    """
    node = path_node or given.get("node", "")
    text = given.get("json") or given.get("fulljson") or given.get("csv") or given.get("data")
    if not text:
        raise PostRefused("Request contains no data via csv, json or data tag")
    time: Any = given.get("time")
    rejected = Rejections()
    found: dict[str, Any]
    if "fulljson" in given:
        found = _full(text)
        if "time" in found:
            time = found.pop("time")
    else:
        found = _pairs(text, rejected)
    time_us = now_us if time is None else instant_of("time", time)
    values = list(found.values())
    if set(map(type, values)) != {float} or not all(map(isfinite, values)):
        found = numbers_of(found, rejected)
        values = list(found.values())
    names = memory.names(node, tuple(found))
    if names is None:
        found = named_alone(found, rejected)
        names, values = Names([address_of(node, name) for name in found]), list(found.values())
    if rejected and not values:
        raise PostRefused("; ".join(f"{issue.place}: {issue.reason}" for issue in rejected.listed[:5]))
    addresses = names.addresses
    return Few(names, time_us, values, rejected, time is None, lambda row: addresses[row][:80])


def _full(text: str) -> dict[str, Any]:
    try:
        return _numbers.decode(text)
    except msgspec.DecodeError:
        pass
    try:
        found = loads(text)
    except BodyInvalid as error:
        raise PostRefused(f"Error decoding JSON string (invalid or too deeply nested): {error}") from None
    if not isinstance(found, dict):
        raise PostRefused("Input must be a JSON object")
    return found


def _pairs(text: str, rejected: Rejections) -> dict[str, Any]:
    """EmonCMS's lenient form: quotes and braces dropped, pairs split at commas and colons, bare values named 1, 2 by
    their place. EmonCMS refuses all of it for one that is no number."""
    found: dict[str, Any] = {}
    bare = 0
    for place, part in enumerate(_STRIPPED.sub("", text).split(","), 1):
        name, colon, value = part.partition(":")
        if not colon:
            bare += 1
            if _NUMERIC.fullmatch(name):
                found[str(bare)] = name
            else:
                reason = f"is {name[:40]!r}; Format error: csv value is not numeric"
                rejected.add(f"value {bare}", reason)
            continue
        value = value.partition(":")[0]
        if not name:
            rejected.add(f"value {place}", "Format error, json key missing or invalid character")
        elif not _NUMERIC.fullmatch(value):
            rejected.add(name[:60], f"is {value[:40]!r}; Format error, json value is not numeric")
        else:
            found[name] = value
    return found
