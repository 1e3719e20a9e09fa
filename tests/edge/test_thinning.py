"""Thinning: the same energy at every edge of buckets, nothing that was not measured beyond its bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.edge.names import NameBook
from wattstead.edge.site_map import SiteMap
from wattstead.edge.thinning import Meaning, thinned
from wattstead.edge.treating import Treatments, averages
from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point, step_rule
from wattstead.metering.quantity import Kind, Quality, Quantity
from wattstead.metering.rollup import MINUTE_US, QUARTER_US, amounts, bucket_starts, pairs_of, roll, settle
from wattstead.registry.policy import Scope
from wattstead.registry.records import EdgePoint, EdgeRule, KeyGrant, Treatment

pytestmark = pytest.mark.unit

REGISTER = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=0.001, width=10**6)
POWER = Point(id=1, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=60)
MEAN = Point(id=1, kind=Kind.MEAN, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=60)
PULSES = Point(id=1, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="pulse")
STATE = Point(id=1, kind=Kind.STATE, quantity=Quantity.STATE)
LEVEL = {1: Meaning.guessed("power", "W")}


def made(point: Point, steps: list[tuple[int, int]], reset_at: int = -1) -> ReadingBatch:
    """Readings of a point from distances in time (ms) and what it did meanwhile."""
    time_us = np.cumsum([ms for ms, _ in steps]) * 1000
    counts = np.array([count for _, count in steps], np.float64)
    value = counts
    if point.kind is Kind.REGISTER:
        value = np.cumsum(counts)
        if 0 < reset_at < len(value):
            value[reset_at:] -= value[reset_at]
        value = value * 0.001
    return ReadingBatch.of([1] * len(steps), time_us, value)


def steps_of(point: Point, batch: ReadingBatch, edges_us: Any) -> list[int]:
    """Steps between edges, as the server counts them."""
    settled, rule = settle([batch]), step_rule(point)
    return amounts(roll(settled, bucket_starts(settled.time_us, MINUTE_US), {1: rule}), rule, edges_us)


STEPS = st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 4000)), min_size=1, max_size=300)


@given(STEPS, st.sampled_from([REGISTER, POWER, MEAN, PULSES]), st.integers(-1, 200))
def test_what_lies_between_edges_stays(steps: list[tuple[int, int]], point: Point, reset_at: int) -> None:
    raw = made(point, steps, reset_at)
    meanings = {1: Meaning.of(point, point.unit)}
    minutes = thinned(raw, meanings, MINUTE_US)
    quarters = thinned(minutes, meanings, QUARTER_US)
    edges_us = np.arange(0, int(raw.time_us[-1]) + 2 * QUARTER_US, QUARTER_US)
    wanted = steps_of(point, raw, edges_us)
    rounding = 2 * len(raw) if point in (POWER, MEAN) else 0  # W · ms: a nanowatt hour
    for fewer in (minutes, quarters):
        found = steps_of(point, fewer, edges_us)
        assert np.abs(np.array(found) - np.array(wanted)).max() <= rounding
        assert len(fewer) <= len(raw) and list(fewer.time_us) == sorted(fewer.time_us)
        if point.kind is not Kind.DELTA:
            assert raw.value.min() - 1e-6 <= fewer.value.min() and fewer.value.max() <= raw.value.max() + 1e-6


@given(STEPS, st.sampled_from([REGISTER, POWER, PULSES]), st.integers(-1, 200))
def test_strictly_nothing_but_the_ends_of_a_piece_stays(
    steps: list[tuple[int, int]], point: Point, reset_at: int
) -> None:
    raw = made(point, steps, reset_at)
    few = thinned(raw, {1: Meaning.of(point, point.unit)}, MINUTE_US, strictly=True)
    edges_us = np.arange(0, int(raw.time_us[-1]) + 2 * MINUTE_US, MINUTE_US)
    rounding = 2 * len(raw) if point is POWER else 0
    assert np.abs(np.array(steps_of(point, few, edges_us)) - steps_of(point, raw, edges_us)).max() <= rounding
    odd = pairs_of(raw, {1: step_rule(point)}).flags != 0
    minute = raw.time_us // MINUTE_US
    cut = np.append(odd | (minute[1:] != minute[:-1]), True)
    ends = set(raw.time_us[cut | np.append(True, cut[:-1])].tolist())
    assert set(few.time_us[few.quality == Quality.RAW].tolist()) <= ends


def test_an_odd_step_cuts_its_bucket_and_stays() -> None:
    time_us = np.arange(0, 60) * 1_000_000
    value = np.where(time_us < 30e6, 1_000.0, 0.0) + np.arange(60) * 0.001
    value[30:] -= value[30]
    kept = thinned(ReadingBatch.of([1] * 60, time_us, value), {1: Meaning.of(REGISTER, "kWh")}, MINUTE_US)
    assert (kept.time_us // 1_000_000).tolist() == [0, 29, 30, 59], "both sides of the reset, and no more"


def test_what_may_be_amounts_is_not_thinned() -> None:
    time_us = np.arange(0, 60) * 1_000_000
    batch = ReadingBatch.of([1] * 60 + [2] * 60, np.tile(time_us, 2), np.ones(120))
    meanings = {1: Meaning.guessed("pulse/7/blinks", "pulse"), 2: Meaning.guessed("garage/x17", "")}
    kept = thinned(batch, meanings, MINUTE_US)
    assert kept.value[kept.point == 1].tolist() == [60.0] and int((kept.point == 2).sum()) == 60


def test_a_map_tells_what_is_adopted_and_guesses_the_rest(tmp_path: Path) -> None:
    names = NameBook(tmp_path / "names")
    site = SiteMap(names)
    grant = KeyGrant(3, 1, 0, Scope.WRITE, 1_000_000)
    boiler = Point(id=5, kind=Kind.DELTA, unit="Wh")
    site.learn([EdgePoint("boiler", boiler), EdgePoint("gas/blinks", Point(id=6), adopted=False)])
    asyncio.run(site.points(grant, ["boiler", "gas/blinks"], {"gas/blinks": "pulse"}))
    before = site.meanings
    asyncio.run(site.points(grant, ["x/17", "grid/import_kwh"]))
    kinds = [site.meanings[number].kind for number in range(1, 5)]
    assert kinds == [Kind.DELTA, Kind.DELTA, None, Kind.REGISTER]
    assert site.among_deltas([2]) and not site.among_deltas([3, 4])
    assert site.meanings is before, "what is known is not gone through again for each new address"


def test_a_day_of_seconds_becomes_few() -> None:
    time_us = np.arange(0, 86_400) * 1_000_000
    level = ReadingBatch.of([1] * 86_400, time_us, 500 + 100 * np.sin(time_us / 1e9))
    assert len(thinned(level, LEVEL, MINUTE_US)) == 4 * 1440
    register = ReadingBatch.of([1] * 86_400, time_us, np.arange(86_400) * 0.001)
    assert len(thinned(register, {1: Meaning.of(REGISTER, "kWh")}, QUARTER_US)) == 2 * 96


def test_a_state_keeps_its_changes_and_what_was_computed_says_so() -> None:
    time_us = np.arange(0, 120) * 1_000_000
    state = ReadingBatch.of([1] * 120, time_us, np.where((time_us > 30e6) & (time_us < 40e6), 1.0, 0.0))
    kept = thinned(state, {1: Meaning.of(STATE, "")}, MINUTE_US)
    assert kept.value.tolist() == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert (kept.time_us // 1_000_000).tolist() == [0, 31, 40, 59, 60, 119]
    level = thinned(ReadingBatch.of([1] * 60, time_us[:60], np.arange(60.0)), LEVEL, MINUTE_US)
    assert level.quality.tolist() == [Quality.RAW, Quality.ESTIMATED, Quality.ESTIMATED, Quality.RAW]


def test_the_unit_on_site_may_be_another() -> None:
    in_wh = Point(id=1, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="Wh", resolution=1.0)
    batch = ReadingBatch.of([1] * 4, [0, 10**6, 2 * 10**6, 3 * 10**6], [0.0014, 0.001, 0.002, 0.0005])
    assert thinned(batch, {1: Meaning.of(in_wh, "kWh")}, MINUTE_US).value.tolist() == [0.004]


def columns(*rows: tuple[str, float, float]) -> Columns:
    return Columns(
        Names.of_rows([name for name, _, _ in rows]),
        np.array([round(at * 1e6) for _, at, _ in rows], np.int64),
        np.array([value for _, _, value in rows], np.float64),
    )


def test_rules_at_the_door() -> None:
    rules = [
        EdgeRule(pattern="boiler/*", treatment=Treatment.SCALE, factor=0.5),
        EdgeRule(pattern="*/noise", treatment=Treatment.DROP),
        EdgeRule(pattern="*", treatment=Treatment.DEADBAND, band=1.0, every_s=60),
        EdgeRule(pattern="*", treatment=Treatment.AVERAGE, every_s=30),
    ]
    treatments = Treatments(rules)
    rows = [
        ("boiler/t", 0, 100),
        ("boiler/noise", 0, 5),
        ("boiler/t", 1, 101),
        ("boiler/t", 2, 120),
        ("boiler/t", 62, 121),
    ]
    kept = treatments.treat(1, columns(*rows))
    assert kept.value.tolist() == [50.0, 60.0, 60.5] and treatments.dropped == 2
    assert kept.place(1) == "row 3"
    assert treatments.treat(1, columns(("boiler/t", 62, 121))).value.tolist() == [60.5], "again, as after a full disk"
    assert treatments.treat(2, columns(("boiler/t", 62, 121))).value.tolist() == [60.5], "of another source"
    assert len(treatments.treat(1, columns(("boiler/t", 63, 121)))) == 0
    assert averages(rules) == [("*", 30)]
    treatments.learn([])
    assert treatments.treat(1, columns(("boiler/noise", 0, 5))).value.tolist() == [5.0]
