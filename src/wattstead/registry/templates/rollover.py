"""Rollover: devices made from one revision of a template become like another; what would change is shown first.

A point is never deleted: one that the new revision lacks is retired. What a person has changed by hand stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.places import devices
from wattstead.registry.places.versions import changeable
from wattstead.registry.points import declare, points
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import Device, PointDeclaration, PointRow
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import among
from wattstead.registry.templates import furnishing
from wattstead.registry.templates.template import Template
from wattstead.registry.trail import SYSTEM, Actor

_PLAIN = {"synchronize_session": False}
_COMPARED = (
    "name",
    "kind",
    "quantity",
    "direction",
    "unit",
    "role",
    "resolution",
    "width",
    "max_rate",
    "max_gap_s",
    "pulses_per_kwh",
)


class What(StrEnum):
    """What becomes of a point."""

    ADD = "add"
    CHANGE = "change"
    RETIRE = "retire"
    RESTORE = "restore"
    """It was retired, and the new revision knows it again."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollover does to one point of a device."""

    address: str
    what: What
    point_id: int | None = None
    """None: it is made."""
    changes: dict[str, tuple[Any, Any]] = {}
    """Field → before and after."""
    kept: dict[str, tuple[Any, Any]] = {}
    """Field → as changed by hand, which stays, and as the new revision has it."""


class Rollover(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollover does to one device."""

    device_id: int
    template: str
    from_revision: int
    to_revision: int
    differences: list[Difference]


def preview(session: Session, device: Device, old: Template | None, new: Template) -> Rollover:
    """What would change; ``old`` is the template that the device was made from, None when it is no more."""
    return Rollover(
        device_id=device.id,
        template=new.name,
        from_revision=device.revision,
        to_revision=new.revision,
        differences=[] if device.site_id is None else list(_differences(session, device, old, new)),
    )


def apply(
    session: Session,
    device_id: int,
    old: Template | None,
    new: Template,
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Rollover:
    """Make the device like the new revision, in one transaction. Raises `Unknown`, `Stale`, `AddressTaken`."""
    row = changeable(session, tables.Device, device_id, version)
    device = devices.device(session, device_id)
    before = devices.told(device)
    if device.site_id is not None:
        declare.lock_site(session, device.site_id)
    rollover = preview(session, device, old, new)
    wanted = {one.address: one for one in (point.declaration(device.prefix, device_id) for point in new.points)}
    for one in rollover.differences:
        _apply(session, device, one, wanted.get(one.address), now)
    row.template, row.revision = new.name, new.revision
    devices.changed(session, row, before, "roll over", now, by)
    return rollover


def _differences(session: Session, device: Device, old: Template | None, new: Template) -> Iterator[Difference]:
    former = {} if old is None else _declared(old, device)
    wanted = _declared(new, device)
    there = _points(session, device, [*former, *wanted])
    for address, declared in wanted.items():
        found = there.get(address)
        if found is None or found.device_id != device.id:
            yield Difference(address=address, what=What.ADD, point_id=None if found is None else found.point.id)
            continue
        changes, kept = _compared(found, former.get(address), declared)
        what = What.RESTORE if found.retired else What.CHANGE
        if changes or kept or found.retired:
            yield Difference(address=address, what=what, point_id=found.point.id, changes=changes, kept=kept)
    for address, found in there.items():
        gone = address in former or (old is None and found.adopted)
        if address not in wanted and gone and found.device_id == device.id and found.retired is None:
            yield Difference(address=address, what=What.RETIRE, point_id=found.point.id)


def _compared(
    found: PointRow, former: PointDeclaration | None, wanted: PointDeclaration
) -> tuple[dict[str, tuple[Any, Any]], dict[str, tuple[Any, Any]]]:
    """What to change, and what differs because a person changed it by hand."""
    changes: dict[str, tuple[Any, Any]] = {}
    kept: dict[str, tuple[Any, Any]] = {}
    for field in _COMPARED:
        now = getattr(found if field in ("name", "role") else found.point, field)
        then, after = getattr(former, field, now), getattr(wanted, field)
        if now == after or then == after:
            continue
        (changes if now == then else kept)[field] = (now, after)
    return changes, kept


def _apply(session: Session, device: Device, one: Difference, wanted: PointDeclaration | None, now: datetime) -> None:
    assert device.site_id is not None
    if one.what is What.RETIRE:
        _put_retired(session, one.point_id, now)
        return
    assert wanted is not None
    if one.what is What.ADD and one.point_id is None:
        declare.create_points(session, device.site_id, [wanted], now)
        return
    if one.what is What.ADD:
        furnishing.check_free(session, device.site_id, [one.address])
        furnishing.take_over(session, device.site_id, device.id, [wanted])
        return
    assert one.point_id is not None
    if one.what is What.RESTORE:
        _put_retired(session, one.point_id, None)
    if one.changes:
        after = {field: value for field, (_, value) in one.changes.items()}
        declare.change_point(session, one.point_id, PointChange(**after))


def _put_retired(session: Session, point_id: int | None, at: datetime | None) -> None:
    generation = dataset.bump(session)
    row = update(tables.Point).where(tables.Point.id == point_id).values(retired=at, changed_at=generation)
    session.execute(row, execution_options=_PLAIN)


def _declared(template: Template, device: Device) -> dict[str, PointDeclaration]:
    return {one.address: one for one in (point.declaration(device.prefix, device.id) for point in template.points)}


def _points(session: Session, device: Device, addresses: list[str]) -> dict[str, PointRow]:
    """Points of the device, and those of its site under these addresses, by address."""
    named = select(tables.Address.point_id).where(
        tables.Address.site_id == device.site_id, among(session, tables.Address.path, addresses)
    )
    found = points.points(
        session, tables.Point.site_id == device.site_id,
        (tables.Point.device_id == device.id) | tables.Point.id.in_(named),
    )  # fmt: skip
    return {row.address: row for row in found}
