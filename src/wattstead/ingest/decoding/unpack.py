"""Compressed bodies, unpacked up to a limit: a bomb costs no more memory than the limit."""

from __future__ import annotations

import zlib

from wattstead.ingest.errors import BodyInvalid, BodyTooLarge, FormatUnknown

_PIECE = 1 << 20
_MOST_MEMBERS = 1_000
"""A gzip body is rarely more than one member; each costs a copy of the rest."""


def inflated(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """The body without its content encoding: ``gzip``, ``deflate``, ``zstd`` or none.

    Raises `BodyTooLarge` beyond ``most_bytes``, `BodyInvalid` for bytes that are not what the encoding says,
    `FormatUnknown` for another encoding.

    >>> inflated(zlib.compress(b"abc"), "deflate", 10)
    b'abc'
    """
    if encoding in ("gzip", "x-gzip"):
        return _zlib_inflated(body, 31, most_bytes)
    if encoding == "deflate":
        return _zlib_inflated(body, 15 if body[:1] == b"\x78" else -15, most_bytes)
    if encoding == "zstd":
        return _zstd_inflated(body, most_bytes)
    if encoding in ("", "identity"):
        return body
    raise FormatUnknown("Content-Encoding", encoding, "gzip, zstd, deflate or none")


def _zlib_inflated(body: bytes, window: int, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    room = most_bytes
    while body:
        if len(parts) >= _MOST_MEMBERS:
            raise BodyInvalid("body", f"has more than {_MOST_MEMBERS:,} gzip members; pack it in one")
        packed = zlib.decompressobj(window)
        try:
            part = packed.decompress(body, room + 1)
        except zlib.error as error:
            raise BodyInvalid("body", f"cannot be unpacked: {error}") from None
        room -= len(part)
        if room < 0:
            raise BodyTooLarge("the body, unpacked,", most_bytes)
        if not packed.eof:
            raise BodyInvalid("body", "cannot be unpacked: it ends too early")
        parts.append(part)
        body = packed.unused_data.lstrip(b"\0") if window == 31 else b""
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _zstd_inflated(body: bytes, most_bytes: int) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 - 25 MB, and on site nothing sends zstd
    except ImportError:
        raise FormatUnknown("Content-Encoding", "zstd", "gzip, deflate or none") from None
    parts: list[bytes] = []
    held = 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            while part := stream.read(_PIECE):
                held += len(part)
                if held > most_bytes:
                    raise BodyTooLarge("the body, unpacked,", most_bytes)
                parts.append(part)
    except (pa.ArrowException, OSError) as error:
        raise BodyInvalid("body", f"cannot be unpacked: {error}") from None
    return b"".join(parts)
