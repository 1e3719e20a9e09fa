"""Points: which there are, with their tags and addresses; making and changing them is in `declare` and `resolve`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.metering import point as metering
from wattstead.metering.quantity import UNITS, Direction, Kind, Quantity, Role
from wattstead.registry import names
from wattstead.registry.authority import Reach
from wattstead.registry.errors import Unknown
from wattstead.registry.points import tags
from wattstead.registry.policy import Resource
from wattstead.registry.reach import of
from wattstead.registry.records import PointRow, TagFilter
from wattstead.registry.storage.database import integers, possible, starts_with
from wattstead.registry.tables import POINT_TAG, Address, Key, Point, Site

_KINDS = {kind.value: kind for kind in Kind}
_QUANTITIES = {quantity.value: quantity for quantity in Quantity}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_ROLES = {role.value: role for role in Role}

_PATH = select(func.min(Address.path)).where(Address.point_id == Point.id).scalar_subquery()
_MEANING: tuple[InstrumentedAttribute[Any], ...] = (
    *(Point.id, Point.kind, Point.quantity, Point.direction, Point.unit),
    *(Point.resolution, Point.width, Point.max_rate, Point.max_gap_s, Point.pulses_per_kwh, Site.zone),
)
_COLUMNS: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...] = (
    *_MEANING,
    *(Point.site_id, Point.device_id, Point.name, Point.role, Point.adopted, Point.unit_hint),
    *(Point.rule_version, Point.created, _PATH, Point.retired, Point.changed_at, Point.open_to),
)


def points(session: Session, *conditions: ColumnElement[bool]) -> list[PointRow]:
    """The points that meet every condition, by id."""
    question = select(*_COLUMNS).select_from(Point).join(Site, Site.id == Point.site_id).where(*conditions)
    rows = session.execute(question.order_by(Point.id)).all()
    found = tags.tags_of(session, POINT_TAG, [row[0] for row in rows])
    return [_record(row, found.get(row[0], {})) for row in rows]


def meanings(session: Session, *conditions: ColumnElement[bool]) -> list[metering.Point]:
    """What `points` says of the points' numbers alone, for a fraction of its cost."""
    question = select(*_MEANING).select_from(Point).join(Site, Site.id == Point.site_id).where(*conditions)
    return [_meaning(*row) for row in session.execute(question.order_by(Point.id)).all()]


def new_of_keys(session: Session, key_ids: Sequence[int]) -> dict[int, int]:
    """How many points that appeared under each of these keys wait for adoption; 0 is not told."""
    sites = select(Key.site_id).where(Key.id.in_(integers(session, key_ids)))
    question = select(Point.key_id, func.count()).where(
        Point.site_id.in_(sites), Point.key_id.in_(integers(session, key_ids)), Point.adopted.is_(False)
    )
    return {key_id: count for key_id, count in session.execute(question.group_by(Point.key_id)) if key_id}


def news(generation: int, last_point_id: int) -> ColumnElement[bool]:
    """The condition for points declared or changed after that generation, and for those that appeared after that id."""
    return (Point.changed_at > generation) | (Point.id > last_point_id)


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
    wanted = [*tags.conditions(where), *of(Resource.POINT, reach)]
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


def units_of(session: Session, point_ids: Sequence[int]) -> dict[int, str]:
    """The unit of each of these points that exists, or its sender's while nobody has given it one; "" for none."""
    columns = (Point.id, Point.unit, Point.unit_hint, Point.adopted)
    rows = session.execute(select(*columns).where(Point.id.in_(integers(session, possible(point_ids)))))
    return {point_id: own if own or adopted or hint not in UNITS else hint for point_id, own, hint, adopted in rows}


def owners_of(session: Session, point_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Site and device (0: none) of each of these points that exists."""
    columns = (Point.id, Point.site_id, Point.device_id)
    rows = session.execute(select(*columns).where(Point.id.in_(integers(session, possible(point_ids)))))
    return {point_id: (site_id, device_id or 0) for point_id, site_id, device_id in rows}


def _record(row: Row[*tuple[Any, ...]], own_tags: dict[str, str]) -> PointRow:
    """One row of the columns above; built by position, since a listing may have 50,000 of them."""
    rest = row[len(_MEANING) :]
    (site_id, device_id, name, role, adopted, unit_hint, rule_version, created, path, retired, version, opened) = rest
    return PointRow(
        point=_meaning(*row[: len(_MEANING)]),
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
        version=version,
        open_to=opened,
    )


def _meaning(
    point_id: int, kind: str, quantity: str, direction: str, unit: str,
    resolution: float, width: int, max_rate: float, max_gap_s: float, pulses_per_kwh: float, zone: str,
) -> metering.Point:  # fmt: skip
    return metering.Point(
        id=point_id,
        kind=_KINDS[kind],
        quantity=_QUANTITIES[quantity],
        direction=_DIRECTIONS[direction],
        unit=unit,
        resolution=resolution,
        width=width,
        max_rate=max_rate,
        max_gap_s=max_gap_s,
        pulses_per_kwh=pulses_per_kwh,
        zone=zone,
    )
