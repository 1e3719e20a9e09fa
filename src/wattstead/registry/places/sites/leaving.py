"""Leaving: what ends when sites go to another owner, so that the former one keeps no sight of them.

Keys that only write and edges go on, so that no meter falls silent. Users and managers stay and belong to the new
owner, but for people of the branch that is left; grants to third organizations stay. Who may give a site away is not
decided here.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from wattstead.registry import tables, trail
from wattstead.registry.people import memberships
from wattstead.registry.places import edges, keys
from wattstead.registry.places.sites import shares
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.storage import dataset
from wattstead.registry.trail import SYSTEM, Actor


class Ended(NamedTuple):
    """How much has ended."""

    keys: int
    shares: int


def end_sight(session: Session, sites: Select[int], former: str, now: datetime, by: Actor = SYSTEM) -> Ended:
    """End what lets the organization at the path ``former`` look at sites that are another's now: keys that read or set
    up, codes of edges, links and shares with people, whoever made them, and grants and roles of the branches that are
    above them no more.
    """
    ended = keys.end_at_sites(session, sites, (Scope.READ, Scope.ADMIN), now, by)
    edges.end_codes(session, sites)
    shown = shares.end_all(session, sites, now, by)
    _part(session, sites, former, now, by)
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


def _part(session: Session, sites: Select[int], former: str, now: datetime, by: Actor) -> None:
    """End the roles at these sites of people of the branch that is left; all others belong to the new owner, unless
    they have a role in that branch besides.
    """
    member, site, own = tables.Membership, tables.Site, tables.Organization
    living = or_(member.expires.is_(None), member.expires > now)
    rows = session.execute(
        select(member.id, member.account_id, site.id, own.id, own.path)
        .join(site, site.id == member.site_id)
        .join(own, own.id == site.organization_id)
        .where(member.site_id.in_(sites), living)
        .order_by(member.account_id, member.id)
    ).all()
    for member_id, account_id, site_id, organization_id, present in rows:
        lost = _lost(former, present)
        if not lost:
            continue
        there = [at_site for _, path, at_site in memberships.held(session, account_id, now) if path.startswith(lost)]
        if 0 in there:
            gone = memberships.end(session, member_id, now)
            before = {"membership": gone.id, "role": gone.role, "expires": gone.expires}
            trail.note(session, now, by, "take", Resource.PERSON, account_id, site_id=site_id, before=before)
        elif not there:
            _take_along(session, account_id, lost, organization_id, now, by)


def _take_along(session: Session, account_id: int, lost: str, organization_id: int, now: datetime, by: Actor) -> None:
    """Let a person who belongs to the branch that is left belong to the new owner."""
    person = session.get_one(tables.Account, account_id)
    if not memberships.place_path(session, person.organization_id, None).startswith(lost):
        return
    before = {"organization_id": person.organization_id}
    person.organization_id = organization_id
    person.version += 1
    session.flush()
    dataset.bump(session)
    trail.note(
        session, now, by, "hand over", Resource.PERSON, account_id, organization_id=organization_id, before=before,
        after={"organization_id": organization_id},
    )  # fmt: skip


def _ends(granted: str, former: str, present: str) -> bool:
    """Whether a grant ends: to the present owner and those above it, who need none, and in the branch that is left,
    whose people would see by it.

    >>> _ends("/1/2/9/", "/1/2/5/", "/1/3/"), _ends("/1/4/", "/1/2/5/", "/1/3/"), _ends("/1/2/9/", "/1/2/", "/1/2/5/")
    (True, False, False)
    """
    lost = _lost(former, present)
    return present.startswith(granted) or (lost != "" and granted.startswith(lost))


def _lost(former: str, present: str) -> str:
    """The branch of the topmost organization that stands above a site no more; empty when none is lost.

    >>> _lost("/1/2/5/", "/1/3/"), _lost("/1/2/", "/1/2/5/")
    ('/1/2/', '')
    """
    lost = "/"
    for part in former.strip("/").split("/"):
        lost += f"{part}/"
        if not present.startswith(lost):
            return lost
    return ""
