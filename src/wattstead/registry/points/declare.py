"""Declaring, adopting and renaming points; what a point may be is decided here, its readings are never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.metering.point import Point, amount_per_step, step_rule, usual_gap_s
from wattstead.metering.quantity import ALIASES, Direction, Kind, Quantity, Role, UnitError
from wattstead.registry import names, tables, trail
from wattstead.registry.errors import PointInvalid, Stale, Unknown
from wattstead.registry.points import opening, points, tags
from wattstead.registry.points.physics import check, gap_s, physics
from wattstead.registry.policy import Resource
from wattstead.registry.records import PointDeclaration, PointRow
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import among, insert_rows, integers, possible
from wattstead.registry.trail import SYSTEM, Actor


class PointChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to change of a point; None leaves it as it is. A tag with an empty value is removed."""

    name: str | None = None
    kind: Kind | None = None
    quantity: Quantity | None = None
    direction: Direction | None = None
    unit: str | None = None
    role: Role | None = None
    resolution: float | None = None
    width: int | None = None
    max_rate: float | None = None
    max_gap_s: float | None = None
    pulses_per_kwh: float | None = None
    open_to: str | None = None
    device_id: int | None = None
    adopted: bool | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


_ADOPTING = ("kind", "quantity", "direction", "unit", "role")


def create_points(session: Session, site_id: int, declarations: Sequence[PointDeclaration], now: datetime) -> list[int]:
    """The ids of declared points, in order; an address that exists keeps its point, unchanged.

    All or none: raises `PointInvalid`, `UnitError`, `NameInvalid`, `AddressInvalid`, `Unknown` for the site.
    """
    zone = lock_site(session, site_id)
    known = known_ids(session, site_id, [d.address for d in declarations])
    fresh = {d.address: d for d in declarations if d.address not in known}
    for declaration in fresh.values():
        _check_declaration(declaration, zone)
    _check_devices(session, site_id, {d.device_id for d in fresh.values() if d.device_id is not None})
    generation = dataset.bump(session) if fresh else 0
    ids = dict(zip(fresh, dataset.next_point_ids(session, len(fresh)), strict=True))
    rows = [declared_row(d, ids[d.address], site_id, generation, now) for d in fresh.values()]
    insert_points(session, {(site_id, path): point_id for path, point_id in ids.items()}, rows)
    tags.add_point_tags(session, {ids[d.address]: d.tags for d in fresh.values()})
    known.update(ids)
    return [known[d.address] for d in declarations]


def change_point(session: Session, point_id: int, change: PointChange) -> PointRow:
    """Adopt, rename or correct a point; raises `Unknown`, `PointInvalid`, `UnitError`, `NameInvalid`.

    A change of the step rule grows ``rule_version``: rollups made under the old one are then made again.
    """
    site_id = session.scalar(select(tables.Point.site_id).where(tables.Point.id == point_id))
    if site_id is None:
        raise Unknown("point", point_id)
    lock_site(session, site_id)
    before = points.point(session, point_id)
    columns = {k: v for k, v in msgspec.structs.asdict(change).items() if v is not None and k != "tags"}
    if "unit" in columns:
        columns["unit"] = ALIASES.get(columns["unit"], columns["unit"])
    if "open_to" in columns:
        columns["open_to"] = opening.checked(columns["open_to"])
    own = before.point
    if change.kind is not None and change.max_gap_s is None and own.max_gap_s == usual_gap_s(own.kind):
        columns["max_gap_s"] = usual_gap_s(change.kind)
    physics = {k: v for k, v in columns.items() if k in Point.__struct_fields__}
    after: Point = msgspec.structs.replace(before.point, **physics)
    check(after)
    if "name" in columns:
        names.checked("point", columns["name"])
    if "device_id" in columns:
        _check_devices(session, site_id, {columns["device_id"]})
    if any(k in columns for k in _ADOPTING):
        columns.setdefault("adopted", True)
    if step_rule(after) != step_rule(before.point) or amount_per_step(after) != amount_per_step(before.point):
        columns["rule_version"] = before.rule_version + 1
    tags.put_point_tags(session, {point_id: change.tags})
    columns["changed_at"] = dataset.bump(session)
    session.execute(
        update(tables.Point).where(tables.Point.id == point_id).values(**_plain(columns)),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return points.point(session, point_id)


def change_by(
    session: Session, point_id: int, change: PointChange, now: datetime, *, version: int | None = None,
    by: Actor = SYSTEM,
) -> PointRow:  # fmt: skip
    """`change_point` by somebody, kept in the trail; raises `Stale` too, when the point has another version."""
    site_id = session.scalar(select(tables.Point.site_id).where(tables.Point.id.in_(possible([point_id]))))
    if site_id is None:
        raise Unknown("point", point_id)
    lock_site(session, site_id)
    before = points.point(session, point_id)
    if version is not None and before.version != version:
        raise Stale("point", point_id, before.version, version)
    after = change_point(session, point_id, change)
    trail.note(
        session, now, by, "change", Resource.POINT, point_id, site_id=after.site_id, before=_told(before),
        after=_told(after),
    )  # fmt: skip
    return after


def lock_site(session: Session, site_id: int) -> str:
    """The zone of a site whose addresses no other transaction adds to until this one ends; raises `Unknown`."""
    zone = lock_sites(session, [site_id]).get(site_id)
    if zone is None:
        raise Unknown("site", site_id)
    return zone


def lock_sites(session: Session, site_ids: Sequence[int]) -> dict[int, str]:
    """The zones of sites, locked in the order of their ids so that two batches never wait for each other."""
    rows = session.execute(
        select(tables.Site.id, tables.Site.zone)
        .where(tables.Site.id.in_(integers(session, site_ids)))
        .order_by(tables.Site.id)
        .with_for_update(key_share=True)
    )
    return dict(rows.all())


def known_ids(session: Session, site_id: int, paths: Sequence[str]) -> dict[str, int]:
    """The point ids of those addresses of a site that exist."""
    rows = session.execute(
        select(tables.Address.path, tables.Address.point_id).where(
            tables.Address.site_id == site_id, among(session, tables.Address.path, paths)
        )
    )
    return dict(rows.all())


def insert_points(session: Session, ids: Mapping[tuple[int, str], int], rows: Sequence[Mapping[str, Any]]) -> None:
    """Store new points and the (site, path) that lead to them; the caller holds the sites' locks."""
    insert_rows(session, tables.POINT, rows)
    addresses = [{"site_id": site_id, "path": path, "point_id": point_id} for (site_id, path), point_id in ids.items()]
    insert_rows(session, tables.ADDRESS, addresses)


def _check_declaration(declaration: PointDeclaration, zone: str) -> None:
    fault = names.address_fault(declaration.address)
    if fault:
        raise fault
    names.checked("point", declaration.name)
    try:
        check(physics(declaration, zone))
    except (PointInvalid, UnitError) as error:
        raise PointInvalid(f"point {declaration.address!r}: {error}") from error


def declared_row(
    declaration: PointDeclaration, point_id: int, site_id: int, generation: int, now: datetime
) -> dict[str, Any]:
    """The row of a declared point."""
    columns = {k: v for k, v in msgspec.structs.asdict(declaration).items() if k not in ("address", "tags")}
    columns["unit"] = ALIASES.get(declaration.unit, declaration.unit)
    columns["max_gap_s"] = gap_s(declaration)
    return _plain(columns) | {
        "id": point_id,
        "site_id": site_id,
        "key_id": None,
        "unit_hint": declaration.unit,
        "rule_version": 1,
        "changed_at": generation,
        "created": now,
    }


def _check_devices(session: Session, site_id: int, device_ids: set[int]) -> None:
    theirs = select(tables.Device.id).where(tables.Device.site_id == site_id)
    foreign = device_ids - set(session.scalars(theirs)) if device_ids else set()
    if foreign:
        raise Unknown("device", min(foreign))


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.value if isinstance(v, (Kind, Quantity, Direction, Role)) else v for k, v in columns.items()}


def _told(row: PointRow) -> dict[str, Any]:
    """What the trail keeps of a point."""
    physics = {name: getattr(row.point, name) for name in Point.__struct_fields__ if name not in ("id", "zone")}
    own = {
        "name": row.name, "role": row.role, "device_id": row.device_id, "adopted": row.adopted, "open_to": row.open_to,
    }  # fmt: skip
    return _plain({**physics, **own, **{f"tag {key}": value for key, value in row.tags.items()}})
