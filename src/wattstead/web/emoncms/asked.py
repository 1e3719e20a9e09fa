"""One request in EmonCMS's terms: controller, action, format, parameters of query and body, key; answers nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from wattstead.registry.records import PointRow
from wattstead.web.access.gate import COOKIE, AnyRequest, bearer
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import watch_all_points, watch_points
from wattstead.web.problem import Refused
from wattstead.web.rooms import Rooms

_MOST_PARAMETERS = 1_000
_PROOFS = frozenset({"apikey", "username", "password"})


class KeyInvalid(Refused):
    """EmonCMS's own answer to a key it does not know."""

    def __init__(self) -> None:
        super().__init__(401, "Invalid API key")


class Asked(NamedTuple):
    """A request: ``feed/get/2.json?x=1`` is action ``get``, subaction ``2``, format ``json``."""

    controller: str
    action: str
    subaction: str
    subaction2: str
    format: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    viewer: Viewer | None
    rooms: Rooms
    address: str
    """The network address that asks."""

    def parameter(self, name: str, default: str = "") -> str:
        """A parameter of the query, else of the body."""
        return self.query.get(name, self.form.get(name, default))

    def has(self, name: str) -> bool:
        """Whether a parameter was given at all."""
        return name in self.query or name in self.form

    @property
    def reader(self) -> Viewer | None:
        """Who asks, when that is somebody who may read."""
        return self.viewer if self.viewer is not None and self.viewer.may_read else None

    async def points(self, ids: Iterable[int]) -> dict[int, PointRow]:
        """Those of these points that are the reader's to see; that they were looked at is kept where it has to be."""
        if self.reader is None:
            return {}
        found = await self.rooms.directory.rows(self.reader, [one for one in ids if 0 < one < 2**31])
        await watch_points(self.rooms, self.reader, found.values(), self._words())
        return found

    async def all_points(self) -> dict[int, PointRow]:
        """All points that are the reader's to see, kept as one look."""
        if self.reader is None:
            return {}
        found = await self.rooms.directory.rows_of_sites(self.reader)
        await watch_all_points(self.rooms, self.reader, found.values(), self._words())
        return found

    def _words(self) -> str:
        """The question as a look tells it, without what somebody proves themselves by."""
        told = {name: text for name, text in {**self.form, **self.query}.items() if name not in _PROOFS}
        return f"{self.controller}/{self.action}?{urlencode(told)}"


async def asked(request: AnyRequest, controller: str, path: str, rooms: Rooms) -> Asked:
    """Read a request; raises `KeyInvalid`."""
    query = _parameters(request.scope["query_string"].decode("latin-1"))
    form: dict[str, str] = {}
    if request.method == "POST" and "json" not in request.headers.get("Content-Type", ""):
        form = _parameters((await request.body()).decode("utf-8", "replace"))
    parts, form_name = _parts(path)
    address = request.client.host if request.client else ""
    viewer = await _viewer(request, query.get("apikey", form.get("apikey", "")) or bearer(request), rooms)
    return Asked(controller, *parts, form_name, query, form, viewer, rooms, address)


def _parameters(text: str) -> dict[str, str]:
    """Parameters by name, the last of a name counts; no more than a thousand are read."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        raise Refused(400, f"more than {_MOST_PARAMETERS} parameters") from None


def _parts(path: str) -> tuple[tuple[str, str, str], str]:
    """Action, subaction, subaction2 and the format that the last part may name.

    >>> _parts("/get/emontx/power1.json")
    (('get', 'emontx', 'power1'), 'json')
    """
    names = [part for part in path.split("/") if part]
    ending = "json"
    if names:
        stem, dot, last = names[-1].rpartition(".")
        if dot and last in ("json", "html", "csv", "text"):
            names[-1], ending = stem, last
    first, second, third = (*names, "", "", "")[:3]
    return (first, second, third), ending


async def _viewer(request: AnyRequest, secret: str, rooms: Rooms) -> Viewer | None:
    if not secret:
        token = request.cookies.get(COOKIE, "")
        return await rooms.directory.viewer_of_session(token) if token else None
    viewer = await rooms.directory.viewer_of_key(secret)
    if viewer is None:
        raise KeyInvalid
    return viewer
