"""Settling: many sites with their devices, points and keys at once, as an import or a simulation brings them.

It writes tables in bulk and checks what it is given like the questions for one; names and templates are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.errors import Unknown
from wattstead.registry.places import attributes, keys
from wattstead.registry.points import declare
from wattstead.registry.points.tags import checked as checked_tags
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.records import PointDeclaration
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import insert_rows, integers
from wattstead.registry.templates.template import Template
from wattstead.registry.trail import SYSTEM, Actor

_SITE_ROW: dict[str, Any] = {"note": "", "version": 1}


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device to come with a site."""

    template: Template
    prefix: str
    attributes: Mapping[str, object] = {}
    """``name`` among them."""
    tags: Mapping[str, str] = {}


class NewSite(msgspec.Struct, frozen=True, kw_only=True):
    """A site to come."""

    organization_id: int
    attributes: Mapping[str, object]
    """``name`` and ``zone`` among them."""
    tags: Mapping[str, str] = {}
    devices: Sequence[NewDevice] = ()
    secret: str = ""
    """Secret of a write key to make; empty: none."""


class Settled(msgspec.Struct, frozen=True):
    """What a site has become."""

    site_id: int
    devices: tuple[int, ...]
    points: dict[str, int]
    """Point ids by address."""


def settle(session: Session, new: Sequence[NewSite], now: datetime, by: Actor = SYSTEM) -> list[Settled]:
    """Make all sites, in order, or none of them. Raises what `sites.create_site` and `declare.create_points` raise."""
    if not new:
        return []
    _check_organizations(session, new)
    site_ids = _insert(session, tables.Site.__table__, [_site(one, now) for one in new])
    _put_tags(session, tables.SITE_TAG, "site_id", [(i, one.tags) for i, one in zip(site_ids, new, strict=True)])
    pairs = [(site_id, one, device) for site_id, one in zip(site_ids, new, strict=True) for device in one.devices]
    device_ids = _insert(session, tables.Device.__table__, [_device(*pair, now) for pair in pairs]) if pairs else []
    tagged = [(i, pair[2].tags) for i, pair in zip(device_ids, pairs, strict=True)]
    _put_tags(session, tables.DEVICE_TAG, "device_id", tagged)
    points = _points(session, pairs, device_ids, now)
    _keys(session, site_ids, new, now)
    _note(session, new, now, by)
    devices: dict[int, list[int]] = {}
    for device_id, (site_id, _, _) in zip(device_ids, pairs, strict=True):
        devices.setdefault(site_id, []).append(device_id)
    return [Settled(site_id, tuple(devices.get(site_id, ())), points.get(site_id, {})) for site_id in site_ids]


def _check_organizations(session: Session, new: Sequence[NewSite]) -> None:
    wanted = {one.organization_id for one in new}
    table = tables.Organization
    known = set(session.scalars(select(table.id).where(table.id.in_(integers(session, sorted(wanted))))))
    if wanted - known:
        raise Unknown("organization", min(wanted - known))


def _site(one: NewSite, now: datetime) -> dict[str, Any]:
    columns = attributes.checked(attributes.SITE, one.attributes)
    return _SITE_ROW | columns | {"organization_id": one.organization_id, "created": now}


def _device(site_id: int, site: NewSite, device: NewDevice, now: datetime) -> dict[str, Any]:
    defaults = device.template.defaults
    given = {"name": device.template.title, "connection": defaults.connection, **device.attributes}
    return attributes.checked(attributes.DEVICE, given) | {
        "site_id": site_id,
        "organization_id": site.organization_id,
        "created": now,
        "template": device.template.name,
        "revision": device.template.revision,
        "prefix": names.checked("prefix", device.prefix),
    }


def _insert(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The ids of new rows, in order."""
    made = session.execute(insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    return list(made.scalars())


def _put_tags(session: Session, table: Table, column: str, tagged: Sequence[tuple[int, Mapping[str, str]]]) -> None:
    rows = [
        {column: identity, "key": key, "value": value}
        for identity, wanted in tagged
        for key, value in checked_tags(wanted).items()
    ]
    insert_rows(session, table, rows)


def _points(
    session: Session, pairs: Sequence[tuple[int, NewSite, NewDevice]], device_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, int]]:
    declared = [
        (site_id, point.declaration(device.prefix, device_id))
        for device_id, (site_id, _, device) in zip(device_ids, pairs, strict=True)
        for point in device.template.points
    ]
    if not declared:
        dataset.bump(session)
        return {}
    generation = dataset.bump(session)
    ids = list(dataset.next_point_ids(session, len(declared)))
    rows = [
        declare.declared_row(one, point_id, site_id, generation, now)
        for point_id, (site_id, one) in zip(ids, declared, strict=True)
    ]
    places = {(site_id, one.address): i for i, (site_id, one) in zip(ids, declared, strict=True)}
    declare.insert_points(session, places, rows)
    tagged = [(i, one.tags) for i, (_, one) in zip(ids, declared, strict=True)]
    _put_tags(session, tables.POINT_TAG, "point_id", tagged)
    return _by_site(ids, declared)


def _by_site(ids: Sequence[int], declared: Sequence[tuple[int, PointDeclaration]]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for point_id, (site_id, one) in zip(ids, declared, strict=True):
        found.setdefault(site_id, {})[one.address] = point_id
    return found


def _keys(session: Session, site_ids: Sequence[int], new: Sequence[NewSite], now: datetime) -> None:
    generation = dataset.bump(session)
    rows = [
        {
            "site_id": site_id,
            "name": "device",
            "scope": Scope.WRITE.value,
            "secret_hash": keys.secret_hash(one.secret),
            "prefix": one.secret[:6],
            "point_limit": keys.DEFAULT_POINT_LIMIT,
            "point_count": 0,
            "created": now,
            "changed_at": generation,
        }
        for site_id, one in zip(site_ids, new, strict=True)
        if one.secret
    ]
    if rows:
        session.execute(insert(tables.KEY), rows)


def _note(session: Session, new: Sequence[NewSite], now: datetime, by: Actor) -> None:
    """One record for each organization: so many sites at once are one deed."""
    counts: dict[int, int] = {}
    for one in new:
        counts[one.organization_id] = counts.get(one.organization_id, 0) + 1
    for organization_id, count in counts.items():
        trail.note(
            session, now, by, "create", Resource.SITE, 0, organization_id=organization_id, after={"sites": count}
        )  # fmt: skip
