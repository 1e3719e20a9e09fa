"""Spans, cells and boxes: everything asked for is covered, nothing far from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.rollup import DAY_US, MINUTE_US
from wattstead.series.rollups.spans import Spans, boxes, cells, edge_cells

pytestmark = pytest.mark.unit


def spans_of(rows: list[tuple[int, int, int]]) -> Spans:
    point, start, length = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return Spans(point.astype(np.uint32), start, start + length)


some = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 10 * DAY_US), st.integers(1, 3 * DAY_US)), min_size=1, max_size=30
).map(spans_of)


def minutes(spans: Spans) -> set[tuple[int, int]]:
    return {
        (p, m)
        for p, a, b in zip(spans.point.tolist(), spans.start_us.tolist(), spans.end_us.tolist(), strict=True)
        for m in range(a // MINUTE_US, -(-b // MINUTE_US))
    }


@given(some)
def test_on_a_grid_spans_are_joined_and_cover_the_same_minutes(spans: Spans) -> None:
    joined = spans.on_grid(MINUTE_US)
    assert minutes(joined) == minutes(spans)
    same = joined.point[1:] == joined.point[:-1]
    assert (joined.start_us[1:] > joined.end_us[:-1])[same].all()


@given(some)
def test_cells_are_the_minutes_once_each_in_order(spans: Spans) -> None:
    point, start_us = cells(spans, MINUTE_US)
    found = list(zip(point.tolist(), (start_us // MINUTE_US).tolist(), strict=True))
    assert found == sorted(minutes(spans))


@given(some, st.integers(1, DAY_US))
def test_between_edges_spans_become_whole_buckets(spans: Spans, width_us: int) -> None:
    edges = np.arange(-1, 14 * DAY_US // width_us + 3) * width_us if width_us > MINUTE_US else np.arange(16) * DAY_US
    whole = spans.on_edges(edges)
    assert np.isin(whole.start_us, edges).all() and np.isin(whole.end_us, edges).all()
    point, start_us = edge_cells(whole, edges)
    assert len(set(zip(point.tolist(), start_us.tolist(), strict=True))) == len(point)
    assert minutes(spans) <= minutes(whole)


@given(some)
def test_boxes_cover_all_spans_and_little_more(spans: Spans) -> None:
    found = list(boxes(spans))
    for p, a, b in zip(spans.point.tolist(), spans.start_us.tolist(), spans.end_us.tolist(), strict=True):
        assert any(p in points and low <= a and b <= high for points, low, high in found)
    size = sum((high - low) * len(points) for points, low, high in found)
    assert size <= 2 * int((spans.end_us - spans.start_us).sum())


def test_no_spans_are_no_cells() -> None:
    none = spans_of([(1, 0, 1)]).rows(np.array([False]))
    assert not len(none.on_grid(MINUTE_US)) and not list(boxes(none))
