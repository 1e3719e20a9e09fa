"""Of all versions of a row one stands."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.series.rows import settled

pytestmark = pytest.mark.unit


def test_the_newest_version_stands_and_an_empty_one_empties() -> None:
    columns = {
        "point": np.array([2, 1, 1, 1, 2, 1], np.uint32),
        "bucket": np.array([0, 0, 60, 0, 0, 60]),
        "count": np.array([5, 1, 3, 2, 4, 0], np.uint32),
        "version": np.array([9, 1, 1, 2, 8, 2], np.uint64),
    }
    found = settled(columns)
    assert list(found) == ["point", "bucket", "count"]
    assert sorted(zip(*(found[name].tolist() for name in found), strict=True)) == [(1, 0, 2), (2, 0, 5)]


def test_nothing_left_is_no_columns() -> None:
    assert settled({}) == {}
    empty = {"point": np.ones(1), "bucket": np.ones(1), "count": np.zeros(1), "version": np.ones(1)}
    assert settled(empty) == {}
