"""How many bytes a reading and its rollups take once the store has settled."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Quantity
from wattstead.series import Series
from wattstead.series.connection import Connection

T0 = 1_774_828_800_000_000
HOURS, HOMES = 6, 12


def power_w(chance: np.random.Generator, size: int) -> np.ndarray:
    """A home by the second in whole watts: base load, a fridge, a kettle, a washing machine, and noise."""
    time_s = np.arange(size)
    power = 80 + 90.0 * (time_s % 2400 < 800) + chance.normal(0, 1.5, size)
    for length, load in ((180, 2000), (5400, 450), (900, 1200)):
        start = int(chance.integers(0, size - length))
        power[start : start + length] += load + chance.normal(0, load / 100, length)
    return np.rint(power)


@pytest.mark.parametrize(("jitter_us", "most_bytes"), [(2_000, 2.0), (200_000, 3.0)])
def test_whole_second_power_takes_at_most_three_bytes(
    series: Series, address: str, jitter_us: int, most_bytes: float
) -> None:
    """Batches of all homes each second, received a little later or at any moment of the fifth of a second after."""
    chance = np.random.default_rng(1)
    size = HOURS * 3600
    homes = np.stack([power_w(chance, size) for _ in range(HOMES)])
    times = T0 + np.arange(size) * 1_000_000
    received = np.maximum.accumulate(times + 50_000 + chance.integers(0, jitter_us, size))
    ids = np.arange(1, HOMES + 1)
    for at in range(0, size, 1800):
        batches = [
            ReadingBatch.of(ids, np.full(HOMES, times[s]), homes[:, s], version=int(received[s]) << 8)
            for s in range(at, at + 1800)
        ]
        series.append(batches)
    series.put_rules([Point(id=int(n), quantity=Quantity.ELECTRICITY, unit="W") for n in ids])
    series.roll(T0, T0 + HOURS * 3600 * 1_000_000)
    connection = Connection(address)
    connection.run("OPTIMIZE TABLE reading FINAL")
    state = {table.name: table for table in series.check().tables}
    assert state["reading"].rows == HOMES * size
    assert state["reading"].bytes / state["reading"].rows <= most_bytes
    assert state["minute"].bytes / state["minute"].rows <= 60
