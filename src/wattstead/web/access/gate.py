"""Who is asking, and whether the route's declared right is theirs anywhere: checked before any handler runs.

A request that changes something and comes with a cookie must also show that a page of ours sent it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Account
from wattstead.registry.trail import Actor
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import watch
from wattstead.web.problem import Refused, invalid, not_found
from wattstead.web.rooms import FromViewer, Rooms

COOKIE = "wattstead_session"
SHARE_COOKIE = "wattstead_share"
"""Of a guest who came by a link; whoever is signed in is that person, link or not."""
HEADER = "X-Wattstead"
"""A header that no other site's page can send here without being asked first."""
_RIGHT = "right"
MANY: dict[str, Any] = {"many": True}
"""Joins the ``opt`` of a route that checks by itself which parameters it takes more than once."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

AnyRequest = Request[Any, Any, Any]


def provide_rooms(request: ASGIConnection[Any, Any, Any, Any]) -> Rooms:
    """The rooms of this application."""
    rooms: Rooms = request.app.state.rooms
    return rooms


def needs(action: Action, resource: Resource) -> dict[str, Any]:
    """The ``opt`` of a route: the right that whoever asks must hold somewhere."""
    return {_RIGHT: Right(action, resource)}


OPEN: dict[str, Any] = {_RIGHT: None}
"""The ``opt`` of a route that anybody may ask, signed in or not."""
SIGNED: dict[str, Any] = {_RIGHT: "anybody who is known"}
"""The ``opt`` of a route for everybody who is signed in, and every key that reads."""


def check_declared(app: Litestar, prefix: str) -> None:
    """Raise `RuntimeError` when a route below a prefix declares no right: what nobody thought about is open to none."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute) and route.path.startswith(prefix)]
    handlers = [(route.path, handler) for route in routes for handler in route.route_handlers]
    silent = [path for path, one in handlers if _RIGHT not in one.opt and "OPTIONS" not in one.http_methods]
    if silent:
        raise RuntimeError(f"routes that declare no right (opt=needs(…), OPEN or SIGNED): {', '.join(sorted(silent))}")


async def guard(request: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """What every route of the API passes; raises `Refused` with 401 for nobody, 403 for somebody without the right."""
    if request.scope.get("method") == "OPTIONS" and _RIGHT not in handler.opt:
        return  # the framework's own answer, which is the same for everybody
    right = handler.opt[_RIGHT]
    if "many" not in handler.opt:
        require_once(request)
    if right is None:
        return
    viewer = await viewer_now(request)
    request.scope["wattstead_viewer"] = viewer  # type: ignore[typeddict-unknown-key]
    if isinstance(right, Right) and not viewer.authority.reach(right):
        raise lacking(viewer, right)
    if isinstance(right, Right):
        await watch(request, viewer, right.resource)


def require_once(request: ASGIConnection[Any, Any, Any, Any], names: Container[str] | None = None) -> None:
    """Raise `Refused` with 400 when a parameter (one of ``names``) is given more than once: of two values one would be
    dropped silently, and what is looked at would not be what is kept of the look.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    twice = next((name for name, times in given.items() if times > 1 and (names is None or name in names)), None)
    if twice is not None:
        raise invalid(twice, f"is given {given[twice]} times; give it once")


def lacking(viewer: Viewer, right: Right) -> Refused:
    """The refusal of somebody who may not do this."""
    if viewer.authority.lacks_reason:
        told = "tell the reason for looking at customers first (POST /api/v1/reason); each look is kept"
        return Refused(403, told, code="reason.first")
    if viewer.account is None:
        return Refused(403, f"this key may not {right}; sign in, or use a key that may")
    return Refused(
        403, f"you have no right to {right} here; whoever owns the site or organization can give it", code="no_right"
    )


async def require(rooms: Rooms, viewer: Viewer, right: Right, identity: int) -> None:
    """Raise `Refused` unless the right is held on that one thing: 404 when it is not to be seen, exactly as if it did
    not exist, 403 when it may be seen and no more.
    """
    seen, allowed = (viewer.authority.reach(one) for one in (Right(Action.SEE, right.resource), right))
    found = await rooms.registry_threads.run(rooms.registry.within, right.resource, identity, seen, allowed)
    if not found[0]:
        raise not_found(right.resource.value, identity)
    if not found[1]:
        raise lacking(viewer, right)


async def require_own(rooms: Rooms, viewer: Viewer, right: Right, identity: int) -> None:
    """Raise `Refused` with 403 where a right that one holds on a thing comes from a grant of its site alone."""
    own = viewer.authority.reach(right).own
    if not (await rooms.registry_threads.run(rooms.registry.within, right.resource, identity, own))[0]:
        raise lacking(viewer, right)


async def require_at_site(rooms: Rooms, viewer: Viewer, right: Right, site_id: int) -> None:
    """`require` for what is made or listed at a site: 404 for a site one does not see, 403 without the right there."""
    seen, allowed = (viewer.authority.reach(one) for one in (Right(Action.SEE, Resource.SITE), right))
    found = await rooms.registry_threads.run(rooms.registry.within, Resource.SITE, site_id, seen, allowed)
    if not found[0]:
        raise not_found(Resource.SITE.value, site_id)
    if not found[1]:
        raise lacking(viewer, right)


async def provide_viewer(request: AnyRequest) -> Viewer:
    """Who asks, as `guard` has found out."""
    known = request.scope.get("wattstead_viewer")
    return known if isinstance(known, Viewer) else await viewer_now(request)


async def viewer_now(request: ASGIConnection[Any, Any, Any, Any]) -> Viewer:
    """Who asks, at this moment; raises `Refused` with 401 for nobody, 403 for a key that only writes."""
    directory = provide_rooms(request).directory
    secret, token = bearer(request), request.cookies.get(COOKIE, "")
    if secret:
        viewer = await directory.viewer_of_key(secret)
        if viewer is None:
            raise Refused(401, "the key is not known or was revoked; copy a read key from the page of the site")
        if not viewer.may_read:
            raise Refused(403, "this key may only write; use a read key of the site")
        return viewer
    viewer = await directory.viewer_of_session(token) if token else None
    if viewer is None and (shared := request.cookies.get(SHARE_COOKIE, "")):
        viewer = await directory.viewer_of_share(shared)
    if viewer is None:
        raise Refused(401, "sign in, or send a read key as Authorization: Bearer KEY")
    require_own_page(request)
    return viewer


def provide_account(viewer: FromViewer) -> Account:
    """The person who asks; raises `Refused` with 403 for a key."""
    if viewer.account is None:
        raise Refused(403, "a key may only read; sign in to change something")
    return viewer.account


def require_own_page(request: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Raise `Refused` when a changing request may have been sent by a page of another site."""
    if (
        getattr(request, "method", "GET") in _SAFE
        or HEADER in request.headers
        or request.headers.get("Sec-Fetch-Site") == "same-origin"
    ):
        return
    origin = request.headers.get("Origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("Host"):
        raise Refused(403, f"a request that changes something with a session needs the header {HEADER}: 1")


def bearer(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The key in the Authorization header; empty without one."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def actor(viewer: Viewer) -> Actor:
    """Who stands in the trail for what this viewer does."""
    if viewer.account is not None:
        return Actor(viewer.account.id, viewer.impersonator_id)
    return Actor(key_id=viewer.who.id)


DEPENDENCIES = {
    "rooms": Provide(provide_rooms, sync_to_thread=False),
    "viewer": Provide(provide_viewer),
    "account": Provide(provide_account, sync_to_thread=False),
}
