"""Spaces: the tree of parts of a site: buildings, floors, lines, machines; points and devices are put into them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.errors import AttributeInvalid, Conflict, Unknown
from wattstead.registry.places.versions import changeable
from wattstead.registry.policy import Resource
from wattstead.registry.records import Space
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible, starts_with
from wattstead.registry.trail import SYSTEM, Actor

KINDS = ("building", "floor", "room", "line", "machine", "area", "other")
_PLAIN = {"synchronize_session": False}
_LARGEST_M2 = 1e8


def create(
    session: Session,
    site_id: int,
    name: str,
    parent_id: int | None,
    given: Mapping[str, Any],
    now: datetime,
    by: Actor = SYSTEM,
) -> Space:
    """A new space of a site, below another space of it or topmost; raises `Unknown`, `NameInvalid`."""
    if session.get(tables.Site, site_id) is None:
        raise Unknown("site", site_id)
    above = "/" if parent_id is None else _of_site(session, parent_id, site_id).path
    row = tables.Space(site_id=site_id, parent_id=parent_id, path=f"new{now.timestamp()}", created=now)
    row.name, row.kind, row.area_m2, row.note = names.checked("space", name), "other", None, ""
    _put(row, given)
    session.add(row)
    session.flush()
    row.path = f"{above}{row.id}/"
    session.flush()
    _note(session, now, by, "create", row, {})
    return record(row)


def spaces(session: Session, site_id: int) -> list[Space]:
    """The spaces of a site, parents before children."""
    rows = session.scalars(
        select(tables.Space).where(tables.Space.site_id.in_(possible([site_id]))).order_by(tables.Space.path)
    )
    return [record(row) for row in rows]


def space(session: Session, space_id: int) -> Space:
    """The space of that id; raises `Unknown`."""
    row = session.get(tables.Space, space_id)
    if row is None:
        raise Unknown("space", space_id)
    return record(row)


def change(
    session: Session,
    space_id: int,
    given: Mapping[str, Any],
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Space:
    """Change ``name``, ``kind``, ``area_m2``, ``note``; with ``parent_id`` the branch moves within its site."""
    row = changeable(session, tables.Space, space_id, version)
    before = _told(row)
    fields = dict(given)
    if "parent_id" in fields:
        _move(session, row, fields.pop("parent_id"))
    _put(row, fields)
    row.version += 1
    session.flush()
    _note(session, now, by, "change", row, before)
    return record(row)


def delete(session: Session, space_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM) -> None:
    """Remove a space without parts; what was assigned to it stays at the site; raises `Unknown`, `Conflict`."""
    row = changeable(session, tables.Space, space_id, version)
    parts = session.scalar(select(func.count()).select_from(tables.Space).where(tables.Space.parent_id == space_id))
    if parts:
        sentence = f"space {space_id} still has {parts} spaces inside; move or delete these first"
        raise Conflict("space.full", sentence, parts=parts)
    _note(session, now, by, "delete", row, _told(row), gone=True)
    session.delete(row)
    session.flush()


def assign_points(
    session: Session, point_ids: list[int], space_id: int | None, now: datetime, by: Actor = SYSTEM
) -> None:
    """Put points of one site into a space of it, or into none; raises `Unknown`."""
    table = tables.Point
    rows = dict(session.execute(select(table.id, table.site_id).where(table.id.in_(possible(point_ids)))).all())
    for point_id in point_ids:
        if point_id not in rows:
            raise Unknown("point", point_id)
        if space_id is not None:
            _of_site(session, space_id, rows[point_id])
    session.execute(update(table).where(table.id.in_(rows)).values(space_id=space_id), execution_options=_PLAIN)
    dataset.bump(session)
    for point_id, site_id in rows.items():
        trail.note(
            session, now, by, "change", Resource.POINT, point_id, site_id=site_id, after={"space_id": space_id}
        )  # fmt: skip


def points_of(session: Session, site_id: int) -> dict[int, list[int]]:
    """The points in each space of a site that has any."""
    table = tables.Point
    rows = session.execute(
        select(table.space_id, table.id)
        .where(table.site_id.in_(possible([site_id])), table.space_id.is_not(None))
        .order_by(table.id)
    )
    found: dict[int, list[int]] = {}
    for space_id, point_id in rows:
        found.setdefault(space_id or 0, []).append(point_id)
    return found


def _move(session: Session, row: tables.Space, parent_id: int | None) -> None:
    session.scalars(select(tables.Space.id).where(tables.Space.site_id == row.site_id).with_for_update()).all()
    session.refresh(row)
    above = "/" if parent_id is None else _of_site(session, parent_id, row.site_id).path
    old, new = row.path, f"{above}{row.id}/"
    if above.startswith(old):
        raise Conflict("space.inside", f"space {row.id} cannot stand inside itself; choose another parent")
    row.parent_id = parent_id
    session.flush()
    session.execute(
        update(tables.Space)
        .where(starts_with(tables.Space.path, old))
        .values(path=new + func.substr(tables.Space.path, len(old) + 1)),
        execution_options=_PLAIN,
    )
    session.refresh(row)


def _of_site(session: Session, space_id: int, site_id: int) -> tables.Space:
    row = session.get(tables.Space, space_id, populate_existing=True) if possible([space_id]) else None
    if row is None or row.site_id != site_id:
        raise Unknown("space", space_id)
    return row


def _put(row: tables.Space, given: Mapping[str, Any]) -> None:
    for field, value in given.items():
        if field == "name":
            row.name = names.checked("space", value)
        elif field == "note":
            row.note = names.checked_text("note", value)
        elif field == "kind" and value in KINDS:
            row.kind = value
        elif field == "area_m2" and (value is None or 0 <= value <= _LARGEST_M2):
            row.area_m2 = value
        else:
            raise AttributeInvalid(field, f"cannot be {str(value)[:40]!r}")


def _note(
    session: Session,
    now: datetime,
    by: Actor,
    action: str,
    row: tables.Space,
    before: dict[str, Any],
    gone: bool = False,
) -> None:
    trail.note(
        session, now, by, action, Resource.SPACE, row.id, site_id=row.site_id, before=before,
        after={} if gone else _told(row),
    )  # fmt: skip


def _told(row: tables.Space) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("parent_id", "name", "kind", "area_m2", "note")}


def record(row: tables.Space) -> Space:
    """The space as it is answered."""
    return Space(
        id=row.id,
        site_id=row.site_id,
        parent_id=row.parent_id,
        path=row.path,
        name=row.name,
        kind=row.kind,
        area_m2=row.area_m2,
        note=row.note,
        version=row.version,
    )
