"""The site calendar against a clock that is read minute by minute, in thirty zones and, when proving, in all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wattstead.metering.calendar import (
    CalendarError,
    SiteCalendar,
    Step,
    choose_step,
    edges_us,
    wall_edges_us,
    zone_info,
)

pytestmark = pytest.mark.unit

S = 1_000_000
HOUR = 3600 * S
ZONES = [
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Istanbul", "Europe/Lisbon", "Atlantic/Azores",
    "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "America/Havana", "America/St_Johns",
    "America/Caracas", "America/Santiago", "America/Asuncion", "Africa/Cairo", "Africa/Casablanca", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Tehran", "Asia/Beirut", "Asia/Gaza", "Asia/Pyongyang", "Asia/Tokyo", "Australia/Adelaide",
    "Australia/Eucla", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Antarctica/Troll", "Antarctica/Casey",
]  # fmt: skip
STEPS_WALL = [Step.MIN30, Step.H1, Step.H3, Step.H6, Step.DAY, Step.WEEK, Step.MONTH, Step.YEAR]


def us(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * S


FROM, UNTIL = us(2010, 1, 1), us(2027, 1, 1)


def quarter_walls(zone: str, start_us: int, end_us: int) -> NDArray[np.int64]:
    """What the wall clock shows (as µs since 1970 were it UTC) at each quarter of some whole hours.

    It is read each hour, and at each quarter of those in which it was put forward or back.
    """
    info = zone_info(zone)

    def ahead_s(at: int) -> int:
        return int((datetime.fromtimestamp(at, info).utcoffset() or timedelta()).total_seconds())

    hours = range(start_us // S, end_us // S + 1, 3600)
    read = np.array([ahead_s(at) for at in hours])
    offset_s = np.repeat(read[:-1], 4)
    for hour in np.flatnonzero(np.diff(read)).tolist():
        offset_s[4 * hour : 4 * hour + 4] = [ahead_s(hours[hour] + 900 * quarter) for quarter in range(4)]
    return (np.arange(start_us // S, end_us // S, 900) + offset_s) * S


def check_days(zone: str, first_year: int, last_year: int) -> None:
    """Every day of those years: begins when the clock first shows it, and the hours and quarters fill it exactly."""
    start, end = us(first_year, 1, 1), us(last_year + 1, 1, 1)
    walls = quarter_walls(zone, start - 3 * 24 * HOUR, end + 3 * 24 * HOUR)
    dates = np.maximum.accumulate(walls // (24 * HOUR))
    at = np.arange(len(walls)) * 900 * S + start - 3 * 24 * HOUR
    begins = at[1:][dates[1:] != dates[:-1]]
    days = edges_us(zone, start, end, Step.DAY)
    assert days.tolist() == begins[(begins >= days[0]) & (begins <= days[-1])].tolist()
    lengths = np.diff(days)
    assert int(lengths.max()) <= 27 * HOUR and int(lengths.min()) > 0
    for step in (Step.MIN15, Step.MIN30, Step.H1, Step.H3, Step.H6):
        edges = edges_us(zone, int(days[0]), int(days[-1]), step)
        assert np.isin(days, edges).all()
        assert int(edges[0]) == days[0] and int(edges[-1]) == days[-1]
        assert (edges % (900 * S) == 0).all()
    for step in (Step.WEEK, Step.MONTH, Step.YEAR):
        edges = edges_us(zone, start, end, step)
        every = edges_us(zone, int(edges[0]), int(edges[-1]), Step.DAY)
        assert np.isin(edges, every).all()


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_some_years_in_thirty_zones(zone: str) -> None:
    check_days(zone, 2010, 2012)
    check_days(zone, 2018, 2019)


@pytest.mark.prove
@pytest.mark.parametrize("zone", sorted(available_timezones() - {"localtime", "Factory"}))
def test_every_day_of_every_zone(zone: str) -> None:
    check_days(zone, 2010, 2026)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29, 12), 23),
        ("Europe/Berlin", (2026, 10, 25, 12), 25),
        ("Australia/Lord_Howe", (2025, 10, 4, 20), 23.5),
        ("Australia/Lord_Howe", (2025, 4, 5, 20), 24.5),
        ("America/Sao_Paulo", (2018, 11, 4, 12), 23),
        ("Africa/Cairo", (2025, 4, 25, 12), 23),
        ("Antarctica/Casey", (2010, 3, 5, 6), 27),
        ("Antarctica/Troll", (2019, 10, 27, 12), 26),
        ("Pacific/Apia", (2011, 12, 30, 8), 24),
    ],
)
def test_days_of_many_lengths(zone: str, day: tuple[int, ...], hours: float) -> None:
    first, after = SiteCalendar(zone).day_us(us(*day))
    assert (after - first) / HOUR == hours


def test_a_midnight_that_does_not_exist_becomes_the_first_instant_after_it() -> None:
    first, _ = SiteCalendar("America/Sao_Paulo").day_us(us(2018, 11, 4, 12))
    assert datetime.fromtimestamp(first / S, zone_info("America/Sao_Paulo")).strftime("%d %H:%M") == "04 01:00"


def test_a_day_that_does_not_exist_has_no_bucket() -> None:
    """Samoa went from 29 to 31 December 2011."""
    days = edges_us("Pacific/Apia", us(2011, 12, 29, 12), us(2012, 1, 1), Step.DAY)
    info = zone_info("Pacific/Apia")
    assert [datetime.fromtimestamp(at / S, info).day for at in days.tolist()] == [29, 31, 1, 2]


def test_an_hour_that_happens_twice_makes_two_buckets_and_three_hours_one_long() -> None:
    start, end = us(2026, 10, 24, 22), us(2026, 10, 25, 23)
    assert len(edges_us("Europe/Berlin", start, end, Step.H1)) == 26
    assert (np.diff(edges_us("Europe/Berlin", start, end, Step.H3)) // HOUR).tolist() == [4, 3, 3, 3, 3, 3, 3, 3]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    info = zone_info("Asia/Kathmandu")
    weeks = edges_us("Asia/Kathmandu", us(2025, 12, 1), us(2026, 2, 1), Step.WEEK)
    months = edges_us("Asia/Kathmandu", us(2025, 1, 15), us(2026, 2, 1), Step.MONTH)
    years = edges_us("Asia/Kathmandu", us(2024, 1, 15), us(2026, 2, 1), Step.YEAR)
    assert {datetime.fromtimestamp(at / S, info).strftime("%a %H:%M") for at in weeks.tolist()} == {"Mon 00:00"}
    assert {datetime.fromtimestamp(at / S, info).strftime("%d %H:%M") for at in months.tolist()} == {"01 00:00"}
    assert [datetime.fromtimestamp(at / S, info).year for at in years.tolist()] == [2024, 2025, 2026, 2027]
    assert len(months) == 15


@given(
    st.sampled_from(ZONES),
    st.integers(FROM, UNTIL),
    st.integers(1, 4 * 86_400 * S),
    st.sampled_from(list(Step)),
)
def test_edges_surround_the_span_and_no_more(zone: str, start: int, length: int, step: Step) -> None:
    edges = edges_us(zone, start, start + length, step)
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= start < edges[1]
    assert edges[-2] < start + length <= edges[-1]


@given(st.sampled_from(ZONES), st.integers(FROM, UNTIL), st.sampled_from(STEPS_WALL), st.integers(1, 40))
def test_edges_do_not_depend_on_the_span_asked(zone: str, start: int, step: Step, hours: int) -> None:
    wide = edges_us(zone, start - 400 * 24 * HOUR, start + 400 * 24 * HOUR, step)
    narrow = edges_us(zone, start, start + hours * HOUR, step)
    at = int(np.searchsorted(wide, narrow[0]))
    assert wide[at : at + len(narrow)].tolist() == narrow.tolist()


@given(st.floats(1, 4e8), st.integers(1, 5000))
def test_the_step_chosen_is_the_nearest(span_s: float, buckets: int) -> None:
    def ratio(step: Step) -> float:
        count = span_s / step.length_s
        return max(count / buckets, buckets / count)

    assert ratio(choose_step(span_s, buckets)) == pytest.approx(min(ratio(step) for step in Step))


@pytest.mark.parametrize(
    ("zone", "start", "end", "step"),
    [
        ("Europe/Atlantis", 0, HOUR, Step.DAY),
        ("../../etc/passwd", 0, HOUR, Step.S1),
        ("", 0, HOUR, Step.DAY),
        ("UTC", 5, 5, Step.DAY),
        ("UTC", 0, 2**62, Step.DAY),
        ("UTC", 0, 10**14, Step.S1),
    ],
)
def test_what_has_no_calendar_is_an_error_that_says_so(zone: str, start: int, end: int, step: Step) -> None:
    with pytest.raises(CalendarError):
        edges_us(zone, start, end, step)


def test_old_local_times_lie_on_quarter_hours_too() -> None:
    edges = edges_us("Europe/Amsterdam", us(1925, 1, 1), us(1925, 2, 1), Step.DAY)
    assert (edges % (900 * S) == 0).all() and len(edges) == 33


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"])
@pytest.mark.parametrize(("hours", "step"), [(24, Step.DAY), (6, Step.H6), (3, Step.H3)])
def test_buckets_of_any_length_agree_with_the_steps(zone: str, hours: int, step: Step) -> None:
    start, end = us(2026, 1, 1), us(2026, 12, 31)
    assert wall_edges_us(zone, start, end, hours * HOUR).tolist() == edges_us(zone, start, end, step).tolist()


@given(st.sampled_from(ZONES), st.integers(FROM // S, UNTIL // S), st.integers(900, 400_000), st.integers(1, 900_000))
def test_buckets_of_any_length_touch_the_span_and_grow(zone: str, start_s: int, every_s: int, span_s: int) -> None:
    start, end = start_s * S, (start_s + span_s) * S
    edges = wall_edges_us(zone, start, end, every_s * S)
    lengths = np.diff(edges)
    assert edges[0] <= start < edges[1] and edges[-2] < end <= edges[-1]
    assert int(lengths.min()) > 0 and int(lengths.max()) <= (every_s + 86_400) * S + HOUR
