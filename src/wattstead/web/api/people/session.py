"""Signing in and out: a session is an opaque token in a cookie that scripts cannot read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import JSONBody
from litestar.response import Response

from wattstead.registry.policy import RIGHTS, Action, Resource, Right, Role
from wattstead.web.access.cookies import RETURN, return_cookie, session_cookie
from wattstead.web.access.gate import COOKIE, OPEN, SIGNED, AnyRequest, require_own_page
from wattstead.web.access.people import client_of
from wattstead.web.access.viewer import Viewer
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromRooms, FromViewer, Rooms
from wattstead.web.settings import Demo

_ALL_RIGHTS = sorted({right for rights in RIGHTS.values() for right in rights}, key=str)


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """Who signs in."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """Of the authenticator app, or a recovery code; asked for where a second factor is set."""


class SessionAnswer(msgspec.Struct, kw_only=True):
    """Who is signed in."""

    email: str
    role: str
    """The role that decides on the first page; `nobody` for a person without any."""
    demo: Demo | None
    """Set on a demo: what is replayed, and, for who may see keys, the one to play with."""
    account_id: int | None
    """None for a key."""
    name: str
    roles: list[str]
    rights: list[str]
    """What one may do somewhere, as `create site`."""
    impersonator: str | None
    """E-mail address of the administrator who looks through this person's eyes."""
    lacks_reason: bool
    """Whether there is more to see once a reason was told (POST /api/v1/reason)."""


@post("/", opt=OPEN, summary="Sign in", tags=["session"], security=[])
async def sign_in(request: AnyRequest, rooms: FromRooms, data: JSONBody[Login]) -> Response[SessionAnswer]:
    """Answers with the cookie of a new session. Wrong e-mail addresses and wrong passwords answer alike.

    Where a second factor is set, the right password without a code is answered with 401 and `second_factor`.
    """
    if "Origin" in request.headers:
        require_own_page(request)
    token = await rooms.registry.login_soon(data.email, data.password, code=data.code, **client_of(request))
    return await entered(request, rooms, token)


async def entered(request: AnyRequest, rooms: Rooms, token: str) -> Response[SessionAnswer]:
    """The answer to whoever has just shown who they are: the cookie of the new session; the former one ends."""
    viewer = await rooms.directory.viewer_of_session(token)
    if viewer is None:
        raise Refused(503, "the session was ended at once; sign in again")
    before = request.cookies.get(COOKIE, "")
    if before:
        await end(rooms, before)
    cookies = [session_cookie(request, token), return_cookie(request, "")]
    return Response(await answer(rooms, viewer), status_code=201, cookies=cookies)


@get("/", opt=SIGNED, summary="Who is signed in", tags=["session"])
async def session(rooms: FromRooms, viewer: FromViewer) -> SessionAnswer:
    """The person behind the session cookie; 401 when there is none. A read key has no e-mail address."""
    return await answer(rooms, viewer)


@delete("/", opt=OPEN, summary="Sign out", tags=["session"])
async def sign_out(request: AnyRequest, rooms: FromRooms) -> Response[None]:
    """Ends the session of the cookie; whoever looked through somebody's eyes is back in the own session."""
    require_own_page(request)
    token, back = request.cookies.get(COOKIE, ""), request.cookies.get(RETURN, "")
    viewer = await rooms.directory.viewer_of_session(token) if token else None
    own = await rooms.directory.viewer_of_session(back) if back else None
    await end(rooms, token)
    returns = back if viewer is not None and own is not None and _looks_through(own, viewer) else ""
    return Response(None, status_code=204, cookies=[session_cookie(request, returns), return_cookie(request, "")])


def _looks_through(own: Viewer, eyes: Viewer) -> bool:
    """Whether one session is that of the administrator behind another."""
    return own.account is not None and own.account.id == eyes.impersonator_id


async def end(rooms: Rooms, token: str) -> None:
    """End a session here and now."""
    await rooms.registry_threads.run(rooms.registry.logout, token)
    rooms.directory.forget(token)
    rooms.directory.expire()


def _demo_for(viewer: Viewer, demo: Demo | None) -> Demo | None:
    """The demo's note; its key only for who may see keys somewhere."""
    if demo is None or viewer.authority.reach(Right(Action.SEE, Resource.KEY)):
        return demo
    return Demo(demo.note, "")


async def answer(rooms: Rooms, viewer: Viewer) -> SessionAnswer:
    """What is told of whoever asks."""
    who, authority = viewer.account, viewer.authority
    held = {stand.role for stand in authority.stands} if who else set()
    impersonator = None
    if viewer.impersonator_id is not None:
        row = await rooms.registry_threads.run(rooms.registry.person, None, viewer.impersonator_id)
        impersonator = row.account.email
    return SessionAnswer(
        email=who.email if who else "",
        role=viewer.role,
        demo=_demo_for(viewer, rooms.settings.demo),
        account_id=who.id if who else None,
        name=who.name if who else "",
        roles=[role.value for role in Role if role in held],
        rights=[str(right) for right in _ALL_RIGHTS if authority.reach(right)],
        impersonator=impersonator,
        lacks_reason=authority.lacks_reason,
    )


routes = Router("/session", route_handlers=[sign_in, session, sign_out])
