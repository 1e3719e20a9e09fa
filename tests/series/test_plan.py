"""Plans: every instant of a question is answered once, by what lies on the edges, is rolled up and is still there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US
from wattstead.series.marks import Reach
from wattstead.series.questions.plan import MOST_PIECES, after, before, plan
from wattstead.series.questions.question import Piece
from wattstead.series.questions.windows import gathered
from wattstead.series.rules import Expired
from wattstead.series.tiers import LAST_US, Tier

pytestmark = pytest.mark.unit

T0 = 1_774_569_600_000_000
FAR = Reach(T0 + 400 * DAY_US, T0 + 400 * DAY_US)


def tiers(pieces: tuple[Piece, ...]) -> list[Tier]:
    return [piece.tier for piece in pieces]


def test_local_days_come_from_days_of_that_zone_only() -> None:
    edges = edges_us("Europe/Berlin", T0, T0 + 20 * DAY_US, Step.DAY)
    assert tiers(plan(edges, FAR, "Europe/Berlin")) == [Tier.DAY]
    assert tiers(plan(edges, FAR, "Asia/Kathmandu")) == [Tier.QUARTER]


def test_hours_come_from_quarters_minutes_from_minutes_seconds_from_readings() -> None:
    for step, tier in ((Step.H1, Tier.QUARTER), (Step.MIN5, Tier.MINUTE), (Step.S10, Tier.RAW)):
        assert tiers(plan(edges_us("UTC", T0, T0 + DAY_US, step), FAR)) == [tier]


def test_the_newest_part_comes_from_finer_rows() -> None:
    reach = Reach(T0 + 5 * DAY_US + 50 * MINUTE_US, T0 + 5 * DAY_US + 45 * MINUTE_US)
    edges = edges_us("Europe/Berlin", T0, T0 + 6 * DAY_US, Step.DAY)
    found = plan(edges, reach, "Europe/Berlin")
    assert tiers(found) == [Tier.DAY, Tier.QUARTER, Tier.MINUTE, Tier.RAW]
    assert [p.end_us for p in found[1:3]] == [reach.quarter_us, reach.minute_us]


def test_nothing_rolled_up_comes_from_readings() -> None:
    assert plan(np.array([T0, T0 + DAY_US]), Reach()) == (Piece(Tier.RAW, T0, T0 + DAY_US),)


@pytest.mark.parametrize("reach", [FAR, Reach(T0 + 150 * DAY_US + 50 * MINUTE_US, T0 + 150 * DAY_US + 45 * MINUTE_US)])
def test_hundreds_of_edges_anywhere_are_answered_by_the_finest_rows_near_them_alone(reach: Reach) -> None:
    edges = T0 + 17 + np.arange(151) * 199_999_999_999
    found = plan(edges, reach, "Europe/Berlin", windows=True)
    assert all(a.end_us == b.start_us for a, b in pairwise(found))
    assert (found[0].start_us, found[-1].end_us) == (edges[0], edges[-1])
    inside = edges[(edges > found[0].start_us) & (edges < found[-1].end_us)]
    starts, ends = (np.array([getattr(piece, name) for piece in found]) for name in ("start_us", "end_us"))
    at = np.searchsorted(starts, inside, side="right") - 1
    assert all(found[place].tier is Tier.RAW for place in at[(starts[at] < inside) & (inside < ends[at])])
    alone, windows = gathered(found)
    assert len(alone) <= 2 and len(windows) == 4
    lengths = sum(int((one.end_us - one.start_us).sum()) for one in windows)
    assert lengths + sum(piece.end_us - piece.start_us for piece in alone) == edges[-1] - edges[0]
    assert len(plan(edges, reach, "Europe/Berlin")) <= MOST_PIECES


def test_one_odd_bucket_is_put_together_from_its_ends_inward() -> None:
    start, end = T0 + 7 * MINUTE_US + 1, T0 + 3 * DAY_US + 8 * MINUTE_US + 2
    found = plan(np.array([start, end]), FAR)
    assert tiers(found) == [
        *(Tier.RAW, Tier.MINUTE, Tier.QUARTER, Tier.DAY, Tier.MINUTE, Tier.RAW),
    ] or tiers(found) == [Tier.RAW, Tier.MINUTE, Tier.QUARTER, Tier.DAY, Tier.QUARTER, Tier.MINUTE, Tier.RAW]


def test_what_has_expired_is_answered_by_what_is_left() -> None:
    expired = Expired(raw_us=T0 - 7 * DAY_US, minute_us=T0 - 30 * DAY_US, quarter_us=T0 - 90 * DAY_US)
    edges = edges_us("UTC", T0 - 100 * DAY_US, T0, Step.S30)[::2880]
    assert tiers(plan(edges + 10_000_000, FAR, "UTC", expired)) == [Tier.DAY, Tier.QUARTER, Tier.MINUTE, Tier.RAW]


def test_too_many_rows_are_taken_from_coarser_ones_as_they_lie() -> None:
    edges = np.arange(T0 - 300 * DAY_US, T0, 3600_000_000 + 1)
    assert tiers(plan(edges, FAR, points=1)) == [Tier.MINUTE, Tier.RAW]
    assert tiers(plan(edges, FAR, points=1000)) == [Tier.DAY, Tier.QUARTER, Tier.RAW]
    assert tiers(plan(edges[-30:], FAR, points=1)) == [Tier.RAW]


@st.composite
def question(draw: st.DrawFn) -> tuple[np.ndarray, Reach, str, Expired]:
    unit_us = draw(st.sampled_from([1, 1_000_000, MINUTE_US, QUARTER_US, DAY_US]))
    steps = draw(st.lists(st.integers(0, 3 * 10**6), min_size=2, max_size=12, unique=True))
    edges = T0 // unit_us * unit_us + np.unique(np.array(steps)) * unit_us
    rolled = T0 + draw(st.integers(-40, 4000)) * DAY_US + draw(st.integers(0, 1439)) * MINUTE_US
    ages = sorted(draw(st.lists(st.integers(0, 3000), min_size=3, max_size=3)))
    expired = Expired(*(T0 - age * DAY_US for age in ages)) if draw(st.booleans()) else Expired()
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"]))
    return edges.clip(max=LAST_US), Reach(rolled, rolled // QUARTER_US * QUARTER_US), zone, expired


@settings(deadline=None)
@given(question())
def test_pieces_are_in_order_within_reach_and_leave_out_nothing_that_is_kept(
    asked: tuple[np.ndarray, Reach, str, Expired],
) -> None:
    edges, reach, zone, expired = asked
    edges = np.unique(edges)
    if len(edges) < 2:
        return
    pieces = plan(edges, reach, zone, expired)
    for piece in pieces:
        assert piece.start_us < piece.end_us
        rolled = {Tier.RAW: LAST_US, Tier.MINUTE: reach.minute_us}.get(piece.tier, reach.quarter_us)
        assert piece.end_us <= rolled
        gone = {Tier.RAW: expired.raw_us, Tier.MINUTE: expired.minute_us, Tier.QUARTER: expired.quarter_us}
        assert piece.start_us >= min(gone.get(piece.tier, 0), int(edges[-1]))
    for one, other in pairwise(pieces):
        assert one.end_us <= other.start_us
    covered = sum(p.end_us - p.start_us for p in pieces)
    if expired == Expired():
        assert covered == int(edges[-1] - edges[0])
        assert len(pieces) <= MOST_PIECES


@given(st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 1439))
def test_before_and_after_reach_every_tier_up_to_the_instant(at_day: int, rolled_day: int, minute: int) -> None:
    at_us = at_day * DAY_US + 45 * MINUTE_US
    minute_us = rolled_day * DAY_US + minute * MINUTE_US
    reach = Reach(minute_us, minute_us // QUARTER_US * QUARTER_US)
    for piece in before(at_us, reach):
        assert piece.end_us + (28 * 3600 * 10**6 if piece.tier is Tier.DAY else 0) <= at_us
    assert before(at_us, reach)[-1].end_us == (at_us if minute_us < at_us else min(at_us, reach.minute_us))
    assert after(at_us, reach)[-1] == Piece(Tier.RAW, max(at_us, minute_us), LAST_US)
