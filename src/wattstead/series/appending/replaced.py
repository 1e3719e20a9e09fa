"""Replaced readings: what a newer version takes the place of is written down before it does; changes no reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wattstead.series.appending.readings import Readings
from wattstead.series.connection import Connection
from wattstead.series.native import Columns
from wattstead.series.rows import filled
from wattstead.series.tiers import Tier, among, instant, within

_TYPES = {
    "point": "UInt32", "time": "DateTime64(6, 'UTC')", "value": "Float64", "quality": "UInt8", "version": "UInt64",
    "replaced_by": "UInt64",
}  # fmt: skip
_DENSE = 200_000
_AT_A_TIME = 5_000


def write_replaced(connection: Connection, readings: Readings, repeated: NDArray[np.bool_]) -> int:
    """Writes down what those readings replace, and which of them are already outdated; answers how many rows.

    ``repeated`` says which rows may have a stored reading, or an earlier row, at their (point, time). Done again it
    writes the same rows, which are kept once.
    """
    rows = np.flatnonzero(np.isin(readings.point, np.unique(readings.point[repeated])))
    key = _keys(readings.point[rows], readings.time_us[rows])
    rows = rows[np.isin(key, key[repeated[rows]])]
    stored = _stored(connection, readings.point[rows], readings.time_us[rows])
    candidates = _candidates(readings, rows, stored)
    lost = _outdated(candidates)
    if len(lost["point"]):
        connection.insert("reading_replaced", {name: (kind, lost[name]) for name, kind in _TYPES.items()})
    return len(lost["point"])


def _keys(point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> NDArray[np.void]:
    """One comparable number per (point, time)."""
    pair = np.empty(len(point), np.dtype([("point", ">u4"), ("time", ">i8")]))
    pair["point"], pair["time"] = point, time_us
    return pair.view(np.dtype((np.void, pair.itemsize)))


def _candidates(readings: Readings, rows: NDArray[np.intp], stored: Columns) -> Columns:
    """Stored readings and new ones together, stored ones first."""
    return {
        "point": np.concatenate([stored["point"], readings.point[rows]]),
        "time": np.concatenate([stored["time"], readings.time_us[rows]]),
        "value": np.concatenate([stored["value"], readings.value[rows]]),
        "quality": np.concatenate([stored["quality"], readings.quality[rows]]),
        "version": np.concatenate([stored["version"], readings.version[rows]]),
    }


def _outdated(columns: Columns) -> Columns:
    """Of each (point, time) every reading but the one that stands, with the version after it."""
    size = len(columns["point"])
    order = np.lexsort((np.arange(size), columns["version"], columns["time"], columns["point"]))
    column = {name: values[order] for name, values in columns.items()}
    same = (column["point"][1:] == column["point"][:-1]) & (column["time"][1:] == column["time"][:-1])
    again = (column["version"][1:] == column["version"][:-1]) & (column["value"][1:] == column["value"][:-1])
    lost = np.flatnonzero(same & ~again)
    return {**{name: values[lost] for name, values in column.items()}, "replaced_by": column["version"][lost + 1]}


def _stored(connection: Connection, point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> Columns:
    """What is stored at those (point, time)."""
    points = np.unique(point).tolist()
    where = within(Tier.RAW, int(time_us.min()), int(time_us.max()) + 1, points)
    there = int(connection.value(filled("count_readings", where=where)) or 0)
    if there == 0:
        return _none()
    if there <= _DENSE:
        found = [_select(connection, where)]
    else:
        order = np.lexsort((time_us, point))
        cuts = range(0, len(order), _AT_A_TIME)
        found = [
            _select(connection, _pairs(point[o], time_us[o])) for o in (order[at : at + _AT_A_TIME] for at in cuts)
        ]
    columns = {name: np.concatenate([part[name] for part in found]) for name in _none()}
    asked = np.isin(_keys(columns["point"], columns["time"]), _keys(point, time_us))
    return {name: values[asked] for name, values in columns.items()}


def _select(connection: Connection, where: str) -> Columns:
    return connection.columns(filled("readings_at", where=where), slow=True) or _none()


def _pairs(point: NDArray[np.uint32], time_us: NDArray[np.int64]) -> str:
    """A condition for exactly those (point, time)."""
    points, times = ", ".join(map(str, point.tolist())), ", ".join(map(str, time_us.tolist()))
    return (
        f"{among(np.unique(point).tolist())} AND time >= {instant(int(time_us.min()))} "
        f"AND time <= {instant(int(time_us.max()))} AND (point, time) IN (SELECT "
        f"arrayJoin(arrayZip([{points}]::Array(UInt32), "
        f"arrayMap(us -> fromUnixTimestamp64Micro(us, 'UTC'), [{times}]::Array(Int64)))) AS pair)"
    )


def _none() -> Columns:
    return {
        "point": np.zeros(0, np.uint32),
        "time": np.zeros(0, np.int64),
        "value": np.zeros(0),
        "quality": np.zeros(0, np.uint8),
        "version": np.zeros(0, np.uint64),
    }
