"""Looks: who looked at whose things for which reason; records of the trail like any deed, made before the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import null, select
from sqlalchemy.orm import Session

from wattstead.registry import trail
from wattstead.registry.authority import Reach
from wattstead.registry.policy import Resource
from wattstead.registry.reach import of
from wattstead.registry.storage.database import possible
from wattstead.registry.tables import Account, Device, Edge, Point, Site, Source, Space
from wattstead.registry.trail import Actor

LOOK = "look"
_LONGEST = 16_000
"""A server takes no much longer address; the points of a longer list are named one by one."""


def note(
    session: Session, now: datetime, by: Actor, reach: Reach, resource: Resource, identities: Sequence[int],
    question: str, reason: str, *, as_list: bool = False,
) -> int:  # fmt: skip
    """Keep a look at each of these things that is within reach, or at a list when none is named; how many records.

    Of several readings those of one site make one record, which names all their points; a list of everything
    (``as_list``) makes one of all sites together. A thing out of reach is not seen, so it was not looked at.
    """
    asked: dict[str, object] = {"question": question[:_LONGEST]} if question else {}
    if as_list:
        asked["points"] = [row.id for row in _rows(session, reach, resource, identities)]
    if as_list or not identities:
        home = session.scalar(select(Account.organization_id).where(Account.id == by.account_id))
        trail.note(session, now, by, LOOK, resource, 0, organization_id=home, after=asked, reason=reason)
        return 1
    found: dict[int, list[_Seen]] = {}
    for row in _rows(session, reach, resource, identities):
        found.setdefault(row.site_id or -row.id, []).append(row)
    for first, *more in found.values():
        named = {"points": [one.id for one in (first, *more)]} if resource is Resource.READING else {}
        trail.note(
            session, now, by, LOOK, resource, first.id, organization_id=first.organization_id, site_id=first.site_id,
            after=asked | named, reason=reason,
        )  # fmt: skip
    return len(found)


class _Seen(NamedTuple):
    """A thing that was looked at, and where it stands."""

    id: int
    organization_id: int
    site_id: int | None


def _rows(session: Session, reach: Reach, resource: Resource, identities: Sequence[int]) -> list[_Seen]:
    """Those of these things that are within reach, by id."""
    ids = possible(identities)
    table: Any = _TABLES[resource]
    found = select(table.id, *_PLACES.get(resource, (Site.organization_id, getattr(table, "site_id", null()))))
    if resource not in _PLACES:
        found = found.join(Site, Site.id == table.site_id)
    kind = Resource.POINT if resource is Resource.READING else resource
    rows = session.execute(found.where(table.id.in_(ids), *of(kind, reach)).order_by(table.id))
    return [_Seen(*row) for row in rows]


_TABLES = {
    Resource.PERSON: Account, Resource.SITE: Site, Resource.DEVICE: Device, Resource.SPACE: Space,
    Resource.POINT: Point, Resource.READING: Point, Resource.SOURCE: Source, Resource.EDGE: Edge,
}  # fmt: skip
SEEN = frozenset(_TABLES)
"""What it is kept of that somebody looked at it."""
_PLACES: dict[Resource, tuple[Any, Any]] = {
    Resource.PERSON: (Account.organization_id, null()),
    Resource.SITE: (Site.organization_id, Site.id.label("at")),
    Resource.DEVICE: (Device.organization_id, Device.site_id),
}
