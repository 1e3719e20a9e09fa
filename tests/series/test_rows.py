"""Of all versions of a row one stands; readings are rows of one."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.series.native import Columns
from wattstead.series.rows import settled

pytestmark = pytest.mark.unit


def rows(point: list[int], start: list[int], count: list[int], version: list[int]) -> Columns:
    size = len(point)
    numbers = {name: np.zeros(size) for name in ("min", "max", "sum", "first_value", "last_value")}
    times = {name: np.zeros(size, np.int64) for name in ("first_time", "last_time", "step", "flags")}
    return {
        "point": np.array(point, np.uint32),
        "start": np.array(start, np.uint32),
        "count": np.array(count, np.uint32),
        "version": np.array(version, np.uint64),
        **numbers,
        **times,
    }


def test_the_newest_version_stands_and_an_empty_one_empties() -> None:
    found = settled([rows([2, 1, 1, 1, 2, 1], [0, 0, 60, 0, 0, 60], [5, 1, 3, 2, 4, 0], [9, 1, 1, 2, 8, 2])])
    assert "version" not in found
    stands = zip(found["point"].tolist(), found["bucket"].tolist(), found["count"].tolist(), strict=True)
    assert sorted(stands) == [(1, 0, 2), (2, 0, 5)]


def test_readings_stand_beside_rows() -> None:
    readings = {"point": np.array([1], np.uint32), "time": np.array([120_000_001]), "value": np.array([7.5])}
    found = settled([rows([1], [60], [3], [1]), readings, {}])
    assert found["bucket"].tolist() == [60_000_000, 120_000_001]
    assert found["count"].tolist() == [3, 1]
    assert found["last_value"].tolist() == [0.0, 7.5]


def test_nothing_left_is_no_columns() -> None:
    assert settled([]) == settled([{}]) == settled([rows([1], [0], [0], [1])]) == {}
