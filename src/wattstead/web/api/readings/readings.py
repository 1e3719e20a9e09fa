"""Readings as they came, and from when to when there are any; bounded, or paged into a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Literal

import msgspec
import numpy as np
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Response, Stream

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Quality, unit
from wattstead.registry.policy import Action, Resource
from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest, needs
from wattstead.web.api.readings.chosen import SpanEnd, SpanStart, chosen
from wattstead.web.http.large import large
from wattstead.web.problem import invalid
from wattstead.web.readings import history
from wattstead.web.readings.instants import shown
from wattstead.web.readings.spans import Span, span_of
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

_MOST_ROWS = 100_000
_PAGE_ROWS = 50_000


class ReadingsAnswer(msgspec.Struct, kw_only=True):
    """Readings of one point as columns, oldest first."""

    point: int
    unit: str
    """The base unit."""
    time: list[float]
    """Milliseconds since 1970, with a fraction where there is one."""
    value: list[float]
    quality: list[int]
    """0 raw, 1 valid, 2 estimated, 3 edited, 4 suspect, 5 missing."""
    more: bool
    """Whether the limit cut the answer: ask again from the last time on."""


class ReadingsPage(msgspec.Struct, kw_only=True):
    """Readings of several points as columns, in order of point and time."""

    point: list[int]
    time: list[float]
    """Milliseconds since 1970, with a fraction where there is one."""
    value: list[float]
    """In the base unit of the point."""
    quality: list[int]
    """0 raw, 1 valid, 2 estimated, 3 edited, 4 suspect, 5 missing."""
    cursor: str
    """With which to ask for the next page; empty: there is none."""


class SpanAnswer(msgspec.Struct):
    """From when to when there are readings, milliseconds since 1970; null when there are none."""

    first: int | None
    last: int | None


@get(
    "/readings",
    opt=needs(Action.SEE, Resource.READING),
    summary="Readings",
    tags=["readings"],
    packed=True,
    responses={
        200: ResponseSpec(ReadingsAnswer, generate_examples=False, description="JSON, or with format=csv a file")
    },
)
async def readings(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    point: Annotated[int, QueryParameter(ge=1, description="The point's id.")],
    start: SpanStart = None,
    end: SpanEnd = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_ROWS, description="How many at most, in JSON.")] = 10_000,
    format: Annotated[Literal["json", "csv"], QueryParameter(description="csv: a file of all of them.")] = "json",
) -> Response[ReadingsAnswer] | Stream:
    """The readings of a point: as JSON in its base unit; as CSV with the digits that came, in the unit they came in,
    times in ISO 8601 with the site's offset."""
    (row,) = await chosen(request, rooms, viewer, str(point))
    span = span_of(start, end, row.point.zone)
    if format == "csv":
        name = f"point-{row.point.id}.csv"
        await history.readings(rooms, row, *span, 1)  # what is still being stored is waited for before a file begins
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Stream(_lines(rooms, row, span), media_type="text/csv", headers=headers)
    found = await history.readings(rooms, row, *span, limit + 1)
    return await large(request, rooms.answer_threads, lambda: _answer(row, found, limit))


def _answer(row: PointRow, found: ReadingBatch, limit: int) -> ReadingsAnswer:
    own = unit(row.point.unit)
    return ReadingsAnswer(
        point=row.point.id,
        unit=own.base,
        time=(found.time_us[:limit] / 1000).tolist(),
        value=(found.value[:limit] * own.factor + own.offset).tolist(),
        quality=found.quality[:limit].tolist(),
        more=len(found) > limit,
    )


@get(
    "/readings/page",
    opt=needs(Action.SEE, Resource.READING),
    summary="Readings of several points",
    tags=["readings"],
    packed=True,
)
async def readings_page(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    points: Annotated[str, QueryParameter(description="Point ids, separated by commas; at most 200.")],
    start: SpanStart = None,
    end: SpanEnd = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_ROWS, description="How many at most.")] = 10_000,
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=40)] = "",
) -> Response[ReadingsPage]:
    """All readings of up to 200 points, page by page; ask for every page with the same points and bounds."""
    rows = await chosen(request, rooms, viewer, points)
    rows.sort(key=lambda row: row.point.id)
    span, after = span_of(start, end, rows[0].point.zone), _read_cursor(cursor)
    left = [row for row in rows if after is None or row.point.id >= after[0]]
    found = await history.readings_of_many(rooms, left, *span, limit + 1, after)
    return await large(request, rooms.answer_threads, lambda: _page(rows, found, limit))


def _read_cursor(told: str) -> tuple[int, int] | None:
    point, _, time_us = told.partition(".")
    if not told:
        return None
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (point, time_us)):
        raise invalid("cursor", "does not belong to these readings; begin without one")
    return int(point), int(time_us)


def _page(rows: list[PointRow], found: ReadingBatch, limit: int) -> ReadingsPage:
    own = [unit(row.point.unit) for row in rows]
    place = np.searchsorted(np.array([row.point.id for row in rows]), found.point[:limit])
    factor, offset = (np.array([getattr(one, name) for one in own])[place] for name in ("factor", "offset"))
    more = len(found) > limit
    return ReadingsPage(
        point=found.point[:limit].tolist(),
        time=(found.time_us[:limit] / 1000).tolist(),
        value=(found.value[:limit] * factor + offset).tolist(),
        quality=found.quality[:limit].tolist(),
        cursor=f"{found.point[limit - 1]}.{found.time_us[limit - 1]}" if more else "",
    )


@get(
    "/span", opt=needs(Action.SEE, Resource.READING), summary="From when to when there are readings", tags=["readings"]
)
async def span(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    points: Annotated[str, QueryParameter(description="Point ids, separated by commas.")],
) -> SpanAnswer:
    """The first and the last reading of any of the points."""
    rows = await chosen(request, rooms, viewer, points)
    found = (await history.spans(rooms, [row.point for row in rows])).values()
    if not found:
        return SpanAnswer(None, None)
    return SpanAnswer(min(first for first, _ in found) // 1000, max(last for _, last in found) // 1000)


async def _lines(rooms: Rooms, row: PointRow, span: Span) -> AsyncGenerator[bytes, None]:
    """The file, a page of readings at a time; what is sent has been asked for a moment before."""
    yield b"time,value,unit,quality\n"
    start_us = span.start_us
    while True:
        page = await history.readings(rooms, row, start_us, span.end_us, _PAGE_ROWS)
        if len(page):
            yield await rooms.answer_threads.run(_written, row, page)
        if len(page) < _PAGE_ROWS:
            return
        start_us = int(page.time_us[-1]) + 1


def _written(row: PointRow, page: ReadingBatch) -> bytes:
    zone, symbol = row.point.zone, row.point.unit
    names = {q.value: q.name.lower() for q in Quality}
    columns = zip(page.time_us.tolist(), page.value.tolist(), page.quality.tolist(), strict=True)
    lines = [f"{shown(t, zone)},{v!r},{symbol},{names.get(q, q)}\n" for t, v, q in columns]
    return "".join(lines).encode()
