"""Spaces: the tree of parts inside a site, and which points are in them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Space
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.places import require_at
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.problem import invalid
from wattstead.web.rooms import FromRooms, FromViewer

SEE, CREATE, CHANGE, DELETE = (
    Right(one, Resource.SPACE) for one in (Action.SEE, Action.CREATE, Action.CHANGE, Action.DELETE)
)  # fmt: skip
CHANGE_POINT = Right(Action.CHANGE, Resource.POINT)
_MOST_POINTS = 1_000
Word = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=10_000)]


class SpaceAnswer(msgspec.Struct, kw_only=True):
    """A part of a site."""

    id: int
    site_id: int
    parent_id: int | None
    name: str
    kind: str
    """`building`, `floor`, `room`, `line`, `machine`, `area` or `other`."""
    area_m2: float | None
    note: str
    depth: int
    """How many spaces stand above it."""
    points: list[int]
    """Ids of the points that are in it."""
    version: int


class SpaceRows(msgspec.Struct):
    """The spaces of a site, parents before children."""

    rows: list[SpaceAnswer]
    total: int
    cursor: str | None = None


class NewSpace(msgspec.Struct, forbid_unknown_fields=True):
    """A space to make."""

    site_id: int
    name: Word
    parent_id: int | None = None
    kind: Word = "other"
    area_m2: float | None = None
    note: Text = ""


class SpacePatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays. ``parent_id`` moves the space with its parts within the site."""

    name: Word | UnsetType = UNSET
    parent_id: int | UnsetType | None = UNSET
    kind: Word | UnsetType = UNSET
    area_m2: float | UnsetType | None = UNSET
    note: Text | UnsetType = UNSET


class SpacePoints(msgspec.Struct, forbid_unknown_fields=True):
    """The points to put into a space, and those to take out of it."""

    points: Annotated[list[int], msgspec.Meta(max_length=_MOST_POINTS)] = []
    out: Annotated[list[int], msgspec.Meta(max_length=_MOST_POINTS)] = []
    """They stay at the site, in no space."""


@get("/", opt=needs(Action.SEE, Resource.SPACE), summary="Spaces of a site", tags=["spaces"])
async def spaces(
    rooms: FromRooms, viewer: FromViewer, site: Annotated[int, QueryParameter(description="Of which site.")]
) -> SpaceRows:
    """The tree of a site's parts with the points in them."""
    await require_at(rooms, viewer, SEE, site)
    found = await rooms.registry_threads.run(rooms.registry.spaces, site)
    inside = await rooms.registry_threads.run(rooms.registry.space_points, site)
    return SpaceRows([_answer(one, inside.get(one.id, [])) for one in found], len(found))


@post("/", opt=needs(Action.CREATE, Resource.SPACE), status_code=201, summary="Make a space", tags=["spaces"])
async def create_space(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewSpace]
) -> Response[SpaceAnswer]:
    """A new part of a site."""
    await require_at(rooms, viewer, CREATE, data.site_id)

    async def make() -> Response[Any]:
        made = await rooms.registry_threads.run(
            rooms.registry.create_space, data.site_id, data.name, data.parent_id, kind=data.kind, area_m2=data.area_m2,
            note=data.note, by=actor(viewer),
        )  # fmt: skip
        return Response(_answer(made, []), status_code=201, headers=tag(made.version))

    return await once(request, rooms, viewer, make)


@get("/{space_id:int}", opt=needs(Action.SEE, Resource.SPACE), summary="A space", tags=["spaces"])
async def space(rooms: FromRooms, viewer: FromViewer, space_id: FromPath[int]) -> Response[SpaceAnswer]:
    """One space; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE, space_id)
    return await _answered(rooms, await rooms.registry_threads.run(rooms.registry.space, space_id))


@patch("/{space_id:int}", opt=needs(Action.CHANGE, Resource.SPACE), summary="Change a space", tags=["spaces"])
async def change_space(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, space_id: FromPath[int], data: JSONBody[SpacePatch]
) -> Response[SpaceAnswer]:
    """Sets what is given; needs If-Match."""
    await require(rooms, viewer, CHANGE, space_id)
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    changed = await rooms.registry_threads.run(
        rooms.registry.change_space, space_id, version=expected(request), by=actor(viewer), **given
    )
    return await _answered(rooms, changed)


@delete("/{space_id:int}", opt=needs(Action.DELETE, Resource.SPACE), summary="Delete a space", tags=["spaces"])
async def delete_space(request: AnyRequest, rooms: FromRooms, viewer: FromViewer, space_id: FromPath[int]) -> None:
    """A space without parts; what was in it stays at the site. Needs If-Match."""
    await require(rooms, viewer, DELETE, space_id)
    await rooms.registry_threads.run(rooms.registry.delete_space, space_id, version=expected(request), by=actor(viewer))


@put("/{space_id:int}/points", opt=needs(Action.CHANGE, Resource.SPACE), summary="Points in or out", tags=["spaces"])
async def put_points(
    rooms: FromRooms, viewer: FromViewer, space_id: FromPath[int], data: JSONBody[SpacePoints]
) -> Response[SpaceAnswer]:
    """Points of the same site; they leave the space they were in."""
    await require(rooms, viewer, CHANGE, space_id)
    for point_id in (*data.points, *data.out):
        await require(rooms, viewer, CHANGE_POINT, point_id)
    run = rooms.registry_threads.run
    if data.out:
        found = await run(rooms.registry.space, space_id)
        inside = (await run(rooms.registry.space_points, found.site_id)).get(space_id, [])
        for point_id in data.out:
            if point_id not in inside:
                raise invalid("out", f"names point {point_id}, which is not in this space; give points of it")
        await run(rooms.registry.assign_points, data.out, None, actor(viewer))
    if data.points:
        await run(rooms.registry.assign_points, data.points, space_id, actor(viewer))
    rooms.directory.expire()
    return await _answered(rooms, await run(rooms.registry.space, space_id))


async def _answered(rooms: FromRooms, found: Space) -> Response[SpaceAnswer]:
    inside = await rooms.registry_threads.run(rooms.registry.space_points, found.site_id)
    return Response(_answer(found, inside.get(found.id, [])), headers=tag(found.version))


def _answer(one: Space, points: list[int]) -> SpaceAnswer:
    return SpaceAnswer(
        id=one.id,
        site_id=one.site_id,
        parent_id=one.parent_id,
        name=one.name,
        kind=one.kind,
        area_m2=one.area_m2,
        note=one.note,
        depth=one.path.count("/") - 2,
        points=points,
        version=one.version,
    )


routes = Router("/spaces", route_handlers=[spaces, create_space, space, change_space, delete_space, put_points])
