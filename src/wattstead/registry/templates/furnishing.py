"""Furnishing: a device made from a template gets its points at once; addresses that appeared before are taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import AddressTaken
from wattstead.registry.places import devices
from wattstead.registry.points import declare
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import Device, PointDeclaration
from wattstead.registry.storage.database import among
from wattstead.registry.templates.template import Template
from wattstead.registry.trail import SYSTEM, Actor

_MOST_ALIKE = 1_000
_CHANGED = tuple(PointChange.__struct_fields__)


def create_device(
    session: Session,
    site_id: int | None,
    organization_id: int | None,
    template: Template,
    given: Mapping[str, object],
    device_tags: Mapping[str, str],
    now: datetime,
    *,
    prefix: str = "",
    space_id: int | None = None,
    by: Actor = SYSTEM,
) -> Device:
    """A device with all points of its template; without a site it gets them when it comes to one.

    ``prefix`` is what its addresses begin with; none: the template's, numbered where another device has it. A point
    that appeared by itself under such an address becomes the device's, with its history. Raises `AddressTaken` and what
    `wattstead.registry.places.devices.create` raises.
    """
    wanted = template.defaults
    attributes = {"connection": wanted.connection, "firmware": wanted.firmware, **given}
    if wanted.mobile_budget_bytes is not None:
        attributes.setdefault("mobile_budget_bytes", wanted.mobile_budget_bytes)
    attributes["name"] = given.get("name") or wanted.name or template.title
    if site_id is not None:
        declare.lock_site(session, site_id)
        prefix = _free_prefix(session, site_id, template, prefix)
    prefix = prefix or template.prefix
    made = devices.Made(template=template.name, revision=template.revision, prefix=prefix)
    device = devices.create(
        session, site_id, organization_id, attributes, device_tags, now, space_id=space_id, made=made, by=by
    )
    if site_id is not None:
        _equip(session, site_id, device.id, template, prefix, now)
    return device


def equip(session: Session, device: Device, template: Template, now: datetime) -> None:
    """Give a device that has come to a site the points of its template, when it brought none."""
    theirs = select(tables.Point.id).where(tables.Point.device_id == device.id).limit(1)
    if device.site_id is None or session.scalar(theirs) is not None:
        return
    prefix = device.prefix or template.prefix
    try:
        check_free(session, device.site_id, [prefix + point.address for point in template.points])
    except AddressTaken:
        prefix = _free_prefix(session, device.site_id, template, "")
        session.get_one(tables.Device, device.id).prefix = prefix
        session.flush()
    _equip(session, device.site_id, device.id, template, prefix, now)


def _equip(session: Session, site_id: int, device_id: int, template: Template, prefix: str, now: datetime) -> None:
    declared = [point.declaration(prefix, device_id) for point in template.points]
    known = _owners(session, site_id, [one.address for one in declared])
    declare.create_points(session, site_id, [one for one in declared if one.address not in known], now)
    take_over(session, site_id, device_id, [one for one in declared if one.address in known])


def take_over(session: Session, site_id: int, device_id: int, declared: Sequence[PointDeclaration]) -> None:
    """Make points that are there already the device's, and what is declared of them."""
    ids = declare.known_ids(session, site_id, [one.address for one in declared])
    for one in declared:
        columns = {k: v for k, v in msgspec.structs.asdict(one).items() if k in _CHANGED}
        declare.change_point(session, ids[one.address], PointChange(**{**columns, "device_id": device_id}))


def check_free(session: Session, site_id: int, paths: Sequence[str]) -> None:
    """Raise `AddressTaken` when one of these addresses belongs to a device."""
    for path, owner in _owners(session, site_id, paths).items():
        if owner is not None:
            raise AddressTaken(path, owner)


def _free_prefix(session: Session, site_id: int, template: Template, asked: str) -> str:
    """The prefix to take; raises `AddressTaken` when the one asked for belongs to another device."""
    number = 1
    while True:
        prefix = asked or numbered(template.prefix, number)
        try:
            check_free(session, site_id, [prefix + point.address for point in template.points])
        except AddressTaken:
            if asked or number == _MOST_ALIKE:
                raise
            number += 1
        else:
            return prefix


def numbered(prefix: str, number: int) -> str:
    """The prefix of the second, third … device of a model at a site.

    >>> numbered("emon/emontx4/", 1), numbered("emon/emontx4/", 2)
    ('emon/emontx4/', 'emon/emontx4-2/')
    """
    if number == 1:
        return prefix
    return f"{prefix[:-1]}-{number}/" if prefix.endswith("/") else f"{prefix}-{number}"


def _owners(session: Session, site_id: int, paths: Sequence[str]) -> dict[str, int | None]:
    """The device of each of those addresses that exist; None: of none."""
    rows = session.execute(
        select(tables.Address.path, tables.Point.device_id)
        .join(tables.Point, tables.Point.id == tables.Address.point_id)
        .where(tables.Address.site_id == site_id, among(session, tables.Address.path, paths))
    )
    return dict(rows.all())
