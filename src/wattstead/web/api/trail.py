"""The trail: what was done, by whom, to what, as far as one may see it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from wattstead.registry.policy import SEE_READINGS, Action, Resource, Right
from wattstead.web.access.gate import needs
from wattstead.web.access.viewer import Viewer
from wattstead.web.problem import invalid
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

SEE_TRAIL = Right(Action.SEE, Resource.TRAIL)
SEE_PERSON = Right(Action.SEE, Resource.PERSON)


class DeedAnswer(msgspec.Struct, kw_only=True):
    """One thing that was done."""

    id: int
    at: datetime
    account_id: int | None
    """Who did it; null: a key, or the product itself."""
    who: str
    """Name or e-mail address, as far as that is one's to know."""
    impersonator_id: int | None
    """The administrator who looked through that person's eyes."""
    key_id: int | None
    action: str
    resource: str
    resource_id: int
    organization_id: int | None
    site_id: int | None
    fields: dict[str, list[Any]]
    """What changed: field → [before, after]; empty once erased, and of points and readings that one may not see."""
    reason: str


_PLAIN = tuple(name for name in DeedAnswer.__struct_fields__ if name not in ("who", "fields", "reason"))


class DeedRows(msgspec.Struct):
    """What was done, newest first."""

    rows: list[DeedAnswer]
    cursor: str | None


@get("/trail", opt=needs(Action.SEE, Resource.TRAIL), summary="What was done", tags=["trail"])
async def trail(
    rooms: FromRooms,
    viewer: FromViewer,
    resource: Annotated[Resource | None, QueryParameter(description="Only things of this kind.")] = None,
    id: Annotated[int | None, QueryParameter(description="Only this thing of that kind.")] = None,
    site: Annotated[int | None, QueryParameter(description="Only what was done at this site.")] = None,
    action: Annotated[
        str | None,
        QueryParameter(description="Only what was done like this: `look`, `change`, `delete` …", max_length=40),
    ] = None,
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=20)] = "",
    limit: Annotated[int, QueryParameter(description="How many at most.", ge=1, le=500)] = 100,
) -> DeedRows:
    """What was done where one may see the trail, newest first."""
    return await deeds(rooms, viewer, cursor, limit, resource=resource, resource_id=id, site_id=site, action=action)


async def deeds(rooms: Rooms, viewer: Viewer, cursor: str, limit: int, **asked: Any) -> DeedRows:
    """A page of the trail within reach, with the names of people who may be seen."""
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise invalid("cursor", "does not belong to this list; begin without one")
    for one in ("site_id", "resource_id"):
        if asked.get(one) is not None and not 0 <= asked[one] < 2**31:
            return DeedRows([], None)
    before_id = int(cursor) if cursor else None
    found = await rooms.registry_threads.run(
        rooms.registry.trail, viewer.authority.reach(SEE_TRAIL), readings=viewer.authority.reach(SEE_READINGS),
        before_id=before_id, limit=limit + 1, **asked,
    )  # fmt: skip
    ids = {one.account_id for one in found if one.account_id is not None}
    names = await rooms.registry_threads.run(rooms.registry.people_names, viewer.authority.reach(SEE_PERSON), ids)
    rows = [
        DeedAnswer(
            **{name: getattr(one, name) for name in _PLAIN},
            who=names.get(one.account_id or 0, ""),
            fields=_changes(one.words),
            reason=str(one.words.get("reason", "")),
        )
        for one in found[:limit]
    ]
    return DeedRows(rows, str(rows[-1].id) if len(found) > limit else None)


def _changes(words: dict[str, object]) -> dict[str, list[Any]]:
    found = words.get("changes")
    return found if isinstance(found, dict) else {}


routes = trail
