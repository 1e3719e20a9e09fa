"""Latest: against a dictionary that is filled one reading at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.batch import ReadingBatch
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest

pytestmark = pytest.mark.unit

rows = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 8), st.floats(-5, 5)), max_size=30)


def columns(readings: list[tuple[int, int, float]], version: int) -> Columns:
    point, time_us, value = ([r[i] for r in readings] for i in range(3))
    return Columns.of([ReadingBatch.of(point, time_us, value, version=version)])


@given(st.lists(st.tuples(rows, st.integers(1, 5)), max_size=6))
def test_like_one_reading_at_a_time(batches: list[tuple[list[tuple[int, int, float]], int]]) -> None:
    latest, newest, seen = Latest(), {}, set()
    for readings, version in batches:
        before = dict(newest)
        newer, repeated = latest.take(columns(readings, version))
        for (point, time_us, value), is_newer, may_repeat in zip(readings, newer, repeated, strict=True):
            assert is_newer == (point not in before or time_us > before[point][0])
            if (point, time_us) in seen:
                assert may_repeat
            elif point not in before or time_us > before[point][0]:
                assert not may_repeat
            seen.add((point, time_us))
            if point not in newest or (time_us, version) >= newest[point][:2]:
                newest[point] = (time_us, version, value)
        got = latest.of()
        assert dict(
            zip(got.point.tolist(), zip(got.time_us.tolist(), got.value.tolist(), strict=True), strict=True)
        ) == {point: (time_us, value) for point, (time_us, _, value) in newest.items()}


def test_many_points_in_any_order_and_in_blocks() -> None:
    latest = Latest()
    ids = [(i * 7919) % 20_000 for i in range(20_000)]
    newer, repeated = latest.take(columns([(p, 10, float(p)) for p in ids], 1))
    assert newer.all() and not repeated.any()
    newer, repeated = latest.take(columns([(p, 10 + p % 2, -1.0) for p in ids], 2))
    assert newer.tolist() == [p % 2 == 1 for p in ids]
    assert repeated.tolist() == [p % 2 == 0 for p in ids]
    assert latest.of([4, 5]).value.tolist() == [-1.0, -1.0]


def test_a_correction_of_the_newest_reading_stands_and_an_older_version_does_not() -> None:
    latest = Latest()
    latest.take(columns([(1, 10, 5.0)], 3))
    latest.take(columns([(1, 10, 6.0)], 4))
    latest.take(columns([(1, 10, 7.0)], 2))
    assert latest.of([1]).value.tolist() == [6.0]


def test_asking_for_points_without_readings() -> None:
    latest = Latest()
    assert len(latest.of()) == len(latest.of([7])) == len(latest.of([])) == 0
    latest.take(columns([(3, 1, 2.0)], 1))
    assert latest.of([2, 3, 4, 2**31]).point.tolist() == [3]


def test_a_point_number_out_of_the_blue_is_passed_over() -> None:
    latest = Latest()
    newer, repeated = latest.take(columns([(2**32 - 1, 1, 2.0), (3, 1, 4.0)], 1))
    assert newer.tolist() == [False, True] and repeated.tolist() == [True, False]
    assert latest.of().point.tolist() == [3]
