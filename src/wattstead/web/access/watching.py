"""Watching: each look of those who must tell a reason is kept before it is answered; it refuses nothing.

A page asks several questions about what it shows: those about one thing within a minute are one look.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from litestar.connection import ASGIConnection

from wattstead.registry.looks import SEEN
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import PointRow
from wattstead.registry.trail import Actor
from wattstead.web.access.viewer import Viewer

if TYPE_CHECKING:
    from wattstead.web.rooms import Rooms

_ONE_LOOK_S = 60.0
_MOST = 10_000
_PATH = {
    "person_id": Resource.PERSON,
    "device_id": Resource.DEVICE,
    "point_id": Resource.POINT,
    "space_id": Resource.SPACE,
    "source_id": Resource.SOURCE,
    "edge_id": Resource.EDGE,
    "site_id": Resource.SITE,
}
_Request = ASGIConnection[Any, Any, Any, Any]


class Watched:
    """The looks of the last minute."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[object, ...], float] = OrderedDict()

    def is_new(self, look: tuple[object, ...]) -> bool:
        """Whether nobody looked like this just now."""
        now = time.monotonic()
        if self._until.get(look, 0.0) > now:
            return False
        self._until[look] = now + _ONE_LOOK_S
        self._until.move_to_end(look)
        while len(self._until) > _MOST:
            self._until.popitem(last=False)
        return True

    def forget(self, look: tuple[object, ...]) -> None:
        """It could not be kept: the next one is new again."""
        self._until.pop(look, None)


async def watch(request: _Request, viewer: Viewer, resource: Resource) -> None:
    """Keep a look at what a question is about, if this is somebody whose looks are kept.

    Of readings that are named elsewhere than in the path the answer knows: see `watch_points`. Raises
    `RegistryUnavailable`: what is not kept is not shown.
    """
    kind, identities = _seen(request, resource)
    if identities or kind is not Resource.READING:
        await _keep(request.app.state.rooms, viewer, kind, identities, words_of(request), request.scope["path"])


def words_of(request: _Request) -> str:
    """What a request asks for, as it stands in its address."""
    return unquote_plus(request.scope["query_string"].decode("latin-1"))


async def watch_points(rooms: Rooms, viewer: Viewer, rows: Iterable[PointRow], question: str) -> None:
    """Keep a look at the readings of these points, where only the answer knows which they are; raises as `watch`."""
    if points := tuple(sorted(row.point.id for row in rows)):
        await _keep(rooms, viewer, Resource.READING, points, question)


async def watch_all_points(rooms: Rooms, viewer: Viewer, rows: Iterable[PointRow], question: str) -> None:
    """Keep one look at a list of points with their latest readings, which names them; raises as `watch`."""
    points = tuple(sorted(row.point.id for row in rows))
    await _keep(rooms, viewer, Resource.READING, points, question, as_list=True)


async def watch_list(rooms: Rooms, viewer: Viewer, question: str) -> None:
    """Keep a look at what points are called, without their readings; raises as `watch`."""
    await _keep(rooms, viewer, Resource.READING, (), question)


async def _keep(
    rooms: Rooms,
    viewer: Viewer,
    kind: Resource,
    identities: tuple[int, ...],
    question: str,
    path: str = "",
    as_list: bool = False,
) -> None:
    if not viewer.authority.is_watched or kind not in SEEN or viewer.account is None:
        return
    look = (viewer.session, kind, identities, "" if identities and not as_list else (path, question))
    reach = viewer.authority.reach(Right(Action.SEE, kind))
    if not reach or not rooms.watched.is_new(look):
        return
    by = Actor(viewer.account.id, viewer.impersonator_id)
    note = partial(rooms.registry.note_look, as_list=as_list)
    try:
        await rooms.registry_threads.run(note, by, reach, kind, identities, question, viewer.authority.reason)
    except BaseException:
        rooms.watched.forget(look)
        raise


def _seen(request: _Request, resource: Resource) -> tuple[Resource, tuple[int, ...]]:
    """What a question is about: things named in its path or parameters; none: a list."""
    for name, kind in _PATH.items():
        if isinstance(found := request.path_params.get(name), int):
            return (Resource.READING if kind is Resource.POINT is not resource else kind), (found,)
    sites = [value.strip() for value in request.query_params.getall("site", [])]
    if sites and all(one.isascii() and one.isdecimal() for one in sites):
        return Resource.SITE, tuple(sorted({int(one) for one in sites}))
    return resource, ()
