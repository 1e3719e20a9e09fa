"""Moving a device to another site: its history stays where it was measured, unless it is taken along on purpose.

A home's past belongs to that home: its points stay at the old site, and the device gets new ones at the new site from
the same declarations. Write keys of the device go along, since they are inside it; its read and admin keys end. Its
sources stay at the old site, off: they hold addresses and passwords of that home's network.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.registry import tables, trail
from wattstead.registry.authority import Authority
from wattstead.registry.errors import Conflict, Unknown
from wattstead.registry.people import memberships
from wattstead.registry.places import devices, lasting, sources
from wattstead.registry.places.lasting import Wanted
from wattstead.registry.places.versions import changeable
from wattstead.registry.points import declare, points
from wattstead.registry.policy import Action, Resource, Right, Scope
from wattstead.registry.records import Device, PointDeclaration, PointRow
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import SYSTEM, Actor

_PLAIN = {"synchronize_session": False}
_GIVE, _CHANGE_POINT = Right(Action.GIVE, Resource.DEVICE), Right(Action.CHANGE, Resource.POINT)


def move(
    session: Session,
    device_id: int,
    site_id: int | None,
    now: datetime,
    *,
    organization_id: int | None = None,
    with_history: bool = False,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Device:
    """The device at another site, or at none: then of its organization, or of ``organization_id``.

    ``with_history`` takes its points along; only who may change both sites may ask for it, which the caller has
    checked. Raises `Unknown`, `Stale`, `Conflict`.
    """
    row = changeable(session, tables.Device, device_id, version)
    if site_id is not None and row.site_id == site_id:
        raise Conflict("device.there", f"device {device_id} is at site {site_id} already")
    before = devices.told(devices.device(session, device_id))
    owner = _owner(session, row, site_id, organization_id)
    locked = [one for one in (row.site_id, site_id) if one is not None]
    declare.lock_sites(session, locked)
    sources.locked(session, device_id)
    theirs = points.points(session, tables.Point.device_id == device_id)
    words: dict[str, Any] = {}
    if with_history:
        if row.site_id is None or site_id is None:
            raise Conflict("device.history", "history can be taken along only from one site to another")
        _take_along(session, theirs, site_id)
        words["points taken along"] = [one.point.id for one in theirs]
    elif site_id is not None:  # without a site it stays known what its points were, for the next one
        _leave(session, device_id)
        words["points left"] = [one.point.id for one in theirs]
    old_site, row.site_id, row.organization_id, row.space_id = row.site_id, site_id, owner, None
    session.flush()
    if site_id is not None and not with_history:
        words["points made"] = _anew(session, theirs, device_id, site_id, now)
    sources.leave_behind(session, device_id, now, by)
    _move_keys(session, device_id, site_id, now)
    row.changed_at = dataset.bump(session)
    if old_site is not None:  # the old site's people read that it went, not where
        trail.note(
            session, now, by, "move away", Resource.DEVICE, device_id, site_id=old_site, before=before, after=words
        )  # fmt: skip
    return devices.changed(session, row, {}, "move", now, by)


def hold(
    session: Session,
    device_id: int,
    site_id: int | None,
    organization_id: int | None,
    with_history: bool,
    by: Actor,
    authority: Authority | None,
) -> None:
    """Raise `Unknown` unless whoever asks may move the device away, and to there, at this instant; `RoleRefused` as
    `lasting.check_not_to_oneself`.
    """
    if site_id is not None:
        lasting.check_own_eyes(by)
    give, points = (lasting.reach_of(authority, one) for one in (_GIVE, _CHANGE_POINT))
    wanted = [Wanted(Resource.DEVICE, device_id, give)]
    if site_id is not None:
        wanted.append(Wanted(Resource.SITE, site_id, give))
    elif organization_id is not None:
        wanted.append(Wanted(Resource.ORGANIZATION, organization_id, give))
    lasting.hold(session, *wanted)
    here = session.scalar(select(tables.Device.site_id).where(tables.Device.id == device_id))
    if here is not None and site_id is not None:
        former, present = (memberships.place_path(session, None, one) for one in (here, site_id))
        lasting.check_not_to_oneself(authority, _GIVE, former, present, (here, site_id))
    if with_history and site_id is not None:  # both sites are held by now
        lasting.hold(session, *(Wanted(Resource.SITE, one, points) for one in (here, site_id) if one is not None))


def _owner(session: Session, row: tables.Device, site_id: int | None, organization_id: int | None) -> int:
    if site_id is not None:
        site = session.get(tables.Site, site_id, with_for_update={"read": True}) if possible([site_id]) else None
        if site is None:
            raise Unknown("site", site_id)
        return site.organization_id
    if organization_id is not None and session.get(tables.Organization, organization_id) is None:
        raise Unknown("organization", organization_id)
    return organization_id or row.organization_id


def _leave(session: Session, device_id: int) -> None:
    session.execute(
        update(tables.Point)
        .where(tables.Point.device_id == device_id)
        .values(device_id=None, changed_at=dataset.bump(session)),
        execution_options=_PLAIN,
    )


def _anew(session: Session, theirs: list[PointRow], device_id: int, site_id: int, now: datetime) -> list[int]:
    """The device's points at its new site; a device that comes back finds those it left there."""
    declared = [_declaration(one, device_id) for one in theirs]
    known = declare.known_ids(session, site_id, [one.address for one in declared])
    held = select(tables.Point.id).where(tables.Point.id.in_(known.values()), tables.Point.device_id.is_not(None))
    if (taken := session.scalar(held.limit(1))) is not None:
        sentence = f"another device at site {site_id} has point {taken} under the same address; give it a prefix"
        raise Conflict("address.device", sentence, point=taken)
    ids = declare.create_points(session, site_id, declared, now)
    session.execute(
        update(tables.Point)
        .where(tables.Point.id.in_(known.values()))
        .values(device_id=device_id, changed_at=dataset.bump(session)),
        execution_options=_PLAIN,
    )
    return ids


def _take_along(session: Session, theirs: list[PointRow], site_id: int) -> None:
    ids = [one.point.id for one in theirs]
    address = tables.Address
    paths = list(session.scalars(select(address.path).where(address.point_id.in_(ids))))
    taken = declare.known_ids(session, site_id, paths)
    if taken:
        path = min(taken)
        sentence = f"site {site_id} has a point under the address {path[:60]!r} already; move without history"
        raise Conflict("address.there", sentence, address=path[:60])
    for table, column in ((tables.Point, tables.Point.id), (address, address.point_id)):
        session.execute(update(table).where(column.in_(ids)).values(site_id=site_id), execution_options=_PLAIN)
    session.execute(
        update(tables.Point)
        .where(tables.Point.id.in_(ids))
        .values(changed_at=dataset.bump(session), space_id=None, key_id=None),
        execution_options=_PLAIN,
    )


def _move_keys(session: Session, device_id: int, site_id: int | None, now: datetime) -> None:
    devices.end_keys(session, device_id, now, *([] if site_id is None else [Scope.READ.value, Scope.ADMIN.value]))
    if site_id is not None:
        living = (tables.Key.device_id == device_id, tables.Key.revoked.is_(None))
        moved = update(tables.Key).where(*living).values(site_id=site_id, changed_at=dataset.bump(session))
        session.execute(moved, execution_options=_PLAIN)


def _declaration(row: PointRow, device_id: int) -> PointDeclaration:
    point = row.point
    return PointDeclaration(
        address=row.address,
        name=row.name,
        kind=point.kind,
        quantity=point.quantity,
        direction=point.direction,
        unit=point.unit,
        role=row.role,
        resolution=point.resolution,
        width=point.width,
        max_rate=point.max_rate,
        max_gap_s=point.max_gap_s,
        pulses_per_kwh=point.pulses_per_kwh,
        device_id=device_id,
        adopted=row.adopted,
        tags=row.tags,
    )
