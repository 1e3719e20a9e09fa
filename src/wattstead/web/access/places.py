"""What handlers about places share: whether one may do something somewhere; answers nothing itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wattstead.registry.policy import Action, Resource, Right
from wattstead.web.access.gate import lacking
from wattstead.web.access.gate import require_at_site as require_at
from wattstead.web.access.viewer import Viewer
from wattstead.web.problem import invalid, not_found
from wattstead.web.rooms import Rooms

__all__ = ["SEE_ORGANIZATION", "SEE_SITE", "ends", "own_organization", "require_at", "require_in"]

SEE_SITE = Right(Action.SEE, Resource.SITE)
SEE_ORGANIZATION = Right(Action.SEE, Resource.ORGANIZATION)


async def require_in(rooms: Rooms, viewer: Viewer, right: Right, organization_id: int) -> None:
    """Raise `Refused` unless something may be done in an organization: 404 when that is not to be seen, else 403."""
    seen, allowed = viewer.authority.reach(SEE_ORGANIZATION), viewer.authority.reach(right)
    place = Resource.ORGANIZATION
    found = await rooms.registry_threads.run(rooms.registry.within, place, organization_id, seen, allowed)
    if not found[0]:
        raise not_found(place.value, organization_id)
    if not found[1]:
        raise lacking(viewer, right)


def own_organization(viewer: Viewer, right: Right) -> int:
    """The organization in which one may do something, when there is one alone, with or without those below it.

    Raises `Refused`.
    """
    branch = viewer.authority.reach(right).own_branch
    if not branch:
        raise invalid("organization_id", "is missing; say in which organization")
    return int(branch.strip("/").rpartition("/")[2])


def ends(expires: datetime | None, days: float | None) -> datetime | None:
    """When something ends: at an instant, or after some days; raises `Refused`."""
    if expires is not None and expires.tzinfo is None:
        raise invalid("expires", "has no zone; end it with Z or an offset")
    return expires if expires is not None or days is None else datetime.now(UTC) + timedelta(days=days)
