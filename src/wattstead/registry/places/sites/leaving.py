"""Leaving: what ends when sites go to another owner, so that the former one keeps no sight of them.

Keys that only write go on, so that no meter falls silent; users and managers stay, and so do grants to third
organizations. Who may give a site away is not decided here.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from wattstead.registry import tables
from wattstead.registry.places import keys
from wattstead.registry.places.sites import shares
from wattstead.registry.policy import Scope
from wattstead.registry.trail import SYSTEM, Actor


class Ended(NamedTuple):
    """How much has ended."""

    keys: int
    shares: int


def end_sight(session: Session, sites: Select[int], former: str, now: datetime, by: Actor = SYSTEM) -> Ended:
    """End what lets the organization at the path ``former`` look at sites that are another's now: keys that read or set
    up, links and shares with people, whoever made them, and grants in the branches that are above them no more.
    """
    ended = keys.end_at_sites(session, sites, (Scope.READ, Scope.ADMIN), now, by)
    shown = shares.end_all(session, sites, now, by)
    other, own = tables.Organization, aliased(tables.Organization)
    granted = session.execute(
        select(tables.SiteGrant.site_id, other.id, other.path, own.path)
        .join(other, other.id == tables.SiteGrant.organization_id)
        .join(tables.Site, tables.Site.id == tables.SiteGrant.site_id)
        .join(own, own.id == tables.Site.organization_id)
        .where(tables.SiteGrant.site_id.in_(sites))
        .order_by(tables.SiteGrant.site_id, other.id)
    ).all()
    for site_id, organization_id, path, present in granted:
        if _ends(path, former, present):
            shares.end_grant(session, site_id, organization_id, now, by)
    return Ended(ended, shown)


def _ends(granted: str, former: str, present: str) -> bool:
    """Whether a grant ends: to the present owner and those above it, who need none, and in the branch of the topmost
    that stands above the site no more, whose people would see by it.

    >>> _ends("/1/2/9/", "/1/2/5/", "/1/3/"), _ends("/1/4/", "/1/2/5/", "/1/3/"), _ends("/1/2/9/", "/1/2/", "/1/2/5/")
    (True, False, False)
    """
    if present.startswith(granted):
        return True
    if present.startswith(former):
        return False
    lost = "/"
    for part in former.strip("/").split("/"):
        lost += f"{part}/"
        if not present.startswith(lost):
            break
    return granted.startswith(lost)
