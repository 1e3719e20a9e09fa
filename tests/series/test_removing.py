"""Erasing is for good: nothing of a point is left in any table, nor its bytes on the disk."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.rollup import DAY_US
from wattstead.series import Series
from wattstead.series.connection import Connection
from wattstead.series.keeping.removing import ERASED
from wattstead.series.schema import TABLES

T0 = 1_774_569_600_000_000


def test_an_erased_point_is_in_no_table(series: Series, address: str) -> None:
    points = [Point(id=1), Point(id=2)]
    series.put_rules(points)
    for version, point in ((1, 1), (1, 2), (2, 1), (2, 2)):
        times = T0 + np.arange(96) * 1800_000_000
        batch = ReadingBatch.of(np.full(96, point), times, np.full(96, float(version)), version=version)
        series.append([batch], np.ones(96, bool))
    series.roll(T0, T0 + 3 * DAY_US)
    series.erase([1])
    connection = Connection(address)
    for table in ERASED:
        assert connection.value(f"SELECT count() FROM {table} WHERE point = 1") == 0, table
        assert connection.value(f"SELECT count() FROM {table} WHERE point = 2") > 0, table
    assert series.latest().point.tolist() == [2]
    series.erase([1])
    series.erase([])


def test_very_many_points_are_erased_at_once(series: Series) -> None:
    """More of them than the engine takes in one statement of its own accord."""
    points = 1_000_000 + np.arange(40_000)
    series.append([ReadingBatch.of(points, np.full(len(points), T0), np.ones(len(points)), version=1)])
    series.erase(points.tolist())
    assert not len(series.latest())


def test_every_table_with_points_is_erased(series: Series, address: str) -> None:
    with_points = Connection(address).columns(
        "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND name = 'point'"
    )["table"]
    assert set(with_points) == set(ERASED)
    assert set(ERASED) <= set(TABLES)


def test_bytes_of_erased_readings_leave_the_disk(series: Series, address: str, store_folder: Path) -> None:
    mark = 123_456_789.123
    series.append([ReadingBatch.of([5], [T0], [mark], version=1)])
    [part] = Connection(address).columns("SELECT path FROM system.parts WHERE active AND "
                                         "database = currentDatabase() AND table = 'reading'")["path"]  # fmt: skip
    folder = (store_folder / "data" / part).parent
    assert files_with(folder, mark)
    series.erase([5])
    until = time.monotonic() + 90
    while time.monotonic() < until and files_with(folder, mark):
        time.sleep(0.5)
    assert not files_with(folder, mark)


def files_with(folder: Path, value: float) -> list[Path]:
    """The files in which the bytes of a number are."""
    pattern = np.float64(value).tobytes()
    return [path for path in folder.rglob("*") if path.is_file() and pattern in path.read_bytes()]
