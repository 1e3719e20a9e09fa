"""Organizations: a tree whose branches are ranges of paths; who may do what in them is not decided here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.errors import Unknown
from wattstead.registry.policy import Reach
from wattstead.registry.reach import of_organizations
from wattstead.registry.records import Organization


def create(session: Session, name: str, parent_id: int | None, now: datetime) -> Organization:
    """A new organization below ``parent_id``, or a root; raises `Unknown` when the parent is not there."""
    names.checked("organization", name)
    above = "/" if parent_id is None else organization(session, parent_id).path
    row = tables.Organization(parent_id=parent_id, path=f"new{now.timestamp()}", name=name, created=now)
    session.add(row)
    session.flush()
    row.path = f"{above}{row.id}/"
    session.flush()
    return _record(row)


def organization(session: Session, organization_id: int) -> Organization:
    """The organization of that id; raises `Unknown`."""
    row = session.get(tables.Organization, organization_id)
    if row is None:
        raise Unknown("organization", organization_id)
    return _record(row)


def organizations(session: Session, reach: Reach | None = None) -> list[Organization]:
    """The organizations within reach, parents before children."""
    rows = session.scalars(
        select(tables.Organization).where(*of_organizations(reach)).order_by(tables.Organization.path)
    )
    return [_record(row) for row in rows]


def _record(row: tables.Organization) -> Organization:
    return Organization(row.id, row.parent_id, row.path, row.name, row.created)
