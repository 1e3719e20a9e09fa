"""Readings on their way into the store: the rows of many batches as columns; stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.series.appending.version import stored_version
from wattstead.series.errors import TimeOutOfRange
from wattstead.series.tiers import FIRST_US, LAST_US


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings as columns, each with its own version as it is stored."""

    point: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    version: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.point)

    @staticmethod
    def of(batches: Sequence[ReadingBatch]) -> Readings:
        """The rows of all batches, in order of versions; raises `TimeOutOfRange`."""
        order = sorted(range(len(batches)), key=lambda at: batches[at].version)
        kept = [batches[at] for at in order]
        versions = np.array([stored_version(b.version) for b in kept], np.uint64)
        found = Readings(
            np.concatenate([b.point for b in kept]),
            np.concatenate([b.time_us for b in kept]),
            np.concatenate([b.value for b in kept]),
            np.concatenate([b.quality for b in kept]),
            np.repeat(versions, [len(b) for b in kept]),
        )
        outside = (found.time_us < FIRST_US) | (found.time_us >= LAST_US)
        if outside.any():
            row = int(outside.argmax())
            raise TimeOutOfRange(int(found.point[row]), int(found.time_us[row]), FIRST_US, LAST_US)
        return found

    def rows(self, chosen: NDArray[Any] | slice) -> Readings:
        """Those rows alone."""
        return Readings(*(getattr(self, f.name)[chosen] for f in fields(self)))
