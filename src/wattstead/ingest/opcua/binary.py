"""Reading the bytes of an OPC UA notification: which item had which value when; pure.

It knows just what a data change holds (Part 6, 5.2); everything else of the protocol is the library's.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

DATA_CHANGE, STATUS_CHANGE = 811, 820
_EPOCH_US = 11_644_473_600_000_000
"""From 1601, at which its time begins, to 1970."""
_NUMBERS: dict[int, struct.Struct] = {
    at + 1: struct.Struct("<" + code) for at, code in enumerate(["?", "b", "B", "h", "H", "i", "I", "q", "Q", "f", "d"])
}
_BLOBS = frozenset({12, 15, 16})
_FIXED = {13: 8, 14: 16, 19: 4}
_ARRAY, _DIMENSIONS = 0x80, 0x40
_U32, _I32, _I64, _U16 = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<H")
_MOST = 1_000_000


class Broken(ValueError):
    """Bytes that are not of this coding."""


class Notified(NamedTuple):
    """A monitored item's value."""

    handle: int
    value: float | None
    """None: no number (a text, an array, nothing)."""
    status: int
    time_us: int
    """The source's time, else the server's; 0: neither came."""


class Notification(NamedTuple):
    """What one message said."""

    sequence: int
    items: list[Notified]
    closed: int
    """Status with which the subscription ended; 0: it goes on."""


def notification(raw: bytes) -> Notification:
    """What a NotificationMessage says; raises `Broken`."""
    try:
        return _notification(raw)
    except (struct.error, IndexError) as error:
        raise Broken(f"a notification of {len(raw)} bytes ends too early: {error}") from None


def _notification(raw: bytes) -> Notification:
    (sequence,) = _U32.unpack_from(raw)
    (count,) = _I32.unpack_from(raw, 12)
    at, closed = 16, 0
    items: list[Notified] = []
    for _ in range(_checked(count)):
        kind, at = _type_id(raw, at)
        if raw[at] != 1:
            raise Broken(f"data of a notification is coded as {raw[at]}; expected 1, bytes")
        (length,) = _I32.unpack_from(raw, at + 1)
        at += 5
        if kind == DATA_CHANGE:
            _data_change(raw, at, items)
        elif kind == STATUS_CHANGE:
            (closed,) = _U32.unpack_from(raw, at)
        at += length
        if length < 0 or at > len(raw):
            raise Broken(f"a notification of {len(raw)} bytes names a part of {length}")
    return Notification(sequence, items, closed)


def _data_change(raw: bytes, at: int, items: list[Notified]) -> None:
    (count,) = _I32.unpack_from(raw, at)
    at += 4
    for _ in range(_checked(count)):
        (handle,) = _U32.unpack_from(raw, at)
        mask = raw[at + 4]
        at += 5
        value: float | None = None
        if mask & 0x01:
            number = _NUMBERS.get(raw[at])
            if number is not None:
                value = float(number.unpack_from(raw, at + 1)[0])
                at += 1 + number.size
            else:
                at = _skip_variant(raw, at)
        status = time_us = 0
        if mask & 0x02:
            (status,) = _U32.unpack_from(raw, at)
            at += 4
        if mask & 0x04:
            time_us = _time_us(_I64.unpack_from(raw, at)[0])
            at += 8
        if mask & 0x10:
            at += 2
        if mask & 0x08:
            time_us = time_us or _time_us(_I64.unpack_from(raw, at)[0])
            at += 8
        if mask & 0x20:
            at += 2
        items.append(Notified(handle, value, status, time_us))


def _time_us(ticks: int) -> int:
    """Microseconds since 1970 of 100 ns since 1601; 0 for the beginning of its time, which says that there is none.

    >>> _time_us(116_444_736_000_000_000 + 15)
    1
    """
    return ticks // 10 - _EPOCH_US if ticks > 0 else 0


def _checked(count: int) -> int:
    if count > _MOST:
        raise Broken(f"a list has {count:,} parts; at most {_MOST:,} are read")
    return max(count, 0)


def _skip_variant(raw: bytes, at: int) -> int:
    """Where the next thing begins, behind a variant that is no number."""
    coding = raw[at]
    kind, at = coding & 0x3F, at + 1
    if not coding & _ARRAY:
        return _skip_one(raw, at, kind)
    (count,) = _I32.unpack_from(raw, at)
    at += 4
    for _ in range(_checked(count)):
        at = _skip_one(raw, at, kind)
    if coding & _DIMENSIONS:
        (count,) = _I32.unpack_from(raw, at)
        at += 4 + 4 * _checked(count)
    return at


def _skip_one(raw: bytes, at: int, kind: int) -> int:  # noqa: C901 - one branch a type, as the standard has them
    if kind == 0:
        return at
    if kind in _NUMBERS:
        return at + _NUMBERS[kind].size
    if kind in _BLOBS:
        return _skip_blob(raw, at)
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind in (17, 18):
        return _skip_node_id(raw, at)
    if kind == 20:
        return _skip_blob(raw, at + 2)
    if kind == 21:
        mask, at = raw[at], at + 1
        for bit in (1, 2):
            at = _skip_blob(raw, at) if mask & bit else at
        return at
    if kind == 22:
        at = _skip_node_id(raw, at)
        return _skip_blob(raw, at + 1) if raw[at] else at + 1
    if kind == 24:
        return _skip_variant(raw, at)
    raise Broken(f"a value has the type {kind}, which is not read here")


def _skip_blob(raw: bytes, at: int) -> int:
    (length,) = _I32.unpack_from(raw, at)
    if length > len(raw):
        raise Broken(f"a text of {length:,} bytes in a message of {len(raw):,}")
    return at + 4 + max(int(length), 0)


def _skip_node_id(raw: bytes, at: int) -> int:
    coding, at = raw[at], at + 1
    sizes = {0: 1, 1: 3, 2: 6, 4: 18}
    form = coding & 0x0F
    if form in sizes:
        at += sizes[form]
    elif form in (3, 5):
        at = _skip_blob(raw, at + 2)
    else:
        raise Broken(f"a node id is coded as {form}")
    if coding & 0x80:
        at = _skip_blob(raw, at)
    return at + 4 if coding & 0x40 else at


def _type_id(raw: bytes, at: int) -> tuple[int, int]:
    """The number of a type in the standard's own namespace, and where it ends; 0 for any other."""
    end = _skip_node_id(raw, at)
    if raw[at] == 0:
        return raw[at + 1], end
    if raw[at] == 1 and raw[at + 1] == 0:
        return int(_U16.unpack_from(raw, at + 2)[0]), end
    return 0, end
