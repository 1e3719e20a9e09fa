"""Who sees a site, what happened to it, its picture, and giving it to another organization."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.people import invitation_link, invitation_writer
from wattstead.web.access.places import SEE_ORGANIZATION, SEE_SITE, require_at, require_in
from wattstead.web.api.places.sites import CHANGE, SiteAnswer, answered, one
from wattstead.web.api.trail import DeedRows, deeds
from wattstead.web.files import photos
from wattstead.web.http.versions import expected
from wattstead.web.problem import Refused, invalid
from wattstead.web.rooms import FromRooms, FromViewer

GIVE = Right(Action.GIVE, Resource.SITE)
SEE_PERSON = Right(Action.SEE, Resource.PERSON)
SEE_SHARE = Right(Action.SEE, Resource.SHARE)


class PersonAccess(msgspec.Struct):
    """Somebody who belongs to the site, or to whom it is shown."""

    id: int
    """Of the role, by which it is taken back."""
    account_id: int
    name: str
    email: str
    role: str
    expires: datetime | None


class OrganizationAccess(msgspec.Struct):
    """An organization whose people see the site as their roles allow."""

    id: int
    name: str
    own: bool
    """Whether the site is its own, or it stands above whose it is; else it was granted."""
    changes: bool


class LinkAccess(msgspec.Struct):
    """An open link to the site."""

    id: int
    name: str
    created: datetime
    expires: datetime


class AccessAnswer(msgspec.Struct):
    """Everybody who sees a site, as far as that is one's to know."""

    organizations: list[OrganizationAccess]
    people: list[PersonAccess]
    links: list[LinkAccess]


class Grant(msgspec.Struct, forbid_unknown_fields=True):
    """Another organization that shall see a site."""

    organization_id: int = 0
    changes: bool = False
    """Whether its people may change it as their roles allow."""


class Handover(msgspec.Struct, forbid_unknown_fields=True):
    """To whom a site is given: to an organization with all that is in it, or to a person who becomes its user."""

    organization_id: int | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""


class HandedOver(msgspec.Struct):
    """What became of a handover."""

    link: str
    """The person's invitation to hand on, where no mail is sent; else empty."""
    ended_keys: int = 0
    """Keys that read or set the site up, which ended with the handover; keys that only write go on."""
    ended_shares: int = 0
    """Links and shares with people that ended."""


@get("/{site_id:int}/access", opt=needs(Action.SEE, Resource.SITE), summary="Who sees a site", tags=["sites"])
async def access(rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int]) -> AccessAnswer:
    """Organizations, people and links; of each kind only what one may see."""
    await require(rooms, viewer, SEE_SITE, site_id)
    return await _access(rooms, viewer, site_id)


@put("/{site_id:int}/access", opt=needs(Action.GIVE, Resource.SITE), summary="Grant", tags=["sites"])
async def grant(rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int], data: JSONBody[Grant]) -> AccessAnswer:
    """Lets another organization, which one must see, look at a site and perhaps change it; see `docs/permissions.md`
    for what that carries."""
    await require(rooms, viewer, GIVE, site_id)
    await require_in(rooms, viewer, SEE_ORGANIZATION, data.organization_id)
    await rooms.registry_threads.run(
        rooms.registry.grant_site, site_id, data.organization_id, data.changes, actor(viewer), viewer.authority
    )
    rooms.directory.expire()
    return await _access(rooms, viewer, site_id)


@delete(
    "/{site_id:int}/access/{organization_id:int}", opt=needs(Action.GIVE, Resource.SITE), summary="End a grant",
    tags=["sites"],
)  # fmt: skip
async def end_grant(
    rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int], organization_id: FromPath[int]
) -> None:
    """Takes the sight of a site back from another organization."""
    await require(rooms, viewer, GIVE, site_id)
    await rooms.registry_threads.run(rooms.registry.end_site_grant, site_id, organization_id, actor(viewer))
    rooms.directory.expire()


@get("/{site_id:int}/history", opt=needs(Action.SEE, Resource.TRAIL), summary="What happened to it", tags=["sites"])
async def history(
    rooms: FromRooms,
    viewer: FromViewer,
    site_id: FromPath[int],
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=20)] = "",
    limit: Annotated[int, QueryParameter(description="How many at most.", ge=1, le=500)] = 100,
) -> DeedRows:
    """Every change of a site and of what is in it, newest first."""
    await require_at(rooms, viewer, Right(Action.SEE, Resource.TRAIL), site_id)
    return await deeds(rooms, viewer, cursor, limit, site_id=site_id)


@post(
    "/{site_id:int}/handover", opt=needs(Action.GIVE, Resource.SITE), status_code=200, summary="Hand over",
    tags=["sites"],
)  # fmt: skip
async def hand_over(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int], data: JSONBody[Handover]
) -> Response[HandedOver]:
    """Gives a site with all that is in it to another organization that one sees: keys that read or set up end, links
    and shares too, keys that only write go on. Or invites the person who lives there. If-Match is honoured."""
    await require(rooms, viewer, GIVE, site_id)
    run, registry = rooms.registry_threads.run, rooms.registry
    if data.organization_id is not None:
        await require_in(rooms, viewer, SEE_ORGANIZATION, data.organization_id)
        version = expected(request) if "If-Match" in request.headers else None
        given = await run(
            registry.hand_over_site, site_id, data.organization_id, version=version, by=actor(viewer),
            authority=viewer.authority,
        )  # fmt: skip
        rooms.directory.expire()
        return Response(HandedOver("", given.keys, given.shares), status_code=200)
    if not data.email:
        raise invalid("email", "is missing; give an e-mail address, or organization_id")
    made = await run(
        registry.invite, actor(viewer), viewer.authority, data.email, Role.USER, site_id=site_id,
        write=invitation_writer(rooms),
    )  # fmt: skip
    return Response(HandedOver(invitation_link(rooms, made) or ""), status_code=200)


@put(
    "/{site_id:int}/photo", opt=needs(Action.CHANGE, Resource.SITE), summary="Set the picture", tags=["sites"],
    request_max_body_size=photos.LARGEST + 1,
)  # fmt: skip
async def put_photo(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int]
) -> Response[SiteAnswer]:
    """The body is a JPEG or PNG of up to 5 MB; an empty body takes the picture away."""
    await require(rooms, viewer, CHANGE, site_id)
    name = await keep(request, rooms)
    await rooms.registry_threads.run(rooms.registry.put_site_photo, site_id, name, actor(viewer))
    return answered(viewer, await one(rooms, viewer, site_id))


@get("/{site_id:int}/photo", opt=needs(Action.SEE, Resource.SITE), summary="The picture", tags=["sites"])
async def photo(rooms: FromRooms, viewer: FromViewer, site_id: FromPath[int]) -> Response[bytes]:
    """The picture of a site; 204 without one."""
    await require(rooms, viewer, SEE_SITE, site_id)
    found = await rooms.registry_threads.run(rooms.registry.site, site_id)
    return await shown(rooms, found.photo)


async def keep(request: AnyRequest, rooms: FromRooms) -> str:
    """Store the picture of a request; its name, empty for an empty body."""
    content = await request.body()
    if not content:
        return ""
    if rooms.settings.photos is None:
        raise Refused(503, "this server keeps no pictures")
    return await rooms.registry_threads.run(photos.keep, rooms.settings.photos, content)


async def shown(rooms: FromRooms, name: str) -> Response[bytes]:
    """A picture by the name under which it was stored; nothing when there is none."""
    folder = rooms.settings.photos
    found = await rooms.registry_threads.run(photos.load, folder, name) if folder is not None and name else None
    if found is None:
        return Response(b"", status_code=204)
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{name}"'}
    return Response(found[0], media_type=found[1], headers=headers)


async def _access(rooms: FromRooms, viewer: FromViewer, site_id: int) -> AccessAnswer:
    run, registry, authority = rooms.registry_threads.run, rooms.registry, viewer.authority
    site = await run(registry.site, site_id)
    seen = await run(registry.organizations, authority.reach(SEE_ORGANIZATION))
    path = next((one.path for one in seen if one.id == site.organization_id), "")
    own = [OrganizationAccess(one.id, one.name, True, True) for one in seen if path.startswith(one.path)]
    may = {
        right: (await run(registry.within, Resource.SITE, site_id, authority.reach(right)))[0]
        for right in (SEE_PERSON, SEE_SHARE)
    }
    granted = await run(registry.site_grants, site_id) if may[SEE_PERSON] or may[SEE_SHARE] else []
    people = await run(registry.site_people, site_id) if may[SEE_PERSON] or may[SEE_SHARE] else []
    links = await run(registry.share_links, site_id) if may[SEE_SHARE] else []
    return AccessAnswer(
        own + [OrganizationAccess(one.organization_id, one.organization, False, one.changes) for one in granted],
        [PersonAccess(m.id, m.account_id, name, email, m.role, m.expires) for m, name, email in people],
        [LinkAccess(one.id, one.name, one.created, one.expires) for one in links],
    )


routes = Router("/sites", route_handlers=[access, grant, end_grant, history, hand_over, put_photo, photo])
