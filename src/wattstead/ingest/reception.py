"""Reception: from decoded columns to readings that are durable; the one way in for every protocol."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections, within
from wattstead.ingest.errors import ClearRefused, DeviceClosed, KeyMayNotWrite, KeyMissing, KeyUnknown
from wattstead.ingest.http.asgi import Request
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.gate import Buckets, Room
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.resolving.resolver import Resolver
from wattstead.ingest.tally import Tally
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Quality, UnitError, conversion
from wattstead.registry.records import KeyGrant, Scope
from wattstead.stream.journal import Journal

_MOST_ROWS = 1_000_000
"""Rows of one journal batch; more are written as several."""
T = TypeVar("T")
Body = TypeVar("Body", bound=str | bytes)
Already = Callable[[bytes], Awaitable[bool]]
"""Whether the journal has an encoded batch."""


class Kept(NamedTuple):
    """What became of a body: readings that are durable, and those that are not and why."""

    accepted: int
    rejected: Rejections
    skipped: int = 0
    """Fields that are no readings: texts, nulls."""


def converted(number: float, given: str, own: str) -> tuple[float, str]:
    """A number in the unit of its point, and what is wrong, empty when nothing is.

    >>> converted(1.5, "kWh", "Wh"), converted(1.0, "kWh", "kWh")
    ((1500.0, ''), (1.0, ''))
    >>> converted(1.0, "V", "Wh")[1]
    "unit 'V' (V) cannot become 'Wh' (Wh)"
    """
    if given == own:
        return number, ""
    try:
        factor, offset = conversion(given, own)
    except UnitError as error:
        return number, str(error) if own else f"unit {given!r} is given, and its point has none yet: give it one"
    exact = factor < 1 and not offset  # 9 W are 0.009 kW to the last digit
    found = number / conversion(own, given)[0] if exact else number * factor + offset
    return (found, "") if math.isfinite(found) else (number, f"value is too large for the point's unit {own!r}")


def present_us() -> int:
    """The present by this machine's clock, microseconds since 1970."""
    return time.time_ns() // 1000


class Reception:
    """Knows who may write, resolves names to points, and answers only when the journal has the readings on disk."""

    def __init__(
        self, journal: Journal, resolver: Resolver, limits: IngestLimits, clock_us: Callable[[], int] = present_us
    ) -> None:
        self.journal, self.resolver, self.limits, self.clock_us = journal, resolver, limits, clock_us
        self.room = Room(limits.waiting_bytes)
        self.tally = Tally()
        self._buckets = Buckets(limits.key_rate, limits.burst_s)
        self._future_us = int(limits.future_s * 1e6)
        self._lane = ThreadPoolExecutor(1, thread_name_prefix="decode")

    def close(self) -> None:
        """End the thread for large bodies."""
        self._lane.shutdown(wait=False, cancel_futures=True)

    def grant(self, secret: str, where: str, clear: Clear = Clear.NO, request: Request | None = None) -> KeyGrant:
        """What the key may write, shown in the ``clear`` or not; the ``request`` learns whose bytes it has.

        Raises `KeyMissing`, `KeyUnknown`, `KeyMayNotWrite`, `ClearRefused`, `DeviceClosed`, `RateExceeded`.
        """
        if not secret:
            raise KeyMissing(where)
        grant = self.resolver.key(secret)
        if grant is None:
            raise KeyUnknown
        if grant.scope is not Scope.WRITE:
            raise KeyMayNotWrite
        if request is not None:
            request.key_id = grant.id
        if clear is not Clear.NO and not grant.plain_http:
            raise ClearRefused(grant.id)
        if grant.device_id is not None and grant.device_id in self.resolver.closed.devices:
            raise DeviceClosed(grant.device_id)
        self._buckets.admit(grant.id)
        return grant

    @property
    def future_us(self) -> int:
        """How far ahead of this machine's clock a reading may lie, microseconds."""
        return self._future_us

    async def read(self, body: Body, decode: Callable[[Body], T]) -> T:
        """What a body says; a long one is read in the thread for such."""
        return await self.in_lane(partial(decode, body)) if len(body) > self.limits.thread_bytes else decode(body)

    async def in_lane(self, work: Callable[[], T]) -> T:
        """Work on a large body in the one thread for such, so that other senders do not wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._lane, work)

    def few_encoded(
        self, grant: KeyGrant, names: Names, time_us: int, values: list[float], untimed: bool
    ) -> bytes | None:
        """A few readings of one instant as a batch for the journal, at a fraction of the cost of `keep`.

        ``untimed``: the instant is this machine's present, as the sender named none. None where something is not as
        usual (a new name, a time outside the window, no reading, a closed point): then `keep` them.
        """
        resolver = self.resolver
        points = names.known_few(resolver.place(grant), resolver.epoch)
        if not points:
            return None
        if untimed:
            if resolver.among_deltas(points):
                return None
        elif not self.limits.earliest_us <= time_us <= self.clock_us() + self._future_us:
            return None
        closed = resolver.closed
        if closed and closed.among(points):
            return None
        self._buckets.charge(grant.id, len(points))
        return ReadingBatch.encode_instant(points, time_us, values)

    def columns_encoded(self, grant: KeyGrant, columns: Columns) -> bytes | None:
        """`few_encoded` for columns: None where a name is new, a time lies outside, or anything else is unusual."""
        points = columns.names.known(self.resolver.place(grant), self.resolver.epoch)
        if points is None or columns.rejected or not len(columns):
            return None
        if columns.untimed is not False and self.resolver.is_delta(points).any():
            return None
        first_us, last_us = int(columns.time_us.min()), int(columns.time_us.max())
        closed = self.resolver.closed
        if first_us < self.limits.earliest_us or last_us > self.clock_us() + self._future_us:
            return None
        if closed and closed.among(points.tolist()):
            return None
        self._buckets.charge(grant.id, len(columns))
        quality = np.full(len(columns), Quality.RAW, np.uint8)
        return ReadingBatch(points, columns.time_us, columns.value, quality).encode()

    async def keep_few(self, grant: KeyGrant, few: Few) -> Kept:
        """`keep` for a post of a few readings of one instant."""
        encoded = self.few_encoded(grant, few.names, few.time_us, few.values, few.untimed)
        if encoded is None:
            return await self.keep(grant, few.columns())
        await self.journal.submit(encoded)
        self.tally.reject(grant.id, few.rejected)
        return Kept(len(few.values), few.rejected)

    async def keep(
        self,
        grant: KeyGrant,
        columns: Columns,
        times_needed: bool = False,
        already: Already | None = None,
        future_us: int | None = None,
    ) -> Kept:
        """Make the readings durable; those outside the window of time, or without an open point, are named as rejected.

        A reading without a time on a point of amounts or pulses may be a repetition: it is rejected where
        ``times_needed``, else kept as suspect. What is ``already`` in the journal is not written again. ``future_us``:
        how far ahead of the clock they may lie, where that is not as far as any sender's. Raises what resolver and
        journal raise.
        """
        limits = self.limits
        self._buckets.charge(grant.id, len(columns))
        ahead_us = self._future_us if future_us is None else future_us
        columns = within(columns, limits.earliest_us, self.clock_us() + ahead_us)
        columns, points = await self._in_own_units(*self._open(*await self._located(grant, columns)))
        quality = np.full(len(columns), Quality.RAW, np.uint8) if columns.quality is None else columns.quality
        if columns.untimed is not False and len(columns):
            repeatable = self.resolver.is_delta(points) & columns.untimed
            if times_needed and bool(repeatable.any()):
                reason = "the point holds amounts or pulses: without a time a repetition would count twice; send a time"
                columns.rejected.add_rows(repeatable, columns.place, lambda row: reason)
                columns, points = columns.keep(~repeatable), points[~repeatable]
                quality = quality[: len(columns)]
            else:
                quality = np.where(repeatable, np.uint8(Quality.SUSPECT), np.uint8(Quality.RAW))
        for start in range(0, len(columns), _MOST_ROWS):
            part = slice(start, start + _MOST_ROWS)
            batch = ReadingBatch(points[part], columns.time_us[part], columns.value[part], quality[part])
            encoded = batch.encode()
            if already is None or not await already(encoded):
                await self.journal.submit(encoded)
        self.tally.reject(grant.id, columns.rejected)
        return Kept(len(columns), columns.rejected, columns.skipped)

    def _open(self, columns: Columns, points: NDArray[np.uint32]) -> tuple[Columns, NDArray[np.uint32]]:
        """The columns without the rows of points whose device does not post."""
        closed = self.resolver.closed
        if not closed:
            return columns, points
        shut = closed.mask(points)
        if not shut.any():
            return columns, points
        columns.rejected.add_rows(shut, columns.place, lambda row: closed.reason(int(points[row])))
        return columns.keep(~shut), points[~shut]

    async def _in_own_units(self, columns: Columns, points: NDArray[np.uint32]) -> tuple[Columns, NDArray[np.uint32]]:
        """The columns with each value in the unit of its point; a unit that cannot become that is named as rejected."""
        if columns.units is None:
            return columns, points
        given = [(row, int(points[row]), symbol) for row, symbol in enumerate(columns.units) if symbol]
        own = await self.resolver.units(list({point for _, point, _ in given}))
        value, good = columns.value.copy(), np.ones(len(columns), np.bool_)
        for row, point, symbol in given:
            number, fault = converted(float(value[row]), symbol, own.get(point, ""))
            value[row] = number
            if fault:
                good[row] = False
                columns.rejected.add(columns.place(row), fault)
        columns.value = value
        return (columns, points) if bool(good.all()) else (columns.keep(good), points[good])

    async def _located(self, grant: KeyGrant, columns: Columns) -> tuple[Columns, NDArray[np.uint32]]:
        """The columns whose rows have a point, and the points."""
        if columns.points is not None:
            return await self._located_by_id(grant, columns, columns.points)
        names, epoch, place = columns.names, self.resolver.epoch, self.resolver.place(grant)
        points = names.known(place, epoch)
        if points is not None:
            return columns, points
        found = await self.resolver.points(grant, names.addresses, columns.first_units())
        points = names.spread(found)
        if bool(found.all()):
            names.remember(place, points, epoch)
            return columns, points
        refused = points == 0
        columns.rejected.add_rows(refused, columns.place, lambda row: self.resolver.refusal(grant, names.address(row)))
        return columns.keep(~refused), points[~refused]

    async def _located_by_id(
        self, grant: KeyGrant, columns: Columns, points: NDArray[np.uint32]
    ) -> tuple[Columns, NDArray[np.uint32]]:
        by_name = points == 0
        foreign = ~by_name & ~await self.resolver.owned(grant, points)
        bound = "site" if grant.device_id is None else "device"
        columns.rejected.add_rows(
            foreign, columns.place, lambda row: f"point {points[row]} is not a point of this key's {bound}"
        )
        named, located = np.flatnonzero(by_name), points.copy()
        if len(named):
            names = columns.names.only(named)
            located[named] = names.spread(await self.resolver.points(grant, names.addresses, columns.first_units()))
            columns.rejected.add_rows(
                located == 0,
                columns.place,
                lambda row: self.resolver.refusal(grant, columns.names.address(row)),
            )
        usable = (located != 0) & ~foreign
        return columns.keep(usable), located[usable]
