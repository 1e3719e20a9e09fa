"""ReadingBatch: readings as columns, and their bytes in the journal; knows nothing of where they come from."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.errors import WattsteadError
from wattstead.metering.quantity import Quality

_HEAD = struct.Struct("<2sBBIQ")
_MAGIC = b"RB"
_FORMAT = 1
_SAME_TIME, _SAME_QUALITY, _NEAR_TIME, _NEAR_POINT = 1, 2, 4, 8
_ALL_FLAGS = 15
_FEW = 8
"""Columns shorter than this are not worth looking at."""


class BatchError(WattsteadError):
    """Bytes that are not an encoded batch, or columns that do not fit together."""


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings as columns of one length; row i is one value of one point at one instant.

    ``point`` uint32; ``time_us`` int64, microseconds since 1970-01-01T00:00Z; ``value`` float64, finite, in the
    point's own unit; ``quality`` uint8, see `Quality`. ``version`` orders corrections: of two readings of one
    (point, time) the one with the greater version stands; 0 until the journal stamps it.
    """

    point: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    version: int = 0

    def __len__(self) -> int:
        return len(self.point)

    @staticmethod
    def of(
        point: Sequence[int] | NDArray[np.uint32],
        time_us: Sequence[int] | NDArray[np.int64],
        value: Sequence[float] | NDArray[np.float64],
        quality: Quality | NDArray[np.uint8] = Quality.RAW,
        version: int = 0,
    ) -> ReadingBatch:
        """A batch from anything that becomes columns; raises `BatchError` when lengths differ.

        >>> len(ReadingBatch.of([7, 7], [0, 1_000_000], [230.0, 231.0]))
        2
        """
        p = np.asarray(point, np.uint32)
        t = np.asarray(time_us, np.int64)
        v = np.asarray(value, np.float64)
        q = np.full(len(p), quality, np.uint8) if isinstance(quality, Quality) else np.asarray(quality, np.uint8)
        if not len(p) == len(t) == len(v) == len(q):
            raise BatchError(f"columns of {len(p)}, {len(t)}, {len(v)} and {len(q)} rows; one length is needed")
        return ReadingBatch(p, t, v, q, version)

    def encode(self) -> bytes:
        """The batch as bytes: a head, then the columns.

        A time or quality that never changes is written once; times within 71 minutes and points within 65,536 of
        each other are written as distances from the smallest, so that a reading takes 10 to 21 bytes.
        """
        rows = len(self)
        flags, times = _pack(self.time_us, "<i8", "<u4", 0xFFFF_FFFF, _SAME_TIME, _NEAR_TIME)
        more, points = _pack(self.point, "<u4", "<u2", 0xFFFF, 0, _NEAR_POINT)
        flags |= more
        qualities = self.quality
        if rows and bool((qualities == qualities[0]).all()):
            flags |= _SAME_QUALITY
            qualities = qualities[:1]
        return b"".join(
            (
                _HEAD.pack(_MAGIC, _FORMAT, flags, rows, self.version),
                times[0],
                self.value.astype("<f8", copy=False).tobytes(),
                times[1],
                points[0],
                points[1],
                qualities.tobytes(),
            )
        )

    @staticmethod
    def encode_instant(
        point: Sequence[int], time_us: int, value: Sequence[float], quality: Quality = Quality.RAW
    ) -> bytes:
        """What `of` and `encode` give for a handful of rows of one instant, at a fraction of the cost.

        Raises `BatchError` when lengths differ or a number does not fit its column.

        >>> len(ReadingBatch.decode(ReadingBatch.encode_instant([7], 0, [230.0])))
        1
        """
        rows = len(point)
        if not rows or rows != len(value):
            raise BatchError(f"columns of {rows} and {len(value)} rows; one length is needed")
        try:
            return _instant(rows).pack(
                _MAGIC, _FORMAT, _SAME_TIME | _SAME_QUALITY, rows, 0, time_us, *value, *point, quality
            )
        except struct.error as error:
            raise BatchError(f"a number that does not fit its column: {error}") from error

    @staticmethod
    def decode(blob: bytes, version: int | None = None) -> ReadingBatch:
        """The batch of those bytes, stamped with ``version`` where one is given; `BatchError` on anything else."""
        if len(blob) < _HEAD.size or blob[:2] != _MAGIC:
            raise BatchError(f"{len(blob)} bytes that do not begin as a batch")
        _, form, flags, rows, stamped = _HEAD.unpack_from(blob)
        once_time = 1 if flags & (_SAME_TIME | _NEAR_TIME) else rows
        near_time = rows if flags & _NEAR_TIME else 0
        once_point = 1 if flags & _NEAR_POINT else rows
        near_point = rows if flags & _NEAR_POINT else 0
        qualities = 1 if flags & _SAME_QUALITY else rows
        value_at = _HEAD.size + 8 * once_time
        near_at = value_at + 8 * rows
        point_at = near_at + 4 * near_time
        short_at = point_at + 4 * once_point
        quality_at = short_at + 2 * near_point
        if form != _FORMAT or flags > _ALL_FLAGS or len(blob) != quality_at + qualities:
            raise BatchError(f"a batch of format {form} with {rows} rows does not fit {len(blob)} bytes")
        time: NDArray[np.int64] = np.frombuffer(blob, "<i8", once_time, _HEAD.size)
        point: NDArray[np.uint32] = np.frombuffer(blob, "<u4", once_point, point_at)
        quality: NDArray[np.uint8] = np.frombuffer(blob, np.uint8, qualities, quality_at)
        if near_time:
            time = time + np.frombuffer(blob, "<u4", near_time, near_at)
        elif once_time != rows:
            time = np.full(rows, time[0])
        if near_point:
            point = point + np.frombuffer(blob, "<u2", near_point, short_at)
        if qualities != rows:
            quality = np.full(rows, quality[0])
        value = np.frombuffer(blob, "<f8", rows, value_at)
        return ReadingBatch(point, time, value, quality, stamped if version is None else version)


@lru_cache(1_000)
def _instant(rows: int) -> struct.Struct:
    return struct.Struct(f"{_HEAD.format}q{rows}d{rows}IB")


def _pack(
    column: NDArray[np.int64] | NDArray[np.uint32], wide: str, narrow: str, span: int, same: int, near: int
) -> tuple[int, tuple[bytes, bytes]]:
    """A column of whole numbers as its flag and two pieces of bytes: all of it, or the smallest and the distances."""
    if len(column) < _FEW:
        return 0, (column.astype(wide, copy=False).tobytes(), b"")
    low = column.min()
    reach = int(column.max()) - int(low)
    if reach > span:
        return 0, (column.astype(wide, copy=False).tobytes(), b"")
    smallest = low.astype(wide).tobytes()
    if same and not reach:
        return same, (smallest, b"")
    return near, (smallest, (column - low).astype(narrow).tobytes())
