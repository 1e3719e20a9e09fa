"""Signing in and out: a session is an opaque token in a cookie that scripts cannot read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.response import Response

from wattstead.web.gate import COOKIE, OPEN, SIGNED, AnyRequest, require_own_page
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromRooms, FromViewer, Rooms
from wattstead.web.settings import Demo
from wattstead.web.viewer import Viewer

_COOKIE_S = 14 * 86_400


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """Who signs in."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class SessionAnswer(msgspec.Struct):
    """Who is signed in."""

    email: str
    role: str
    demo: Demo | None
    """Set on a demo: what is replayed, and the keys to play with."""


@post("/", opt=OPEN, summary="Sign in", tags=["session"], security=[])
async def sign_in(request: AnyRequest, rooms: FromRooms, data: Login) -> Response[SessionAnswer]:
    """Answers with the cookie of a new session. Wrong e-mail addresses and wrong passwords answer alike."""
    if "Origin" in request.headers:
        require_own_page(request)
    address = request.client.host if request.client else ""
    token = await rooms.registry.login_soon(data.email, data.password, address)
    viewer = await rooms.directory.viewer_of_session(token)
    if viewer is None:
        raise Refused(503, "the session was ended at once; sign in again")
    return Response(_answer(rooms, viewer), status_code=201, cookies=[_cookie(request, token, _COOKIE_S)])


@get("/", opt=SIGNED, summary="Who is signed in", tags=["session"])
async def session(rooms: FromRooms, viewer: FromViewer) -> SessionAnswer:
    """The person behind the session cookie; 401 when there is none. A read key has no e-mail address."""
    return _answer(rooms, viewer)


@delete("/", opt=OPEN, summary="Sign out", tags=["session"])
async def sign_out(request: AnyRequest, rooms: FromRooms) -> Response[None]:
    """Ends the session of the cookie."""
    require_own_page(request)
    token = request.cookies.get(COOKIE, "")
    await rooms.registry_threads.run(rooms.registry.logout, token)
    rooms.directory.forget(token)
    return Response(None, status_code=204, cookies=[_cookie(request, "", 0)])


def _answer(rooms: Rooms, viewer: Viewer) -> SessionAnswer:
    who = viewer.account
    return SessionAnswer(who.email if who else "", viewer.role, rooms.settings.demo)


def _cookie(request: AnyRequest, token: str, age_s: int) -> Cookie:
    path = str(request.scope.get("wattstead_prefix", "")) + "/"
    secure = request.scope.get("scheme") == "https" or request.headers.get("Origin", "").startswith("https:")
    return Cookie(key=COOKIE, value=token, path=path, max_age=age_s, httponly=True, samesite="lax", secure=secure)


routes = Router("/session", route_handlers=[sign_in, session, sign_out])
