"""Which protocols there are with the forms of their settings, and looking around at the other side before saving."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import JSONBody

from wattstead.ingest.sources.forms import apart, goes_elsewhere, marked, schema, settings_of
from wattstead.ingest.sources.running import Looked
from wattstead.ingest.sources.table import SOURCES, named
from wattstead.registry.policy import SEE_READINGS, Action, Resource
from wattstead.web.access.gate import needs, require
from wattstead.web.access.places import require_at
from wattstead.web.api.sources.connections import CHANGE, CREATE
from wattstead.web.api.sources.own_templates import spelt_out
from wattstead.web.api.sources.shown import opened
from wattstead.web.problem import invalid
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer


class ProtocolAnswer(msgspec.Struct, kw_only=True):
    """A protocol by which the server can open a connection."""

    name: str
    title: str
    page: str
    """Where it is documented."""
    looks: bool
    """Whether it can look around."""
    settings: dict[str, Any]
    """JSON schema of the settings; secrets have `"secret": true`."""
    secrets: list[str]
    """Settings that are stored sealed and never shown again."""
    entrance: bool
    """A door of this server, of which each site that uses it has a source by itself; nobody makes one."""


class Look(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to look around, and for what."""

    site_id: int
    """Where the source is to be, or is."""
    protocol: Annotated[str, msgspec.Meta(max_length=60)]
    settings: dict[str, Any]
    source_id: int | None = None
    """A saved source whose secrets are used where none are given."""
    wanted: dict[str, Any] = {}
    """What to look for, as the protocol's page says."""


class FoundAnswer(msgspec.Struct, kw_only=True):
    """Something that was found there."""

    where: str
    name: str
    value: str
    unit: str
    settings: dict[str, Any]
    """What to add to the settings to have it."""
    fault: str
    """Why it could not be read."""


class LookAnswer(msgspec.Struct, kw_only=True):
    """What was found."""

    found: list[FoundAnswer]
    fault: str = ""
    """Why nothing could be asked."""


@get("/protocols", opt=needs(Action.SEE, Resource.SOURCE), summary="Protocols", tags=["sources"])
async def protocols(account: FromAccount) -> list[ProtocolAnswer]:
    """The protocols by which sources can be opened, with the forms of their settings."""
    return [
        ProtocolAnswer(
            name=one.name, title=one.title, page=one.page, looks=one.look is not None, settings=schema(one),
            secrets=sorted(marked(one, "secret")), entrance=one.entrance,
        )
        for one in SOURCES
    ]  # fmt: skip


@post("/look", opt=needs(Action.CREATE, Resource.SOURCE), status_code=200, summary="Look around", tags=["sources"])
async def look(rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[Look]) -> LookAnswer:
    """What the other side has, before anything is saved: scans, reads, browses, for at most half a minute. Whoever
    looks must be allowed to make sources at the site and to see its readings."""
    await require_at(rooms, viewer, CREATE, data.site_id)
    await require_at(rooms, viewer, SEE_READINGS, data.site_id)
    protocol = named(data.protocol)
    if protocol is None:
        raise invalid("protocol", f"is {data.protocol[:40]!r}; known are {', '.join(one.name for one in SOURCES)}")
    plain, given = apart(protocol, await spelt_out(rooms, viewer, protocol, data.site_id, data.settings))
    secrets = {name: value for name, value in given.items() if value is not None}
    if data.source_id is not None:
        await require(rooms, viewer, CHANGE, data.source_id)
        state = await rooms.registry_threads.run(rooms.registry.source_state, data.source_id)
        source = state.source
        await require_at(rooms, viewer, SEE_READINGS, source.site_id)
        if source.protocol == protocol.name and not goes_elsewhere(protocol, source.settings, plain):
            secrets = {name: one for name, one in state.secrets.items() if name not in given} | secrets
    settings_of(protocol, plain, secrets)
    try:
        found = await opened(rooms).look(protocol.name, plain, secrets, data.wanted, f"account {account.id}")
    except Looked as error:
        return LookAnswer(found=[], fault=str(error))
    return LookAnswer(
        found=[
            FoundAnswer(
                where=one.where, name=one.name, value=one.value, unit=one.unit, settings=dict(one.settings),
                fault=one.fault,
            )
            for one in found
        ]
    )  # fmt: skip


looking = Router("/sources", route_handlers=[protocols, look])
