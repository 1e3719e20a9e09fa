"""ClickHouse's Native format to and from numpy columns, without a Python object per value; sends nothing.

A block is: number of columns and of rows as varints; then for each column its name, its type, its values in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wattstead.series.errors import SeriesError

Columns = dict[str, NDArray[Any]]
Piece: TypeAlias = bytes | memoryview

_DTYPES = {
    "UInt8": "<u1", "UInt16": "<u2", "UInt32": "<u4", "UInt64": "<u8",
    "Int8": "<i1", "Int16": "<i2", "Int32": "<i4", "Int64": "<i8",
    "Float32": "<f4", "Float64": "<f8", "Date": "<u2", "DateTime": "<u4", "DateTime64": "<i8",
}  # fmt: skip


class NativeError(SeriesError):
    """Bytes that are not a Native block, or a column type that is not read here."""


def encode(columns: Mapping[str, tuple[str, NDArray[Any]]]) -> bytes:
    """One block of columns of one length: name → (ClickHouse type, values).

    >>> encode({"n": ("UInt8", np.array([1, 2]))}).hex()
    '0102016e0555496e74380102'
    """
    return b"".join(pieces(columns))


def pieces(columns: Mapping[str, tuple[str, NDArray[Any]]]) -> list[Piece]:
    """What `encode` puts together, as it lies in memory where it does."""
    rows = len(next(iter(columns.values()))[1])
    parts: list[Piece] = [_varint(len(columns)), _varint(rows)]
    for name, (kind, values) in columns.items():
        parts += [_text(name), _text(kind)]
        if kind == "String":
            parts += [_text(text) for text in values.tolist()]
        else:
            parts.append(np.ascontiguousarray(values, _dtype(kind)).view(np.uint8).data)
    return parts


def decode(block: bytes) -> Columns:
    """All blocks in those bytes, each column put together; times as the integers they are kept as. No columns: none.

    Raises `NativeError` on bytes that break off and on types that are not read here.
    """
    found: dict[str, list[NDArray[Any]]] = {}
    at = 0
    while at < len(block):
        width, at = _read_varint(block, at)
        rows, at = _read_varint(block, at)
        for _ in range(width):
            name, at = _read_text(block, at)
            kind, at = _read_text(block, at)
            values, at = _read_values(block, at, kind, rows)
            found.setdefault(name, []).append(values)
    return {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in found.items()}


def _read_values(block: bytes, at: int, kind: str, rows: int) -> tuple[NDArray[Any], int]:
    if kind == "String":
        texts = np.empty(rows, object)
        for row in range(rows):
            texts[row], at = _read_text(block, at)
        return texts, at
    dtype = _dtype(kind)
    end = at + rows * dtype.itemsize
    if end > len(block):
        raise NativeError(f"a column of {rows} {kind} breaks off after {len(block) - at} bytes")
    return np.frombuffer(block, dtype, rows, at), end


def _dtype(kind: str) -> np.dtype[Any]:
    try:
        return np.dtype(_DTYPES[kind.partition("(")[0]])
    except KeyError:
        raise NativeError(f"a column of type {kind}; read are {', '.join(_DTYPES)} and String") from None


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _varint(len(raw)) + raw


def _read_varint(block: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(block):
            raise NativeError(f"a block of {len(block)} bytes breaks off in a length")
        byte = block[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def _read_text(block: bytes, at: int) -> tuple[str, int]:
    size, at = _read_varint(block, at)
    if at + size > len(block):
        raise NativeError(f"a text of {size} bytes breaks off after {len(block) - at}")
    return block[at : at + size].decode("utf-8", "replace"), at + size
