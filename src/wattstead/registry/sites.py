"""Sites and their devices: where points are; what a viewer may see of them is decided by the branch it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from wattstead.registry import dataset, names, organizations, tables, tags
from wattstead.registry.database import integers, possible
from wattstead.registry.errors import Unknown
from wattstead.registry.records import Account, Device, KeyGrant, Site

Viewer = Account | KeyGrant
"""Who asks: a person, who sees the branch of the own organization, or a key, which sees its site."""


def create_site(
    session: Session,
    organization_id: int,
    name: str,
    zone: str,
    note: str,
    site_tags: Mapping[str, str],
    now: datetime,
) -> Site:
    """A new site; raises `NameInvalid`, `ZoneUnknown`, `Unknown` for the organization."""
    organizations.organization(session, organization_id)
    row = tables.Site(
        organization_id=organization_id,
        name=names.checked("site", name),
        zone=names.checked_zone(zone),
        note=names.checked_text("note", note),
        created=now,
    )
    session.add(row)
    session.flush()
    tags.put_site_tags(session, row.id, site_tags)
    dataset.bump(session)
    return _record(row, tags.checked(site_tags))


def change_site(
    session: Session, site_id: int, name: str | None, zone: str | None, note: str | None, site_tags: Mapping[str, str]
) -> Site:
    """Change what is not None; an empty tag value removes the tag; raises `Unknown`, `NameInvalid`, `ZoneUnknown`."""
    row = session.get(tables.Site, site_id)
    if row is None:
        raise Unknown("site", site_id)
    if name is not None:
        row.name = names.checked("site", name)
    if note is not None:
        row.note = names.checked_text("note", note)
    tags.put_site_tags(session, site_id, site_tags)
    moved = zone is not None and zone != row.zone
    if zone is not None:
        row.zone = names.checked_zone(zone)
    session.flush()
    generation = dataset.bump(session)
    if moved:  # local days of its points are others now
        session.execute(tables.POINT.update().where(tables.Point.site_id == site_id).values(changed_at=generation))
    return sites(session, None, [site_id])[0]


def sites(session: Session, viewer: Viewer | None, site_ids: Sequence[int] | None = None) -> list[Site]:
    """The sites that a viewer sees (None: all), or those of them that are named; by id."""
    question = select(tables.Site).where(*visible(session, viewer)).order_by(tables.Site.id)
    if site_ids is not None:
        question = question.where(tables.Site.id.in_(integers(session, possible(site_ids))))
    rows = session.scalars(question).all()
    found = tags.site_tags(session, [row.id for row in rows])
    return [_record(row, found.get(row.id, {})) for row in rows]


def visible(session: Session, viewer: Viewer | None) -> list[ColumnElement[bool]]:
    """The conditions on `Site` under which a viewer sees it."""
    if viewer is None:
        return []
    if isinstance(viewer, KeyGrant):
        return [tables.Site.id == viewer.site_id]
    branch = organizations.organization(session, viewer.organization_id).path
    inside: Select[int] = select(tables.Organization.id).where(organizations.in_branch(branch))
    return [tables.Site.organization_id.in_(inside)]


def create_device(session: Session, site_id: int, name: str, now: datetime) -> Device:
    """A new device at a site; raises `Unknown`, `NameInvalid`."""
    if session.get(tables.Site, site_id) is None:
        raise Unknown("site", site_id)
    row = tables.Device(site_id=site_id, name=names.checked("device", name), created=now)
    session.add(row)
    session.flush()
    return Device(row.id, row.site_id, row.name, row.created)


def devices(session: Session, site_id: int) -> list[Device]:
    """The devices of a site, by id."""
    rows = session.scalars(
        select(tables.Device).where(tables.Device.site_id.in_(possible([site_id]))).order_by(tables.Device.id)
    )
    return [Device(row.id, row.site_id, row.name, row.created) for row in rows]


def _record(row: tables.Site, site_tags: dict[str, str]) -> Site:
    return Site(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        zone=row.zone,
        note=row.note,
        created=row.created,
        tags=site_tags,
    )
