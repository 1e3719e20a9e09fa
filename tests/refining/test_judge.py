"""Judging: quality by range, refusals counted, values untouched."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import UNITS, Kind, Quality, Quantity
from wattstead.refining.columns import Columns
from wattstead.refining.taking.judge import (
    LATEST_US,
    NOT_FINITE,
    PLAUSIBLE,
    TIME_OUT_OF_RANGE,
    Judge,
    plausible_range,
)

pytestmark = pytest.mark.unit

NOW_US = 1_780_000_000_000_000
POINTS = [
    Point(id=1, quantity=Quantity.VOLTAGE, unit="V"),
    Point(id=2, quantity=Quantity.TEMPERATURE, unit="°F"),
    Point(id=4, kind=Kind.GAUGE),
]


def judged(points: list[int], values: list[float], **other: object) -> Columns:
    judge = Judge()
    judge.learn(POINTS)
    batch = ReadingBatch.of(points, [NOW_US] * len(points), values, version=NOW_US << 8, **other)  # type: ignore[arg-type]
    return judge.judge(Columns.of([batch]))


def test_known_ranges_make_valid_and_suspect_and_unknown_stays_raw() -> None:
    got = judged([1, 1, 2, 2, 4, 3, 900], [230.0, 9e9, -40.0, -500.0, 1e300, 5.0, 5.0])
    assert [Quality(q).name for q in got.quality] == ["VALID", "SUSPECT", "VALID", "SUSPECT", "RAW", "RAW", "RAW"]
    assert got.value.tolist() == [230.0, 9e9, -40.0, -500.0, 1e300, 5.0, 5.0]


def test_what_the_sender_says_of_its_reading_is_kept() -> None:
    got = judged([1, 1], [230.0, 9e9], quality=np.array([Quality.ESTIMATED, Quality.EDITED], np.uint8))
    assert got.quality.tolist() == [Quality.ESTIMATED, Quality.EDITED]


def test_what_cannot_be_stored_is_left_out_and_counted() -> None:
    judge = Judge()
    times = [NOW_US, NOW_US, NOW_US, -1, LATEST_US, 0, LATEST_US - 1]
    values = [math.nan, math.inf, 1.0, 1.0, 1.0, 1.0, 1.0]
    got = judge.judge(Columns.of([ReadingBatch.of([1] * 7, times, values)]))
    assert got.time_us.tolist() == [NOW_US, 0, LATEST_US - 1]
    assert judge.refused == {NOT_FINITE: 2, TIME_OUT_OF_RANGE: 2}


def test_a_time_far_after_its_receipt_is_suspect() -> None:
    times = [NOW_US + 3_600_000_000, NOW_US + 2 * 86_400_000_000]
    batch = ReadingBatch.of([1, 1], times, [230.0, 230.0], version=NOW_US << 8)
    assert Judge().judge(Columns.of([batch])).quality.tolist() == [Quality.RAW, Quality.SUSPECT]


def test_who_knows_of_the_future_says_how_far_he_is_to_be_trusted() -> None:
    times = [NOW_US + 7 * 86_400_000_000] * 2
    quality = np.array([Quality.ESTIMATED, Quality.VALID], np.uint8)
    batch = ReadingBatch.of([1, 1], times, [230.0, 230.0], quality, NOW_US << 8)
    assert Judge().judge(Columns.of([batch])).quality.tolist() == [Quality.ESTIMATED, Quality.VALID]


def test_a_point_number_out_of_the_blue_is_stored_and_asks_for_no_memory() -> None:
    judge = Judge()
    judge.learn([Point(id=2**31, quantity=Quantity.VOLTAGE, unit="V")])
    assert judge.judge(Columns.of([ReadingBatch.of([2**31], [NOW_US], [9e9])])).quality.tolist() == [Quality.RAW]


def test_adoption_changes_what_is_plausible() -> None:
    judge = Judge()
    batch = ReadingBatch.of([1], [NOW_US], [-5.0])
    assert judge.judge(Columns.of([batch])).quality.tolist() == [Quality.RAW]
    judge.learn([Point(id=1, quantity=Quantity.HUMIDITY, unit="%")])
    assert judge.judge(Columns.of([batch])).quality.tolist() == [Quality.SUSPECT]
    judge.learn([Point(id=1)])
    assert judge.judge(Columns.of([batch])).quality.tolist() == [Quality.RAW]


@pytest.mark.parametrize(("quantity", "base"), list(PLAUSIBLE))
def test_each_range_is_of_a_base_unit_and_not_empty(quantity: Quantity, base: str) -> None:
    assert UNITS[base].base == base
    low, high = PLAUSIBLE[quantity, base]
    assert low < high
    for symbol, own in UNITS.items():
        if own.base == base:
            found = plausible_range(Point(id=1, quantity=quantity, unit=symbol))
            assert found is not None and found[0] < found[1]


@pytest.mark.parametrize("kind", [Kind.REGISTER, Kind.DELTA])
@pytest.mark.parametrize("quantity", [Quantity.ELECTRICITY, Quantity.UNKNOWN])
def test_more_steps_than_can_be_counted_are_suspect(kind: Kind, quantity: Quantity) -> None:
    judge = Judge()
    judge.learn([Point(id=1, kind=kind, quantity=quantity, unit="kWh", resolution=1e-7), Point(id=2)])
    values = [2.0**53 * 1e-7, -1e300, 2.0**53 * 1e-7 - 1, 1e300]
    got = judge.judge(Columns.of([ReadingBatch.of([1, 1, 1, 2], [NOW_US + at for at in range(4)], values)]))
    within = Quality.VALID if quantity is Quantity.ELECTRICITY else Quality.RAW
    assert got.quality.tolist() == [Quality.SUSPECT, Quality.SUSPECT, within, Quality.RAW]
