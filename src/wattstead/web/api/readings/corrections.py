"""Readings as people keep them: added, corrected with a reason and a history, removed; senders post elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import numpy as np
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Quality, unit
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest, actor, needs, require, require_at_site
from wattstead.web.access.viewer import Viewer
from wattstead.web.api.readings.chosen import named
from wattstead.web.http.repeats import once
from wattstead.web.problem import Refused, invalid, not_found
from wattstead.web.readings import history
from wattstead.web.readings.instants import FIRST_US, LAST_US, instant_us, shown
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

_MOST, _TOLD, _PATIENCE_S = 5_000, 20, 60.0
_ADD, _CORRECT, _REMOVE = (Right(one, Resource.READING) for one in (Action.CREATE, Action.CHANGE, Action.DELETE))
Reason = Annotated[str, msgspec.Meta(max_length=200)]
FromReason = Annotated[str, QueryParameter(description="Why, in 3 to 200 letters; kept in the trail.", max_length=200)]
FromStart = Annotated[str | None, QueryParameter(description="ISO 8601 or milliseconds; default: the first reading.")]
FromEnd = Annotated[
    str | None, QueryParameter(description="ISO 8601 or milliseconds, without it; default: the last one.")
]


class OneReading(msgspec.Struct, forbid_unknown_fields=True):
    """One value at one instant."""

    time: Annotated[str, msgspec.Meta(max_length=40)] | int
    """ISO 8601, without an offset on the site's clock; or milliseconds since 1970."""
    value: float


class NewReadings(msgspec.Struct, forbid_unknown_fields=True):
    """Readings to add."""

    readings: Annotated[list[OneReading], msgspec.Meta(max_length=_MOST)] = []
    unit: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    """The point's unit or its base unit; default: the base unit, as in `GET /readings`."""
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """Readings to be put in the place of those of the same times."""

    readings: Annotated[list[OneReading], msgspec.Meta(max_length=_MOST)] = []
    reason: Reason = ""
    """Why, in 3 to 200 letters; needed."""
    unit: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    """The point's unit or its base unit; default: the base unit, as in `GET /readings`."""


class Kept(msgspec.Struct):
    """How many readings are durable; questions find them some seconds later."""

    accepted: int


class ReplacedReading(msgspec.Struct):
    """A value that a newer one took the place of."""

    time: float
    """Milliseconds since 1970."""
    value: float
    """In the base unit."""
    quality: int
    """0 raw, 1 valid, 2 estimated, 3 edited, 4 suspect, 5 missing."""
    received: int
    """When it came, milliseconds since 1970."""
    replaced: int
    """When another one took its place, milliseconds since 1970."""


class ReplacedReadings(msgspec.Struct):
    """What was replaced, in order of time and of coming."""

    point: int
    unit: str
    """The base unit."""
    rows: list[ReplacedReading]


@post(
    "/points/{point_id:int}/readings",
    opt=needs(Action.CREATE, Resource.READING),
    status_code=201,
    summary="Add readings",
    tags=["readings"],
)
async def add(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, point_id: FromPath[int], data: JSONBody[NewReadings]
) -> Response[Kept]:
    """Readings of times that have none yet, such as those read off a meter by hand; 409 where there is one already."""
    row = await _row(rooms, viewer, point_id, _ADD)
    batch = _batch(row, data.readings, data.unit, Quality.RAW)

    async def make() -> Response[Kept]:
        there = await _there(rooms, row, batch)
        if there:
            when = shown(next(iter(there)), row.point.zone)
            told = f"there is a reading of {when} already; correct it instead (PUT)"
            raise Refused(409, told, code="reading.there", when=when)
        await _keep(rooms, viewer, row, batch, "add", {}, data.reason)
        return Response(Kept(len(batch)), status_code=201)

    return await once(request, rooms, viewer, make)


@put(
    "/points/{point_id:int}/readings",
    opt=needs(Action.CHANGE, Resource.READING),
    summary="Correct readings",
    tags=["readings"],
)
async def correct(rooms: FromRooms, viewer: FromViewer, point_id: FromPath[int], data: JSONBody[Correction]) -> Kept:
    """Other values for times that have a reading; the old ones stay in the history, who and why in the trail."""
    row = await _row(rooms, viewer, point_id, _CORRECT)
    _require_reason(data.reason)
    batch = _batch(row, data.readings, data.unit, Quality.EDITED)
    there = await _there(rooms, row, batch)
    missing = next((us for us in batch.time_us.tolist() if us not in there), None)
    if missing is not None:
        when = shown(missing, row.point.zone)
        told = f"there is no reading of {when}; add it instead (POST)"
        raise Refused(409, told, code="reading.none", when=when)
    await _keep(rooms, viewer, row, batch, "correct", there, data.reason)
    return Kept(len(batch))


@delete(
    "/points/{point_id:int}/readings",
    opt=needs(Action.DELETE, Resource.READING),
    status_code=204,
    summary="Remove readings of a point",
    tags=["readings"],
)
async def remove(
    rooms: FromRooms,
    viewer: FromViewer,
    point_id: FromPath[int],
    reason: FromReason = "",
    start: FromStart = None,
    end: FromEnd = None,
) -> None:
    """For good, with what they had replaced, from the disk too; sums are made again without them. Needs a reason."""
    await _remove(rooms, viewer, [await _row(rooms, viewer, point_id, _REMOVE)], start, end, reason)


@delete(
    "/sites/{site_id:int}/readings",
    opt=needs(Action.DELETE, Resource.READING),
    status_code=204,
    summary="Remove readings of a site",
    tags=["readings"],
)
async def remove_of_site(
    rooms: FromRooms,
    viewer: FromViewer,
    site_id: FromPath[int],
    reason: FromReason = "",
    start: FromStart = None,
    end: FromEnd = None,
) -> None:
    """Those of all its points, for good; the points stay. Needs a reason."""
    await require_at_site(rooms, viewer, _REMOVE, site_id)
    rows = await rooms.directory.rows_of_sites(viewer, [site_id])
    await _remove(rooms, viewer, list(rows.values()), start, end, reason)


@get(
    "/points/{point_id:int}/readings/replaced",
    opt=needs(Action.SEE, Resource.READING),
    summary="Replaced readings",
    tags=["readings"],
)
async def replaced(
    rooms: FromRooms,
    viewer: FromViewer,
    point_id: FromPath[int],
    start: FromStart = None,
    end: FromEnd = None,
    limit: Annotated[int, QueryParameter(ge=1, le=10_000, description="How many at most.")] = 1_000,
) -> ReplacedReadings:
    """What corrections and late repetitions took the place of: the history of readings."""
    (row,) = await named(rooms, viewer, str(point_id))
    found, own = await history.replaced(rooms, row, *_span(row, start, end), limit), unit(row.point.unit)
    values = (found.value * own.factor + own.offset).tolist()
    rows = zip(
        (found.time_us / 1000).tolist(), values, found.quality.tolist(), (found.received_us // 1000).tolist(),
        (found.replaced_us // 1000).tolist(), strict=True,
    )  # fmt: skip
    return ReplacedReadings(point_id, own.base, [ReplacedReading(*one) for one in rows])


async def _row(rooms: Rooms, viewer: Viewer, point_id: int, right: Right) -> PointRow:
    """The point, when this may be done to its readings; raises `Refused`."""
    row = (await rooms.directory.rows(viewer, [point_id])).get(point_id)
    if row is None:
        raise not_found("point", point_id)
    await require(rooms, viewer, right, point_id)
    return row


def _batch(row: PointRow, readings: Sequence[OneReading], told: str | None, quality: Quality) -> ReadingBatch:
    """The readings in the point's own unit, in order of time; raises `Refused`."""
    own = unit(row.point.unit)
    if not readings:
        raise invalid("readings", "is empty; give at least one")
    if told not in (None, own.base, row.point.unit):
        known = " or ".join(repr(name) for name in dict.fromkeys((row.point.unit, own.base)) if name)
        raise invalid("unit", f"is {told!r}; " + (f"give {known}" if known else "the point has none: leave it out"))
    times = [instant_us(str(one.time), "time", row.point.zone) for one in readings]
    if len(set(times)) != len(times):
        raise invalid("readings", "give one time twice")
    order = np.argsort(np.array(times, np.int64))
    value = np.array([one.value for one in readings], np.float64)[order]
    if told is None or (told == own.base and told != row.point.unit):
        value = np.array([float(f"{one:.15g}") for one in ((value - own.offset) / own.factor).tolist()])
    return ReadingBatch.of([row.point.id] * len(times), np.array(times, np.int64)[order], value, quality)


async def _there(rooms: Rooms, row: PointRow, batch: ReadingBatch) -> dict[int, float]:
    """The values of those times that have a reading, in the point's unit."""
    wanted: set[int] = set(batch.time_us.tolist())
    found: dict[int, float] = {}
    for us in batch.time_us.tolist():
        if us in found or us not in wanted:
            continue
        page = await history.readings(rooms, row, us, int(batch.time_us[-1]) + 1, 10_000)
        stored = dict(zip(page.time_us.tolist(), page.value.tolist(), strict=True))
        found |= {one: value for one, value in stored.items() if one in wanted}
        wanted -= {one for one in wanted if len(page) < 10_000 or one <= int(page.time_us[-1])}
    return found


async def _keep(
    rooms: Rooms, viewer: Viewer, row: PointRow, batch: ReadingBatch, action: str, before: dict[int, float], reason: str
) -> None:
    """Into the journal, then into the trail: few readings one by one, many as their number and span."""
    await rooms.keep(batch)
    times = batch.time_us.tolist()
    told: dict[str, Any] = {shown(us, "UTC"): value for us, value in zip(times, batch.value.tolist(), strict=True)}
    old: dict[str, Any] = {shown(us, "UTC"): value for us, value in before.items()}
    if len(told) > _TOLD:
        told, old = {"readings": len(times), "start": shown(times[0], "UTC"), "end": shown(times[-1], "UTC")}, {}
    await rooms.registry_threads.run(rooms.registry.note_readings, actor(viewer), action, row, old, told, reason)


async def _remove(
    rooms: Rooms, viewer: Viewer, rows: Sequence[PointRow], start: str | None, end: str | None, reason: str
) -> None:
    """The intent goes into the trail first: what is gone cannot be asked what it was."""
    _require_reason(reason)
    if not rows:
        return
    span_us = _span(rows[0], start, end)
    before = {"start": start or "the first", "end": end or "the last", "at": datetime.now(UTC)}
    for row in rows:
        await rooms.registry_threads.run(
            rooms.registry.note_readings, actor(viewer), "delete", row, before, {}, reason
        )  # fmt: skip
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await rooms.remove([row.point.id for row in rows], span_us)
    except TimeoutError:
        late = f"the removal is under way and takes longer than {_PATIENCE_S:g} s; it needs no other request"
        raise Refused(503, late) from None


def _require_reason(reason: str) -> None:
    if len(reason.strip()) < 3:
        raise invalid("reason", "is missing; say in 3 to 200 letters why")


def _span(row: PointRow, start: str | None, end: str | None) -> tuple[int, int]:
    start_us = FIRST_US if start is None else instant_us(start, "start", row.point.zone)
    end_us = LAST_US if end is None else instant_us(end, "end", row.point.zone)
    if start_us >= end_us:
        raise invalid("end", "is not after start")
    return start_us, end_us


routes = Router("/", route_handlers=[add, correct, remove, remove_of_site, replaced])
