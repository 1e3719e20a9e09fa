"""How many bytes an Arrow IPC stream unpacks to, read from its messages before anything is unpacked, and its texts.

Buffers of a record batch may be compressed one by one, each beginning with its unpacked length. Layout of messages:
https://arrow.apache.org/docs/format/Columnar.html (Message.fbs), of the tables in them: flatbuffers' internals.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa

_HEADER, _DICTIONARY_BATCH, _RECORD_BATCH = 2, 2, 3
_HEADER_TYPE, _INNER_BATCH, _BUFFERS, _COMPRESSION = 1, 1, 2, 3


def unpacked_bytes(body: bytes) -> int:
    """Bytes of all batches of a stream once unpacked; raises `pyarrow.ArrowException` or `struct.error`."""
    total = 0
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(body)):
        if message.body is not None:
            total += _batch_bytes(message.metadata.to_pybytes(), message.body)
    return total


def viewed_bytes(texts: Any) -> int:
    """Bytes of an array of texts, if it is one of views, of which many may show the same bytes; 0 of any other."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary
    if not pa.types.is_string_view(texts.type):
        return 0
    views = np.frombuffer(texts.buffers()[1] or b"", np.int32).reshape(-1, 4)
    return int(views[texts.offset : texts.offset + len(texts), 0].sum(dtype=np.int64))


def _batch_bytes(metadata: bytes, packed: pa.Buffer) -> int:
    root = struct.unpack_from("<I", metadata)[0]
    kind_at, header_at = _field(metadata, root, _HEADER_TYPE), _field(metadata, root, _HEADER)
    kind = metadata[kind_at] if kind_at else 0
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH) or not header_at:
        return int(packed.size)
    table = _target(metadata, header_at)
    if kind == _DICTIONARY_BATCH:
        table = _target(metadata, _field(metadata, table, _INNER_BATCH))
    buffers_at = _field(metadata, table, _BUFFERS)
    if not _field(metadata, table, _COMPRESSION) or not buffers_at:
        return int(packed.size)
    vector = _target(metadata, buffers_at)
    total = 0
    view = memoryview(packed)
    for at in range(struct.unpack_from("<I", metadata, vector)[0]):
        offset, length = struct.unpack_from("<qq", metadata, vector + 4 + 16 * at)
        unpacked = struct.unpack_from("<q", view, offset)[0] if length >= 8 else 0
        total += length if unpacked < 0 else unpacked
    return total


def _field(metadata: bytes, table: int, index: int) -> int:
    """Where a field of a table stands; 0 when the table lacks it."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    size = struct.unpack_from("<H", metadata, vtable)[0]
    at = 4 + 2 * index
    offset = struct.unpack_from("<H", metadata, vtable + at)[0] if at < size else 0
    return table + offset if offset else 0


def _target(metadata: bytes, at: int) -> int:
    return int(at + struct.unpack_from("<I", metadata, at)[0])
