"""Rules and marks: written when something changed, never backward."""

from __future__ import annotations

import pytest

from wattstead.metering.calendar import CalendarError
from wattstead.metering.point import Point, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.series import Retention, Series
from wattstead.series.connection import Connection
from wattstead.series.marks import Marks


def test_only_changed_rules_are_written(series: Series, points: list[Point], address: str) -> None:
    assert series.put_rules(points) == [p.id for p in points]
    assert series.put_rules(reversed(points)) == []
    moved = Point(id=12, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=600, zone="Europe/Paris")
    assert series.put_rules([moved, points[0]]) == [12]
    found = Connection(address).columns("SELECT mode, zone, rule_version FROM rule FINAL WHERE point = 12")
    assert {name: column.tolist() for name, column in found.items()} == {
        "mode": [step_rule(moved).mode],
        "zone": ["Europe/Paris"],
        "rule_version": [2],
    }


def test_an_unknown_zone_is_refused(series: Series) -> None:
    with pytest.raises(CalendarError, match="Mars"):
        series.put_rules([Point(id=1, zone="Mars/Olympus")])
    assert series.put_rules([Point(id=1)]) == [1]


def test_what_expired_outlives_a_changed_rule_and_goes_forward_only(series: Series, address: str) -> None:
    series.put_rules([Point(id=1)])
    series.apply_retention([1], Retention(raw_us=10**15, minute_us=10**14))
    series.apply_retention([1], Retention(raw_us=10**14))
    assert series.put_rules([Point(id=1, unit="W", quantity=Quantity.ELECTRICITY)]) == [1]
    found = Connection(address).columns("SELECT raw_from, minute_from, rule_version FROM rule FINAL")
    assert [column.tolist() for column in found.values()] == [[10**15], [10**14], [2]]


def test_marks_move_forward_and_are_seen_by_others(series: Series, address: str) -> None:
    mine, theirs = Marks(Connection(address)), Marks(Connection(address), clock=lambda: 0.0)
    assert theirs.value("some") == 0
    mine.set("some", 5)
    mine.set("some", 3)
    assert mine.value("some") == 5
    assert theirs.value("some") == 0
    theirs.forget()
    assert theirs.value("some") == 5
    assert [mine.next("count"), theirs.next("count"), mine.next("count")] == [1, 2, 3]
