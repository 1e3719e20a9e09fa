"""The directory of devices, and a device with its attributes; moving, posting and its hours are in `device_actions`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.registry.places.directory.directory import DeviceRow
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Device
from wattstead.web.access.gate import MANY, AnyRequest, actor, needs, require
from wattstead.web.access.places import own_organization, require_at, require_in
from wattstead.web.api.places.sites import Tags, fields
from wattstead.web.http.asked import question_of
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

SEE, CREATE, CHANGE, DELETE = (
    Right(one, Resource.DEVICE) for one in (Action.SEE, Action.CREATE, Action.CHANGE, Action.DELETE)
)  # fmt: skip
SEE_TEMPLATE = Right(Action.SEE, Resource.TEMPLATE)
Word = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=10_000)]


class DeviceFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Attributes of a device; what is left out stays as it is, null forgets."""

    serial_number: Word | UnsetType | None = UNSET
    hardware_version: Word | UnsetType | None = UNSET
    firmware: Word | UnsetType | None = UNSET
    connection: Word | UnsetType | None = UNSET
    """Kind of connection: `ethernet`, `mobile` …"""
    pairing_state: Word | UnsetType | None = UNSET
    mobile_budget_bytes: int | UnsetType | None = UNSET
    """Mobile data allowed in a month."""
    note: Text | UnsetType = UNSET
    space_id: int | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    """Only the tags named change; an empty value removes the tag."""


class DevicePatch(DeviceFields, kw_only=True, forbid_unknown_fields=True):
    """What to change of a device."""

    name: Word | UnsetType = UNSET


class NewDevice(DeviceFields, kw_only=True, forbid_unknown_fields=True):
    """A device to make: at a site, or of an organization and nobody's yet."""

    name: Word
    site_id: int | None = None
    organization_id: int | None = None
    template: Word = ""
    """Name of the template whose points it gets at once."""
    revision: int | None = None
    """Of the template; default: the newest."""
    prefix: Word = ""
    """What the addresses of its points begin with."""


class DeviceAnswer(msgspec.Struct, kw_only=True):
    """A thing that sends readings; empty texts and nulls are what nobody has told."""

    id: int
    name: str
    site_id: int | None
    site: str
    organization_id: int
    organization: str
    space_id: int | None
    template: str
    revision: int
    prefix: str
    connection: str
    posting: bool
    """Whether its readings are taken."""
    serial_number: str
    hardware_version: str
    firmware: str
    pairing_state: str
    connection_state: str
    """`online`, `offline`; empty: never heard of."""
    last_seen: datetime | None
    """Time of its newest reading."""
    completeness: float | None
    """Share of the expected readings of the last day that came, 0 to 1."""
    mobile_bytes: int
    """Mobile data used in the present month."""
    mobile_budget_bytes: int | None
    note: str
    photo: str
    """Changes with the picture; empty without one."""
    tags: dict[str, str]
    created: datetime
    version: int


class DeviceRows(msgspec.Struct):
    """A page of the directory."""

    rows: list[DeviceAnswer]
    total: int
    cursor: str | None
    """Where the next page begins."""


@get("/", opt=needs(Action.SEE, Resource.DEVICE) | MANY, summary="Devices", tags=["devices"])
async def devices(request: AnyRequest, rooms: FromRooms, viewer: FromViewer) -> DeviceRows:
    """The devices one may see. Parameters as of sites: `q`, `sort`, `order`, `limit`, `cursor`, and filters by any
    attribute: `site=`, `site_id.empty=yes` (nobody's yet), `firmware.prefix=`, `last_seen.to=`, `tag.KEY=`,
    `organization=` (with all below it), `site.city=`."""
    page = await rooms.registry_threads.run(
        rooms.registry.find_devices, viewer.authority.reach(SEE), question_of(request), viewer.sight
    )
    return DeviceRows([answer(row) for row in page.rows], page.total, page.cursor)


@post("/", opt=needs(Action.CREATE, Resource.DEVICE), status_code=201, summary="Make a device", tags=["devices"])
async def create_device(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewDevice]
) -> Response[DeviceAnswer]:
    """A device with all points of its template, at once or not at all."""
    if data.site_id is not None:
        await require_at(rooms, viewer, CREATE, data.site_id)
        organization_id = None
    else:
        organization_id = data.organization_id or own_organization(viewer, CREATE)
        await require_in(rooms, viewer, CREATE, organization_id)

    async def make() -> Response[Any]:
        made = await rooms.registry_threads.run(_make, rooms, viewer, organization_id, data)
        rooms.directory.expire()
        row = await one(rooms, made.id)
        return Response(answer(row), status_code=201, headers=tag(row.device.version))

    return await once(request, rooms, viewer, make)


@get("/{device_id:int}", opt=needs(Action.SEE, Resource.DEVICE), summary="A device", tags=["devices"])
async def device(rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int]) -> Response[DeviceAnswer]:
    """One device; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE, device_id)
    return await answered(rooms, device_id)


@patch("/{device_id:int}", opt=needs(Action.CHANGE, Resource.DEVICE), summary="Change a device", tags=["devices"])
async def change_device(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int], data: JSONBody[DevicePatch]
) -> Response[DeviceAnswer]:
    """Sets what is given; needs If-Match."""
    await require(rooms, viewer, CHANGE, device_id)
    given = fields(data)
    space_id = (given.pop("space_id") or 0) if "space_id" in given else None
    await rooms.registry_threads.run(
        rooms.registry.change_device, device_id, tags=given.pop("tags", {}), attributes=given, space_id=space_id,
        version=expected(request), by=actor(viewer),
    )  # fmt: skip
    rooms.directory.expire()
    return await answered(rooms, device_id)


@delete("/{device_id:int}", opt=needs(Action.DELETE, Resource.DEVICE), summary="Delete a device", tags=["devices"])
async def delete_device(request: AnyRequest, rooms: FromRooms, viewer: FromViewer, device_id: FromPath[int]) -> None:
    """Its points and their history stay at the site, its keys end; needs If-Match."""
    await require(rooms, viewer, DELETE, device_id)
    await rooms.registry_threads.run(
        rooms.registry.delete_device, device_id, version=expected(request), by=actor(viewer)
    )
    rooms.directory.expire()


def answer(row: DeviceRow) -> DeviceAnswer:
    """A device as it is answered."""
    told = {name: getattr(row.device, name) for name in Device.__struct_fields__}
    return DeviceAnswer(**told, organization=row.organization, site=row.site)


async def answered(rooms: Rooms, device_id: int) -> Response[DeviceAnswer]:
    """A device with its version."""
    row = await one(rooms, device_id)
    return Response(answer(row), headers=tag(row.device.version))


async def one(rooms: Rooms, device_id: int) -> DeviceRow:
    """A device with what stands beside it in the directory; raises `Unknown`."""
    return await rooms.registry_threads.run(rooms.registry.device_row, device_id)


def _make(rooms: Rooms, viewer: FromViewer, organization_id: int | None, data: NewDevice) -> Device:
    given, by = fields(data), actor(viewer)
    plain = ("site_id", "organization_id", "template", "revision", "prefix")
    given = {name: value for name, value in given.items() if name not in plain}
    tags, space_id = given.pop("tags", {}), given.pop("space_id", None)
    if data.template:
        return rooms.registry.create_device_from_template(
            data.site_id, data.template, given, organization_id=organization_id, revision=data.revision,
            prefix=data.prefix, tags=tags, space_id=space_id, by=by, shelf=viewer.authority.reach(SEE_TEMPLATE),
        )  # fmt: skip
    name = given.pop("name")
    return rooms.registry.create_device(
        data.site_id, name, organization_id=organization_id, space_id=space_id, attributes=given, tags=tags, by=by
    )


routes = Router("/devices", route_handlers=[devices, create_device, device, change_device, delete_device])
