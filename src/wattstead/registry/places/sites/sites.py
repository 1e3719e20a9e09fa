"""Sites: where points are, and all that is known about a place; who may see them is decided by a reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, Text, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.registry import tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import Conflict, Unknown
from wattstead.registry.places import attributes, edges
from wattstead.registry.places.versions import changeable
from wattstead.registry.points import tags
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.reach import of_sites, parts_of_sites
from wattstead.registry.records import Site, SiteName
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import integers, possible
from wattstead.registry.trail import SYSTEM, Actor

_PLAIN = {"synchronize_session": False}
_FIELDS = tuple(field for field in Site.__struct_fields__ if field != "tags")
_BY_ITSELF = ("id", "created", "version", "last_seen", "connection_state", "completeness")
_DOORS_KNOW = timedelta(seconds=10)
"""After that long every door has learnt that a key was revoked or is over."""


def create_site(
    session: Session,
    organization_id: int,
    given: Mapping[str, object],
    site_tags: Mapping[str, str],
    now: datetime,
    by: Actor = SYSTEM,
) -> Site:
    """A new site with these attributes; raises `AttributeInvalid`, `ZoneUnknown`, `Unknown` for the organization."""
    if session.get(tables.Organization, organization_id) is None:
        raise Unknown("organization", organization_id)
    columns = {"note": "", **attributes.checked(attributes.SITE, {"name": "", "zone": "", **given})}
    row = tables.Site(organization_id=organization_id, created=now, **columns)
    session.add(row)
    session.flush()
    tags.put_tags(session, tables.SITE_TAG, row.id, site_tags)
    dataset.bump(session)
    made = record(row, tags.checked(site_tags))
    _note(session, now, by, "create", made, {}, _told(made))
    return made


def change_site(
    session: Session,
    site_id: int,
    given: Mapping[str, object],
    site_tags: Mapping[str, str],
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Site:
    """Change what is given; an empty tag value removes the tag.

    Raises `Unknown`, `Stale`, `AttributeInvalid`, `ZoneUnknown`, `NameInvalid`.
    """
    row = changeable(session, tables.Site, site_id, version)
    before = _told(_whole(session, row))
    zone, state = row.zone, row.state
    for name, value in attributes.checked(attributes.SITE, given).items():
        setattr(row, name, value)
    tags.put_tags(session, tables.SITE_TAG, site_id, site_tags)
    changed = _changed(session, row, before, "change", now, by)
    if row.zone != zone:  # local days of its points are others now
        _mark(session, tables.Point, site_id)
    if row.state != state:
        _mark(session, tables.Key, site_id)
    return changed


def put_photo(session: Session, site_id: int, digest: str, now: datetime, by: Actor = SYSTEM) -> Site:
    """Set the digest of the picture; empty takes it away; raises `Unknown`."""
    row = changeable(session, tables.Site, site_id)
    before = _told(_whole(session, row))
    row.photo = digest
    return _changed(session, row, before, "change", now, by)


def hand_over(
    session: Session,
    site_id: int,
    organization_id: int,
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Site:
    """Give a site with all that is in it to another organization; raises `Unknown`, `Stale`.

    What the former organization sees by ends; see `leaving`, which is the caller's to ask.
    """
    row = changeable(session, tables.Site, site_id, version)
    if session.get(tables.Organization, organization_id) is None:
        raise Unknown("organization", organization_id)
    before = _told(_whole(session, row))
    row.organization_id = organization_id
    session.execute(
        update(tables.Device).where(tables.Device.site_id == site_id).values(organization_id=organization_id),
        execution_options=_PLAIN,
    )
    changed = _changed(session, row, before, "hand over", now, by)
    _mark(session, tables.Key, site_id)
    return changed


def delete_site(
    session: Session, site_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM
) -> None:
    """Remove a site with its devices, points, sources and keys; its point ids are never given again.

    A site that has points must have had the keys that send revoked some seconds ago, or over, so that nothing is on its
    way to a point that is no more. Raises `Unknown`, `Stale`, `Conflict`.
    """
    row = changeable(session, tables.Site, site_id, version)
    points = select(tables.Point.id).where(tables.Point.site_id == site_id)
    alive = select(func.count()).select_from(tables.Key).where(tables.Key.site_id == site_id)
    known = now - _DOORS_KNOW
    alive = alive.where(
        tables.Key.scope != Scope.READ.value,
        tables.Key.revoked.is_(None) | (tables.Key.revoked > known),
        tables.Key.expires.is_(None) | (tables.Key.expires > known),
    )
    if session.scalar(points.limit(1)) is not None and (count := session.scalar(alive)):
        own = session.scalar(select(func.count()).select_from(tables.Source).where(tables.Source.site_id == site_id))
        raise Conflict(
            "site.keys",
            f"site {site_id} has points and {count} keys that may still send, {own} of them of sources; remove the "
            "sources, revoke the other keys, wait ten seconds, try again",
            count=count,
        )
    before, organization_id = _told(_whole(session, row)), row.organization_id
    _delete_contents(session, site_id, points)
    session.delete(row)
    session.flush()
    dataset.bump(session)
    trail.note(
        session, now, by, "delete", Resource.SITE, site_id, organization_id=organization_id, before=before
    )  # fmt: skip


def _delete_contents(session: Session, site_id: int, points: Select[int]) -> None:
    devices = select(tables.Device.id).where(tables.Device.site_id == site_id)
    keys = select(tables.Key.id).where(tables.Key.site_id == site_id)
    for table, condition in (
        (tables.PointTag, tables.PointTag.point_id.in_(points)),
        (tables.Address, tables.Address.site_id == site_id),
        (tables.Point, tables.Point.site_id == site_id),
    ):
        session.execute(delete(table).where(condition), execution_options=_PLAIN)
    session.execute(delete(tables.Source).where(tables.Source.site_id == site_id), execution_options=_PLAIN)
    edges.forget(session, tables.Edge.site_id == site_id)
    session.execute(
        update(tables.Key).where(tables.Key.id.in_(keys)).values(successor_id=None), execution_options=_PLAIN
    )
    session.execute(
        update(tables.Point).where(tables.Point.key_id.in_(keys)).values(key_id=None), execution_options=_PLAIN
    )
    session.execute(delete(tables.Key).where(tables.Key.site_id == site_id), execution_options=_PLAIN)
    session.execute(delete(tables.Device).where(tables.Device.id.in_(devices)), execution_options=_PLAIN)
    session.execute(
        update(tables.Space).where(tables.Space.site_id == site_id).values(parent_id=None), execution_options=_PLAIN
    )
    session.execute(delete(tables.Space).where(tables.Space.site_id == site_id), execution_options=_PLAIN)


def site(session: Session, site_id: int) -> Site:
    """The site of that id; raises `Unknown`."""
    found = sites(session, None, [site_id])
    if not found:
        raise Unknown("site", site_id)
    return found[0]


def sites(session: Session, reach: Reach | None, site_ids: Sequence[int] | None = None) -> list[Site]:
    """The sites within reach (None: all), or those of them that are named; by id."""
    question = select(tables.Site).where(*of_sites(reach)).order_by(tables.Site.id)
    if site_ids is not None:
        question = question.where(tables.Site.id.in_(integers(session, possible(site_ids))))
    rows = session.scalars(question).all()
    found = tags.tags_of(session, tables.SITE_TAG, [row.id for row in rows])
    return [record(row, found.get(row.id, {})) for row in rows]


def ids(session: Session, reach: Reach | None) -> frozenset[int]:
    """The sites within reach by id alone: the scope of a person."""
    told = _columns(session, reach, tables.Site.id)
    return frozenset(one for text in told for one in msgspec.json.decode(text, type=list[int]))


def named(session: Session, reach: Reach | None) -> dict[int, SiteName]:
    """The names and zones of the sites within reach, by id."""
    told = _columns(session, reach, tables.Site.id, tables.Site.name, tables.Site.zone)
    rows = [one for text in told for one in msgspec.json.decode(text, type=list[SiteName])]
    rows.sort(key=lambda one: one.id)
    return {one.id: one for one in rows}


def _columns(session: Session, reach: Reach | None, *columns: InstrumentedAttribute[Any]) -> list[str]:
    """Columns of the sites within reach as JSON, a text for each part of the reach: row by row thousands take four
    times as long, and put together by the database before they are told, twice as long.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    array, row = (func.json_group_array, func.json_array) if sqlite else (func.json_agg, func.json_build_array)
    told = array(columns[0] if len(columns) == 1 else row(*columns))
    texts = [select(told if sqlite else cast(told, Text)).where(*part) for part in parts_of_sites(reach)]
    return [text for text in session.execute(select(*(one.scalar_subquery() for one in texts))).one() if text]


def record(row: tables.Site, site_tags: dict[str, str]) -> Site:
    """The site as it is answered."""
    return Site(**{field: getattr(row, field) for field in _FIELDS}, tags=site_tags)


def _whole(session: Session, row: tables.Site) -> Site:
    return record(row, tags.tags_of(session, tables.SITE_TAG, [row.id]).get(row.id, {}))


def _changed(session: Session, row: tables.Site, before: dict[str, Any], action: str, now: datetime, by: Actor) -> Site:
    row.version += 1
    session.flush()
    dataset.bump(session)
    changed = _whole(session, row)
    _note(session, now, by, action, changed, before, _told(changed))
    return changed


def _note(
    session: Session, now: datetime, by: Actor, action: str, row: Site, before: dict[str, Any], after: dict[str, Any]
) -> None:
    trail.note(
        session, now, by, action, Resource.SITE, row.id, organization_id=row.organization_id, site_id=row.id,
        before=before, after=after,
    )  # fmt: skip


def _mark(session: Session, table: type[tables.Point] | type[tables.Key], site_id: int) -> None:
    """Let caches look again at the points or keys of a site."""
    session.execute(
        update(table).where(table.site_id == site_id).values(changed_at=dataset.bump(session)),
        execution_options=_PLAIN,
    )


def _told(found: Site) -> dict[str, Any]:
    """What the trail keeps of a site: what differs from what nobody has told."""
    fields: dict[str, Any] = msgspec.to_builtins(found)
    for key, value in fields.pop("tags").items():
        fields[f"tag {key}"] = value
    return {name: value for name, value in fields.items() if name not in _BY_ITSELF}
