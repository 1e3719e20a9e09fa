"""A whole receiving process for the crash test: journal, refinery and store; says each batch once it is durable.

Run as ``house_under_load.py FOLDER SEED BEGIN_US``; it is killed from outside. A line on standard output is
``seed number version``: that batch was acknowledged. What a batch holds follows from its seed and number.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.refinery import Refinery
from wattstead.series import Series
from wattstead.store.supervise import StoreProcess
from wattstead.stream import Journal

POINTS = [
    Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="Wh", resolution=1.0, zone="Europe/Berlin"),
    Point(id=2, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", zone="Asia/Kathmandu"),
    Point(id=3, kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="Wh"),
]
LIMITS = RefiningLimits(
    store_every_s=0.05, grace_s=0.1, rules_s=0.05, poll_s=0.01, rest_s=0.01, retry_s=0.05, retry_most_s=0.2
)


def batch(seed: int, number: int, begin_us: int) -> ReadingBatch:
    """Readings of all points within an hour from ``begin_us`` on, many of instants that were told before."""
    chance = np.random.default_rng([seed, number])
    size = int(chance.integers(1, 40))
    times = begin_us + chance.integers(0, 3600, size) * 1_000_000
    return ReadingBatch.of(chance.integers(1, 4, size), times, chance.integers(0, 5000, size).astype(float))


def say(*words: object) -> None:
    """One line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def run(folder: Path, seed: int, begin_us: int) -> None:
    """Until killed."""
    store = StoreProcess(folder / "store")
    series = Series(await store.start() + "/crash")
    await asyncio.to_thread(series.migrate)
    journal = Journal.open(folder / "journal", 0)
    refinery = Refinery(folder / "journal", folder / "refining.json", series, lambda since: POINTS, lambda: 1, LIMITS)
    journal.listen(refinery.wake)
    await refinery.start()
    say("ready", store.pid)
    number = 0
    while True:
        version = await journal.append(batch(seed, number, begin_us))
        say(seed, number, version)
        number += 1
        await asyncio.sleep(0.002)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
