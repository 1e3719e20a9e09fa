"""History in buckets: min, mean, max and amount of several points, on edges of the site's calendar."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Response
from numpy.typing import NDArray

from wattstead.metering.calendar import Step
from wattstead.metering.quantity import unit
from wattstead.registry.policy import Action, Resource
from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest, needs
from wattstead.web.api.readings.chosen import SpanEnd, SpanStart, chosen
from wattstead.web.http.large import large
from wattstead.web.readings import history
from wattstead.web.readings.amounts import amount_unit
from wattstead.web.readings.history import Buckets
from wattstead.web.readings.spans import MOST_BUCKETS, buckets_of, span_of, zone_of
from wattstead.web.rooms import FromRooms, FromViewer

_MOST_POINTS = 50
Cells = list[float | None]


class PointSeries(msgspec.Struct, kw_only=True):
    """One point's buckets as columns of one length; null where a bucket has no reading."""

    id: int
    unit: str
    """Of min, mean, max, first and last: the base unit."""
    count: list[int]
    """Readings in each bucket."""
    min: Cells
    mean: Cells
    max: Cells
    first: Cells
    last: Cells
    amount: Cells
    """Energy, volume or pulses of each bucket; exact, so that quarters sum to hours, hours to days."""
    amount_unit: str | None
    amount_total: float | None
    """The amount of all buckets together."""
    flags: list[int]
    """What happened in the bucket, as bits: 1 wrap, 2 reset, 4 exchange, 8 jump, 16 backwards, 32 gap."""
    readings: int
    """All readings that the answer stands on."""


class SeriesAnswer(msgspec.Struct, kw_only=True):
    """Buckets of several points over one span."""

    zone: str
    """The time zone whose days these are."""
    step: Step
    step_s: float
    """The usual length of a bucket in seconds."""
    start: list[int]
    """Where each bucket begins, milliseconds since 1970."""
    end: int
    """Where the last one ends."""
    points: list[PointSeries]


@get(
    "/series",
    opt=needs(Action.SEE, Resource.READING),
    summary="History in buckets",
    tags=["readings"],
    packed=True,
)
async def series(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    points: Annotated[str, QueryParameter(description="Point ids, separated by commas; at most 50.")],
    start: SpanStart = None,
    end: SpanEnd = None,
    buckets: Annotated[
        int, QueryParameter(ge=1, le=MOST_BUCKETS, description="How many buckets about.")
    ] = MOST_BUCKETS,
    step: Annotated[Step | None, QueryParameter(description="The length of a bucket, instead of their number.")] = None,
    zone: Annotated[str | None, QueryParameter(description="IANA time zone; default: that of the first point.")] = None,
) -> Response[SeriesAnswer]:
    """Buckets of up to 50 points. The server chooses the step from human ones (1 s to a year) unless it is given.

    A question that finds nothing while readings are being stored waits for them some seconds, then 503."""
    rows = await chosen(request, rooms, viewer, points, _MOST_POINTS)
    zone = zone_of(zone, rows[0].point.zone)
    chosen_step, edges = buckets_of(span_of(start, end, zone), zone, step, buckets)
    found = await history.buckets_complete(rooms, [row.point for row in rows], edges)
    return await large(request, rooms.answer_threads, lambda: _answer(zone, chosen_step, edges, rows, found))


def _answer(
    zone: str, step: Step, edges: NDArray[np.int64], rows: list[PointRow], found: list[Buckets]
) -> SeriesAnswer:
    return SeriesAnswer(
        zone=zone,
        step=step,
        step_s=step.length_s,
        start=(edges[:-1] // 1000).tolist(),
        end=int(edges[-1]) // 1000,
        points=[_columns(row, columns) for row, columns in zip(rows, found, strict=True)],
    )


def _columns(row: PointRow, found: Buckets) -> PointSeries:
    in_unit = amount_unit(row.point)
    return PointSeries(
        id=row.point.id,
        unit=unit(row.point.unit).base,
        count=found.count.tolist(),
        min=found.min.tolist(),
        mean=found.mean.tolist(),
        max=found.max.tolist(),
        first=found.first.tolist(),
        last=found.last.tolist(),
        amount=found.amount.tolist() if in_unit else [],
        amount_unit=in_unit,
        amount_total=history.total(row.point, found) if in_unit else None,
        flags=found.flags.tolist(),
        readings=int(found.count.sum()),
    )


routes = series
