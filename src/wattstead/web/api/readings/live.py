"""New readings as server-sent events, while a page is open; what was missed is asked for elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import numpy as np
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from wattstead.metering.quantity import unit
from wattstead.refining.latest import Readings
from wattstead.registry.policy import Action, Resource
from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest, needs, viewer_now
from wattstead.web.access.viewer import Viewer
from wattstead.web.api.readings.chosen import chosen, named
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromRooms, FromViewer, Rooms, Streams

_MOST_POINTS = 2_000
_LOOK_S = 0.5
"""How often a stream asks whether anything was taken back: sessions, shares, points that went elsewhere."""
_ALIVE = b": alive\n\n"


class LiveReadings(msgspec.Struct):
    """Readings that have just come, or at the beginning the latest of every point; columns of one length."""

    time: list[int]
    """Milliseconds since 1970."""
    point: list[int]
    value: list[float]
    """In the base unit of the point."""


@get(
    "/live",
    opt=needs(Action.SEE, Resource.READING),
    summary="Live readings",
    tags=["readings"],
    responses={
        200: ResponseSpec(
            LiveReadings, generate_examples=False, media_type="text/event-stream", description="events `readings`"
        )
    },
)
async def live(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    points: Annotated[str, QueryParameter(description="Point ids, separated by commas.")],
) -> Stream:
    """Server-sent events: each `readings` event has the columns time, point and value. The first has the latest
    values. A comment comes when nothing else did for 15 seconds."""
    rows = await chosen(request, rooms, viewer, points, _MOST_POINTS)
    _check_room(rooms, viewer)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_events(request, rooms, viewer, points, rows), media_type="text/event-stream", headers=headers)


async def _events(
    request: AnyRequest, rooms: Rooms, viewer: Viewer, points: str, rows: list[PointRow]
) -> AsyncGenerator[bytes, None]:
    scale, loop, beat_s = _Scale(rows), asyncio.get_running_loop(), rooms.settings.heartbeat_s
    generation = await rooms.directory.generation()
    alive_s = look_again_s = loop.time() + beat_s
    with _counted(rooms.streams, _name(viewer)), rooms.live.subscribe(scale.ids.tolist()) as subscription:
        while True:
            try:
                wait_s = max(0.0, min(_LOOK_S, beat_s, viewer.left_s))
                readings = await asyncio.wait_for(anext(subscription), wait_s)
                yield scale.event(readings)
                alive_s = loop.time() + beat_s
            except TimeoutError:
                if loop.time() >= alive_s:
                    yield _ALIVE
                    alive_s = loop.time() + beat_s
            except StopAsyncIteration:
                return
            before, generation = generation, await rooms.directory.generation()
            if generation != before or loop.time() > look_again_s or viewer.left_s <= 0:
                look_again_s = loop.time() + beat_s
                try:
                    viewer = await viewer_now(request)
                    scale = _Scale(await named(rooms, viewer, points, _MOST_POINTS))
                except Refused:  # session, key, link or role has ended, or a point is no longer the viewer's
                    return


class _Scale:
    """From the numbers of points in their own unit to numbers in the base unit."""

    def __init__(self, rows: list[PointRow]) -> None:
        rows = sorted(rows, key=lambda row: row.point.id)
        own = [unit(row.point.unit) for row in rows]
        self.ids = np.array([row.point.id for row in rows], np.int64)
        self.factor = np.array([u.factor for u in own])
        self.offset = np.array([u.offset for u in own])

    def event(self, readings: Readings) -> bytes:
        place = np.searchsorted(self.ids, readings.point)
        value = readings.value * self.factor[place] + self.offset[place]
        columns = LiveReadings((readings.time_us // 1000).tolist(), readings.point.tolist(), value.tolist())
        return b"event: readings\ndata: " + msgspec.json.encode(columns) + b"\n\n"


def _check_room(rooms: Rooms, viewer: Viewer) -> None:
    streams, settings = rooms.streams, rooms.settings
    if streams.open >= settings.live_streams:
        raise Refused(503, f"{streams.open} live streams are open already; try again later", retry_after_s=30)
    if streams.each.get(_name(viewer), 0) >= settings.live_streams_each:
        raise Refused(429, f"you have {settings.live_streams_each} live streams open; close some", retry_after_s=30)


@contextmanager
def _counted(streams: Streams, name: str) -> Iterator[None]:
    streams.open += 1
    streams.each[name] = streams.each.get(name, 0) + 1
    try:
        yield
    finally:
        streams.open -= 1
        streams.each[name] -= 1
        if not streams.each[name]:
            del streams.each[name]


def _name(viewer: Viewer) -> str:
    return f"{type(viewer.who).__name__} {viewer.who.id}"


routes = live
