"""Keys of sites and devices: listed by their first characters, shown whole once when they are made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.registry.places.keys import Terms
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Key, NewKey, Scope
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.places import ends, require_at
from wattstead.web.access.viewer import Viewer
from wattstead.web.http.repeats import once
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms

SEE, CREATE, DELETE = (Right(one, Resource.KEY) for one in (Action.SEE, Action.CREATE, Action.DELETE))
_MOST_KEYS = 5_000


class KeyAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A key as it may be shown."""

    id: int
    site_id: int
    device_id: int | None
    """The device that it belongs to; null: to the whole site."""
    name: str
    scope: Scope
    prefix: str
    """The first six characters of the secret."""
    created: int
    """Milliseconds since 1970."""
    last_used: int | None
    expires: int | None
    """When it ends by itself, milliseconds since 1970."""
    plain_http: bool
    """Whether it may be shown without TLS from another machine."""
    successor_id: int | None
    """The key that replaces it; both live until this one ends."""
    point_limit: int
    """Points that new addresses under this key may create."""
    point_count: int
    secret: str = ""
    """Only in the answer that makes the key."""


class NewKeyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The key to make."""

    site_id: int
    scope: Scope
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "key"
    sealed: bool = False
    """Keep the secret encrypted here, as senders of EmonCMS's encrypted form need it."""
    device_id: int | None = None
    """Bind it to one device: points that appear under it are that device's, and a write key moves along with it."""
    expires: datetime | None = None
    expires_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] | None = None
    plain_http: bool = True


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """How long a key and its successor both live."""

    overlap_days: Annotated[float, msgspec.Meta(ge=0, le=90)] = 7


@get("/", opt=needs(Action.SEE, Resource.KEY), summary="Keys", tags=["keys"])
async def keys(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    site: Annotated[int | None, QueryParameter(description="Only keys of this site.")] = None,
) -> list[KeyAnswer]:
    """The living keys of the sites whose keys one may see, by id; a revoked key is not listed."""
    if site is not None:
        await require_at(rooms, viewer, SEE, site)
    found = await rooms.registry_threads.run(rooms.registry.keys, site, viewer.authority.reach(SEE))
    return [_answer(key) for key in found if key.revoked is None][:_MOST_KEYS]


@post("/", opt=needs(Action.CREATE, Resource.KEY), status_code=201, summary="Make a key", tags=["keys"])
async def create_key(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewKeyRequest]
) -> Response[KeyAnswer]:
    """A new key with its secret, which is shown this once. A write key never reads, a read key never writes; an admin
    key sets its site up, and makes no keys."""
    await require_at(rooms, viewer, CREATE, data.site_id)
    await _require_makes(rooms, viewer, data.scope, data.site_id)

    async def make() -> Response[Any]:
        terms = Terms(
            device_id=data.device_id, expires=ends(data.expires, data.expires_days), plain_http=data.plain_http
        )
        made = await rooms.registry_threads.run(
            rooms.registry.create_key, data.site_id, data.scope, data.name, sealed=data.sealed, terms=terms,
            by=actor(viewer), authority=viewer.authority,
        )  # fmt: skip
        return Response(_shown(made), status_code=201)

    return await once(request, rooms, viewer, make)


@post(
    "/{key_id:int}/rotate", opt=needs(Action.CREATE, Resource.KEY), status_code=201, summary="Replace a key",
    tags=["keys"],
)  # fmt: skip
async def rotate_key(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    key_id: FromPath[int],
    data: JSONBody[Rotation],
) -> Response[KeyAnswer]:
    """A successor with the same scope and terms, shown this once; the old key ends by itself after the overlap."""
    await require(rooms, viewer, CREATE, key_id)
    old = await rooms.registry_threads.run(rooms.registry.key_of, key_id)
    await _require_makes(rooms, viewer, old.scope, old.site_id)

    async def make() -> Response[Any]:
        overlap = timedelta(days=data.overlap_days)
        made = await rooms.registry_threads.run(
            rooms.registry.rotate_key, key_id, overlap, actor(viewer), viewer.authority
        )
        return Response(_shown(made), status_code=201)

    return await once(request, rooms, viewer, make)


@delete("/{key_id:int}", opt=needs(Action.DELETE, Resource.KEY), summary="Revoke a key", tags=["keys"])
async def revoke_key(rooms: FromRooms, viewer: FromViewer, account: FromAccount, key_id: FromPath[int]) -> None:
    """Ends a key for ever."""
    await require(rooms, viewer, DELETE, key_id)
    await rooms.registry_threads.run(rooms.registry.revoke_key, key_id, actor(viewer))
    rooms.directory.expire()


async def _require_makes(rooms: Rooms, viewer: Viewer, scope: Scope, site_id: int) -> None:
    """Raise `Refused` for a key that would see readings which whoever makes it does not see."""
    reach = viewer.authority.makes(scope)
    (allowed,) = await rooms.registry_threads.run(rooms.registry.within, Resource.SITE, site_id, reach)
    if not allowed:
        raise Refused(
            403, f"you may make no {scope.value} key here, since it sees readings that you do not see; ask the site's "
            "owner, or make a write key", code="no_right",
        )  # fmt: skip


def _shown(made: NewKey) -> KeyAnswer:
    answer = _answer(made.key)
    answer.secret = made.secret
    return answer


def _answer(key: Key) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        site_id=key.site_id,
        device_id=key.device_id,
        name=key.name,
        scope=key.scope,
        prefix=key.prefix,
        created=_ms(key.created) or 0,
        last_used=_ms(key.last_used),
        expires=_ms(key.expires),
        plain_http=key.plain_http,
        successor_id=key.successor_id,
        point_limit=key.point_limit,
        point_count=key.point_count,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


routes = Router("/keys", route_handlers=[keys, create_key, rotate_key, revoke_key])
