"""Minutes whose rows are known without asking the store: what the caller counted while the readings passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.rollup import MINUTE_US, RollupRows
from wattstead.series.connection import Connection
from wattstead.series.rollups.spans import Spans
from wattstead.series.tiers import Tier

_TYPES = {
    "point": "UInt32", "start": "DateTime('UTC')", "count": "UInt32", "min": "Float64", "max": "Float64",
    "sum": "Float64", "first_time": "DateTime64(6, 'UTC')", "first_value": "Float64",
    "last_time": "DateTime64(6, 'UTC')", "last_value": "Float64", "step": "Int64", "flags": "UInt16",
    "version": "UInt64", "rule_version": "UInt32",
}  # fmt: skip
_MOST_ROWS = 200_000
"""Rows in one insert: 17 MB."""
_MOST_ODD = 10_000
"""Minutes of single points that are computed beside known ones; with more all are computed."""


@dataclass(frozen=True, slots=True)
class KnownMinutes:
    """Rows of some minutes, all readings inside counted, and the spans of points whose rows are not known.

    What is neither has no readings. Versions of rows are left to the store. ``era``: see `Series.era`; when it has
    moved since the counting began, readings may have been removed that are counted here.
    """

    rows: RollupRows
    odd_point: NDArray[np.uint32]
    odd_start_us: NDArray[np.int64]
    odd_end_us: NDArray[np.int64]
    era: int

    @property
    def odd(self) -> Spans:
        """The spans that have to be computed."""
        return Spans(self.odd_point, self.odd_start_us, self.odd_end_us)

    @property
    def few_odd(self) -> bool:
        """Whether it is worth computing them apart."""
        return int((self.odd_end_us - self.odd_start_us).sum()) // MINUTE_US <= _MOST_ODD


def insert_minutes(connection: Connection, rows: RollupRows, version: int, rule_version: NDArray[np.uint32]) -> int:
    """Stores rows of minutes as this computation's, each under its rule's version; answers how many."""
    columns: dict[str, NDArray[Any]] = {
        "point": rows.point, "start": rows.start_us // 1_000_000, "count": rows.count, "min": rows.min,
        "max": rows.max, "sum": rows.sum, "first_time": rows.first_time_us, "first_value": rows.first_value,
        "last_time": rows.last_time_us, "last_value": rows.last_value, "step": rows.step, "flags": rows.flags,
        "version": np.full(len(rows), version, np.uint64), "rule_version": rule_version,
    }  # fmt: skip
    for at in range(0, len(rows), _MOST_ROWS):
        part = {name: (_TYPES[name], column[at : at + _MOST_ROWS]) for name, column in columns.items()}
        connection.insert(Tier.MINUTE.value, part)
    return len(rows)
