"""The own signed-in browsers: listed and ended."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Router, delete, get
from litestar.params import FromPath

from wattstead.registry.errors import Unknown
from wattstead.web.access.gate import SIGNED
from wattstead.web.access.people import require_own_hand
from wattstead.web.problem import not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer


class SessionRow(msgspec.Struct):
    """A signed-in browser."""

    name: str
    """By which it is ended."""
    agent: str
    """What the browser calls itself."""
    address: str
    """From which network address it began."""
    created: datetime
    last_used: datetime
    expires: datetime
    current: bool
    """Whether it is the one that asks."""
    impersonated: bool
    """Whether an administrator looks through this person's eyes in it."""
    eyes_of: str
    """The e-mail address of the person through whose eyes one looks in it oneself; empty: it is one's own session."""


@get("/", opt=SIGNED, summary="Own sessions", tags=["account"])
async def sessions(rooms: FromRooms, viewer: FromViewer, account: FromAccount) -> list[SessionRow]:
    """The browsers in which one is signed in, or looks through somebody's eyes, the one used last first."""
    found = await rooms.registry_threads.run(rooms.registry.open_sessions, account.id)
    return [
        SessionRow(
            name=one.name,
            agent=one.agent,
            address=one.address,
            created=one.created,
            last_used=one.last_used,
            expires=one.expires,
            current=one.name == viewer.session,
            impersonated=one.impersonator_id is not None and not one.eyes_of,
            eyes_of=one.eyes_of,
        )
        for one in found
    ]


@delete("/{name:str}", opt=SIGNED, summary="End a session", tags=["account"])
async def end_session(rooms: FromRooms, viewer: FromViewer, account: FromAccount, name: FromPath[str]) -> None:
    """Signs one of the own browsers out."""
    require_own_hand(viewer)
    try:
        await rooms.registry_threads.run(rooms.registry.end_session, account.id, name)
    except Unknown:
        raise not_found("session", name) from None
    rooms.directory.expire()


@delete("/", opt=SIGNED, summary="End all other sessions", tags=["account"])
async def end_other_sessions(rooms: FromRooms, viewer: FromViewer, account: FromAccount) -> None:
    """Signs all of the own browsers out but this one."""
    require_own_hand(viewer)
    await rooms.registry_threads.run(rooms.registry.end_other_sessions, account.id, viewer.session)
    rooms.directory.expire()


routes = Router("/sessions", route_handlers=[sessions, end_session, end_other_sessions])
