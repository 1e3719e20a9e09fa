"""Appending readings: many batches in one insert, what they take the place of written down first; rolls nothing up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.series.appending.readings import Readings
from wattstead.series.appending.replaced import write_replaced
from wattstead.series.connection import Connection
from wattstead.series.marks import ERA, Marks
from wattstead.series.native import Columns

_TYPES = {
    "point": "UInt32",
    "time": "DateTime64(6, 'UTC')",
    "value": "Float64",
    "quality": "UInt8",
    "version": "UInt64",
}
MOST_PARTITIONS = 50
"""Weeks in one insert."""
MOST_ROWS = 400_000
"""Readings in one insert: 12 MB; the store takes 32, and needs about ten times a block's size while it keeps it."""
_WEEK_US, _MONDAY_US = 7 * 86_400_000_000, 4 * 86_400_000_000


def append(
    connection: Connection, marks: Marks, batches: Sequence[ReadingBatch], repeated: NDArray[np.bool_] | None
) -> int:
    """Stores the readings of all batches; answers how many stored readings were replaced. See `Series.append`."""
    batches = [batch for batch in batches if len(batch)]
    if not batches:
        return 0
    readings = Readings.of(batches)
    replaced = 0
    if repeated is not None and repeated.any():
        replaced = write_replaced(connection, readings, _in_order(repeated, batches))
    era = marks.value(ERA)
    for part in _parts(readings):
        _insert(connection, part, era)
    return replaced


def _in_order(repeated: NDArray[np.bool_], batches: Sequence[ReadingBatch]) -> NDArray[np.bool_]:
    """The hint, given in the order of the batches, in the order of their versions."""
    starts = np.cumsum([0, *(len(b) for b in batches)])
    order = sorted(range(len(batches)), key=lambda at: batches[at].version)
    return np.concatenate([repeated[starts[at] : starts[at + 1]] for at in order])


def _parts(readings: Readings) -> Iterator[Readings]:
    """The readings in runs of at most so many weeks and rows."""
    week = (readings.time_us + (_WEEK_US - _MONDAY_US)) // _WEEK_US
    if int(week.max()) - int(week.min()) >= MOST_PARTITIONS:
        order = np.argsort(week, kind="stable")
        readings, week = readings.rows(order), week[order]
        number = np.cumsum(np.append(0, np.diff(week) != 0))
        cuts = np.flatnonzero(np.diff(number // MOST_PARTITIONS)) + 1
    else:
        cuts = np.zeros(0, np.intp)
    edges = np.unique(np.concatenate([[0, len(readings)], cuts, np.arange(0, len(readings), MOST_ROWS)]))
    if len(edges) == 2:
        yield readings
        return
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield readings.rows(slice(first, last))


def _insert(connection: Connection, part: Readings, era: int) -> None:
    columns: Columns = {
        "point": part.point, "time": part.time_us, "value": part.value, "quality": part.quality,
        "version": part.version,
    }  # fmt: skip
    identity = hashlib.sha1(usedforsecurity=False)
    for column in columns.values():
        identity.update(np.ascontiguousarray(column).data)
    token = f"{era}-{identity.hexdigest()}"
    connection.insert("reading", {name: (_TYPES[name], column) for name, column in columns.items()}, token)
