"""The pulses of a meter as its clients count them: single ones, buckets of any length, hours; knows no request.

Everything is told by the point of milliseconds: its readings are the pulses. What was received and is not stored yet is
counted too, so that a pulse is there the moment its blink was.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattstead.registry.records import PointRow
from wattstead.web.readings import history
from wattstead.web.rooms import Rooms

MOST_POINTS = 20_000
"""Pulses, or hours, of one answer."""
MOST_BUCKETS = 1_000
HOUR_MS = 3_600_000
END_MS = 4_260_211_200_000
"""No pulse can be kept of this instant or a later one."""
_HOURS_AT_ONCE = 50_000
_TRIES = 10
T = TypeVar("T")


class Pulse(NamedTuple):
    """One blink: when, and how many milliseconds after the last one."""

    stamp: int
    ms: int


class Hour(NamedTuple):
    """The pulses of an hour; the mean is that of a meter whose pulse is a watt hour, in W."""

    stamp: int
    pulses: int
    mean: float
    min_ms: int
    max_ms: int


async def since(rooms: Rooms, row: PointRow, stamp: int) -> list[Pulse]:
    """The first pulses of that instant and later ones, oldest first; at most `MOST_POINTS`."""

    async def ask() -> list[Pulse]:
        found = await history.readings(rooms, row, stamp * 1_000, END_MS * 1_000, MOST_POINTS)
        return [Pulse(t // 1_000, round(v)) for t, v in zip(found.time_us.tolist(), found.value.tolist(), strict=True)]

    if stamp >= END_MS:
        return []
    found, more = await _with_waiting(rooms, row, stamp, END_MS, ask)
    both = {pulse.stamp: pulse for pulse in found} | more
    return [both[key] for key in sorted(both)][:MOST_POINTS]


def last(rooms: Rooms, row: PointRow) -> Pulse | None:
    """The newest pulse, from memory."""
    newest = rooms.latest.of([row.point.id])
    return Pulse(int(newest.time_us[0]) // 1_000, round(float(newest.value[0]))) if len(newest) else None


async def count(rooms: Rooms, row: PointRow, stamp: int) -> int:
    """How many pulses there were at that instant and since."""
    if stamp >= END_MS:
        return 0
    counted = await buckets(rooms, row, [stamp, END_MS])
    return sum(counted.values())


async def buckets(rooms: Rooms, row: PointRow, edges: list[int]) -> dict[int, int]:
    """How many pulses there were between edges (ms), by the place of the bucket, for those that have any.

    Edges may lie anywhere: each pulse is counted in the bucket that it was in, whatever rows answer.
    """
    extent = await _extent(rooms, row)
    if extent is None:
        return {}
    first = max(0, bisect_right(edges, extent[0]) - 1)
    end = min(len(edges) - 1, bisect_right(edges, extent[1]))
    if first >= end:
        return {}
    counted = await _counted(rooms, row, edges[first : end + 1])
    return {first + place: found for place, found in counted.items()}


async def _counted(rooms: Rooms, row: PointRow, edges: list[int]) -> dict[int, int]:
    edges_us = np.array(edges, np.int64) * 1_000

    async def ask() -> NDArray[np.int64]:
        return (await history.own_buckets(rooms, row, edges_us)).count.astype(np.int64)

    counted, more = await _with_waiting(rooms, row, edges[0], edges[-1], ask)
    counted = counted.copy()
    for stamp in more:
        counted[np.searchsorted(edges_us, stamp * 1_000, "right") - 1] += 1
    return {int(place): int(counted[place]) for place in np.flatnonzero(counted)}


async def hours(rooms: Rooms, row: PointRow, first: int, end: int, most: int = MOST_POINTS) -> list[Hour]:
    """The hours (of UTC) with pulses that begin in [first, end), in ms; oldest first, at most ``most``."""
    extent = await _extent(rooms, row)
    if extent is None:
        return []
    start = max(-(-first // HOUR_MS), extent[0] // HOUR_MS) * HOUR_MS
    end = min(end, extent[1] + 1)
    found: list[Hour] = []
    while start < end and len(found) < most:
        many = min(_HOURS_AT_ONCE, -(-(end - start) // HOUR_MS))
        edges = start + np.arange(many + 1, dtype=np.int64) * HOUR_MS
        found += await _hours(rooms, row, edges)
        start = int(edges[-1])
    return found[:most]


async def _hours(rooms: Rooms, row: PointRow, edges: NDArray[np.int64]) -> list[Hour]:
    async def ask() -> history.Buckets:
        return await history.own_buckets(rooms, row, edges * 1_000)

    told, more = await _with_waiting(rooms, row, int(edges[0]), int(edges[-1]), ask)
    counted, total = told.count.astype(np.int64), np.nan_to_num(told.sum)
    low, high = told.min.copy(), told.max.copy()
    for pulse in more.values():
        place = int(np.searchsorted(edges, pulse.stamp, "right")) - 1
        counted[place] += 1
        total[place] += pulse.ms
        low[place], high[place] = np.fmin(low[place], pulse.ms), np.fmax(high[place], pulse.ms)
    return [
        Hour(
            int(edges[at]), int(counted[at]), HOUR_MS * float(counted[at]) / float(total[at]), round(float(low[at])),
            round(float(high[at])),
        )
        for at in np.flatnonzero(counted)
        if total[at] > 0
    ]  # fmt: skip


async def _extent(rooms: Rooms, row: PointRow) -> tuple[int, int] | None:
    """First and last stamp of the meter's pulses."""
    waiting = [int(one) // 1_000 for one in rooms.waiting(row.point.id).time_us]
    known = (await history.spans(rooms, [row.point])).get(row.point.id, ())
    both = [*waiting, *(one // 1_000 for one in known)]
    return (min(both), max(both)) if both else None


async def _with_waiting(
    rooms: Rooms, row: PointRow, first: int, end: int, ask: Callable[[], Awaitable[T]]
) -> tuple[T, dict[int, Pulse]]:
    """An answer of the store, and by their stamps the pulses of [first, end) that it does not hold, because they are
    not stored yet: what is being stored meanwhile is in the one or in the other."""
    for _ in range(_TRIES):
        before = await _unstored(rooms, row, first, end)
        found = await ask()
        if not before or before.keys() == (await _unstored(rooms, row, first, end)).keys() & before.keys():
            return found, before
        await asyncio.sleep(0.05)
    return found, {}


async def _unstored(rooms: Rooms, row: PointRow, first: int, end: int) -> dict[int, Pulse]:
    told = rooms.waiting(row.point.id)
    pairs = zip(told.time_us.tolist(), told.value.tolist(), strict=True)
    waiting = {t // 1_000: Pulse(t // 1_000, round(v)) for t, v in pairs if first <= t // 1_000 < end}
    if not waiting:
        return {}
    low, high = min(waiting), max(waiting)
    stored = await history.stored_times(rooms, row, low * 1_000, (high + 1) * 1_000)
    return {stamp: pulse for stamp, pulse in waiting.items() if stamp * 1_000 not in stored}
