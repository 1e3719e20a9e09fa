"""Roles given, taken, suspended and resumed by those who could give them; what a role allows is in the policy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from wattstead.registry import tables, trail
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.errors import RoleRefused, Unknown
from wattstead.registry.people import memberships
from wattstead.registry.places.sites import shares
from wattstead.registry.policy import Resource, Role
from wattstead.registry.reach import of_memberships
from wattstead.registry.records import Membership
from wattstead.registry.trail import Actor


def give(
    session: Session,
    actor: Actor,
    authority: Authority,
    account_id: int,
    role: Role,
    now: datetime,
    *,
    organization_id: int | None = None,
    site_id: int | None = None,
    expires: datetime | None = None,
) -> Membership:
    """Give somebody who has answered an invitation a role somewhere; raises `Unknown`, `RoleRefused`, `NameInvalid`."""
    if account_id == actor.impersonator_id:
        raise RoleRefused("eyes.role", "nobody gives themselves a role through somebody's eyes")
    check_given(session, authority, role, organization_id, site_id, own=account_id == actor.account_id)
    row = session.get(tables.Account, account_id)
    if row is not None and row.state == "invited":
        raise RoleRefused(
            "role.waiting", "this person has not joined yet, and holds no role before; invite the address to this role"
        )
    made = memberships.create(
        session, account_id, role, now, organization_id=organization_id, site_id=site_id, expires=expires,
        giver_id=actor.account_id,
    )  # fmt: skip
    _note_role(session, now, actor, "give", made)
    return made


def check_given(
    session: Session,
    authority: Authority,
    role: Role,
    organization_id: int | None,
    site_id: int | None,
    *,
    own: bool = False,
) -> None:
    """Raise `RoleRefused` for a role that one may not give there, to oneself where it is for the ``own`` account,
    `NameInvalid` where it cannot be held, `Unknown`.
    """
    memberships.check_held(role, organization_id, site_id)
    path = memberships.place_path(session, organization_id, site_id)
    if not authority.gives(role, path, site_id or 0):
        raise RoleRefused("role.give", f"you may not make anybody {role.value} there", role=role.value)
    if own and not authority.gives_oneself(role, path, site_id or 0):
        raise RoleRefused(
            "role.own", f"you may not make yourself {role.value} there: that sees readings, and you see none there"
        )


def take(
    session: Session, actor: Actor, authority: Authority, account_id: int, membership_id: int, now: datetime
) -> Membership:
    """Take a role back from whom one could give it; raises `Unknown`, `RoleRefused`."""
    row = session.get(tables.Membership, membership_id)
    if row is None or row.account_id != account_id:
        raise Unknown("membership", membership_id)
    path = memberships.place_path(session, row.organization_id, row.site_id)
    if not authority.gives(Role(row.role), path, row.site_id or 0):
        raise RoleRefused("role.take", f"you may not take the role {row.role} from anybody there", role=row.role)
    if row.role == Role.ADMINISTRATOR.value:
        check_not_last(session, account_id, now)
    ended = memberships.end(session, membership_id, now)
    shares.end_given(session, account_id, now, actor)
    _note_role(session, now, actor, "take", ended)
    return ended


def suspend(
    session: Session, actor: Actor, authority: Authority, reach: Reach | None, account_id: int, now: datetime
) -> int:
    """Let each role of a person within reach that one could give count for nothing; how many there were.

    The account stays, and so do roles that are others' to give: this is for somebody who belongs elsewhere too. What
    the person has shown to others ends. Raises `RoleRefused` for oneself, and where there is no such role.
    """
    check_not_self(actor, account_id)
    rows = _in_gift(session, authority, reach, account_id, tables.Membership.suspended.is_(None))
    if any(row.role == Role.ADMINISTRATOR.value for row in rows):
        check_not_last(session, account_id, now)
    for row in rows:
        _note_role(session, now, actor, "suspend", memberships.suspend(session, row.id, now, now))
    shares.end_given(session, account_id, now, actor)
    return len(rows)


def resume(
    session: Session, actor: Actor, authority: Authority, reach: Reach | None, account_id: int, now: datetime
) -> int:
    """Let what was suspended and is one's to give count again; raises `RoleRefused` as `suspend`."""
    check_not_self(actor, account_id)
    rows = _in_gift(session, authority, reach, account_id, tables.Membership.suspended.is_not(None))
    for row in rows:
        _note_role(session, now, actor, "resume", memberships.suspend(session, row.id, None, now))
    return len(rows)


def check_not_self(actor: Actor, account_id: int) -> None:
    """Raise `RoleRefused` for what nobody does to the own account."""
    if actor.account_id == account_id:
        raise RoleRefused("person.own", "nobody can do this to the own account; ask another administrator")


def check_not_last(session: Session, account_id: int, now: datetime) -> None:
    """Raise `RoleRefused` when an account is the last active administrator of the platform."""
    administrators = set(
        session.scalars(
            select(tables.Membership.account_id)
            .join(tables.Account, tables.Account.id == tables.Membership.account_id)
            .where(
                tables.Membership.role == Role.ADMINISTRATOR.value,
                tables.Account.state == "active",
                memberships.counting(now),
            )
        )
    )
    if administrators == {account_id}:
        raise RoleRefused(
            "administrator.last", "this is the last administrator of the platform; make another one first"
        )


def _in_gift(
    session: Session, authority: Authority, reach: Reach | None, account_id: int, *conditions: ColumnElement[bool]
) -> list[tables.Membership]:
    """The roles of a person within reach that one could give, locked; raises `RoleRefused` when there is none."""
    member = tables.Membership
    rows = session.scalars(
        select(member)
        .where(member.account_id == account_id, *of_memberships(reach), *conditions)
        .order_by(member.id)
        .with_for_update()
    ).all()
    found = [
        row
        for row in rows
        if authority.gives(
            Role(row.role), memberships.place_path(session, row.organization_id, row.site_id), row.site_id or 0
        )
    ]
    if not found:
        raise RoleRefused("role.none", "this person has no role here that is yours to give")
    return found


def _note_role(session: Session, now: datetime, actor: Actor, action: str, role: Membership) -> None:
    trail.note(
        session,
        now,
        actor,
        action,
        Resource.PERSON,
        role.account_id,
        organization_id=role.organization_id,
        site_id=role.site_id,
        after={"membership": role.id, "role": role.role, "expires": role.expires},
    )
