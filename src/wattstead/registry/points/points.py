"""Points: which there are, with their tags and addresses; making and changing them is in `declare` and `resolve`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.metering import point as metering
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.registry import names
from wattstead.registry.errors import Unknown
from wattstead.registry.points import tags
from wattstead.registry.policy import Reach
from wattstead.registry.reach import of_sites
from wattstead.registry.records import PointRow, TagFilter
from wattstead.registry.storage.database import integers, possible, starts_with
from wattstead.registry.tables import Address, Point, Site

_KINDS = {kind.value: kind for kind in Kind}
_QUANTITIES = {quantity.value: quantity for quantity in Quantity}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_ROLES = {role.value: role for role in Role}

_PATH = select(func.min(Address.path)).where(Address.point_id == Point.id).scalar_subquery()
_PHYSICS = 10
_COLUMNS: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...] = (
    *(Point.id, Point.kind, Point.quantity, Point.direction, Point.unit),
    *(Point.resolution, Point.width, Point.max_rate, Point.max_gap_s, Site.zone),
    *(Point.site_id, Point.device_id, Point.name, Point.role, Point.adopted, Point.unit_hint),
    *(Point.rule_version, Point.created, _PATH, Point.retired),
)


def points(session: Session, *conditions: ColumnElement[bool]) -> list[PointRow]:
    """The points that meet every condition, by id."""
    question = select(*_COLUMNS).select_from(Point).join(Site, Site.id == Point.site_id).where(*conditions)
    rows = session.execute(question.order_by(Point.id)).all()
    found = tags.point_tags(session, [row[0] for row in rows])
    return [_record(row, found.get(row[0], {})) for row in rows]


def point(session: Session, point_id: int) -> PointRow:
    """The point of that id; raises `Unknown`."""
    found = points(session, Point.id == point_id)
    if not found:
        raise Unknown("point", point_id)
    return found[0]


def point_ids(session: Session, *conditions: ColumnElement[bool]) -> list[int]:
    """The ids alone of the points that meet every condition, ascending."""
    return list(session.scalars(selected(*conditions).order_by(Point.id)))


def selected(*conditions: ColumnElement[bool]) -> Select[int]:
    """The question for the ids of points that meet every condition."""
    return select(Point.id).join(Site, Site.id == Point.site_id).where(*conditions)


def conditions(
    session: Session,
    reach: Reach | None,
    site_ids: Sequence[int] | None,
    point_ids: Sequence[int] | None,
    where: Iterable[TagFilter],
    address_prefix: str,
) -> list[ColumnElement[bool]]:
    """The conditions of a listing; what is not within reach is left out as if it did not exist."""
    wanted = [*of_sites(reach), *tags.conditions(where)]
    if site_ids is not None:
        wanted.append(Point.site_id.in_(integers(session, possible(site_ids))))
    if point_ids is not None:
        wanted.append(Point.id.in_(integers(session, possible(point_ids))))
    if names.checked_text("address prefix", address_prefix):
        below = starts_with(Address.path, address_prefix)
        wanted.append(Point.id.in_(select(Address.point_id).where(Address.site_id == Point.site_id, below)))
    return wanted


def changed_since(session: Session, generation: int) -> list[PointRow]:
    """The points declared or changed after that generation; points that only appeared are not among them."""
    return points(session, Point.changed_at > generation)


def deltas_since(session: Session, generation: int) -> dict[int, bool]:
    """Whether a point holds amounts per interval, for those changed after a generation; after 0: those that do."""
    question = select(Point.id, Point.kind == Kind.DELTA.value).where(Point.changed_at > generation)
    if generation <= 0:
        question = question.where(Point.kind == Kind.DELTA.value)
    return dict(session.execute(question).all())


def sites_of(session: Session, point_ids: Sequence[int]) -> dict[int, int]:
    """The site of each of these points that exists."""
    rows = session.execute(select(Point.id, Point.site_id).where(Point.id.in_(integers(session, possible(point_ids)))))
    return dict(rows.all())


def _record(row: Row[*tuple[Any, ...]], own_tags: dict[str, str]) -> PointRow:
    """One row of the columns below; built by position, since a listing may have 50,000 of them."""
    (point_id, kind, quantity, direction, unit, resolution, width, max_rate, max_gap_s, zone) = row[:_PHYSICS]
    (site_id, device_id, name, role, adopted, unit_hint, rule_version, created, path, retired) = row[_PHYSICS:]
    return PointRow(
        point=metering.Point(
            id=point_id,
            kind=_KINDS[kind],
            quantity=_QUANTITIES[quantity],
            direction=_DIRECTIONS[direction],
            unit=unit,
            resolution=resolution,
            width=width,
            max_rate=max_rate,
            max_gap_s=max_gap_s,
            zone=zone,
        ),
        site_id=site_id,
        device_id=device_id,
        name=name,
        address=path,
        role=_ROLES[role],
        adopted=adopted,
        unit_hint=unit_hint,
        rule_version=rule_version,
        created=created,
        tags=own_tags,
        retired=retired,
    )
