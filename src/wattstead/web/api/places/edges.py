"""Edges: machines on site, made here, joined there with a code; what they are told, and how they say they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Edge, EdgeSettings
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.places import require_at
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer

SEE, CREATE, CHANGE, DELETE = (
    Right(one, Resource.EDGE) for one in (Action.SEE, Action.CREATE, Action.CHANGE, Action.DELETE)
)  # fmt: skip
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_SILENT_S = 120.0
_COMPUTED = ("clock_off_s", "last_error_at")


class NewEdgeRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An edge to make."""

    site_id: int
    name: Name
    settings: EdgeSettings | UnsetType = UNSET


class EdgePatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of an edge; what is left out stays as it is."""

    name: Name | UnsetType = UNSET
    settings: EdgeSettings | UnsetType = UNSET
    """All of them."""
    enabled: bool | UnsetType = UNSET
    """Nothing is taken from an edge that is switched off; it keeps what it reads."""


class EdgeSight(msgspec.Struct, kw_only=True):
    """How an edge said it was when it was last heard of."""

    program: str
    """Its version."""
    clock_off_s: float
    """How far its clock was ahead of the server's."""
    applied: int
    """Number of the configuration that it runs."""
    refused: int
    """Number of a configuration that it has taken back, or could not run; 0: none."""
    refused_why: str
    waiting_bytes: int
    """Readings that wait to be sent, on its disk."""
    waiting_readings: int
    """About how many they are."""
    behind_s: float
    """How old the oldest of them is."""
    packed: int
    """Readings that were packed to save room; nothing is lost by that."""
    thinned: int
    """Readings that became aggregates because its disk budget was at its end."""
    lost: int
    """Aggregates that were given up because even they did not fit."""
    thinned_why: str
    letters: int
    """Messages in quarantine there."""
    rate_per_s: float
    """Readings a second that its sources bring, mean of the last minute."""
    last_error: str
    """Why it could last not send, or ask how to go on."""
    last_error_at: datetime | None
    memory_mb: float
    disk_free_mb: float
    sources: dict[str, str]
    """State of each of its sources by id, with the last error."""


class EdgeAnswer(msgspec.Struct, kw_only=True):
    """A machine on site."""

    id: int
    site_id: int
    site: str
    name: str
    joined: datetime | None
    """When a machine became it; null: none has."""
    code_until: datetime | None
    """Until when the code that was shown lets a machine join."""
    settings: EdgeSettings
    enabled: bool
    wanted: int
    """Number of the configuration that it should run."""
    sequence: int
    """Number of its last upload."""
    last_seen: datetime | None
    silent: bool
    """Whether it has joined and nothing was heard of it for two minutes."""
    sight: EdgeSight
    created: datetime
    version: int
    code: str | None = None
    """Only in the answer that makes one: with it, once, a machine becomes this edge."""


class EdgeConfigurationAnswer(msgspec.Struct, kw_only=True):
    """A configuration that an edge was offered."""

    number: int
    made: datetime
    settings: EdgeSettings
    sources: list[str]
    """The names of the sources that it ran."""
    applied: datetime | None
    """When the edge first said that it runs it; null: it never did."""
    refused_why: str
    """Why it was refused or taken back; empty: it was not."""


@get("/", opt=needs(Action.SEE, Resource.EDGE), summary="Edges", tags=["edges"])
async def edges(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    site: Annotated[int | None, QueryParameter(description="Only edges of this site.")] = None,
) -> list[EdgeAnswer]:
    """The machines on site that one may see, by id."""
    if site is not None:
        await require_at(rooms, viewer, SEE, site)
    found = await rooms.registry_threads.run(rooms.registry.edges, viewer.authority.reach(SEE), site_id=site)
    names = await rooms.registry_threads.run(rooms.registry.sites, site_ids=sorted({one.site_id for one in found}))
    of = {one.id: one.name for one in names}
    return [_answer(one, of.get(one.site_id, "")) for one in found]


@post("/", opt=needs(Action.CREATE, Resource.EDGE), status_code=201, summary="Make an edge", tags=["edges"])
async def create_edge(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewEdgeRequest]
) -> Response[EdgeAnswer]:
    """An edge and the code with which a machine becomes it: `wattstead edge join URL CODE`, within two days."""
    await require_at(rooms, viewer, CREATE, data.site_id)

    async def make() -> Response[Any]:
        settings = EdgeSettings() if data.settings is UNSET else data.settings
        made = await rooms.registry_threads.run(
            rooms.registry.create_edge, data.site_id, data.name, settings, actor(viewer)
        )
        return await _answered(rooms, made.edge, 201, made.code)

    return await once(request, rooms, viewer, make)


@get("/{edge_id:int}", opt=needs(Action.SEE, Resource.EDGE), summary="An edge", tags=["edges"])
async def edge(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, edge_id: FromPath[int]
) -> Response[EdgeAnswer]:
    """One machine on site; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE, edge_id)
    return await _answered(rooms, await rooms.registry_threads.run(rooms.registry.edge, edge_id))


@patch("/{edge_id:int}", opt=needs(Action.CHANGE, Resource.EDGE), summary="Change an edge", tags=["edges"])
async def change_edge(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    edge_id: FromPath[int],
    data: JSONBody[EdgePatch],
) -> Response[EdgeAnswer]:
    """Sets what is given, needs If-Match; the edge tries the new configuration, and goes back to the former one where
    that fails."""
    await require(rooms, viewer, CHANGE, edge_id)
    changed = await rooms.registry_threads.run(
        rooms.registry.change_edge,
        edge_id,
        name=None if data.name is UNSET else data.name,
        settings=None if data.settings is UNSET else data.settings,
        enabled=None if data.enabled is UNSET else data.enabled,
        version=expected(request),
        by=actor(viewer),
    )
    return await _answered(rooms, changed)


@post("/{edge_id:int}/code", opt=needs(Action.CHANGE, Resource.EDGE), summary="Another code", tags=["edges"])
async def new_code(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, edge_id: FromPath[int]
) -> Response[EdgeAnswer]:
    """For a machine that takes the place of the one that joined, which is let in no longer once it has."""
    await require(rooms, viewer, CHANGE, edge_id)
    made = await rooms.registry_threads.run(rooms.registry.new_edge_code, edge_id, actor(viewer))
    return await _answered(rooms, made.edge, 201, made.code)


@get("/{edge_id:int}/configurations", opt=needs(Action.SEE, Resource.EDGE), summary="Its history", tags=["edges"])
async def edge_configurations(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, edge_id: FromPath[int]
) -> list[EdgeConfigurationAnswer]:
    """The configurations that an edge was offered, newest first, at most 50; to go back to one, set its settings."""
    await require(rooms, viewer, SEE, edge_id)
    found = await rooms.registry_threads.run(rooms.registry.edge_configurations, edge_id)
    names = EdgeConfigurationAnswer.__struct_fields__
    return [EdgeConfigurationAnswer(**{name: getattr(one, name) for name in names}) for one in found]


@delete("/{edge_id:int}", opt=needs(Action.DELETE, Resource.EDGE), summary="Remove an edge", tags=["edges"])
async def delete_edge(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, edge_id: FromPath[int]
) -> None:
    """What it has read stays here, what waits on its disk stays there; its sources are the server's, and switched off.
    Needs If-Match."""
    await require(rooms, viewer, DELETE, edge_id)
    await rooms.registry_threads.run(rooms.registry.delete_edge, edge_id, version=expected(request), by=actor(viewer))


async def _answered(rooms: FromRooms, edge: Edge, status: int = 200, code: str | None = None) -> Response[EdgeAnswer]:
    site = await rooms.registry_threads.run(rooms.registry.site, edge.site_id)
    answer = _answer(edge, site.name, code)
    return Response(answer, status_code=status, headers=tag(edge.version))


def _answer(edge: Edge, site: str, code: str | None = None) -> EdgeAnswer:
    health, now = edge.health, datetime.now(UTC)
    told = {name: getattr(health, name) for name in EdgeSight.__struct_fields__ if name not in _COMPUTED}
    off_s = round((health.clock_us - health.heard_us) / 1e6, 1) if health.clock_us and health.heard_us else 0.0
    failed = datetime.fromtimestamp(health.last_error_us / 1e6, UTC) if health.last_error_us else None
    silent = edge.joined is not None and (
        edge.last_seen is None or (now - edge.last_seen).total_seconds() > _SILENT_S
    )  # fmt: skip
    plain = ("id", "site_id", "name", "joined", "code_until", "settings", "enabled", "wanted", "sequence", "last_seen")
    return EdgeAnswer(
        **{name: getattr(edge, name) for name in (*plain, "created", "version")}, site=site, silent=silent, code=code,
        sight=EdgeSight(**told, clock_off_s=off_s, last_error_at=failed),
    )  # fmt: skip


routes = Router(
    "/edges", route_handlers=[edges, create_edge, edge, change_edge, new_code, edge_configurations, delete_edge]
)
