"""Tags of points, sites, devices and people, and the questions they answer: which points, grouped how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import ColumnElement, Select, Table, delete, exists, func, intersect, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.registry import names
from wattstead.registry.errors import RegistryError
from wattstead.registry.records import TagFilter
from wattstead.registry.storage.database import insert_rows, integers, starts_with
from wattstead.registry.tables import POINT_TAG, Point, PointTag, SiteTag

LONGEST_KEY = 60


class TagFilterInvalid(RegistryError):
    """A condition that gives none, or more than one, of equals, among and prefix."""


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags as they may be stored; raises `NameInvalid`."""
    return {names.checked("tag key", k, LONGEST_KEY): names.checked(f"value of tag {k}", v) for k, v in tags.items()}


def put_point_tags(session: Session, tags: Mapping[int, Mapping[str, str]]) -> None:
    """Set tags of points, keeping their other tags; an empty value removes the tag."""
    for point_id, wanted in tags.items():
        session.execute(delete(PointTag).where(PointTag.point_id == point_id, PointTag.key.in_(wanted)))
    add_point_tags(session, tags)


def add_point_tags(session: Session, tags: Mapping[int, Mapping[str, str]]) -> None:
    """Add tags to points that have none of these keys yet."""
    rows = [
        {"point_id": point_id, "key": key, "value": value}
        for point_id, wanted in tags.items()
        for key, value in checked({k: v for k, v in wanted.items() if v}).items()
    ]
    insert_rows(session, POINT_TAG, rows)


def put_tags(session: Session, table: Table, identity: int, tags: Mapping[str, str]) -> None:
    """Set tags of a site, device or person, as ``table`` says, keeping the others; an empty value removes one."""
    owner = _owner(table)
    session.execute(delete(table).where(table.c[owner] == identity, table.c.key.in_(tags)))
    kept = checked({key: value for key, value in tags.items() if value})
    insert_rows(session, table, [{owner: identity, "key": key, "value": value} for key, value in kept.items()])


def tags_of(session: Session, table: Table, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The tags of points, sites, devices or people (``table`` says of which); who has none is not in the answer."""
    owner = table.c[_owner(table)]
    rows = session.execute(
        select(owner, table.c.key, table.c.value).where(owner.in_(integers(session, ids))).order_by(owner, table.c.key)
    )
    return {identity: {key: value for _, key, value in tags} for identity, tags in groupby(rows, lambda row: row[0])}


def _owner(table: Table) -> str:
    return next(name for name in (column.name for column in table.primary_key) if name != "key")


def conditions(filters: Iterable[TagFilter]) -> list[ColumnElement[bool]]:
    """The condition on `Point.id` that all filters make together; raises `TagFilterInvalid`."""
    sets = [_points_with(wanted) for wanted in filters]
    if len(sets) > 1:  # one set: several would be nested loops while PostgreSQL has not yet counted the tags
        return [Point.id.in_(intersect(*sets))]
    return [Point.id.in_(found) for found in sets]


def grouped(session: Session, keys: Sequence[str], wanted: Select[int]) -> dict[tuple[str, ...], list[int]]:
    """The points of a selection of ids by their values of several tags, "" where there is none; groups in order."""
    points = wanted.subquery()
    columns = [
        func.coalesce(
            select(PointTag.value).where(PointTag.point_id == Point.id, PointTag.key == key).scalar_subquery(),
            select(SiteTag.value).where(SiteTag.site_id == Point.site_id, SiteTag.key == key).scalar_subquery(),
            "",
        )
        for key in keys
    ]
    rows = session.execute(select(Point.id, *columns).join(points, points.c.id == Point.id).order_by(Point.id))
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        groups.setdefault(tuple(row[1:]), []).append(row[0])
    return dict(sorted(groups.items()))


def _points_with(wanted: TagFilter) -> Select[int]:
    own = select(PointTag.point_id).where(PointTag.key == wanted.key, _matches(PointTag.value, wanted))
    overridden = exists().where(PointTag.point_id == Point.id, PointTag.key == wanted.key)
    of_site = (
        select(Point.id)
        .join(SiteTag, SiteTag.site_id == Point.site_id)
        .where(SiteTag.key == wanted.key, _matches(SiteTag.value, wanted), ~overridden)
    )
    both = union_all(own, of_site).subquery()
    return select(both.c[0])


def _matches(value: InstrumentedAttribute[str], wanted: TagFilter) -> ColumnElement[bool]:
    given = [wanted.equals is not None, wanted.among is not None, wanted.prefix is not None]
    if sum(given) != 1:
        raise TagFilterInvalid(f"tag filter on {wanted.key!r} gives {sum(given)} conditions; give exactly one")
    for part in (wanted.key, wanted.equals, wanted.prefix, *(wanted.among or ())):
        names.checked_text("tag filter", part or "")
    if wanted.equals is not None:
        return value == wanted.equals
    if wanted.among is not None:
        return value.in_(wanted.among)
    return starts_with(value, wanted.prefix or "")
