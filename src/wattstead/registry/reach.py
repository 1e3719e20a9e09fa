"""Reach in SQL: the conditions under which a thing lies where something is allowed; decides nothing by itself.

A listing, a count and an export are built with these, so what is not one's to see is not there to be counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import Session

from wattstead.registry.authority import Beside, Reach
from wattstead.registry.policy import Resource
from wattstead.registry.tables import (
    Account,
    Device,
    Edge,
    Key,
    Membership,
    Organization,
    Point,
    ShareLink,
    Site,
    SiteGrant,
    Source,
    Space,
    Template,
)


def in_branch(path: str) -> ColumnElement[bool]:
    """The condition that an organization stands in the branch that begins at ``path``: one range of an index.

    A path ends with ``/``; the character after it closes the range.
    """
    return (Organization.path >= path) & (Organization.path < path[:-1] + "0")


def of_organizations(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on `Organization`; None reaches everything."""
    if reach is None or reach.everywhere:
        return []
    return [or_(false(), *(in_branch(path) for path in reach.branches))]


def of_sites(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on `Site`: in a branch, named, or granted beside the tree to an organization of a branch."""
    if reach is None or reach.everywhere:
        return []
    return [or_(false(), *(condition for (condition,) in parts_of_sites(reach)))]


def parts_of_sites(reach: Reach | None) -> list[list[ColumnElement[bool]]]:
    """`of_sites` as the parts it is made of, each of which a database finds by an index; a site may be in several."""
    if reach is None or reach.everywhere:
        return [[]]
    parts: list[list[ColumnElement[bool]]] = []
    if reach.branches:
        parts.append([Site.organization_id.in_(_organization_ids(reach))])
        if reach.beside is not Beside.NONE:
            parts.append([Site.id.in_(_granted(reach))])
    if reach.sites or not parts:
        parts.append([Site.id.in_(reach.sites)])
    return parts


def of_devices(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on `Device`, which belongs to the organization of its site if it has one: in a branch, at a site
    that is named or granted, or named itself.
    """
    if reach is None or reach.everywhere:
        return []
    parts: list[ColumnElement[bool]] = []
    if reach.branches:
        parts.append(Device.organization_id.in_(_organization_ids(reach)))
        if reach.beside is not Beside.NONE:
            parts.append(Device.site_id.in_(_granted(reach)))
    if reach.sites:
        parts.append(Device.site_id.in_(reach.sites))
    if reach.devices:
        parts.append(Device.id.in_(reach.devices))
    return [or_(false(), *parts)]


def of_people(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on `Account`: of an organization of a branch, or belonging to a site within reach."""
    if reach is None or reach.everywhere:
        return []
    members = select(Membership.account_id).where(Membership.site_id.in_(select(Site.id).where(*of_sites(reach))))
    parts: list[ColumnElement[bool]] = [Account.id.in_(members)]
    if reach.branches:
        parts.append(Account.organization_id.in_(_organization_ids(reach)))
    return [or_(false(), *parts)]


def belonging(reach: Reach | None) -> ColumnElement[bool]:
    """Whether an `Account` belongs to an organization within reach, or to that of a site within reach: of anybody else
    who is seen there only `attributes.OF_EVERYBODY` is told.
    """
    if reach is None or reach.everywhere:
        return true()
    parts: list[ColumnElement[bool]] = []
    if reach.branches:
        parts.append(Account.organization_id.in_(_organization_ids(reach)))
    if reach.sites:
        own = select(Site.organization_id).where(Site.id.in_(reach.sites))
        parts.append(Account.organization_id.in_(own))
    return or_(false(), *parts)


def of_memberships(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on `Membership`: of an organization of a branch, or of a site within reach."""
    if reach is None or reach.everywhere:
        return []
    parts: list[ColumnElement[bool]] = [Membership.site_id.in_(select(Site.id).where(*of_sites(reach)))]
    if reach.branches:
        parts.append(Membership.organization_id.in_(_organization_ids(reach)))
    return [or_(false(), *parts)]


def _granted(reach: Reach) -> Select[int]:
    """The sites granted beside the tree to organizations of a branch, as far as they count."""
    granted = select(SiteGrant.site_id).where(SiteGrant.organization_id.in_(_organization_ids(reach)))
    return granted.where(SiteGrant.changes.is_(True)) if reach.beside is Beside.CHANGEABLE else granted


def _organization_ids(reach: Reach) -> Select[int]:
    return select(Organization.id).where(*of_organizations(reach))


def within(session: Session, resource: Resource, identity: int, reach: Reach | None) -> bool:
    """Whether a thing of that kind exists within reach."""
    table = _TABLES[resource]
    return session.scalar(select(table.id).where(table.id == identity, *of(resource, reach))) is not None


def of(resource: Resource, reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions on the table of a kind of resource; what stands at a site lies where its site lies."""
    if resource is Resource.ORGANIZATION:
        return of_organizations(reach)
    if resource is Resource.SITE:
        return of_sites(reach)
    if resource is Resource.DEVICE:
        return of_devices(reach)
    if resource is Resource.PERSON:
        return of_people(reach)
    if reach is None or reach.everywhere:
        return []
    table = _TABLES[resource]
    if table is Template:
        return [Template.organization_id.in_(_organization_ids(reach))]
    at_site = table.site_id.in_(select(Site.id).where(*of_sites(reach)))
    return [or_(at_site, Point.device_id.in_(reach.devices)) if reach.devices and table is Point else at_site]


_TABLES: Mapping[Resource, Any] = {
    Resource.ORGANIZATION: Organization,
    Resource.SITE: Site,
    Resource.DEVICE: Device,
    Resource.PERSON: Account,
    Resource.SPACE: Space,
    Resource.POINT: Point,
    Resource.READING: Point,
    Resource.KEY: Key,
    Resource.SHARE: ShareLink,
    Resource.SOURCE: Source,
    Resource.EDGE: Edge,
    Resource.TEMPLATE: Template,
}
"""Where things of each kind are kept; the others are nobody's one by one."""
