"""The directory of sites, and a site with all its attributes; who else sees it is in `site_access`."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.metering.errors import WattsteadError
from wattstead.registry.people.emails import checked as checked_email
from wattstead.registry.places.directory.directory import SiteRow
from wattstead.registry.places.directory.filters import GEOHASH, OF_PEOPLE
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import NewInvitation, PersonChange, Scope, Site
from wattstead.web.access.gate import MANY, AnyRequest, actor, lacking, needs, require, require_own
from wattstead.web.access.people import invitation_link, invitation_writer
from wattstead.web.access.places import SEE_SITE, own_organization, require_in
from wattstead.web.access.viewer import Viewer
from wattstead.web.http.asked import question_of
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

CREATE, CHANGE, DELETE = (Right(one, Resource.SITE) for one in (Action.CREATE, Action.CHANGE, Action.DELETE))
Word = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Tags = dict[Annotated[str, msgspec.Meta(max_length=60)], Word]
_PATIENCE_S = 30.0
_log = structlog.get_logger("wattstead.web")


class SiteFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Attributes of a site; what is left out stays as it is, null forgets."""

    state: Word | UnsetType = UNSET
    """`active` or `disabled`: its keys write no more."""
    customer_number: Word | UnsetType | None = UNSET
    address: Word | UnsetType | None = UNSET
    city: Word | UnsetType | None = UNSET
    postal_code: Word | UnsetType | None = UNSET
    country: Word | UnsetType | None = UNSET
    latitude: float | UnsetType | None = UNSET
    longitude: float | UnsetType | None = UNSET
    delivery_point: Word | UnsetType | None = UNSET
    subscription_number: Word | UnsetType | None = UNSET
    subscribed_power_w: float | UnsetType | None = UNSET
    hourly_maximum_wh: float | UnsetType | None = UNSET
    dwelling: Word | UnsetType | None = UNSET
    occupants: int | UnsetType | None = UNSET
    area_m2: float | UnsetType | None = UNSET
    heating: Word | UnsetType | None = UNSET
    eligibility_phase: Word | UnsetType | None = UNSET
    business_case: Word | UnsetType | None = UNSET
    cluster: Word | UnsetType | None = UNSET
    peak_power_w: float | UnsetType | None = UNSET
    tilt_deg: float | UnsetType | None = UNSET
    azimuth_deg: float | UnsetType | None = UNSET
    """Clockwise from north: 180 faces south."""
    inverter: Word | UnsetType | None = UNSET
    installed_on: date | UnsetType | None = UNSET
    note: Text | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    """Only the tags named change; an empty value removes the tag."""


class SitePatch(SiteFields, kw_only=True, forbid_unknown_fields=True):
    """What to change of a site."""

    name: Word | UnsetType = UNSET
    zone: Word | UnsetType = UNSET


class SiteUser(msgspec.Struct, forbid_unknown_fields=True):
    """Who lives or works at a new site."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    name: Word = ""
    """What to call them until they have said it themselves."""


class NewSite(SiteFields, kw_only=True, forbid_unknown_fields=True):
    """A site to make, with its user and a write key in one step."""

    name: Word
    zone: Word
    """IANA time zone."""
    organization_id: int | None = None
    """Where it belongs; may be left out by who has one branch alone."""
    user: SiteUser | None = None
    """Invited at once."""
    write_key: bool = True
    """Make a write key too, where one may make keys."""


class SiteAnswer(msgspec.Struct, kw_only=True):
    """A place with points; empty texts and nulls are what nobody has told, or not to you."""

    id: int
    name: str
    zone: str
    """IANA time zone, in which its days are counted."""
    note: str
    organization_id: int
    organization: str
    state: str
    """`active` or `disabled`: its keys write no more."""
    customer_number: str
    address: str
    city: str
    postal_code: str
    country: str
    latitude: float | None
    longitude: float | None
    delivery_point: str
    subscription_number: str
    subscribed_power_w: float | None
    hourly_maximum_wh: float | None
    dwelling: str
    occupants: int | None
    area_m2: float | None
    heating: str
    eligibility_phase: str
    business_case: str
    cluster: str
    peak_power_w: float | None
    """Of the photovoltaic modules under standard test conditions."""
    tilt_deg: float | None
    azimuth_deg: float | None
    """Clockwise from north: 180 faces south."""
    inverter: str
    installed_on: date | None
    photo: str
    """Changes with the picture; empty without one."""
    tags: dict[str, str]
    devices: int
    last_seen: datetime | None
    """Time of its newest reading."""
    completeness: float | None
    """Share of the expected readings of the last day that came, 0 to 1."""
    connection_state: str
    """`online`, `offline`; empty: never heard of."""
    created: datetime
    version: int


class SiteRows(msgspec.Struct):
    """A page of the directory."""

    rows: list[SiteAnswer]
    total: int
    cursor: str | None
    """Where the next page begins."""


class MadeSite(msgspec.Struct, kw_only=True):
    """A new site, and what was made with it."""

    site: SiteAnswer
    secret: str
    """The write key, shown this once; empty when none was asked for."""
    link: str
    """The user's invitation to hand on, where no mail is sent; else empty."""


@get("/", opt=needs(Action.SEE, Resource.SITE) | MANY, summary="Sites", tags=["sites"])
async def sites(request: AnyRequest, rooms: FromRooms, viewer: FromViewer) -> SiteRows:
    """The sites one may see. Parameters: `q` (words), `sort` (an attribute), `order` (asc, desc), `limit`, `cursor`,
    and filters by any attribute: `city=Lyon` (several: one of them), `city.prefix=`, `area_m2.from=`, `area_m2.to=`,
    `note.empty=yes`, `tag.KEY=`, `organization=` (with all below it), `device.firmware=`, `person.email=`."""
    page = await rooms.registry_threads.run(
        rooms.registry.find_sites, viewer.authority.reach(SEE_SITE), question_of(request), viewer.sight
    )
    return SiteRows([answer(viewer, row) for row in page.rows], page.total, page.cursor)


@post("/", opt=needs(Action.CREATE, Resource.SITE), status_code=201, summary="Make a site", tags=["sites"])
async def create_site(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewSite]
) -> Response[MadeSite]:
    """A site in one step: with its attributes, its user invited and a write key made, or none of these."""
    organization_id = data.organization_id or own_organization(viewer, CREATE)
    await require_in(rooms, viewer, CREATE, organization_id)
    keys = viewer.authority.reach(Right(Action.CREATE, Resource.KEY))
    with_key = data.write_key and bool(keys)
    if with_key:
        await require_in(rooms, viewer, Right(Action.CREATE, Resource.KEY), organization_id)
    if data.user is not None:
        checked_email(data.user.email)
        await require_in(rooms, viewer, Right(Action.INVITE, Resource.PERSON), organization_id)

    async def make() -> Response[Any]:
        made = await rooms.registry_threads.run(_make, rooms, viewer, organization_id, data, with_key)
        rooms.directory.expire()
        row = await one(rooms, viewer, made[0].id)
        told = MadeSite(site=answer(viewer, row), secret=made[1], link=made[2])
        return Response(told, status_code=201, headers=tag(row.site.version))

    return await once(request, rooms, viewer, make)


@get("/{site_id:int}", opt=needs(Action.SEE, Resource.SITE), summary="A site", tags=["sites"])
async def site(rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int]) -> Response[SiteAnswer]:
    """One site; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE_SITE, site_id)
    return answered(viewer, await one(rooms, viewer, site_id))


@patch("/{site_id:int}", opt=needs(Action.CHANGE, Resource.SITE), summary="Change a site", tags=["sites"])
async def change_site(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int], data: JSONBody[SitePatch]
) -> Response[SiteAnswer]:
    """Sets what is given; needs If-Match. Who sees the site by a grant does not change its state."""
    await require(rooms, viewer, CHANGE, site_id)
    given = fields(data)
    if "state" in given and given["state"] != (await one(rooms, viewer, site_id)).site.state:
        await require_own(rooms, viewer, CHANGE, site_id)
    await rooms.registry_threads.run(
        rooms.registry.change_site, site_id, tags=given.pop("tags", {}), attributes=given, version=expected(request),
        by=actor(viewer),
    )  # fmt: skip
    rooms.directory.expire()
    return answered(viewer, await one(rooms, viewer, site_id))


@delete("/{site_id:int}", opt=needs(Action.DELETE, Resource.SITE), summary="Delete a site", tags=["sites"])
async def delete_site(request: AnyRequest, rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int]) -> None:
    """With all that is in it, readings too; needs If-Match. Its keys must have been revoked some seconds ago."""
    await require(rooms, viewer, DELETE, site_id)
    run, registry = rooms.registry_threads.run, rooms.registry
    points = await run(registry.point_ids, site_ids=[site_id])
    await run(registry.delete_site, site_id, version=expected(request), by=actor(viewer))
    rooms.directory.expire()
    if points:
        try:
            async with asyncio.timeout(_PATIENCE_S):  # after that it goes on by itself
                await rooms.remove(points)
        except (WattsteadError, TimeoutError) as error:  # the site is gone; its readings are nobody's to see any more
            _log.error("readings of a deleted site are left", site=site_id, points=points, error=str(error))


def fields(data: msgspec.Struct) -> dict[str, Any]:
    """The attributes that a request gives."""
    return {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}


def answered(viewer: Viewer, row: SiteRow) -> Response[SiteAnswer]:
    """A site with its version."""
    return Response(answer(viewer, row), headers=tag(row.site.version))


def answer(viewer: Viewer, row: SiteRow) -> SiteAnswer:
    """A site as this viewer is told of it."""
    told = {name: getattr(row.site, name) for name in Site.__struct_fields__}
    if not viewer.sight.of_people:
        told |= {name: None if told[name] is None or not isinstance(told[name], str) else "" for name in OF_PEOPLE}
        told["tags"] = {key: value for key, value in told["tags"].items() if key != GEOHASH}
    return SiteAnswer(**told, organization=row.organization, devices=row.devices)


async def one(rooms: Rooms, viewer: Viewer, site_id: int) -> SiteRow:
    """A site with what stands beside it in the directory; raises `Unknown`."""
    return await rooms.registry_threads.run(rooms.registry.site_row, site_id, viewer.sight)


def _make(rooms: Rooms, viewer: Viewer, organization_id: int, data: NewSite, with_key: bool) -> tuple[Site, str, str]:
    """The site, the secret of its key, the link of its user's invitation; nothing of it when one of them fails."""
    registry, by, given = rooms.registry, actor(viewer), fields(data)
    for name in ("organization_id", "user", "write_key"):
        given.pop(name)
    name, zone, note = given.pop("name"), given.pop("zone"), given.pop("note", "")
    made = registry.create_site(organization_id, name, zone, note, given.pop("tags", {}), attributes=given, by=by)
    try:
        invited = _invited(rooms, viewer, made, data.user) if data.user else None
        secret = registry.create_key(made.id, Scope.WRITE, "first key", by=by).secret if with_key else ""
    except BaseException:
        registry.delete_site(made.id, by=by)
        raise
    return made, secret, (invitation_link(rooms, invited) or "") if invited else ""


def _invited(rooms: Rooms, viewer: Viewer, made: Site, user: SiteUser) -> NewInvitation:
    if not viewer.authority.gives(Role.USER, rooms.registry.organization(made.organization_id).path, made.id):
        raise lacking(viewer, Right(Action.INVITE, Resource.PERSON))
    return rooms.registry.invite(
        actor(viewer), viewer.authority, user.email, Role.USER, site_id=made.id, told=PersonChange(name=user.name),
        write=invitation_writer(rooms),
    )  # fmt: skip


routes = Router("/sites", route_handlers=[sites, create_site, site, change_site, delete_site])
