"""A body of Prometheus remote write 1.0 to columns: snappy, then the few protobuf fields that are readings.

Metadata, exemplars and histograms are no readings and are passed over. Knows no request.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.errors import BodyInvalid, BodyTooLarge

PREFIX = "prometheus/"
_FORM = "a Prometheus write request"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FURTHEST_MS = 9_000_000_000_000_000
_SAMPLE = struct.Struct("<d")
_ESCAPED = str.maketrans({"\\": "\\\\", ",": "\\,", "=": "\\=", "/": "\\/"})


def unpacked(body: bytes, limit: int) -> bytes:
    """The body of a request without its snappy; raises `BodyInvalid`, `BodyTooLarge`."""
    import cramjam  # noqa: PLC0415 - an installation on site, to which nobody writes this way, has none

    try:
        size, _ = _varint(body, 0)
        if size > limit:
            raise BodyTooLarge("the body, unpacked,", limit)
        return bytes(cramjam.snappy.decompress_raw(body))
    except (cramjam.DecompressionError, ValueError) as error:
        raise BodyInvalid(_FORM, f"its snappy cannot be unpacked ({error})") from None


def decode(body: bytes) -> Columns:
    """The samples of a write request, without its snappy; faulty ones are named, the others kept. Raises `BodyInvalid`.

    >>> label = bytes([10, 14, 10, 8]) + b"__name__" + bytes([18, 2]) + b"up"
    >>> found = decode(bytes([10, len(label) + 13]) + label + bytes([18, 11, 9]) + _SAMPLE.pack(1.5) + bytes([16, 7]))
    >>> found.names.addresses, found.value.tolist(), found.time_us.tolist()
    (['prometheus/up'], [1.5], [7000])
    """
    addresses: list[str] = []
    index: list[int] = []
    times: list[int] = []
    values: list[float] = []
    rejected, skipped = Rejections(), 0
    try:
        for field, kind, found in _fields(body):
            if field == 1 and kind == _BYTES:
                address, samples = _series(found)
                addresses.append(address)
                for value, time_ms in samples:
                    if math.isnan(value):  # a series that has ended, or has no value just now
                        skipped += 1
                    elif not math.isfinite(value):
                        rejected.add(address[:200], f"value is {value}; expected a finite number")
                    elif abs(time_ms) > _FURTHEST_MS:
                        rejected.add(address[:200], f"time {time_ms} is too large; expected milliseconds since 1970")
                    else:
                        index.append(len(addresses) - 1)
                        times.append(time_ms * 1_000)
                        values.append(value)
    except (ValueError, IndexError, struct.error) as error:
        raise BodyInvalid(_FORM, f"its protobuf breaks off ({error})") from None
    rows = np.array(index, np.int32)
    return Columns(
        Names(addresses, rows), np.array(times, np.int64), np.array(values, np.float64), rejected,
        place=lambda row: addresses[index[row]][:200], skipped=skipped,
    )  # fmt: skip


def _series(raw: bytes) -> tuple[str, list[tuple[float, int]]]:
    """The address of a series, and value and time (ms) of each of its samples."""
    labels: dict[str, str] = {}
    samples: list[tuple[float, int]] = []
    for field, kind, found in _fields(raw):
        if field == 1 and kind == _BYTES:
            parts = {number: part for number, _, part in _fields(found)}
            labels[parts.get(1, b"").decode()] = parts.get(2, b"").decode()
        elif field == 2 and kind == _BYTES:
            samples.append(_sample(found))
    name = labels.pop("__name__", "")
    told = [f"{key.translate(_ESCAPED)}={value.translate(_ESCAPED)}" for key, value in sorted(labels.items())]
    return PREFIX + ",".join([name.translate(_ESCAPED), *told]), samples


def _sample(raw: bytes) -> tuple[float, int]:
    value, time_ms = 0.0, 0
    for field, kind, found in _fields(raw):
        if field == 1 and kind == _FIXED64:
            (value,) = _SAMPLE.unpack(found)
        elif field == 2 and kind == _VARINT:
            number, _ = _varint(found, 0)
            time_ms = number - 2**64 if number >= 2**63 else number
    return value, time_ms


def _fields(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and bytes of each field of a message; raises `ValueError` where it breaks off."""
    at, size = 0, len(raw)
    while at < size:
        head, at = _varint(raw, at)
        kind = head & 7
        if kind == _VARINT:
            end = _varint(raw, at)[1]
        elif kind == _BYTES:
            length, at = _varint(raw, at)
            end = at + length
        elif kind in (_FIXED64, _FIXED32):
            end = at + (8 if kind == _FIXED64 else 4)
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if end > size:
            raise ValueError(f"byte {size} of {end}")
        yield head >> 3, kind, raw[at:end]
        at = end


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends; raises `ValueError`."""
    found = shift = 0
    while at < len(raw) and shift < 70:
        byte = raw[at]
        found |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return found & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise ValueError(f"a number that does not end at byte {at}")
