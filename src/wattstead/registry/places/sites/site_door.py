"""Questions about sites, their spaces, and who else may look at them; the rules are in the modules so named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.people import memberships
from wattstead.registry.places import lasting
from wattstead.registry.places.lasting import Wanted
from wattstead.registry.places.sites import leaving, shares, sites, spaces
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import (
    Guest,
    HandedSite,
    Membership,
    NewShareLink,
    ShareLink,
    Site,
    SiteGrant,
    SiteName,
    Space,
)
from wattstead.registry.trail import SYSTEM, Actor

_GIVE, _SHARE = Right(Action.GIVE, Resource.SITE), Right(Action.CREATE, Resource.SHARE)


class SiteDoor(Door):
    """Where things are, and who sees it."""

    def create_site(
        self,
        organization_id: int,
        name: str,
        zone: str,
        note: str = "",
        tags: Mapping[str, str] | None = None,
        *,
        attributes: Mapping[str, object] | None = None,
        by: Actor = SYSTEM,
    ) -> Site:
        """Raises `NameInvalid`, `ZoneUnknown`, `AttributeInvalid`, `Unknown`."""
        given = {**(attributes or {}), "name": name, "zone": zone, "note": note}
        with self._db.writing() as s:
            return sites.create_site(s, organization_id, given, tags or {}, self._clock(), by)

    def change_site(
        self,
        site_id: int,
        *,
        name: str | None = None,
        zone: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str] | None = None,
        attributes: Mapping[str, object] | None = None,
        version: int | None = None,
        by: Actor = SYSTEM,
    ) -> Site:
        """Change what is given; an empty tag value removes the tag; an attribute that is None is forgotten.

        Raises `Unknown`, `Stale`, `NameInvalid`, `ZoneUnknown`, `AttributeInvalid`.
        """
        plain = {"name": name, "zone": zone, "note": note}
        given = {**(attributes or {}), **{key: value for key, value in plain.items() if value is not None}}
        with self._db.writing() as s:
            return sites.change_site(s, site_id, given, tags or {}, self._clock(), version=version, by=by)

    def put_site_photo(self, site_id: int, digest: str, by: Actor = SYSTEM) -> Site:
        """Set the digest of the picture of a site; raises `Unknown`."""
        with self._db.writing() as s:
            return sites.put_photo(s, site_id, digest, self._clock(), by)

    def hand_over_site(
        self,
        site_id: int,
        organization_id: int,
        *,
        version: int | None = None,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> HandedSite:
        """Give a site to another organization, and end what the former one would keep its sight by; see `leaving`.

        Raises `Unknown`, `Stale`.
        """
        now = self._clock()
        with self._db.writing() as s:
            _hold_to_give(s, site_id, organization_id, authority, by)
            former = memberships.place_path(s, None, site_id)
            given = sites.hand_over(s, site_id, organization_id, now, version=version, by=by)
            ended = leaving.end_sight(s, select(tables.Site.id).where(tables.Site.id == site_id), former, now, by)
            return HandedSite(given, *ended)

    def delete_site(self, site_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove a site and all that is in it; raises `Unknown`, `Stale`, `Conflict`."""
        with self._db.writing() as s:
            sites.delete_site(s, site_id, self._clock(), version=version, by=by)

    def site(self, site_id: int) -> Site:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return sites.site(s, site_id)

    def sites(self, reach: Reach | None = None, site_ids: Sequence[int] | None = None) -> list[Site]:
        """The sites within reach (None: all), or those of them that are named."""
        with self._db.reading() as s:
            return sites.sites(s, reach, site_ids)

    def site_ids(self, reach: Reach | None = None) -> frozenset[int]:
        """The sites within reach."""
        with self._db.reading() as s:
            return sites.ids(s, reach)

    def site_names(self, reach: Reach | None = None) -> dict[int, SiteName]:
        """Names and zones of the sites within reach, by id."""
        with self._db.reading() as s:
            return sites.named(s, reach)

    def create_space(
        self, site_id: int, name: str, parent_id: int | None = None, *, by: Actor = SYSTEM, **given: Any
    ) -> Space:
        """A new part of a site, with ``kind``, ``area_m2``, ``note``; raises `Unknown`, `NameInvalid`."""
        with self._db.writing() as s:
            return spaces.create(s, site_id, name, parent_id, given, self._clock(), by)

    def spaces(self, site_id: int) -> list[Space]:
        """The spaces of a site, parents before children."""
        with self._db.reading() as s:
            return spaces.spaces(s, site_id)

    def space(self, space_id: int) -> Space:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return spaces.space(s, space_id)

    def change_space(self, space_id: int, *, version: int | None = None, by: Actor = SYSTEM, **given: Any) -> Space:
        """Change a space, or with ``parent_id`` move it within its site; raises `Unknown`, `Stale`, `Conflict`."""
        with self._db.writing() as s:
            return spaces.change(s, space_id, given, self._clock(), version=version, by=by)

    def delete_space(self, space_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove a space without parts; raises `Unknown`, `Stale`, `Conflict`."""
        with self._db.writing() as s:
            spaces.delete(s, space_id, self._clock(), version=version, by=by)

    def assign_points(self, point_ids: Sequence[int], space_id: int | None, by: Actor = SYSTEM) -> None:
        """Put points into a space of their site, or into none; raises `Unknown`."""
        with self._db.writing() as s:
            spaces.assign_points(s, list(point_ids), space_id, self._clock(), by)

    def space_points(self, site_id: int) -> dict[int, list[int]]:
        """The points in each space of a site that has any."""
        with self._db.reading() as s:
            return spaces.points_of(s, site_id)

    def grant_site(
        self,
        site_id: int,
        organization_id: int,
        changes: bool = False,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> SiteGrant:
        """Let another organization's people see a site, with ``changes`` change it; raises `Unknown`, `Conflict`."""
        with self._db.writing() as s:
            _hold_to_give(s, site_id, organization_id, authority, by)
            return shares.grant(s, site_id, organization_id, changes, self._clock(), by)

    def end_site_grant(self, site_id: int, organization_id: int, by: Actor = SYSTEM) -> None:
        """Take a grant back; raises `Unknown`."""
        with self._db.writing() as s:
            shares.end_grant(s, site_id, organization_id, self._clock(), by)

    def site_grants(self, site_id: int) -> list[SiteGrant]:
        """The organizations beside the tree that see a site."""
        with self._db.reading() as s:
            return shares.grants(s, site_id)

    def site_people(self, site_id: int) -> list[tuple[Membership, str, str]]:
        """Who belongs to a site: membership, name, e-mail address."""
        with self._db.reading() as s:
            return shares.people(s, site_id, self._clock())

    def share_link(
        self, site_id: int, name: str, expires: datetime, by: Actor = SYSTEM, authority: Authority | None = None
    ) -> NewShareLink:
        """A link to a site, its token shown this once; raises `Unknown`, `AttributeInvalid`."""
        with self._db.writing() as s:
            _hold_to_share(s, site_id, authority, by)
            return shares.create_link(s, site_id, name, expires, self._clock(), by)

    def share_links(self, site_id: int) -> list[ShareLink]:
        """The open links of a site."""
        with self._db.reading() as s:
            return shares.links(s, site_id, self._clock())

    def resting_shares(self, site_id: int) -> tuple[frozenset[int], frozenset[int]]:
        """The roles of guests and the links of a site that show nothing now; see `shares.resting`."""
        with self._db.reading() as s:
            return shares.resting(s, site_id, self._clock())

    def share_link_of(self, link_id: int) -> ShareLink:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return shares.link(s, link_id)

    def end_share_link(self, link_id: int, by: Actor = SYSTEM) -> ShareLink:
        """Close a link for ever; raises `Unknown`."""
        with self._db.writing() as s:
            return shares.end_link(s, link_id, self._clock(), by)

    def share_with(
        self,
        site_id: int,
        email: str,
        expires: datetime | None = None,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> Membership | None:
        """Show a site to a person who has an account; None when nobody has that address.

        Raises `Unknown`, `AttributeInvalid`, `NameInvalid`.
        """
        with self._db.writing() as s:
            _hold_to_share(s, site_id, authority, by)
            return shares.with_person(s, site_id, email, expires, self._clock(), by)

    def share_of(self, membership_id: int) -> Membership:
        """A person's share of a site; raises `Unknown`."""
        with self._db.reading() as s:
            return shares.guest_membership(s, membership_id)

    def end_share(self, membership_id: int, by: Actor = SYSTEM) -> Membership:
        """Take a person's share of a site back; raises `Unknown`."""
        with self._db.writing() as s:
            return shares.end_person(s, membership_id, self._clock(), by)

    def guest(self, token: str) -> Guest | None:
        """Who a link's token stands for."""
        with self._db.reading() as s:
            return shares.guest(s, token, self._clock())


def _hold_to_share(session: Session, site_id: int, authority: Authority | None, by: Actor) -> None:
    lasting.check_own_eyes(by)
    lasting.hold(session, Wanted(Resource.SITE, site_id, lasting.reach_of(authority, _SHARE)))


def _hold_to_give(session: Session, site_id: int, organization_id: int, authority: Authority | None, by: Actor) -> None:
    lasting.check_own_eyes(by)
    site = Wanted(Resource.SITE, site_id, lasting.reach_of(authority, _GIVE))
    seen = lasting.reach_of(authority, Right(Action.SEE, Resource.ORGANIZATION))
    lasting.hold(session, site, Wanted(Resource.ORGANIZATION, organization_id, seen))
    former, present = (memberships.place_path(session, *at) for at in ((None, site_id), (organization_id, None)))
    lasting.check_not_to_oneself(authority, _GIVE, former, present)
