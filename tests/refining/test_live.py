"""Live: everybody gets the points watched, a slow watcher costs nobody anything."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest, Readings
from wattstead.refining.live import Live, Subscription

pytestmark = pytest.mark.unit


def tell(live: Live, points: list[int], time_us: int) -> None:
    columns = Columns.of([ReadingBatch.of(points, [time_us] * len(points), [p + time_us / 1000 for p in points])])
    live.latest.take(columns)
    live.publish(Readings(columns.point, columns.time_us, columns.value))


async def fetch(subscription: Subscription) -> list[tuple[int, int]]:
    got = await asyncio.wait_for(anext(subscription), 60)
    return list(zip(got.point.tolist(), got.time_us.tolist(), strict=True))


async def test_first_the_latest_then_what_is_new() -> None:
    live = Live(Latest())
    tell(live, [1, 2, 3], 10)
    with live.subscribe([1, 3, 3, 77]) as one, live.subscribe([2, 3]) as other:
        assert await fetch(one) == [(1, 10), (3, 10)]
        assert await fetch(other) == [(2, 10), (3, 10)]
        tell(live, [1, 2], 20)
        tell(live, [3], 21)
        assert await fetch(one) == [(1, 20), (3, 21)]
        assert await fetch(other) == [(2, 20), (3, 21)]
    assert len(live) == 0


async def test_a_slow_watcher_begins_anew_from_the_latest() -> None:
    live = Live(Latest(), most=5)
    slow, quick = live.subscribe([1]), live.subscribe([1])
    assert await fetch(slow) == await fetch(quick) == []
    for time_us in range(1, 21):
        tell(live, [1], time_us)
        assert await fetch(quick) == [(1, time_us)]
    assert await fetch(slow) == [(1, 20)]
    assert slow.missed > 0 and quick.missed == 0
    tell(live, [1], 30)
    assert await fetch(slow) == [(1, 30)]


async def test_nothing_is_queued_for_points_nobody_watches() -> None:
    live = Live(Latest())
    with live.subscribe([5]) as subscription:
        assert await fetch(subscription) == []
        tell(live, [1, 2, 2_000_000_000], 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0.05)


async def test_closing_ends_the_iteration_even_while_it_waits() -> None:
    live = Live(Latest())
    subscription = live.subscribe([5])

    async def watch() -> list[Readings]:
        return [readings async for readings in subscription]

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    live.close()
    assert len(await asyncio.wait_for(watching, 60)) <= 1
    tell(live, [5], 1)


async def test_five_hundred_watchers_of_overlapping_points() -> None:
    live = Live(Latest())
    subscriptions = [live.subscribe(range(k, k + 20)) for k in range(500)]
    for subscription in subscriptions:
        await fetch(subscription)
    tell(live, list(range(0, 600, 2)), 7)
    for k, subscription in enumerate(subscriptions):
        got = await fetch(subscription)
        assert sorted(p for p, _ in got) == [p for p in range(k, k + 20) if p % 2 == 0]
    assert all(subscription.missed == 0 for subscription in subscriptions)
    assert np.unique(subscriptions[0].points).tolist() == list(range(20))
