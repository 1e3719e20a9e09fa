"""Own templates of organizations: kept as the YAML that was given; seen in the branch of whoever made them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from wattstead.registry import tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import TemplateTaken, Unknown
from wattstead.registry.policy import Resource
from wattstead.registry.reach import in_branch, of_sites
from wattstead.registry.storage.database import integers, possible
from wattstead.registry.templates.library import Shelved, Source
from wattstead.registry.templates.reading import template_of
from wattstead.registry.trail import SYSTEM, Actor

_parsed = lru_cache(256)(template_of)
"""What was kept was read before; reading it anew costs a list of templates most of its time."""


def of_path(session: Session, path: str) -> list[Shelved]:
    """Those that an organization may use: its own and those of the organizations above it."""
    return _shelved(session, tables.Template.organization_id.in_(_ids(path)))


def within(session: Session, reach: Reach | None) -> list[Shelved]:
    """Those within reach: of the branches and sites reached, and of the organizations above them."""
    if reach is None or reach.everywhere:
        return _shelved(session)
    above = {one for path in reach.branches for one in _ids(path)}
    if reach.sites:
        organization = tables.Organization
        of_site = select(organization.path).join(tables.Site, tables.Site.organization_id == organization.id)
        for path in session.scalars(of_site.where(*of_sites(Reach((), reach.sites))).distinct()):
            above.update(_ids(path))
    below = select(tables.Organization.id).where(or_(false(), *(in_branch(path) for path in reach.branches)))
    wanted = [tables.Template.organization_id.in_(integers(session, sorted(above)))]
    if reach.branches:
        wanted.append(tables.Template.organization_id.in_(below))
    return _shelved(session, or_(*wanted))


def put(
    session: Session, organization_id: int, text: str, known: list[Shelved], now: datetime, by: Actor = SYSTEM
) -> Shelved:
    """Keep a template for an organization and its branch.

    Raises `TemplateInvalid`, `Unknown` for the organization, `TemplateTaken` when the revision exists there.
    """
    made = template_of(text, "template")
    organization = session.get(tables.Organization, organization_id) if possible([organization_id]) else None
    if organization is None:
        raise Unknown("organization", organization_id)
    taken = [*known, *of_path(session, organization.path)]
    if any((one.template.name, one.template.revision) == (made.name, made.revision) for one in taken):
        raise TemplateTaken(made.name, made.revision)
    once = select(tables.Template).where(
        tables.Template.organization_id == organization_id,
        tables.Template.name == made.name,
        tables.Template.revision == made.revision,
    )
    row = session.scalar(once)
    if row is None:
        row = tables.Template(organization_id=organization_id, name=made.name, revision=made.revision)
        session.add(row)
    row.text, row.created, row.removed = text, now, None
    session.flush()
    _note(session, row, "create", now, by)
    return Shelved(made, text, Source.OWN, organization_id, row.id)


def remove(session: Session, template_id: int, now: datetime, by: Actor = SYSTEM) -> None:
    """Take an own template from the shelf; devices made from it stay as they are. Raises `Unknown`."""
    row = session.get(tables.Template, template_id) if possible([template_id]) else None
    if row is None or row.removed is not None:
        raise Unknown("template", template_id)
    row.removed = now
    session.flush()
    _note(session, row, "delete", now, by)


def _ids(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part]


def _shelved(session: Session, *conditions: ColumnElement[bool]) -> list[Shelved]:
    rows = session.scalars(
        select(tables.Template).where(tables.Template.removed.is_(None), *conditions).order_by(tables.Template.id)
    )
    return [
        Shelved(_parsed(row.text, f"template {row.id}"), row.text, Source.OWN, row.organization_id, row.id)
        for row in rows
    ]


def _note(session: Session, row: tables.Template, action: str, now: datetime, by: Actor) -> None:
    told = {"name": row.name, "revision": row.revision}
    before, after = ({}, told) if action == "create" else (told, {})
    trail.note(
        session, now, by, action, Resource.TEMPLATE, row.id,
        organization_id=row.organization_id, before=before, after=after,
    )  # fmt: skip
