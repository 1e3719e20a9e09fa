"""Columns: readings of many journal batches put together, each row with its own version; judges and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch

MAX_POINT = 2**24
"""What is kept in memory by point number stops here, so that a wild number cannot ask for memory."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings as columns like `ReadingBatch`, but with a version per row; rows are in order of versions."""

    point: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    version: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.point)

    @staticmethod
    def of(batches: Sequence[ReadingBatch]) -> Columns:
        """All rows of the batches, oldest version first.

        >>> late, early = ReadingBatch.of([1], [5], [2.0], version=9), ReadingBatch.of([1], [4], [1.0], version=8)
        >>> Columns.of([late, early]).time_us.tolist()
        [4, 5]
        """
        if len(batches) == 1:
            only = batches[0]
            return Columns(only.point, only.time_us, only.value, only.quality, _versions(batches))
        batches = sorted(batches, key=lambda batch: batch.version)
        if not batches:
            return Columns.of([ReadingBatch.of([], [], [])])
        return Columns(
            np.concatenate([b.point for b in batches]),
            np.concatenate([b.time_us for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.quality for b in batches]),
            _versions(batches),
        )

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """The rows of all parts, one part after another."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Columns.of([ReadingBatch.of([], [], [])])
        return Columns(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Columns)))

    def batches(self) -> list[ReadingBatch]:
        """The rows as batches of one version each; neighbours of one version are one batch."""
        cuts = np.flatnonzero(self.version[1:] != self.version[:-1]) + 1
        edges = [0, *cuts.tolist(), len(self)] if len(self) else [0]
        return [
            ReadingBatch(self.point[a:b], self.time_us[a:b], self.value[a:b], self.quality[a:b], int(self.version[a]))
            for a, b in pairwise(edges)
        ]

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Columns:
        """Those rows alone."""
        return Columns(
            self.point[chosen], self.time_us[chosen], self.value[chosen], self.quality[chosen], self.version[chosen]
        )

    def with_quality(self, quality: NDArray[np.uint8]) -> Columns:
        """The same readings, judged."""
        return Columns(self.point, self.time_us, self.value, quality, self.version)


def _versions(batches: Sequence[ReadingBatch]) -> NDArray[np.uint64]:
    return np.repeat(np.array([b.version for b in batches], np.uint64), np.array([len(b) for b in batches], np.intp))


def place_of(point: NDArray[np.uint32]) -> NDArray[np.uint32] | slice:
    """Those points as an index, as a slice where they follow one another: then nothing is looked up or copied.

    >>> place_of(np.array([4, 5, 6], np.uint32))
    slice(4, 7, None)
    """
    if len(point) and int(point[-1]) - int(point[0]) + 1 == len(point) and bool((point[1:] > point[:-1]).all()):
        return slice(int(point[0]), int(point[-1]) + 1)
    return point
