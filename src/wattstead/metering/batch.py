"""ReadingBatch: readings as columns, and their bytes in the journal; knows nothing of where they come from."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.errors import WattsteadError
from wattstead.metering.quantity import Quality

_HEAD = struct.Struct("<2sBBIQ")
_MAGIC = b"RB"
_FORMAT = 1
_SAME_TIME, _SAME_QUALITY = 1, 2


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
        """The batch as bytes: a head, then the columns; a column that never changes is written once."""
        same_time = len(self) > 0 and bool((self.time_us == self.time_us[0]).all())
        same_quality = len(self) > 0 and bool((self.quality == self.quality[0]).all())
        flags = same_time * _SAME_TIME + same_quality * _SAME_QUALITY
        return b"".join(
            (
                _HEAD.pack(_MAGIC, _FORMAT, flags, len(self), self.version),
                (self.time_us[:1] if same_time else self.time_us).astype("<i8", copy=False).tobytes(),
                self.value.astype("<f8", copy=False).tobytes(),
                self.point.astype("<u4", copy=False).tobytes(),
                (self.quality[:1] if same_quality else self.quality).tobytes(),
            )
        )

    @staticmethod
    def decode(blob: bytes, version: int | None = None) -> ReadingBatch:
        """The batch of those bytes, stamped with ``version`` where one is given; `BatchError` on anything else."""
        if len(blob) < _HEAD.size or blob[:2] != _MAGIC:
            raise BatchError(f"{len(blob)} bytes that do not begin as a batch")
        _, form, flags, rows, stamped = _HEAD.unpack_from(blob)
        times = 1 if flags & _SAME_TIME else rows
        qualities = 1 if flags & _SAME_QUALITY else rows
        if form != _FORMAT or len(blob) != _HEAD.size + 8 * times + 12 * rows + qualities:
            raise BatchError(f"a batch of format {form} with {rows} rows does not fit {len(blob)} bytes")
        at = _HEAD.size
        time = np.frombuffer(blob, "<i8", times, at)
        value = np.frombuffer(blob, "<f8", rows, at + 8 * times)
        point = np.frombuffer(blob, "<u4", rows, at + 8 * times + 8 * rows)
        quality = np.frombuffer(blob, np.uint8, qualities, at + 8 * times + 12 * rows)
        return ReadingBatch(
            point,
            np.broadcast_to(time, (rows,)) if flags & _SAME_TIME else time,
            value,
            np.broadcast_to(quality, (rows,)) if flags & _SAME_QUALITY else quality,
            stamped if version is None else version,
        )
