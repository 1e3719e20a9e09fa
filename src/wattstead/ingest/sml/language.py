"""SML: transmissions cut out of a stream and checked, and what their lists of values say; opens no port."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from wattstead.ingest.sources.source_protocol import Unreadable

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
LONGEST = 16_384
"""Bytes of one transmission; a meter's has some hundred."""
_GET_LIST = 0x0701
_DEEPEST = 12
_OCTETS, _BOOLEAN, _SIGNED, _UNSIGNED, _LIST = 0, 4, 5, 6, 7

Value: TypeAlias = "bytes | int | bool | list[Value] | None"


class Entry(NamedTuple):
    """One value of a meter: its OBIS code, and the number with the DLMS code of its unit."""

    code: str
    value: float
    unit: int


def cut(stream: bytes) -> tuple[list[bytes], list[bytes], bytes]:
    """Whole transmissions, bytes that belong to none, and the rest, which is the beginning of one.

    >>> cut(b"..." + START + b"1234" + ESCAPE + b"\\x1a\\x00ab" + START)[1:]
    ([b'...'], b'\\x1b\\x1b\\x1b\\x1b\\x01\\x01\\x01\\x01')
    """
    whole: list[bytes] = []
    rubbish: list[bytes] = []
    while (begin := stream.find(START)) >= 0:
        if begin:
            rubbish.append(stream[:begin])
        end = _end(stream, begin + len(START))
        if end < 0:
            stream = stream[begin:]
            if len(stream) <= LONGEST:
                return whole, rubbish, stream
            rubbish.append(stream)
            return whole, rubbish, b""
        whole.append(stream[begin:end])
        stream = stream[end:]
    keep = min(len(stream), len(START) - 1)
    if len(stream) > LONGEST:
        rubbish.append(stream[:-keep])
        stream = stream[-keep:]
    return whole, rubbish, stream


def _end(stream: bytes, at: int) -> int:
    """Where the transmission that began before ``at`` ends; -1: not here."""
    while (found := stream.find(ESCAPE, at)) >= 0:
        after = stream[found + 4 : found + 8]
        if len(after) < 4:
            return -1
        if after[0] == 0x1A:
            return found + 8
        at = found + (8 if after == ESCAPE else 1)
    return -1


def entries(transmission: bytes) -> list[Entry]:
    """The numbers of all lists of values of a transmission; raises `Unreadable`."""
    found: list[Entry] = []
    for message in messages(transmission):
        body = message[3] if isinstance(message, list) and len(message) >= 4 else None
        if not isinstance(body, list) or len(body) != 2 or body[0] != _GET_LIST or not isinstance(body[1], list):
            continue
        values = body[1][4] if len(body[1]) >= 5 else None
        if isinstance(values, list):
            found += [entry for one in values if (entry := _entry(one)) is not None]
    return found


def messages(transmission: bytes) -> Iterator[Value]:
    """The messages of a transmission whose checksum holds, of either kind; raises `Unreadable`."""
    told, known = transmission[-2:], [sum_of(transmission[:-2]).to_bytes(2, "little") for sum_of in (crc, kermit)]
    if told not in known:
        raise Unreadable(f"the transmission's checksum is {told.hex()}, and {known[0].hex()} by its bytes")
    body = transmission[len(START) : -8].replace(ESCAPE + ESCAPE, ESCAPE)
    body = body[: len(body) - min(transmission[-3], 3)]
    at = 0
    while at < len(body):
        value, at = _value(body, at, 0)
        yield value


def _value(body: bytes, at: int, depth: int) -> tuple[Value, int]:
    """The value that begins there, and where it ends; raises `Unreadable`."""
    kind, length, at = _head(body, at)
    if kind == _LIST:
        if depth > _DEEPEST or length > len(body) - at:
            raise Unreadable(f"a list of {length} at byte {at} is none")
        items: list[Value] = []
        for _ in range(length):
            value, at = _value(body, at, depth + 1)
            items.append(value)
        return items, at
    raw, end = body[at : at + length], at + length
    if end > len(body):
        raise Unreadable(f"a value of {length} bytes at byte {at} is longer than what is there")
    if kind == _OCTETS:
        return (raw or None), end
    if kind == _BOOLEAN:
        return any(raw), end
    if kind in (_SIGNED, _UNSIGNED) and 1 <= length <= 8:
        return int.from_bytes(raw, "big", signed=kind == _SIGNED), end
    raise Unreadable(f"a value of type {kind} and {length} bytes at byte {at} is not known")


def _head(body: bytes, at: int) -> tuple[int, int, int]:
    """Type, length without the head (of a list: how many), and where it begins."""
    begin, length, more = at, 0, True
    kind = (body[at] >> 4) & 0x07 if at < len(body) else 0
    while more:
        if at >= len(body) or at - begin > 3:
            raise Unreadable(f"the transmission breaks off at byte {at}")
        length, more, at = length << 4 | body[at] & 0x0F, bool(body[at] & 0x80), at + 1
    return kind, length if kind == _LIST else max(0, length - (at - begin)), at


def _entry(one: Value) -> Entry | None:
    """A number with its code; None for what is none: names, keys, signatures."""
    if not isinstance(one, list) or len(one) < 6 or not isinstance(one[0], bytes) or len(one[0]) != 6:
        return None
    name, unit, scaler, value = one[0], one[3], one[4], one[5]
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    exponent = scaler if isinstance(scaler, int) and -20 <= scaler <= 20 else 0
    a, b, c, d, e, _ = name
    number = float(Decimal(value).scaleb(exponent))
    return Entry(f"{a}-{b}:{c}.{d}.{e}", number, unit if isinstance(unit, int) else 0)


def crc(raw: bytes) -> int:
    """CRC-16/X-25, as DIN EN 62056-46 has it.

    >>> hex(crc(b"123456789"))
    '0x906e'
    """
    return _rest(raw, 0xFFFF) ^ 0xFFFF


def kermit(raw: bytes) -> int:
    """CRC-16/KERMIT, which some meters have instead, such as Holley's DTZ541.

    >>> hex(kermit(b"123456789"))
    '0x2189'
    """
    return _rest(raw, 0)


def _rest(raw: bytes, begin: int) -> int:
    for byte in raw:
        begin = begin >> 8 ^ _TABLE[(begin ^ byte) & 0xFF]
    return begin


def _row(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x8408 if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_row, range(256)))
