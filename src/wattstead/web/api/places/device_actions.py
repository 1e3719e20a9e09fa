"""What is done with a device beside changing its attributes: moving it, letting it post, its picture, its hours."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.metering.calendar import Step
from wattstead.registry.policy import Action, Resource, Right
from wattstead.web.access.gate import AnyRequest, actor, lacking, needs, require, require_own
from wattstead.web.access.places import require_at, require_in
from wattstead.web.access.watching import watch_points, words_of
from wattstead.web.api.places.devices import CHANGE, SEE, DeviceAnswer, answered
from wattstead.web.api.places.site_access import keep, shown
from wattstead.web.files import photos
from wattstead.web.http.versions import expected
from wattstead.web.problem import invalid
from wattstead.web.readings import history
from wattstead.web.readings.amounts import amount_unit
from wattstead.web.readings.instants import instant_us
from wattstead.web.readings.spans import Span, buckets_of
from wattstead.web.rooms import FromRooms, FromViewer

GIVE = Right(Action.GIVE, Resource.DEVICE)
CHANGE_POINT = Right(Action.CHANGE, Resource.POINT)
SEE_READING = Right(Action.SEE, Resource.READING)
_DAY_TEXT = len("2026-05-31")


class Move(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a device goes: to a site, or with null to none."""

    site_id: int | UnsetType | None = UNSET
    organization_id: int | None = None
    """Whose it is without a site; default: whose it was."""
    with_history: bool = False
    """Take points and their history along, which else stay with the site where they were measured."""


class Posting(msgspec.Struct, forbid_unknown_fields=True):
    """Whether readings of a device are taken."""

    enabled: bool | UnsetType = UNSET


class PointHours(msgspec.Struct):
    """One point's amounts; null where nothing is known."""

    point: int
    name: str
    unit: str
    """Wh, m³ …"""
    amount: list[float | None]
    total: float | None


class HoursAnswer(msgspec.Struct):
    """A day of a device, hour by hour of its site's clock: 23, 24 or 25 of them."""

    day: str
    zone: str
    start: list[int]
    """Where each hour begins, milliseconds since 1970."""
    end: int
    points: list[PointHours]


@post(
    "/{device_id:int}/move", opt=needs(Action.GIVE, Resource.DEVICE), status_code=200, summary="Move a device",
    tags=["devices"],
)  # fmt: skip
async def move(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int], data: JSONBody[Move]
) -> Response[DeviceAnswer]:
    """To another site where one may move devices too, or to none; If-Match is honoured. Its points and their history
    stay at the old site, and it gets new ones at the new site."""
    await require(rooms, viewer, GIVE, device_id)
    if data.site_id is UNSET:
        raise invalid("site_id", "is missing; give a site, or null for none")
    if data.site_id is not None:
        await require_at(rooms, viewer, GIVE, data.site_id)
        if data.with_history:
            await require_at(rooms, viewer, CHANGE_POINT, data.site_id)
    elif data.organization_id is not None:
        await require_in(rooms, viewer, GIVE, data.organization_id)
    run = rooms.registry_threads.run
    found, version = (
        await run(rooms.registry.device, device_id),
        expected(request) if "If-Match" in request.headers else None,
    )
    if data.with_history and found.site_id is not None:
        await require_at(rooms, viewer, CHANGE_POINT, found.site_id)
    await run(
        rooms.registry.move_device, device_id, data.site_id, organization_id=data.organization_id,
        with_history=data.with_history, version=version, by=actor(viewer), authority=viewer.authority,
    )  # fmt: skip
    rooms.directory.expire()
    return await answered(rooms, device_id)


@post(
    "/{device_id:int}/posting", opt=needs(Action.CHANGE, Resource.DEVICE), status_code=200, summary="Let it post",
    tags=["devices"],
)  # fmt: skip
async def put_posting(
    rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int], data: JSONBody[Posting]
) -> Response[DeviceAnswer]:
    """Readings of the device are taken, or refused, within a second; a grant of its site does not carry this."""
    await require(rooms, viewer, CHANGE, device_id)
    await require_own(rooms, viewer, CHANGE, device_id)
    if data.enabled is UNSET:
        raise invalid("enabled", "is missing; give true or false")
    await rooms.registry_threads.run(rooms.registry.put_posting, device_id, data.enabled, by=actor(viewer))
    rooms.directory.expire()
    return await answered(rooms, device_id)


@get(
    "/{device_id:int}/hours", opt=needs(Action.SEE, Resource.READING), summary="A day by the hour", tags=["devices"]
)  # fmt: skip
async def hours(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    device_id: FromPath[int],
    day: Annotated[str, QueryParameter(description="A day of the site's calendar, such as 2026-05-31.", max_length=10)],
) -> HoursAnswer:
    """Energy, volume or pulses of every point of the device that counts them, for each hour of one local day."""
    await require(rooms, viewer, SEE, device_id)
    found = await rooms.registry_threads.run(rooms.registry.device, device_id)
    if found.site_id is None or found.site_id not in viewer.sites:
        raise lacking(viewer, SEE_READING)
    if len(day) != _DAY_TEXT:
        raise invalid("day", f"{day[:20]!r} is no day; give one such as 2026-05-31")
    zone = (await rooms.registry_threads.run(rooms.registry.site, found.site_id)).zone
    noon_us = instant_us(f"{day}T12:00:00", "day", zone)
    _, whole = buckets_of(Span(noon_us, noon_us + 1), zone, Step.DAY, 1)
    _, edges = buckets_of(Span(int(whole[0]), int(whole[-1])), zone, Step.H1, 1)
    rows = await rooms.directory.rows_of_sites(viewer, [found.site_id])
    own = [row for row in rows.values() if row.device_id == device_id and amount_unit(row.point)]
    await watch_points(rooms, viewer, own, words_of(request))
    columns = await history.buckets_complete(rooms, [row.point for row in own], edges) if own else []
    points = [
        PointHours(
            row.point.id,
            row.name,
            amount_unit(row.point) or "",
            one.amount.tolist(),
            history.total(row.point, one),
        )
        for row, one in zip(own, columns, strict=True)
    ]
    return HoursAnswer(day, zone, (edges[:-1] // 1000).tolist(), int(edges[-1]) // 1000, points)


@put(
    "/{device_id:int}/photo", opt=needs(Action.CHANGE, Resource.DEVICE), summary="Set the picture", tags=["devices"],
    request_max_body_size=photos.LARGEST + 1,
)  # fmt: skip
async def put_device_photo(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int]
) -> Response[DeviceAnswer]:
    """The body is a JPEG or PNG of up to 5 MB; an empty body takes the picture away."""
    await require(rooms, viewer, CHANGE, device_id)
    name = await keep(request, rooms)
    await rooms.registry_threads.run(rooms.registry.put_device_photo, device_id, name, actor(viewer))
    return await answered(rooms, device_id)


@get("/{device_id:int}/photo", opt=needs(Action.SEE, Resource.DEVICE), summary="The picture", tags=["devices"])
async def device_photo(rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int]) -> Response[bytes]:
    """The picture of a device; 204 without one."""
    await require(rooms, viewer, SEE, device_id)
    found = await rooms.registry_threads.run(rooms.registry.device, device_id)
    return await shown(rooms, found.photo)


routes = Router("/devices", route_handlers=[move, put_posting, hours, put_device_photo, device_photo])
