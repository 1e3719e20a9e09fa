"""Keys of a site: listed by their first characters, shown whole once when they are made."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import Parameter

from wattstead.registry.policy import Action, Resource
from wattstead.registry.records import Key, Scope
from wattstead.web.gate import needs
from wattstead.web.problem import not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer

_MOST_KEYS = 5_000


class KeyAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A key as it may be shown."""

    id: int
    site_id: int
    name: str
    scope: Scope
    prefix: str
    """The first six characters of the secret."""
    created: int
    """Milliseconds since 1970."""
    last_used: int | None
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


@get("/", opt=needs(Action.SEE, Resource.KEY), summary="Keys", tags=["keys"])
async def keys(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    site: Annotated[int | None, Parameter(description="Only keys of this site.")] = None,
) -> list[KeyAnswer]:
    """The living keys of the sites one may see, by id; a revoked key is not listed."""
    if site is not None and site not in viewer.sites:
        raise not_found("site", site)
    found = await rooms.registry_threads.run(rooms.registry.keys, site)
    return [_answer(key) for key in found if key.site_id in viewer.sites and key.revoked is None][:_MOST_KEYS]


@post("/", opt=needs(Action.CREATE, Resource.KEY), summary="Make a key", tags=["keys"])
async def create_key(rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: NewKeyRequest) -> KeyAnswer:
    """A new key with its secret, which is shown this once. A write key never reads, a read key never writes."""
    if data.site_id not in viewer.sites:
        raise not_found("site", data.site_id)
    made = await rooms.registry_threads.run(
        rooms.registry.create_key, data.site_id, data.scope, data.name, sealed=data.sealed
    )
    answer = _answer(made.key)
    answer.secret = made.secret
    return answer


@delete("/{key_id:int}", opt=needs(Action.DELETE, Resource.KEY), summary="Revoke a key", tags=["keys"])
async def revoke_key(rooms: FromRooms, viewer: FromViewer, account: FromAccount, key_id: int) -> None:
    """Ends a key for ever."""
    found = await rooms.registry_threads.run(rooms.registry.keys)
    if not any(key.id == key_id and key.site_id in viewer.sites for key in found):
        raise not_found("key", key_id)
    await rooms.registry_threads.run(rooms.registry.revoke_key, key_id)
    rooms.directory.expire()


def _answer(key: Key) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        site_id=key.site_id,
        name=key.name,
        scope=key.scope,
        prefix=key.prefix,
        created=round(key.created.timestamp() * 1000),
        last_used=None if key.last_used is None else round(key.last_used.timestamp() * 1000),
        point_limit=key.point_limit,
        point_count=key.point_count,
    )


routes = Router("/keys", route_handlers=[keys, create_key, revoke_key])
