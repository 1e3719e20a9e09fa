"""input/bulk: many packets with times relative to a reference, as text, hexadecimal zlib or binary zlib."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.decoding.loose_json import loads
from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.emoncms.address import address_of
from wattstead.ingest.emoncms.names import clean
from wattstead.ingest.emoncms.values import PostRefused, instant_of, number_of
from wattstead.ingest.errors import BodyInvalid

_NO_JSON = "Format error, json string supplied is not valid"
_CLOCK_STEP_US = 10_000_000
_CALENDAR_US = 1_000_000_000_000_000
_FURTHEST_US = 9_200_000_000_000_000_000
"""A sentat beyond this is the time of day; a smaller one counts seconds since the sender began."""


def decode(given: Mapping[str, str], text: str | bytes, now_us: int) -> Columns:
    """The readings of all packets of a text; faulty values and packets are named, the others kept.

    Raises `PostRefused` for what EmonCMS refuses, `BodyInvalid` for a reference that is no time.

    >>> columns = decode({"time": "100"}, '[[0,"hp",1137],[2,17,1437,3164]]', 0)
    >>> columns.names.addresses, columns.time_us.tolist()
    (['emon/hp/1', 'emon/17/1', 'emon/17/2'], [100000000, 102000000, 102000000])
    """
    packets = _packets(text)
    reference_us = _reference(given, packets, now_us)
    rows: list[str] = []
    times: list[int] = []
    values: list[float] = []
    places: list[tuple[int, int]] = []
    rejected = Rejections()
    addresses: dict[tuple[str, str], str] = {}
    for at, packet in enumerate(packets):
        if not isinstance(packet, list):
            rejected.add(f"data[{at}]", f"is {type(packet).__name__}; expected [offset, node, values…]")
            continue
        if len(packet) < 3:
            continue
        try:
            time_us = _sum(at, reference_us, instant_of(f"data[{at}][0]", packet[0]))
            node = _node(at, packet[1])
        except BodyInvalid as fault:
            rejected.add(fault.place, fault.reason)
            continue
        for name, value, column in _inputs(packet):
            place = (at, column)
            try:
                number = number_of(value)
            except ValueError as fault:
                rejected.add(_shown(place), str(fault))
                continue
            if number is None:
                continue
            address = addresses.get((node, name))
            if address is None:
                if not clean(name):
                    rejected.add(_shown(place), f"input {name[:40]!r} has no letter or digit; give it a name")
                    continue
                address = addresses[node, name] = address_of(node, name)
            rows.append(address)
            times.append(time_us)
            values.append(number)
            places.append(place)
    return Columns(
        Names.of_rows(rows),
        np.array(times, np.int64),
        np.array(values, np.float64),
        rejected,
        place=lambda row: _shown(places[row]),
    )


def text_of(given: Mapping[str, str], body: bytes, most_bytes: int) -> str | bytes:
    """The text of the packets, unpacked; ``body`` is read where ``cb`` says that it holds them.

    Raises `PostRefused` for what cannot be unpacked, `BodyTooLarge` for more than ``most_bytes``.
    """
    data = given.get("data", "")
    try:
        if "cb" in given:
            return inflated(body, "deflate", most_bytes)
        if "c" in given:
            return inflated(binascii.unhexlify((data or given["c"]).strip()), "deflate", most_bytes)
    except (BodyInvalid, binascii.Error, ValueError) as error:
        raise PostRefused(f"{_NO_JSON}: {error}") from None
    return data


def _packets(text: str | bytes) -> list[Any]:
    try:
        packets = loads(text, "surrogateescape")
    except (BodyInvalid, ValueError) as error:
        raise PostRefused(f"{_NO_JSON}: {error}") from None
    if not isinstance(packets, list) or not packets:
        raise PostRefused(_NO_JSON)
    return packets


def _reference(given: Mapping[str, str], packets: list[Any], now_us: int) -> int:
    """The instant that offsets count from: sentat and offset name the present on the sender's clock."""
    for name in ("sentat", "offset"):
        if name in given:
            return _apart(now_us, instant_of(name, given[name]))
    if "time" in given:
        return instant_of("time", given["time"])
    last = packets[-1]
    if not isinstance(last, list) or not last:
        raise PostRefused("Format error, last item in bulk data does not contain any data")
    return now_us - instant_of("offset of the last item", last[0])


def _apart(now_us: int, sent_us: int) -> int:
    """How far the sender's zero lies from ours. Two calendar clocks are compared in steps of ten seconds: what is sent
    again after a lost answer, with a new sentat, keeps its times and is stored once.

    >>> _apart(1_700_000_600_700_000, 1_700_000_000_000_000), _apart(1_700_000_001_200_000, 1_700_000_000_000_000)
    (600000000, 0)
    """
    apart_us = now_us - sent_us
    return apart_us if sent_us < _CALENDAR_US else round(apart_us / _CLOCK_STEP_US) * _CLOCK_STEP_US


def _sum(at: int, reference_us: int, offset_us: int) -> int:
    if abs(reference_us + offset_us) > _FURTHEST_US:
        raise BodyInvalid(f"data[{at}][0]", "adds up to a time that no calendar has")
    return reference_us + offset_us


def _node(at: int, found: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, bool) or not isinstance(found, int | float | None):
        raise BodyInvalid(f"data[{at}][1]", f"node is {type(found).__name__}; expected a name or number")
    return "" if found is None else f"{found:g}" if isinstance(found, float) else str(found)


def _inputs(packet: list[Any]) -> list[tuple[str, Any, int]]:
    """Name, value and position of each input of a packet; bare values are named 1, 2, 3."""
    found: list[tuple[str, Any, int]] = []
    bare = 0
    for column in range(2, len(packet)):
        value = packet[column]
        if isinstance(value, dict):
            found += ((name, one, column) for name, one in value.items())
        else:
            bare += 1
            found.append((str(bare), value, column))
    return found


def _shown(place: tuple[int, int]) -> str:
    return f"data[{place[0]}][{place[1]}]"
