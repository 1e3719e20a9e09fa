"""Open minutes: what is counted on the way is what metering makes of the readings; what may be otherwise is named."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import MINUTE_US, RollupRows, bucket_starts, roll, settle
from wattstead.refining.columns import MAX_POINT, Columns
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.series import KnownMinutes

pytestmark = pytest.mark.unit

S = 1_000_000
T0 = 1_774_569_600 * S
POINTS = [
    Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", resolution=0.001, width=10**5,
          max_rate=50.0),
    Point(id=2, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", max_gap_s=20),
    Point(id=3, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="pulse"),
    Point(id=4),
    Point(id=9, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="kW"),
    Point(id=10, kind=Kind.MEAN, quantity=Quantity.ELECTRICITY, unit="kW", max_gap_s=30),
]  # fmt: skip
IDS = [point.id for point in POINTS]
NAMES = (
    "point", "start_us", "count", "min", "max", "sum", "first_time_us", "first_value", "last_time_us", "last_value",
    "step", "flags",
)  # fmt: skip


def begun(now_us: int = T0) -> OpenMinutes:
    minutes = OpenMinutes()
    minutes.learn(POINTS)
    minutes.begin(np.zeros(0, np.uint32), np.zeros(0, np.int64), now_us, era=0)
    minutes.close(minutes.from_us)
    return minutes


def columns(batches: list[ReadingBatch]) -> Columns:
    return Columns.of(batches)


def table(rows: RollupRows) -> dict[tuple[int, int], tuple[object, ...]]:
    made = list(zip(*(getattr(rows, name).tolist() for name in NAMES), strict=True))
    return {(row[0], row[1]): row for row in made}


def cells(known: KnownMinutes) -> set[tuple[int, int]]:
    """The minutes of points that are to be computed."""
    spans = zip(known.odd_point.tolist(), known.odd_start_us.tolist(), known.odd_end_us.tolist(), strict=True)
    return {(point, at) for point, start, end in spans for at in range(start, end, MINUTE_US)}


def oracle(sent: list[ReadingBatch]) -> dict[tuple[int, int], tuple[object, ...]]:
    truth = settle(sent)
    return table(roll(truth, bucket_starts(truth.time_us, MINUTE_US), {p.id: step_rule(p) for p in POINTS}))


def story(seed: int, disorder: float) -> list[ReadingBatch]:
    """Eight minutes of readings at uneven paces in batches as they come: silences, jumps, and some that are late,
    repeated or corrected."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[int, int, float]] = []
    for point in IDS:
        time_us, value = T0, 0.0
        while time_us < T0 + 8 * MINUTE_US:
            time_us += int(
                chance.choice([1, 7, 10, 31, 200], p=[0.3, 0.3, 0.3, 0.08, 0.02]) * S + chance.integers(0, 9)
            )
            value = value + chance.random() if point == 1 and chance.random() > 0.05 else chance.random() * 3000
            rows.append((point, time_us, round(value, int(chance.integers(0, 9)))))
    arrives = [row[1] + (int(chance.integers(0, 3 * MINUTE_US)) if chance.random() < disorder else 0) for row in rows]
    order = np.argsort(arrives, kind="stable").tolist()
    again = [at for at in order if chance.random() < disorder]
    batches = []
    for number, cut in enumerate(np.array_split(np.array(order), 60)):
        some = [rows[at] for at in cut.tolist()]
        some += [(p, t, v + 1) for p, t, v in (rows[at] for at in again if at in cut and chance.random() < 0.5)]
        if some:
            point, time_us, value = zip(*some, strict=True)
            batches.append(ReadingBatch.of(point, time_us, value, version=(T0 + number) << 8))
    return batches


@pytest.mark.parametrize("disorder", [0.0, 0.01, 0.2])
@pytest.mark.parametrize("seed", range(6))
def test_rows_are_those_of_metering_and_every_other_cell_is_named(seed: int, disorder: float) -> None:
    """Minutes are closed one after another while readings come in; later ones of closed minutes are others' affair."""
    batches, minutes = story(seed, disorder), begun()
    chance = np.random.default_rng(seed)
    closed_us, sent, named = T0, list[ReadingBatch](), 0
    at = 0
    while at < len(batches):
        look = batches[at : at + int(chance.integers(1, 6))]
        at += len(look)
        sent += look
        minutes.take(columns(look))
        newest_us = max(int(batch.time_us.max()) for batch in sent)
        until_us = (newest_us - 20 * S) // MINUTE_US * MINUTE_US
        if until_us > closed_us:
            known = minutes.until(until_us)
            assert table(minutes.until(until_us).rows) == table(known.rows), "asked again before it is done"
            minutes.close(until_us)
            right = {cell: row for cell, row in oracle(sent).items() if closed_us <= cell[1] < until_us}
            odd = cells(known)
            assert table(known.rows) == {cell: row for cell, row in right.items() if cell not in odd}
            assert all(closed_us <= start < until_us for _, start in odd)
            named += len(odd)
            closed_us = until_us
    assert closed_us >= T0 + 6 * MINUTE_US
    assert named == 0 if not disorder else named > 0 or disorder < 0.1


def readings(times_s: list[float], point: int = 4, version: int = 1) -> Columns:
    return columns([ReadingBatch.of([point] * len(times_s), [T0 + int(s * S) for s in times_s], times_s,
                                    version=version)])  # fmt: skip


def known_and_odd(minutes: OpenMinutes, minute: int = 1) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    known = minutes.until(T0 + minute * MINUTE_US)
    return set(table(known.rows)), cells(known)


def test_minutes_that_may_have_been_stored_before_are_named() -> None:
    """A start in the middle of a minute, and a point whose clock is ahead."""
    minutes = OpenMinutes()
    stored = np.array([4, 9], np.uint32), np.array([T0 - 5 * S, T0 + 90 * S])
    minutes.begin(*stored, T0 - 10 * S, era=0)
    assert minutes.from_us == T0 - MINUTE_US
    minutes.close(T0 - MINUTE_US)
    minutes.take(readings([-1, 1, 61], 4))
    minutes.take(readings([-2], 1))
    minutes.take(readings([100, 130], 9, 2))
    rows, odd = known_and_odd(minutes, 3)
    assert rows == {(1, T0 - MINUTE_US), (4, T0), (4, T0 + MINUTE_US), (9, T0 + 2 * MINUTE_US)}
    assert odd == {(4, T0 - MINUTE_US), (9, T0 - MINUTE_US), (9, T0), (9, T0 + MINUTE_US)}


def test_the_same_again_is_named_and_the_next_minute_is_known() -> None:
    minutes = begun()
    minutes.take(readings([1, 2]))
    minutes.take(readings([2]))
    minutes.take(readings([30]))
    minutes.take(readings([61, 62]))
    minutes.take(readings([3]))
    rows, odd = known_and_odd(minutes, 2)
    assert (rows, odd) == ({(4, T0 + MINUTE_US)}, {(4, T0)})


def test_another_rule_and_a_removal_leave_what_was_counted_to_the_store() -> None:
    minutes = begun()
    minutes.take(columns([ReadingBatch.of([2, 4, 2, 4], [T0, T0, T0 + MINUTE_US, T0 + MINUTE_US], [1.0] * 4)]))
    minutes.learn([Point(id=2, kind=Kind.REGISTER, unit="kWh"), Point(id=4, max_gap_s=5)])
    assert known_and_odd(minutes, 2) == ({(4, T0), (4, T0 + MINUTE_US)}, {(2, T0), (2, T0 + MINUTE_US)})
    minutes.distrust(era=1)
    rows, odd = known_and_odd(minutes, 2)
    assert (len(rows), len(odd), minutes.until(T0).era) == (0, 4, 1)


def test_points_beyond_memory_are_named() -> None:
    minutes = begun()
    minutes.take(readings([1], MAX_POINT + 5))
    assert known_and_odd(minutes) == (set(), {(MAX_POINT + 5, T0)})


def test_an_interrupted_count_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = begun()
    minutes.take(readings([1]))

    def fails(*_: object) -> NDArray[np.bool_]:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(type(minutes._running), "newer", fails)
        with pytest.raises(MemoryError):
            minutes.take(readings([2]))
    minutes.take(readings([2]))
    assert known_and_odd(minutes) == (set(), {(4, T0)})
