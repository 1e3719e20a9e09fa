"""Spans and buckets of questions: bounded, on the calendar, errors with their place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattstead.metering.calendar import Step
from wattstead.web.problem import Refused
from wattstead.web.readings.instants import instant_us, shown
from wattstead.web.readings.spans import MOST_BUCKETS, Span, buckets_of, span_of

pytestmark = pytest.mark.unit
DAY_US = 86_400_000_000


def test_a_month_becomes_half_hours() -> None:
    span = span_of("2026-03-01", "2026-04-01", "Europe/Berlin")
    step, edges = buckets_of(span, "Europe/Berlin", None, 1600)
    assert step is Step.MIN30
    assert len(edges) - 1 == 2 * 24 * 31 - 2  # the day of 23 hours


def test_a_given_step_that_is_too_fine_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        buckets_of(Span(0, 10 * DAY_US), "UTC", Step.MIN1, 1600)
    assert caught.value.places[0].place == "step"
    assert "14400 buckets" in str(caught.value)


@settings(deadline=None)
@given(st.integers(1, 60_000 * DAY_US), st.integers(1, MOST_BUCKETS), st.sampled_from(["UTC", "Asia/Kathmandu"]))
def test_never_more_buckets_than_a_screen_shows(length_us: int, buckets: int, zone: str) -> None:
    _, edges = buckets_of(Span(0, length_us), zone, None, buckets)
    assert 1 <= len(edges) - 1 <= MOST_BUCKETS
    assert edges[0] <= 0 < length_us <= edges[-1]
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "1e400", "9" * 40, "-", "NaN"])
def test_a_bad_time_names_its_place(text: str) -> None:
    with pytest.raises(Refused) as caught:
        instant_us(text, "start")
    assert caught.value.status == 400
    assert caught.value.places[0].place == "start"


def test_times_in_and_out() -> None:
    assert instant_us("0", "start") == 0
    assert instant_us("1700000000000.5", "start") == 1_700_000_000_000_500
    assert instant_us("2026-11-20", "start", "Europe/Berlin") == instant_us("2026-11-19T23:00:00Z", "start")
    assert instant_us("2026-11-20T10:00:00 01:00", "start") == instant_us("2026-11-20T09:00:00Z", "start")
    assert shown(1_700_000_000_500_000, "Asia/Kolkata") == "2023-11-15T03:43:20.500000+05:30"


def test_the_end_must_follow_the_start() -> None:
    with pytest.raises(Refused, match="end: is not after start"):
        span_of("2026-11-20", "2026-11-20", "UTC")
