"""Columns: batches put together in order of versions."""

from __future__ import annotations

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.refining.columns import Columns

pytestmark = pytest.mark.unit


def test_rows_are_in_order_of_versions_and_keep_their_own() -> None:
    a = ReadingBatch.of([1, 2], [10, 10], [1.0, 2.0], version=700)
    b = ReadingBatch.of([3], [20], [3.0], version=600)
    columns = Columns.of([a, b])
    assert columns.point.tolist() == [3, 1, 2]
    assert columns.version.tolist() == [600, 700, 700]


def test_no_batches_make_no_rows() -> None:
    assert len(Columns.of([])) == 0


def test_chosen_rows() -> None:
    columns = Columns.of([ReadingBatch.of([1, 2, 3], [1, 2, 3], [1.0, 2.0, 3.0], version=5)])
    assert columns.rows(columns.point > 1).value.tolist() == [2.0, 3.0]
