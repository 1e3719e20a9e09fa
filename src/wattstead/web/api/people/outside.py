"""Signing in at an OpenID Connect provider: away with a redirect, back with another, into a session of ours."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
import structlog
from litestar import Router, get
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from litestar.response import Response

from wattstead.registry.errors import AccountNotActive, LinkInvalid, RoleRefused
from wattstead.web.access.cookies import cookie, return_cookie, session_cookie
from wattstead.web.access.gate import OPEN, AnyRequest
from wattstead.web.access.outside import Begun, Outside, OutsideFailed, Shown, hashed
from wattstead.web.access.people import address_of, client_of
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromRooms, Rooms

BROWSER = "wattstead_outside"
"""Says that it is the browser that left."""
_AWAY_S = 900
_log = structlog.get_logger("wattstead.web")


class OutsideAnswer(msgspec.Struct):
    """The provider that one may sign in with."""

    name: str
    """Empty: none is configured."""


@get("/", opt=OPEN, summary="The outside provider", tags=["session"], security=[])
async def outside(rooms: FromRooms) -> OutsideAnswer:
    """What the sign-in page offers beside its own form, if anything."""
    return OutsideAnswer("" if rooms.outside is None else rooms.outside.settings.name)


@get("/begin", opt=OPEN, summary="Sign in outside", tags=["session"], security=[])
async def begin_outside(
    request: AnyRequest,
    rooms: FromRooms,
    to: Annotated[str, QueryParameter(description="Path of the page to see afterwards.", max_length=1_000)] = "/",
) -> Response[None]:
    """Sends the browser to the provider, which sends it back."""
    room, browser = _outside(rooms), secrets.token_urlsafe(24)
    begun = Begun.fresh(browser, to)
    state = await rooms.registry_threads.run(
        rooms.registry.begin_outside, msgspec.json.encode(begun), address_of(request)
    )
    return _redirect(await room.address(state, begun), [cookie(request, BROWSER, browser, _AWAY_S)])


@get("/back", opt=OPEN, summary="Back from outside", tags=["session"], security=[])
async def back_from_outside(
    request: AnyRequest,
    rooms: FromRooms,
    given: Annotated[str, QueryParameter(name="state", description="As given to the provider.", max_length=200)] = "",
    code: Annotated[str, QueryParameter(description="From the provider.", max_length=4_000)] = "",
) -> Response[None]:
    """Where the provider sends the browser: on to the wanted page with a session, or to the sign-in page, which says
    `outside=refused` when nobody here has that address, or `outside=failed`.
    """
    room, prefix = _outside(rooms), str(request.scope.get("wattstead_prefix", ""))
    gone = cookie(request, BROWSER, "", 0)
    try:
        begun = await _begun(request, rooms, given)
        shown = await room.shown(code, begun)
        token = await _entered(request, rooms, room, shown)
    except (RoleRefused, AccountNotActive) as error:
        _log.info("outside login refused", reason=str(error))
        return _redirect(f"{prefix}/sign-in?outside=refused", [gone])
    except (OutsideFailed, LinkInvalid) as error:
        _log.warning("outside login failed", reason=str(error))
        return _redirect(f"{prefix}/sign-in?outside=failed", [gone])
    cookies = [gone, session_cookie(request, token), return_cookie(request, "")]
    return _redirect(f"{prefix}{begun.to}", cookies)


async def _begun(request: AnyRequest, rooms: Rooms, state: str) -> Begun:
    """What was kept when this browser left; raises `LinkInvalid` for another browser, and the second time."""
    content = await rooms.registry_threads.run(rooms.registry.take_outside, state)
    begun = msgspec.json.decode(content, type=Begun)
    if not secrets.compare_digest(begun.browser, hashed(request.cookies.get(BROWSER, ""))):
        raise LinkInvalid("challenge")
    return begun


async def _entered(request: AnyRequest, rooms: Rooms, room: Outside, shown: Shown) -> str:
    issuer = room.settings.issuer
    return await rooms.registry_threads.run(
        rooms.registry.login_outside, issuer, shown.subject, shown.email, **client_of(request)
    )


def _outside(rooms: Rooms) -> Outside:
    if rooms.outside is None:
        raise Refused(404, "no outside provider is configured")
    return rooms.outside


def _redirect(to: str, cookies: list[Cookie]) -> Response[None]:
    return Response(None, status_code=302, headers={"Location": to}, cookies=cookies)


routes = Router("/session/outside", route_handlers=[outside, begin_outside, back_from_outside])
