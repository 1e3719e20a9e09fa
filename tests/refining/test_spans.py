"""DirtySpans: covers every dirty minute, nothing else while there is room, and stays small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.rollup import MINUTE_US
from wattstead.refining.minutes.spans import DirtySpans, Spans

pytestmark = pytest.mark.unit


def minutes(spans: Spans) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for point, start, end in zip(spans.point.tolist(), spans.start_us.tolist(), spans.end_us.tolist(), strict=True):
        found |= {(point, at) for at in range(start // MINUTE_US, end // MINUTE_US)}
    return found


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40)


def add(dirty: DirtySpans, readings: list[tuple[int, int]]) -> None:
    point = np.array([p for p, _ in readings], np.uint32)
    dirty.add(point, np.array([m * MINUTE_US + 17 for _, m in readings], np.int64))


@given(st.lists(pairs, max_size=4))
def test_exactly_the_minutes_added_in_order_and_joined(groups: list[list[tuple[int, int]]]) -> None:
    dirty = DirtySpans()
    for group in groups:
        add(dirty, group)
    spans = dirty.spans()
    assert minutes(spans) == {pair for group in groups for pair in group}
    dirty.clear()
    assert not dirty
    same = spans.point[1:] == spans.point[:-1]
    assert (spans.start_us[1:][same] > spans.end_us[:-1][same]).all()
    assert (spans.point[1:] >= spans.point[:-1]).all()


@given(st.lists(pairs, max_size=4), st.integers(6, 12))
def test_never_too_many_and_nothing_forgotten(groups: list[list[tuple[int, int]]], most: int) -> None:
    dirty = DirtySpans(most)
    for group in groups:
        add(dirty, group)
        assert len(dirty) <= most
    assert minutes(dirty.spans()) >= {pair for group in groups for pair in group}


def test_ten_years_of_five_points_are_five_spans() -> None:
    dirty = DirtySpans()
    times = np.arange(0, 10 * 365 * 1440, 7, dtype=np.int64) * MINUTE_US
    for point in range(5):
        dirty.add(np.full(len(times), point, np.uint32), times)
    assert len(dirty) <= 20_000
    spans = dirty.spans()
    assert set(spans.point.tolist()) == set(range(5))
    assert len(spans) == 5


def test_spans_taken_can_be_put_back() -> None:
    dirty = DirtySpans()
    add(dirty, [(1, 5), (1, 6), (2, 9)])
    spans = dirty.spans()
    dirty.clear()
    add(dirty, [(1, 7)])
    dirty.put_back(spans)
    assert minutes(dirty.spans()) == {(1, 5), (1, 6), (1, 7), (2, 9)}


def test_the_largest_point_number_stands_alone() -> None:
    dirty = DirtySpans()
    dirty.add(np.array([2**32 - 1, 0], np.uint32), np.array([0, 0]))
    assert minutes(dirty.spans()) == {(2**32 - 1, 0), (0, 0)}


def test_which_buckets_spans_touch() -> None:
    spans = DirtySpans()
    spans.add(np.array([1, 1, 2], np.uint32), np.array([10, 12, 30], np.int64) * MINUTE_US)
    start = np.array([0, 10, 11, 12, 13, 30], np.int64) * MINUTE_US
    end = start + MINUTE_US
    assert spans.touch([1], start, end).tolist() == [False, True, False, True, False, False]
    assert spans.touch([2, 3], start, end).tolist() == [False] * 5 + [True]
    assert spans.touch([1, 2], start[:1], end[-1:]).tolist() == [True]
    assert spans.touch([3], start, end).tolist() == [False] * 6
    assert spans.spans().touch([1], start, end).sum() == 2
    spans.clear()
    assert not spans.touch([1], start, end).any()


def test_how_much_of_a_time_is_covered() -> None:
    dirty = DirtySpans()
    add(dirty, [(1, 10), (1, 11), (1, 12), (2, 11)])
    spans, minute = dirty.spans(), 60_000_000
    assert spans.within_us([1, 2], 0, 20 * minute) == 3 * minute
    assert spans.within_us([1], 11 * minute, 12 * minute + minute // 2) == 3 * minute // 2
    assert spans.within_us([2], 0, 20 * minute) == minute
    assert spans.within_us([3], 0, 20 * minute) == spans.within_us([], 0, minute) == 0
