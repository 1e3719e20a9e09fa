"""Pieces that are made longer or put together hold what they held before, and the readings beside it."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US
from wattstead.series.marks import Reach
from wattstead.series.questions.parts import Part
from wattstead.series.questions.question import Piece
from wattstead.series.questions.stretch import fewer, joined
from wattstead.series.rules import NOTHING_EXPIRED, Expired
from wattstead.series.tiers import LAST_US, Tier

pytestmark = pytest.mark.unit

T0 = 1_774_569_600_000_000
NOW = T0 + 10 * DAY_US + 7 * 3_600_000_000 + 20 * MINUTE_US
REACH = Reach(minute_us=NOW - MINUTE_US, quarter_us=NOW // QUARTER_US * QUARTER_US)
METER = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="Wh")
POWER = Point(id=2, quantity=Quantity.ELECTRICITY, unit="W")


def pieces(point: Point, edges: list[int], expired: Expired = NOTHING_EXPIRED) -> tuple[Piece, ...]:
    part = Part([point], np.array(edges, np.int64), REACH, expired)
    found = part.pieces(beside=True)
    assert (np.diff(part.edges_us) > 0).all()
    assert part.edges_us[0] <= found[0].start_us and found[-1].end_us <= part.edges_us[-1]
    return found


@pytest.mark.parametrize("point", [METER, POWER])
def test_days_up_to_now_are_three_pieces(point: Point) -> None:
    found = pieces(point, [T0 + day * DAY_US for day in range(12)])
    midnight = T0 + 10 * DAY_US
    assert found == (
        Piece(Tier.DAY, T0 - DAY_US, midnight),
        Piece(Tier.QUARTER, midnight, REACH.quarter_us),
        Piece(Tier.RAW, REACH.quarter_us, LAST_US),
    )


@pytest.mark.parametrize("point", [METER, POWER])
def test_days_long_ago_are_one_piece(point: Point) -> None:
    found = pieces(point, [T0 + day * DAY_US for day in range(5)])
    assert found == (Piece(Tier.DAY, T0 - DAY_US, T0 + 5 * DAY_US),)


def test_days_up_to_the_last_midnight_need_the_quarter_hours_behind_it() -> None:
    found = pieces(METER, [T0 + day * DAY_US for day in range(11)])
    assert [piece.tier for piece in found] == [Tier.DAY, Tier.QUARTER]
    assert found[-1].end_us > T0 + 10 * DAY_US + 3_600_000_000


def test_the_last_hour_in_seconds_is_one_piece() -> None:
    found = pieces(POWER, list(range(NOW - 3_600_000_000, NOW + 1, 5_000_000)))
    assert found == (Piece(Tier.RAW, NOW - 3_600_000_000 - 1_800_000_000, LAST_US),)


def test_where_readings_have_expired_minutes_answer() -> None:
    gone = Expired(raw_us=NOW - 3_600_000_000 - MINUTE_US)
    edges = list(range(NOW - 3_600_000_000, NOW, 5_000_000))
    found = pieces(POWER, edges, gone)
    assert all(piece.tier is not Tier.RAW or piece.start_us >= gone.raw_us for piece in found)
    assert found[0].tier is not Tier.RAW and found[0].start_us <= NOW - 3_600_000_000 - 1_800_000_000


def test_minutes_stay_where_they_are_many_or_the_readings_are_gone() -> None:
    minutes, rest = Piece(Tier.MINUTE, T0, T0 + 15 * MINUTE_US), Piece(Tier.RAW, T0 + 15 * MINUTE_US, LAST_US)
    assert fewer((minutes, rest), 1, NOTHING_EXPIRED) == (Piece(Tier.RAW, T0, LAST_US),)
    assert fewer((minutes, rest), 100, NOTHING_EXPIRED) == (minutes, rest)
    assert fewer((minutes, rest), 1, Expired(raw_us=T0 + 1)) == (minutes, rest)
    assert fewer((minutes,), 1, NOTHING_EXPIRED) == (minutes,)


def test_neighbours_of_one_tier_are_joined() -> None:
    day, next_day = Piece(Tier.DAY, T0, T0 + DAY_US), Piece(Tier.DAY, T0 + DAY_US, T0 + 2 * DAY_US)
    later = Piece(Tier.DAY, T0 + 3 * DAY_US, T0 + 4 * DAY_US)
    assert joined([later, next_day, day]) == (Piece(Tier.DAY, T0, T0 + 2 * DAY_US), later)
