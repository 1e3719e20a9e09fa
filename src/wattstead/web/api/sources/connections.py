"""Sources: listed with how they are doing, made, changed, switched, removed; who may is the policy's to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response
from msgspec import UNSET, UnsetType

from wattstead.ingest.sources.forms import apart, checked, goes_elsewhere
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import SOURCES, named
from wattstead.metering.errors import Issue
from wattstead.registry.places.sources import Given
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Source
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.places import require_at
from wattstead.web.api.sources.alone import require_alone
from wattstead.web.api.sources.own_templates import spelt_out
from wattstead.web.api.sources.shown import SourceAnswer, shown
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.problem import Refused, invalid
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms

SEE, CREATE, CHANGE, DELETE = (
    Right(one, Resource.SOURCE) for one in (Action.SEE, Action.CREATE, Action.CHANGE, Action.DELETE)
)  # fmt: skip
SEE_DEVICE = Right(Action.SEE, Resource.DEVICE)
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewSource(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A source to make."""

    site_id: int
    protocol: Annotated[str, msgspec.Meta(max_length=60)]
    """One of `/api/v1/sources/protocols`."""
    name: Name
    settings: dict[str, Any]
    """As the protocol's schema has them, secrets among them."""
    device_id: int | None = None
    """Only readings of this device."""
    edge_id: int | None = None
    """The machine on site that runs it; null: the server."""
    past_days: float | None = None
    """How old a reading may be, days; 0: any age; default: 400."""
    rate: float | None = None
    """Readings a second that it may bring; 0, the default: what the server allows."""
    enabled: bool = True


class SourcePatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of a source; what is left out stays as it is."""

    name: Name | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    """All of them, but for secrets: one that is left out or empty stays as it is, null forgets it."""
    device_id: int | UnsetType | None = UNSET
    edge_id: int | UnsetType | None = UNSET
    past_days: float | UnsetType = UNSET
    rate: float | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


@get("/", opt=needs(Action.SEE, Resource.SOURCE), summary="Sources", tags=["sources"])
async def sources(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    site: Annotated[int | None, QueryParameter(description="Only sources of this site.")] = None,
    device: Annotated[int | None, QueryParameter(description="Only sources of this device.")] = None,
) -> list[SourceAnswer]:
    """The sources one may see, by id, with how they are doing."""
    if site is not None:
        await require_at(rooms, viewer, SEE, site)
    if device is not None:
        await require(rooms, viewer, SEE_DEVICE, device)
    run, reach = rooms.registry_threads.run, viewer.authority.reach(SEE)
    found = await run(rooms.registry.sources, reach, site_id=site, device_id=device)
    return await run(_answers, rooms, found)


@post("/", opt=needs(Action.CREATE, Resource.SOURCE), status_code=201, summary="Make a source", tags=["sources"])
async def create_source(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewSource]
) -> Response[SourceAnswer]:
    """A source with a write key of its own that nobody holds; it is opened within a second."""
    await require_at(rooms, viewer, CREATE, data.site_id)
    protocol = _protocol(data.protocol)
    if protocol.entrance:
        raise invalid("protocol", f"{protocol.title}: the server makes its row when a device of the site signs in")
    plain, secrets = apart(protocol, await spelt_out(rooms, viewer, protocol, data.site_id, data.settings))
    checked(protocol, plain, _set(secrets))
    await require_alone(rooms, viewer, protocol, plain, edge_id=data.edge_id)

    async def make() -> Response[Any]:
        given = Given(
            name=data.name, settings=plain, secrets=_set(secrets), device_id=data.device_id, edge_id=data.edge_id,
            past_days=data.past_days, rate=data.rate, enabled=data.enabled,
        )  # fmt: skip
        made = await rooms.registry_threads.run(
            rooms.registry.create_source, data.site_id, protocol.name, given, actor(viewer)
        )
        return await _answered(rooms, made, 201)

    return await once(request, rooms, viewer, make)


@get("/{source_id:int}", opt=needs(Action.SEE, Resource.SOURCE), summary="A source", tags=["sources"])
async def source(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int]
) -> Response[SourceAnswer]:  # fmt: skip
    """One source; the ETag is the version to give with a change."""
    await require(rooms, viewer, SEE, source_id)
    return await _answered(rooms, await rooms.registry_threads.run(rooms.registry.source, source_id))


@patch("/{source_id:int}", opt=needs(Action.CHANGE, Resource.SOURCE), summary="Change a source", tags=["sources"])
async def change_source(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    source_id: FromPath[int],
    data: JSONBody[SourcePatch],
) -> Response[SourceAnswer]:
    """Sets what is given; needs If-Match. When a setting changes that says where secrets go, they are asked for
    again."""
    await require(rooms, viewer, CHANGE, source_id)
    version = expected(request)
    plain: dict[str, Any] | None = None
    secrets: dict[str, str | None] = {}
    if data.settings is not UNSET:
        state = await rooms.registry_threads.run(rooms.registry.source_state, source_id)
        protocol = _protocol(state.source.protocol)
        told = await spelt_out(rooms, viewer, protocol, state.source.site_id, data.settings)
        plain, secrets = apart(protocol, told)
        _require_secrets_again(protocol, state.source, plain, secrets)
        kept = {name: value for name, value in state.secrets.items() if name not in secrets}
        checked(protocol, plain, kept | _set(secrets))
        edge_id = state.source.edge_id if data.edge_id is UNSET else data.edge_id
        await require_alone(rooms, viewer, protocol, plain, edge_id=edge_id, source_id=source_id)
    await _require_of_site(rooms, source_id, data)
    if data.edge_id is not UNSET:
        source = await rooms.registry_threads.run(rooms.registry.source, source_id)
        _require_secrets_for_edge(source, data.edge_id, secrets)
        if plain is None and (moved := named(source.protocol)) is not None:
            await require_alone(rooms, viewer, moved, source.settings, edge_id=data.edge_id, source_id=source_id)
    given = Given(
        name=_told(data.name), settings=plain, secrets=secrets, past_days=_told(data.past_days), rate=_told(data.rate),
        device_id=None if data.device_id is UNSET else data.device_id or 0,
        edge_id=None if data.edge_id is UNSET else data.edge_id or 0, enabled=_told(data.enabled),
    )  # fmt: skip
    changed = await rooms.registry_threads.run(
        rooms.registry.change_source, source_id, given, version=version, by=actor(viewer)
    )
    return await _answered(rooms, changed)


@delete("/{source_id:int}", opt=needs(Action.DELETE, Resource.SOURCE), summary="Remove a source", tags=["sources"])
async def delete_source(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int]
) -> None:
    """Its points and their history stay, its dead letters go; needs If-Match."""
    await require(rooms, viewer, DELETE, source_id)
    await rooms.registry_threads.run(
        rooms.registry.delete_source, source_id, version=expected(request), by=actor(viewer)
    )
    _wake(rooms)


def _require_secrets_again(
    protocol: SourceProtocol, source: Source, plain: Mapping[str, Any], secrets: Mapping[str, str | None]
) -> None:
    """Raise `Refused` where secrets would be sent elsewhere than whoever entered them has seen."""
    held = [name for name in source.secrets if name not in secrets]
    if held and goes_elsewhere(protocol, source.settings, plain):
        reason = "enter it again: what it is sent to has changed"
        raise Refused(
            400, f"{', '.join(held)}: {reason}", [Issue(name, reason) for name in held], code="source.secrets"
        )  # fmt: skip


async def _require_of_site(rooms: Rooms, source_id: int, data: SourcePatch) -> None:
    """Raise `Refused` where the row of a door of this server would become a device's, or a machine's on site."""
    asked = {"device_id": data.device_id, "edge_id": data.edge_id}
    name = next((name for name, one in asked.items() if one is not UNSET and one), None)
    if name is not None:
        source = await rooms.registry_threads.run(rooms.registry.source, source_id)
        protocol = named(source.protocol)
        if protocol is not None and protocol.entrance:
            raise invalid(name, f"is given; {protocol.title} is this server's own and the whole site's: leave it out")


def _require_secrets_for_edge(source: Source, edge_id: int | None, secrets: Mapping[str, Any]) -> None:
    """Raise `Refused` where a machine on site would learn secrets from somebody who may not know them."""
    held = [name for name in source.secrets if name not in secrets]
    if held and edge_id and edge_id != source.edge_id:
        reason = "enter it again: another machine will hold it"
        raise Refused(
            400, f"{', '.join(held)}: {reason}", [Issue(name, reason) for name in held], code="source.secrets"
        )  # fmt: skip


def _protocol(name: str) -> SourceProtocol:
    found = named(name)
    if found is None:
        raise invalid("protocol", f"is {name[:40]!r}; known are {', '.join(one.name for one in SOURCES)}")
    return found


def _set(secrets: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in secrets.items() if value is not None}


def _told(value: Any) -> Any:
    return None if value is UNSET else value


def _wake(rooms: Rooms) -> None:
    if rooms.opened is not None:
        rooms.opened.wake()


def _answers(rooms: Rooms, found: Sequence[Source]) -> list[SourceAnswer]:
    registry = rooms.registry
    sites = {one.id: one.name for one in registry.sites(site_ids=sorted({source.site_id for source in found}))}
    ids = [source.device_id for source in found if source.device_id is not None]
    devices = {one.id: one.name for one in registry.devices(device_ids=ids)}
    new = registry.new_points_of_keys([source.key_id for source in found])
    sights = rooms.opened.sights() if rooms.opened is not None else {}
    return [
        shown(
            rooms,
            source,
            sights.get(source.id),
            (sites.get(source.site_id, ""), devices.get(source.device_id or 0, "")),
            new.get(source.key_id, 0),
        )
        for source in found
    ]


async def _answered(rooms: Rooms, source: Source, status: int = 200) -> Response[SourceAnswer]:
    _wake(rooms)
    (answer,) = await rooms.registry_threads.run(_answers, rooms, [source])
    return Response(answer, status_code=status, headers=tag(source.version))


connections = Router("/sources", route_handlers=[sources, create_source, source, change_source, delete_source])
