"""Who is asking: a session cookie or a read key, as the dependency of every handler that needs one.

A request that changes something and comes with a cookie must also show that a page of ours sent it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.di import Provide

from wattstead.registry.records import Account
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromViewer, Rooms
from wattstead.web.viewer import Viewer

COOKIE = "wattstead_session"
HEADER = "X-Wattstead"
"""A header that no other site's page can send here without being asked first."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

AnyRequest = Request[Any, Any, Any]


def provide_rooms(request: AnyRequest) -> Rooms:
    """The rooms of this application."""
    rooms: Rooms = request.app.state.rooms
    return rooms


async def provide_viewer(request: AnyRequest) -> Viewer:
    """Who asks; raises `Refused` with 401 for nobody, 403 for somebody who may not."""
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
    if viewer is None:
        raise Refused(401, "sign in, or send a read key as Authorization: Bearer KEY")
    require_own_page(request)
    return viewer


def provide_account(viewer: FromViewer) -> Account:
    """The person who asks; raises `Refused` with 403 for a key."""
    if viewer.account is None:
        raise Refused(403, "a key may only read; sign in to change something")
    return viewer.account


def require_own_page(request: AnyRequest) -> None:
    """Raise `Refused` when a changing request may have been sent by a page of another site."""
    if request.method in _SAFE or HEADER in request.headers or request.headers.get("Sec-Fetch-Site") == "same-origin":
        return
    origin = request.headers.get("Origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("Host"):
        raise Refused(403, f"a request that changes something with a session needs the header {HEADER}: 1")


def bearer(request: AnyRequest) -> str:
    """The key in the Authorization header; empty without one."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


DEPENDENCIES = {
    "rooms": Provide(provide_rooms, sync_to_thread=False),
    "viewer": Provide(provide_viewer),
    "account": Provide(provide_account, sync_to_thread=False),
}
