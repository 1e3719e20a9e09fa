"""Organizations: a tree whose branches are ranges of paths; who may do what in them is not decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, Unknown
from wattstead.registry.places import lasting
from wattstead.registry.places.sites import leaving
from wattstead.registry.places.versions import changeable
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.reach import in_branch, of_organizations
from wattstead.registry.records import Organization
from wattstead.registry.storage import dataset
from wattstead.registry.trail import SYSTEM, Actor

KINDS = ("fleet", "partner", "utility", "company", "home")
_PLAIN = {"synchronize_session": False}
_CHANGE, _GIVE_SITE = Right(Action.CHANGE, Resource.ORGANIZATION), Right(Action.GIVE, Resource.SITE)


def create(
    session: Session,
    name: str,
    parent_id: int | None,
    now: datetime,
    *,
    kind: str = "home",
    note: str = "",
    by: Actor = SYSTEM,
) -> Organization:
    """A new organization below ``parent_id``, or a root; raises `Unknown` when the parent is not there."""
    names.checked("organization", name)
    above = "/"
    if parent_id is not None:  # the parent cannot move until this one is below it
        path = session.scalar(
            select(tables.Organization.path)
            .where(tables.Organization.id == parent_id)
            .with_for_update(read=True, key_share=True)
        )
        if path is None:
            raise Unknown("organization", parent_id)
        above = path
    row = tables.Organization(parent_id=parent_id, path=f"new{now.timestamp()}", name=name, created=now)
    row.kind, row.note = _kind(kind), names.checked_text("note", note)
    session.add(row)
    session.flush()
    row.path = f"{above}{row.id}/"
    session.flush()
    made = record(row)
    trail.note(
        session, now, by, "create", Resource.ORGANIZATION, row.id, organization_id=row.id, after=_told(made)
    )  # fmt: skip
    return made


def organization(session: Session, organization_id: int) -> Organization:
    """The organization of that id; raises `Unknown`."""
    row = session.get(tables.Organization, organization_id)
    if row is None:
        raise Unknown("organization", organization_id)
    return record(row)


def organizations(session: Session, reach: Reach | None = None) -> list[Organization]:
    """The organizations within reach, parents before children."""
    rows = session.scalars(
        select(tables.Organization).where(*of_organizations(reach)).order_by(tables.Organization.path)
    )
    return [record(row) for row in rows]


def change(
    session: Session,
    organization_id: int,
    given: Mapping[str, Any],
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Organization:
    """Change ``name``, ``kind``, ``note``, ``registration``; raises `Unknown`, `Stale`, `NameInvalid`."""
    row = changeable(session, tables.Organization, organization_id, version)
    before = _told(record(row))
    for field, value in given.items():
        setattr(row, field, _checked(field, value))
    return _changed(session, row, before, "change", now, by)


def move(
    session: Session,
    organization_id: int,
    parent_id: int | None,
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
    authority: Authority | None = None,
) -> Organization:
    """Hang a branch below another one, or make it a root; raises `Unknown`, `Stale`, `Conflict`, `RoleRefused`.

    Everything in the branch goes along; whoever stood above it stands above it no more, and keeps no sight of its
    sites: see `leaving`.
    """
    _lock_tree(session, organization_id, parent_id)
    row = changeable(session, tables.Organization, organization_id, version)
    before, old = _told(record(row)), row.path
    above = "/" if parent_id is None else organization(session, parent_id).path
    if above.startswith(old):
        raise Conflict(
            "organization.inside", f"organization {organization_id} cannot stand below itself; choose another parent"
        )
    new = f"{above}{row.id}/"
    lasting.check_own_eyes(by)
    former = old.removesuffix(f"{row.id}/")
    _check_may_move(authority, former, above, organization_id)
    lasting.check_not_to_oneself(authority, _CHANGE, old, new)
    row.parent_id = parent_id
    session.flush()
    table = tables.Organization
    session.execute(
        update(table).where(in_branch(old)).values(path=new + func.substr(table.path, len(old) + 1)),
        execution_options=_PLAIN,
    )
    session.refresh(row)
    if former != "/" and not new.startswith(former):
        sites = select(tables.Site.id).where(tables.Site.organization_id.in_(_ids(new)))
        leaving.end_sight(session, sites, former, now, by)
    wake_doors(session, new)
    return _changed(session, row, before, "move", now, by)


def _check_may_move(authority: Authority | None, former: str, above: str, organization_id: int) -> None:
    """Raise `Unknown` unless both ends of a move are one's to change by now, and sites there one's to give."""
    for right in (_CHANGE, _GIVE_SITE):
        reach = lasting.reach_of(authority, right)
        if reach is not None and not (reach.holds(former) and reach.holds(above)):
            raise Unknown("organization", organization_id)


def disable(
    session: Session,
    organization_id: int,
    disabled: bool,
    now: datetime,
    *,
    version: int | None = None,
    by: Actor = SYSTEM,
) -> Organization:
    """Let nobody of the branch sign in and no key of it send, or let them again; raises `Unknown`, `Conflict`."""
    row = changeable(session, tables.Organization, organization_id, version)
    own = select(tables.Organization.path).join(
        tables.Account, tables.Account.organization_id == tables.Organization.id
    )
    path = session.scalar(own.where(tables.Account.id == by.account_id)) if by.account_id else None
    if disabled and path is not None and path.startswith(row.path):
        raise Conflict("organization.own", "you would lock yourself out: your own account belongs to this branch")
    before = _told(record(row))
    row.disabled = now if disabled else None
    session.flush()
    wake_doors(session, row.path)
    return _changed(session, row, before, "disable" if disabled else "enable", now, by)


def delete(
    session: Session, organization_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM
) -> None:
    """Remove an organization of which nothing is left; raises `Unknown`, `Stale`, `Conflict`."""
    row = changeable(session, tables.Organization, organization_id, version)
    held: dict[str, tuple[Any, Any]] = {
        "organizations": (tables.Organization, tables.Organization.parent_id),
        "sites": (tables.Site, tables.Site.organization_id),
        "people": (tables.Account, tables.Account.organization_id),
        "devices": (tables.Device, tables.Device.organization_id),
    }
    left = {
        noun: session.scalar(select(func.count()).select_from(table).where(column == organization_id)) or 0
        for noun, (table, column) in held.items()
    }
    if any(left.values()):
        told = ", ".join(f"{count} {noun}" for noun, count in left.items() if count)
        sentence = f"organization {organization_id} still has {told}; move or delete these first, or disable it"
        raise Conflict("organization.full", sentence, **left)
    before, parent_id = _told(record(row)), row.parent_id
    session.delete(row)
    session.flush()
    dataset.bump(session)
    trail.note(
        session, now, by, "delete", Resource.ORGANIZATION, organization_id, organization_id=parent_id, before=before
    )


def counts(session: Session, organization_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many sites and people belong to each of these organizations themselves."""
    found = {one: [0, 0] for one in organization_ids}
    for place, column in enumerate((tables.Site.organization_id, tables.Account.organization_id)):
        rows = session.execute(select(column, func.count()).where(column.in_(found)).group_by(column))
        for organization_id, count in rows:
            found[organization_id][place] = count
    return {one: (sites, people) for one, (sites, people) in found.items()}


def wake_doors(session: Session, path: str) -> None:
    """Make every door look again at the keys of a branch."""
    sites = select(tables.Site.id).where(tables.Site.organization_id.in_(_ids(path)))
    session.execute(
        update(tables.Key).where(tables.Key.site_id.in_(sites)).values(changed_at=dataset.bump(session)),
        execution_options=_PLAIN,
    )


def _ids(path: str) -> Select[int]:
    return select(tables.Organization.id).where(in_branch(path))


def _lock_tree(session: Session, *organization_ids: int | None) -> None:
    """Lock these organizations and all above them, in the order of their ids: two moves never cross."""
    paths = session.scalars(select(tables.Organization.path).where(tables.Organization.id.in_(organization_ids)))
    ids = {int(part) for path in paths for part in path.strip("/").split("/")}
    locked = select(tables.Organization.id).where(tables.Organization.id.in_(ids)).order_by(tables.Organization.id)
    session.execute(locked.with_for_update()).all()
    session.expire_all()


def _changed(
    session: Session, row: tables.Organization, before: dict[str, Any], action: str, now: datetime, by: Actor
) -> Organization:
    row.version += 1
    session.flush()
    dataset.bump(session)
    made = record(row)
    trail.note(
        session, now, by, action, Resource.ORGANIZATION, row.id, organization_id=row.id, before=before,
        after=_told(made),
    )  # fmt: skip
    return made


def _checked(field: str, value: Any) -> Any:
    if field == "name":
        return names.checked("organization", value)
    if field == "note":
        return names.checked_text("note", value)
    if field == "kind":
        return _kind(value)
    if field == "registration" and isinstance(value, bool):
        return value
    raise AttributeInvalid(field, "cannot be changed like this")


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise AttributeInvalid("kind", f"is {str(kind)[:40]!r}; give one of {', '.join(KINDS)}")
    return kind


def _told(found: Organization) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("parent_id", "name", "kind", "note", "registration", "disabled")}


def record(row: tables.Organization) -> Organization:
    """The organization as it is answered."""
    return Organization(
        id=row.id,
        parent_id=row.parent_id,
        path=row.path,
        name=row.name,
        created=row.created,
        version=row.version,
        kind=row.kind,
        note=row.note,
        registration=row.registration,
        disabled=row.disabled,
    )
