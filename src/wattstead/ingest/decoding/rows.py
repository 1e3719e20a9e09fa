"""Rows: readings of a document that has a time, a unit and a quality for each, as columns at the end."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.metering.quantity import Quality


class Row(NamedTuple):
    """A reading."""

    address: str
    time_us: int
    value: float
    unit: str = ""
    quality: Quality = Quality.RAW


class Rows:
    """Readings as they are found; ``skipped`` counts fields that are no readings."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.rejected = Rejections()
        self.skipped = 0

    def put(self, row: Row) -> None:
        """A reading; one whose value is not finite is named as rejected."""
        if math.isfinite(row.value):
            self.rows.append(row)
        else:
            self.rejected.add(row.address[:80], f"value is {row.value}; expected a finite number")

    def columns(self) -> Columns:
        """All of it, in its order."""
        rows = self.rows
        return Columns(
            Names.of_rows([row.address for row in rows]),
            np.array([row.time_us for row in rows], np.int64),
            np.array([row.value for row in rows], np.float64),
            self.rejected,
            place=lambda row: rows[row].address[:80],
            skipped=self.skipped,
            units=[row.unit for row in rows],
            quality=np.array([row.quality for row in rows], np.uint8),
        )
