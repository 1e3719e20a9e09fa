"""Sites and their devices: where points are; who may see them is decided by a reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.errors import Unknown
from wattstead.registry.places import organizations
from wattstead.registry.points import tags
from wattstead.registry.policy import Reach
from wattstead.registry.reach import of_sites
from wattstead.registry.records import Device, Site, SiteName
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import integers, possible


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


def sites(session: Session, reach: Reach | None, site_ids: Sequence[int] | None = None) -> list[Site]:
    """The sites within reach (None: all), or those of them that are named; by id."""
    question = select(tables.Site).where(*of_sites(reach)).order_by(tables.Site.id)
    if site_ids is not None:
        question = question.where(tables.Site.id.in_(integers(session, possible(site_ids))))
    rows = session.scalars(question).all()
    found = tags.site_tags(session, [row.id for row in rows])
    return [_record(row, found.get(row.id, {})) for row in rows]


def named(session: Session, reach: Reach | None) -> dict[int, SiteName]:
    """The names and zones of the sites within reach, by id: light, for those who have thousands."""
    question = select(tables.Site.id, tables.Site.name, tables.Site.zone, tables.Site.note)
    rows = session.execute(question.where(*of_sites(reach)).order_by(tables.Site.id))
    return {row[0]: SiteName(*row) for row in rows}


def create_device(session: Session, site_id: int, name: str, now: datetime) -> Device:
    """A new device at a site; raises `Unknown`, `NameInvalid`."""
    site = session.get(tables.Site, site_id)
    if site is None:
        raise Unknown("site", site_id)
    row = tables.Device(
        site_id=site_id, organization_id=site.organization_id, name=names.checked("device", name), created=now
    )
    session.add(row)
    session.flush()
    return Device(row.id, site_id, row.name, row.created)


def devices(session: Session, site_id: int) -> list[Device]:
    """The devices of a site, by id."""
    rows = session.scalars(
        select(tables.Device).where(tables.Device.site_id.in_(possible([site_id]))).order_by(tables.Device.id)
    )
    return [Device(row.id, site_id, row.name, row.created) for row in rows]


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
