"""The Protobuf messages of Sparkplug B, as far as readings need them; field numbers are the specification's.

Sparkplug 3.0, chapter 6.4. Data sets, templates and bytes are left unread, but kept when a payload is written again.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np

from wattstead.ingest.mqtt.frames import MOST_BYTES
from wattstead.ingest.sources.source_protocol import Unreadable

_PACKAGE = "wattstead.sparkplug"
_COMPRESSED = "SPBV1.0_COMPRESSED"
"""The ``uuid`` of a payload whose body is another one, compressed."""
_TYPES = {
    "u32": "TYPE_UINT32",
    "u64": "TYPE_UINT64",
    "f32": "TYPE_FLOAT",
    "f64": "TYPE_DOUBLE",
    "bool": "TYPE_BOOL",
    "text": "TYPE_STRING",
    "bytes": "TYPE_BYTES",
}
"""By protobuf's names, for the library is loaded with the first payload."""
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "PropertyValue": {"type": (1, "u32"), "is_null": (2, "bool"), "string_value": (8, "text")},
    "PropertySet": {"keys": (1, "text*"), "values": (2, "PropertyValue*")},
    "Metric": {
        "name": (1, "text"),
        "alias": (2, "u64"),
        "timestamp": (3, "u64"),
        "datatype": (4, "u32"),
        "is_historical": (5, "bool"),
        "is_transient": (6, "bool"),
        "is_null": (7, "bool"),
        "properties": (9, "PropertySet"),
        "int_value": (10, "u32"),
        "long_value": (11, "u64"),
        "float_value": (12, "f32"),
        "double_value": (13, "f64"),
        "boolean_value": (14, "bool"),
        "string_value": (15, "text"),
    },
    "Payload": {
        "timestamp": (1, "u64"),
        "metrics": (2, "Metric*"),
        "seq": (3, "u64"),
        "uuid": (4, "text"),
        "body": (5, "bytes"),
    },
}


class DataType(IntEnum):
    """Types of metrics whose value is a number."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11


_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}


@cache
def payload_class() -> Any:
    """The class of payloads: ``(timestamp=…, metrics=[…])``."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 - see `_TYPES`

    kinds: Any = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="wattstead/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            plain = kind.removesuffix("*")
            label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if plain in _TYPES:
                added.type = getattr(kinds, _TYPES[plain])
            else:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def payload_of(raw: bytes) -> Any:
    """The payload of those bytes, unpacked where it is compressed.

    Raises `Unreadable`, also where Protobuf is not installed, as on most edges.
    """
    try:
        from google.protobuf.message import DecodeError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise Unreadable(
            "Sparkplug needs more than this edge has: pip install 'wattstead[edge-sparkplug]' there"
        ) from None
    try:
        payload = payload_class().FromString(raw)
        if payload.uuid != _COMPRESSED:
            return payload
        inner = payload_class().FromString(_unpacked(payload.body))
    except DecodeError as fault:
        raise Unreadable(f"payload is no Sparkplug B: {fault}") from None
    if payload.HasField("seq"):
        inner.seq = payload.seq
    return inner


def _unpacked(body: bytes) -> bytes:
    """What a compressed payload holds; by its first bytes it is of GZIP or of DEFLATE."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as fault:
        raise Unreadable(f"payload is compressed, and neither by GZIP nor by DEFLATE: {fault}") from None
    if not unpacking.eof:
        reason = f"unpacks to more than {MOST_BYTES:,} bytes" if unpacking.unconsumed_tail else "is cut short"
        raise Unreadable(f"payload is compressed, and {reason}")
    return found


def number_of(metric: Any) -> float | int | bool | None:
    """The value of a metric; None for null, texts and whatever else is no number.

    Signed integers travel as unsigned ones of 32 or 64 bits.
    """
    if metric.is_null:
        return None
    if metric.HasField("boolean_value"):
        return bool(metric.boolean_value)
    if metric.HasField("double_value"):
        return float(metric.double_value)
    if metric.HasField("float_value"):
        return _shortest(metric.float_value)
    for field in ("int_value", "long_value"):
        if metric.HasField(field):
            return _signed(int(getattr(metric, field)), metric.datatype)
    return None


def is_ambiguous(metric: Any) -> bool:
    """Whether a whole number may be a negative one or a large one, and no type says which: a birth certificate would.

    >>> payload = payload_class()()
    >>> is_ambiguous(payload.metrics.add(int_value=5)), is_ambiguous(payload.metrics.add(int_value=2**32 - 5))
    (False, True)
    """
    return not metric.datatype and not metric.is_null and (metric.int_value >> 31 or metric.long_value >> 63) != 0


def _signed(found: int, datatype: int) -> int:
    bits = _BITS.get(datatype)  # type: ignore[call-overload]
    if bits is None:
        return found
    found &= (1 << bits) - 1
    return found - (1 << bits) if found >> (bits - 1) else found


def _shortest(found: float) -> float:
    """The decimal number that a 32-bit one was made of: 230.1, not 230.10000610351562.

    >>> _shortest(230.10000610351562)
    230.1
    """
    return float(str(np.float32(found)))


def unit_of(metric: Any) -> str:
    """The engineering unit that a birth certificate gives; empty for none."""
    keys, values = metric.properties.keys, metric.properties.values
    for key, value in zip(keys, values, strict=False):
        if key.lower().replace(" ", "") in ("engunit", "engunits", "engineeringunit", "unit"):
            return str(value.string_value)
    return ""
