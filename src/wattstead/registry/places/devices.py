"""Devices: what sends readings, where it stands, what it is like; moving one to another site is in `moves`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import Unknown
from wattstead.registry.places import attributes, sources
from wattstead.registry.places.versions import changeable
from wattstead.registry.points import declare, tags
from wattstead.registry.policy import Resource
from wattstead.registry.reach import of_devices
from wattstead.registry.records import Device, PointDeclaration
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import integers, possible
from wattstead.registry.trail import SYSTEM, Actor

_PLAIN = {"synchronize_session": False}
_FIELDS = tuple(field for field in Device.__struct_fields__ if field != "tags")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a device is made from: its template's name and revision, and the points that this declares."""

    template: str = ""
    revision: int = 0
    prefix: str = ""
    declarations: Sequence[PointDeclaration] = ()


_PLAINLY = Made()


def create(
    session: Session,
    site_id: int | None,
    organization_id: int | None,
    given: Mapping[str, object],
    device_tags: Mapping[str, str],
    now: datetime,
    *,
    space_id: int | None = None,
    made: Made = _PLAINLY,
    by: Actor = SYSTEM,
) -> Device:
    """A new device with its points, at a site or, without one, of an organization alone.

    Raises `Unknown`, `AttributeInvalid`, `NameInvalid`, `PointInvalid`.
    """
    if site_id is not None:
        found = session.get(tables.Site, site_id, with_for_update={"read": True}) if possible([site_id]) else None
        if found is None:
            raise Unknown("site", site_id)
        organization_id = found.organization_id
    elif organization_id is None or session.get(tables.Organization, organization_id) is None:
        raise Unknown("organization", organization_id)
    columns = attributes.checked(attributes.DEVICE, {"name": "", **given})
    row = tables.Device(site_id=site_id, organization_id=organization_id, created=now, **columns)
    row.template, row.revision = made.template, made.revision
    row.prefix = names.checked("prefix", made.prefix) if made.prefix else ""
    row.space_id = _space(session, space_id, site_id)
    session.add(row)
    session.flush()
    tags.put_tags(session, tables.DEVICE_TAG, row.id, device_tags)
    if site_id is not None and made.declarations:
        ours = [msgspec.structs.replace(one, device_id=row.id) for one in made.declarations]
        declare.create_points(session, site_id, ours, now)
    dataset.bump(session)
    device = _whole(session, row)
    note(session, now, by, "create", device, {}, told(device))
    return device


def change(
    session: Session,
    device_id: int,
    given: Mapping[str, object],
    device_tags: Mapping[str, str],
    now: datetime,
    *,
    space_id: int | None = None,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Device:
    """Change what is given; ``space_id`` 0 takes it out of its space; an empty tag value removes the tag.

    Raises `Unknown`, `Stale`, `AttributeInvalid`, `NameInvalid`.
    """
    row = changeable(session, tables.Device, device_id, version)
    before = told(_whole(session, row))
    for name, value in attributes.checked(attributes.DEVICE, given).items():
        setattr(row, name, value)
    if space_id is not None:
        row.space_id = _space(session, space_id or None, row.site_id)
    tags.put_tags(session, tables.DEVICE_TAG, device_id, device_tags)
    return changed(session, row, before, "change", now, by)


def put_photo(session: Session, device_id: int, digest: str, now: datetime, by: Actor = SYSTEM) -> Device:
    """Set the digest of the picture; empty takes it away; raises `Unknown`."""
    row = changeable(session, tables.Device, device_id)
    before = told(_whole(session, row))
    row.photo = digest
    return changed(session, row, before, "change", now, by)


def delete_device(
    session: Session, device_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM
) -> None:
    """Remove a device with the sources that read it alone; its points and their history stay at the site, its keys end.

    Raises `Unknown`, `Stale`.
    """
    row = changeable(session, tables.Device, device_id, version)
    device = _whole(session, row)
    sources.end_with_device(session, device_id, now, by)
    table = tables.Point
    session.execute(update(table).where(table.device_id == device_id).values(device_id=None), execution_options=_PLAIN)
    end_keys(session, device_id, now)
    session.execute(
        update(tables.Key).where(tables.Key.device_id == device_id).values(device_id=None), execution_options=_PLAIN
    )
    session.delete(row)
    session.flush()
    dataset.bump(session)
    note(session, now, by, "delete", device, told(device), {})


def end_keys(session: Session, device_id: int, now: datetime, *scopes: str) -> None:
    """Revoke the living keys of a device, or those of some scopes."""
    ended = update(tables.Key).where(tables.Key.device_id == device_id, tables.Key.revoked.is_(None))
    if scopes:
        ended = ended.where(tables.Key.scope.in_(scopes))
    session.execute(ended.values(revoked=now, changed_at=dataset.bump(session)), execution_options=_PLAIN)


def device(session: Session, device_id: int) -> Device:
    """The device of that id; raises `Unknown`."""
    found = devices(session, None, device_ids=[device_id])
    if not found:
        raise Unknown("device", device_id)
    return found[0]


def devices(
    session: Session,
    reach: Reach | None,
    *,
    site_id: int | None = None,
    device_ids: Sequence[int] | None = None,
) -> list[Device]:
    """The devices within reach (None: all), of one site or by their ids; by id."""
    question = select(tables.Device).where(*of_devices(reach)).order_by(tables.Device.id)
    if site_id is not None:
        question = question.where(tables.Device.site_id.in_(possible([site_id])))
    if device_ids is not None:
        question = question.where(tables.Device.id.in_(integers(session, possible(device_ids))))
    rows = session.scalars(question).all()
    found = tags.tags_of(session, tables.DEVICE_TAG, [row.id for row in rows])
    return [record(row, found.get(row.id, {})) for row in rows]


def labels(session: Session, site_ids: Sequence[int]) -> dict[int, str]:
    """Names of the devices of sites; of two alike also what their addresses begin with, or a number."""
    table = tables.Device
    rows = session.execute(
        select(table.id, table.site_id, table.name, table.prefix, table.serial_number).where(
            table.site_id.in_(integers(session, possible(site_ids)))
        )
    ).all()
    count = Counter((row.site_id, row.name) for row in rows)
    return {
        row.id: row.name
        if count[row.site_id, row.name] == 1
        else f"{row.name} ({row.prefix.strip('/') or row.serial_number or row.id})"
        for row in rows
    }


def moved_since(session: Session, generation: int) -> bool:
    """Whether a device has changed after a generation in a way that doors must know of."""
    found = select(tables.Device.id).where(tables.Device.changed_at > generation).limit(1)
    return session.scalar(found) is not None


def changed(
    session: Session, row: tables.Device, before: dict[str, Any], action: str, now: datetime, by: Actor
) -> Device:
    """The row with its next version, told to caches and to the trail."""
    row.version += 1
    session.flush()
    dataset.bump(session)
    found = _whole(session, row)
    note(session, now, by, action, found, before, told(found))
    return found


def note(
    session: Session, now: datetime, by: Actor, action: str, row: Device, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Keep a deed about a device."""
    trail.note(
        session, now, by, action, Resource.DEVICE, row.id, organization_id=row.organization_id, site_id=row.site_id,
        before=before, after=after,
    )  # fmt: skip


def told(found: Device) -> dict[str, Any]:
    """What the trail keeps of a device; not what changes by itself."""
    fields: dict[str, Any] = msgspec.to_builtins(found)
    for key, value in fields.pop("tags").items():
        fields[f"tag {key}"] = value
    by_itself = ("id", "created", "version", "last_seen", "connection_state", "mobile_bytes", "completeness")
    return {name: value for name, value in fields.items() if name not in by_itself}


def record(row: tables.Device, device_tags: dict[str, str]) -> Device:
    """The device as it is answered."""
    return Device(**{field: getattr(row, field) for field in _FIELDS}, tags=device_tags)


def _whole(session: Session, row: tables.Device) -> Device:
    return record(row, tags.tags_of(session, tables.DEVICE_TAG, [row.id]).get(row.id, {}))


def _space(session: Session, space_id: int | None, site_id: int | None) -> int | None:
    if space_id is None:
        return None
    row = session.get(tables.Space, space_id) if possible([space_id]) else None
    if row is None or row.site_id != site_id:
        raise Unknown("space", space_id)
    return space_id
