"""Single readings: in order and as they stand, whether the store puts them in order or we do."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.series import Series
from wattstead.series.connection import Limits

S = 1_000_000
T0 = 1_767_225_600 * S


@pytest.mark.parametrize("few_rows", [20_000, 150, 5])
def test_readings_come_in_order_once_each_and_no_more_than_asked_for(address: str, few_rows: int) -> None:
    """``few_rows`` 150: they are taken to be few, and are more."""
    series = Series(address, Limits(few_rows=few_rows))
    series.migrate()
    order = np.random.default_rng(7).permutation(200)
    time_us = T0 + order * S // 2
    for number, some in enumerate(np.array_split(np.arange(200), 3)):
        series.append([ReadingBatch.of([1] * len(some), time_us[some], order[some] * 1.0, version=number + 1)])
    series.append([ReadingBatch.of([1, 2], [T0 + 20 * S, T0], [-1.0, 5.0], version=9)])
    right = [-1.0 if one == 40 else float(one) for one in range(200)]
    for limit in (1, 99, 200, 10_000):
        found = series.raw(1, T0, T0 + 100 * S, limit)
        assert found.value.tolist() == right[:limit] and set(found.point.tolist()) == {1}
        assert found.time_us.tolist() == [T0 + one * S // 2 for one in range(200)][:limit]
    assert series.raw(1, T0, T0 + 100 * S, 10, after_us=T0 + 20 * S).value.tolist() == right[41:51]
    assert len(series.raw(1, T0 + 100 * S, T0 + 200 * S)) == len(series.raw(3, T0, T0 + 100 * S)) == 0
    series.close()
