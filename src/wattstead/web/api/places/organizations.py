"""The tree of organizations, as far as one may see it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Organization
from wattstead.web.access.gate import AnyRequest, actor, lacking, needs, require
from wattstead.web.access.places import SEE_ORGANIZATION, require_in
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.problem import Refused, invalid
from wattstead.web.rooms import FromRooms, FromViewer

CREATE, CHANGE, DELETE = (
    Right(one, Resource.ORGANIZATION) for one in (Action.CREATE, Action.CHANGE, Action.DELETE)
)  # fmt: skip
GIVE_SITE = Right(Action.GIVE, Resource.SITE)
Word = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Sorting = Literal["name", "kind", "created", "id", "registration"]


class OrganizationAnswer(msgspec.Struct, kw_only=True):
    """A node of the tree."""

    id: int
    parent_id: int | None
    """Null for the topmost that one may see."""
    parent: str
    """Its name, as far as that is one's to know."""
    name: str
    kind: str
    """`fleet`, `partner`, `utility`, `company` or `home`."""
    note: str
    registration: bool
    """Whether people may register in it by themselves."""
    disabled: datetime | None
    """Since when nobody of its branch signs in and no key of it sends."""
    depth: int
    """How many organizations stand above it that one may see."""
    sites: int
    """Its own, without those of organizations below."""
    people: int
    created: datetime
    version: int


class OrganizationRows(msgspec.Struct):
    """Organizations, parents before children."""

    rows: list[OrganizationAnswer]
    total: int
    cursor: str | None


class NewOrganization(msgspec.Struct, forbid_unknown_fields=True):
    """An organization to make, below another; without a parent it is a root, which the platform alone may make."""

    name: Word
    parent_id: int | None = None
    kind: Word = "partner"
    note: Text = ""


class OrganizationPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays. ``parent_id`` moves the whole branch, ``disabled`` closes or opens it."""

    name: Word | UnsetType = UNSET
    kind: Word | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    registration: bool | UnsetType = UNSET
    parent_id: int | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET


@get("/", opt=needs(Action.SEE, Resource.ORGANIZATION), summary="Organizations", tags=["organizations"])
async def organizations(
    rooms: FromRooms,
    viewer: FromViewer,
    q: Annotated[str, QueryParameter(description="Part of the name.", max_length=200)] = "",
    kind: Annotated[str, QueryParameter(description="Only of this kind.", max_length=20)] = "",
    parent_id: Annotated[int | None, QueryParameter(description="Only those right below this one.")] = None,
    may: Annotated[
        str, QueryParameter(description="Only those in which one may do this, such as `create site`.", max_length=40)
    ] = "",
    sort: Annotated[Sorting | None, QueryParameter(description="Default: as a tree.")] = None,
    order: Annotated[Literal["asc", "desc"], QueryParameter(description="Of the sorting.")] = "asc",
    limit: Annotated[int, QueryParameter(description="How many at most.", ge=1, le=5_000)] = 1_000,
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=20)] = "",
) -> OrganizationRows:
    """Those one may see: parents before children, or sorted."""
    reach, run = viewer.authority.reach(SEE_ORGANIZATION), rooms.registry_threads.run
    within = viewer.authority.reach(_right(may)) if may else reach
    found = await run(rooms.registry.organizations, reach)
    seen, word = {one.id: one.name for one in found}, q.casefold()
    wanted = [
        one
        for one in found
        if word in one.name.casefold()
        and within.holds(one.path)
        and kind in ("", one.kind)
        and (parent_id is None or (one.parent_id == parent_id and parent_id in seen))
    ]
    if sort is not None:
        wanted.sort(key=lambda one: (_sorted_by(one, sort), one.id), reverse=order == "desc")
    start = int(cursor) if cursor.isascii() and cursor.isdecimal() else 0
    rows = wanted[start : start + limit]
    counted = await run(rooms.registry.organization_counts, [one.id for one in rows])
    more = start + limit < len(wanted)
    return OrganizationRows(
        [_answer(one, seen, counted) for one in rows], len(wanted), str(start + limit) if more else None
    )


@post(
    "/", opt=needs(Action.CREATE, Resource.ORGANIZATION), status_code=201, summary="Make one", tags=["organizations"]
)  # fmt: skip
async def create_organization(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewOrganization]
) -> Response[OrganizationAnswer]:
    """A new organization in one's branch."""
    if data.parent_id is not None:
        await require_in(rooms, viewer, CREATE, data.parent_id)
    elif not viewer.authority.reach(CREATE).everywhere:
        told = "an organization without one above it is made by the platform alone; give parent_id"
        raise Refused(403, told, code="organization.top")

    async def make() -> Response[Any]:
        made = await rooms.registry_threads.run(
            rooms.registry.create_organization, data.name, data.parent_id, kind=data.kind, note=data.note,
            by=actor(viewer),
        )  # fmt: skip
        rooms.directory.expire()
        return await _answered(rooms, viewer, made, 201)

    return await once(request, rooms, viewer, make)


@get(
    "/{organization_id:int}", opt=needs(Action.SEE, Resource.ORGANIZATION), summary="One", tags=["organizations"]
)  # fmt: skip
async def organization(
    rooms: FromRooms, viewer: FromViewer, organization_id: FromPath[int]
) -> Response[OrganizationAnswer]:
    """One organization; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE_ORGANIZATION, organization_id)
    found = await rooms.registry_threads.run(rooms.registry.organization, organization_id)
    return await _answered(rooms, viewer, found)


@patch(
    "/{organization_id:int}", opt=needs(Action.CHANGE, Resource.ORGANIZATION), summary="Change", tags=["organizations"]
)  # fmt: skip
async def change_organization(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    organization_id: FromPath[int],
    data: JSONBody[OrganizationPatch],
) -> Response[OrganizationAnswer]:
    """Needs If-Match. A branch can be moved only between places in which one may change things on both sides; where its
    former place is above it no more, keys that read or set its sites up end, and links, shares and grants too."""
    await require(rooms, viewer, CHANGE, organization_id)
    version, by, run = expected(request), actor(viewer), rooms.registry_threads.run
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    moves, closes = "parent_id" in given, "disabled" in given
    parent_id, disabled = given.pop("parent_id", None), given.pop("disabled", False)
    if moves:
        await _require_move(rooms, viewer, organization_id, parent_id)
    changed = await run(rooms.registry.organization, organization_id)
    if given or not (moves or closes):
        changed = await run(rooms.registry.change_organization, organization_id, version=version, by=by, **given)
        version = changed.version
    if moves:
        changed = await run(
            rooms.registry.move_organization, organization_id, parent_id, version=version, by=by,
            authority=viewer.authority,
        )  # fmt: skip
        version = changed.version
    if closes:
        changed = await run(rooms.registry.disable_organization, organization_id, disabled, version=version, by=by)
    rooms.directory.expire()
    return await _answered(rooms, viewer, changed)


@delete(
    "/{organization_id:int}", opt=needs(Action.DELETE, Resource.ORGANIZATION), summary="Delete", tags=["organizations"]
)  # fmt: skip
async def delete_organization(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, organization_id: FromPath[int]
) -> None:
    """Only when nothing is left in it; needs If-Match."""
    await require(rooms, viewer, DELETE, organization_id)
    await rooms.registry_threads.run(
        rooms.registry.delete_organization, organization_id, version=expected(request), by=actor(viewer)
    )
    rooms.directory.expire()


def _right(told: str) -> Right:
    action, _, resource = told.rpartition(" ")
    try:
        return Right(Action(action), Resource(resource))
    except ValueError:
        raise invalid("may", f"{told[:40]!r} is nothing that one may do; give one such as `create site`") from None


def _sorted_by(one: Organization, sort: Sorting) -> Any:
    value = getattr(one, sort)
    return value.casefold() if isinstance(value, str) else value


async def _require_move(rooms: FromRooms, viewer: FromViewer, organization_id: int, parent_id: int | None) -> None:
    """The branch's own top stays where it was hung by those above; both ends of a move must be one's to change."""
    found = await rooms.registry_threads.run(rooms.registry.organization, organization_id)
    reach = viewer.authority.reach(CHANGE)
    above = found.path.removesuffix(f"{found.id}/")
    for right in (CHANGE, GIVE_SITE):
        if not viewer.authority.reach(right).holds(above):
            raise lacking(viewer, right)
    if parent_id is not None:
        await require_in(rooms, viewer, CHANGE, parent_id)
    elif not reach.everywhere:
        raise Refused(403, "only the platform moves an organization to the top", code="organization.top")


async def _answered(
    rooms: FromRooms, viewer: FromViewer, one: Organization, status: int = 200
) -> Response[OrganizationAnswer]:
    """An organization with its version, and with what stands above it as far as that is to be seen."""
    run, registry = rooms.registry_threads.run, rooms.registry
    reach = viewer.authority.reach(SEE_ORGANIZATION)
    above = [await run(registry.organization, int(part)) for part in one.path.strip("/").split("/")[:-1]]
    seen = {found.id: found.name for found in above if reach.holds(found.path)}
    counted = await run(registry.organization_counts, [one.id])
    return Response(_answer(one, seen, counted), status_code=status, headers=tag(one.version))


def _answer(one: Organization, seen: dict[int, str], counted: dict[int, tuple[int, int]]) -> OrganizationAnswer:
    above = [int(part) for part in one.path.strip("/").split("/")[:-1]]
    return OrganizationAnswer(
        id=one.id,
        parent_id=one.parent_id if one.parent_id in seen else None,
        parent=seen.get(one.parent_id or 0, ""),
        name=one.name,
        kind=one.kind,
        note=one.note,
        registration=one.registration,
        disabled=one.disabled,
        depth=sum(1 for identity in above if identity in seen),
        sites=counted[one.id][0],
        people=counted[one.id][1],
        created=one.created,
        version=one.version,
    )


routes = Router(
    "/organizations",
    route_handlers=[organizations, create_organization, organization, change_organization, delete_organization],
)
