"""Questions about readings, asked of `series` in threads of their own; the only file of the web that knows its methods.

Answers about several points are in base units; those about one point's own numbers are the digits that came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.errors import WattsteadError
from wattstead.metering.point import Point, amount_per_step
from wattstead.metering.quantity import unit
from wattstead.refining.arrivals import Need
from wattstead.registry.records import PointRow
from wattstead.series import Buckets, SpanColumns
from wattstead.series.questions.answers import ReplacedColumns
from wattstead.web.readings.instants import now_us
from wattstead.web.rooms import Rooms

__all__ = ["Buckets"]
Edges = NDArray[np.int64]
T = TypeVar("T")
_LOOK_AGAIN_S = 0.3
_EVER = np.array([0, 2**62], np.int64)


class OnTheirWay(WattsteadError):
    """Nothing or little is found yet, and readings that would be are still being stored."""

    retryable = True

    def __init__(self, waited_s: float, retry_after_s: float = 2.0) -> None:
        self.waited_s, self.retry_after_s = waited_s, retry_after_s
        super().__init__(
            f"readings have been received and are being stored; most of them could not be found within {waited_s:g} s, "
            f"ask again in {retry_after_s:g} s"
        )


class Extent(NamedTuple):
    """From when to when a point has readings, and how many."""

    first_us: int
    last_us: int
    readings: int


async def buckets(rooms: Rooms, points: Sequence[Point], edges_us: Edges, numbers: bool = True) -> list[Buckets]:
    """One answer per point, in base units, as far as it is stored and rolled up; ``numbers`` as in `Series.buckets`."""
    return await rooms.series_threads.run(rooms.series.buckets, points, edges_us, numbers)


async def buckets_complete(
    rooms: Rooms, points: Sequence[Point], edges_us: Edges, need: Need = Need.MOST, numbers: bool = True
) -> list[Buckets]:
    """`buckets`, which do not lack more than may be only because the readings have just come: that is waited for.

    Raises `OnTheirWay` when it takes too long.
    """

    async def ask() -> list[Buckets]:
        return await buckets(rooms, points, edges_us, numbers)

    return await _complete(rooms, points, edges_us, need, ask, lambda found: _filled(found, edges_us))


async def grouped(
    rooms: Rooms, groups: Mapping[str, Sequence[Point]], edges_us: Edges, ends: bool, extremes: bool = True
) -> dict[str, Buckets]:
    """One answer per group, without totals; without ``ends`` it has no first and last readings and is made faster,
    without ``extremes`` faster still. Nothing that has been received is missing; raises `OnTheirWay`."""
    if not groups:
        return {}
    question = partial(rooms.series.grouped, groups, edges_us, amounts=ends, totals=False, extremes=extremes)
    points = [point for group in groups.values() for point in group]

    async def ask() -> dict[str, Buckets]:
        return await rooms.series_threads.run(question)

    return await _complete(rooms, points, edges_us, Need.ALL, ask, lambda found: _filled(found.values(), edges_us))


async def own_buckets(rooms: Rooms, row: PointRow, edges_us: Edges) -> Buckets:
    """The buckets of a point in its own numbers; without amounts. Raises `OnTheirWay`."""
    (found,) = await buckets_complete(rooms, own_numbers([row.point]), edges_us, Need.ALL)
    return found


async def amounts(rooms: Rooms, row: PointRow, edges_us: Edges) -> NDArray[np.float64]:
    """What a register or delta has counted in each bucket, in its own unit; NaN where that is not known. Raises
    `OnTheirWay`."""
    (found,) = await buckets_complete(rooms, [row.point], edges_us, Need.ALL, numbers=False)
    return found.amount / unit(row.point.unit).factor


async def readings(rooms: Rooms, row: PointRow, start_us: int, end_us: int, limit: int) -> ReadingBatch:
    """At most ``limit`` readings of a point in [start, end), oldest first, in its own numbers. Raises `OnTheirWay`."""
    ask = partial(rooms.series.raw, row.point, start_us, end_us, limit)
    return await _stored_readings(rooms, [row], start_us, end_us, ask)


async def readings_of_many(
    rooms: Rooms, rows: Sequence[PointRow], start_us: int, end_us: int, limit: int, after: tuple[int, int] | None
) -> ReadingBatch:
    """At most ``limit`` readings of points in [start, end), in order of (point, time) and after that one, in their own
    numbers. Raises `OnTheirWay`."""
    ask = partial(rooms.series.page, [row.point for row in rows], start_us, end_us, limit, after)
    return await _stored_readings(rooms, rows, start_us, end_us, ask)


async def stored_times(rooms: Rooms, row: PointRow, start_us: int, end_us: int) -> set[int]:
    """The times (µs) of a point's readings in [start, end) that are stored at this moment; waits for nothing."""
    found = await rooms.series_threads.run(rooms.series.raw, row.point, start_us, end_us)
    return set(found.time_us.tolist())


async def replaced(rooms: Rooms, row: PointRow, start_us: int, end_us: int, limit: int) -> ReplacedColumns:
    """At most ``limit`` readings of a point in [start, end) that newer ones took the place of, in its own numbers."""
    return await rooms.series_threads.run(rooms.series.replaced, row.point, start_us, end_us, limit)


async def newest(rooms: Rooms, row: PointRow, start_us: int, end_us: int, limit: int) -> ReadingBatch:
    """The last ``limit`` readings of a point in [start, end), newest first, in its own numbers. Raises `OnTheirWay`."""
    ask = partial(rooms.series.newest, row.point, start_us, end_us, limit)
    return await _stored_readings(rooms, [row], start_us, end_us, ask)


async def spans(rooms: Rooms, points: Sequence[Point]) -> dict[int, tuple[int, int]]:
    """First and last time of the readings of each point that has any. Raises `OnTheirWay`."""

    async def ask() -> SpanColumns:
        return await rooms.series_threads.run(rooms.series.span, points)

    found = await _complete(rooms, points, _EVER, Need.ALL, ask, lambda one: np.array([len(one) > 0]))
    times = zip(found.first_us.tolist(), found.last_us.tolist(), strict=True)
    return dict(zip(found.point.tolist(), times, strict=True))


async def extents(rooms: Rooms, rows: Sequence[PointRow]) -> dict[int, Extent]:
    """The extent of each point that has readings. Raises `OnTheirWay`."""
    known = await spans(rooms, [row.point for row in rows])
    if not known:
        return {}
    points = own_numbers(row.point for row in rows if row.point.id in known)
    first, last = min(f for f, _ in known.values()), max(t for _, t in known.values())
    found = await buckets(rooms, points, np.array([first, last + 1], np.int64))
    return {p.id: Extent(*known[p.id], int(b.count[0])) for p, b in zip(points, found, strict=True)}


async def greatest(rooms: Rooms, row: PointRow) -> float | None:
    """The greatest reading that a point ever had, in its own number; None without any. Raises `OnTheirWay`."""
    known = (await spans(rooms, [row.point])).get(row.point.id)
    if known is None:
        return None
    found = await own_buckets(rooms, row, np.array([known[0], known[1] + 1], np.int64))
    return float(found.max[0]) if found.count[0] else None


async def _stored_readings(
    rooms: Rooms, rows: Sequence[PointRow], start_us: int, end_us: int, ask: Callable[[], ReadingBatch]
) -> ReadingBatch:
    async def asked() -> ReadingBatch:
        return await rooms.series_threads.run(ask)

    edges = np.array([start_us, max(end_us, start_us + 1)], np.int64)
    points = [row.point for row in rows]
    return await _complete(rooms, points, edges, Need.STORED, asked, lambda one: np.array([len(one) > 0]))


async def _complete(
    rooms: Rooms,
    points: Sequence[Point],
    edges_us: Edges,
    need: Need,
    ask: Callable[[], Awaitable[T]],
    filled_of: Callable[[T], NDArray[np.bool_]],
) -> T:
    """An answer, asked for again until nothing is missing that has been received. Raises `OnTheirWay`."""
    ids = [point.id for point in points]
    until = asyncio.get_running_loop().time() + rooms.settings.pending_s
    since_us = now_us()
    everything = np.ones(len(edges_us) - 1, bool)
    quiet = False
    while True:
        missing = rooms.pending(ids, edges_us, need, since_us)
        pending = missing(everything)  # then there is no use in asking yet
        if not pending:
            found = await ask()
            filled = filled_of(found)
            pending = missing(filled)
            if quiet or (not pending and filled.any()):
                return found
            quiet = not pending  # they may have been stored since the question: it is asked once more
            if quiet:
                continue
        if asyncio.get_running_loop().time() >= until:
            raise OnTheirWay(rooms.settings.pending_s)
        await asyncio.sleep(_LOOK_AGAIN_S)


def _filled(found: Iterable[Buckets], edges_us: Edges) -> NDArray[np.bool_]:
    filled = np.zeros(len(edges_us) - 1, bool)
    for one in found:
        filled |= one.count > 0
    return filled


def own_numbers(points: Iterable[Point]) -> list[Point]:
    """The same points as plain gauges without a unit: what is asked of them comes in the numbers that were sent."""
    return [Point(id=point.id, zone=point.zone) for point in points]


def total(point: Point, found: Buckets) -> float | None:
    """The amount of all buckets together, from whole steps; None where nothing is known."""
    if bool(np.isnan(found.amount).all()):
        return None
    steps: list[int] = found.steps.tolist()  # of any size: years of a power station exceed 64 bits
    return sum(steps) * amount_per_step(point)


def aggregate(found: Buckets, name: str) -> NDArray[np.float64]:
    """A column by the name that query languages give it; NaN where a bucket is empty."""
    if name == "count":
        return found.count.astype(np.float64)
    columns = {
        "mean": found.mean,
        "sum": found.sum,
        "min": found.min,
        "max": found.max,
        "first": found.first,
        "last": found.last,
    }
    return columns[name]


def time_of(found: Buckets, name: str) -> int | None:
    """When the first or last reading of a lone bucket was; None for others, of which that is not known."""
    columns = {"first": found.first_time_us, "last": found.last_time_us}
    return int(columns[name][0]) if name in columns and found.count[0] else None
