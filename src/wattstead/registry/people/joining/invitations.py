"""Invitations: somebody is asked to take a role somewhere; what may be given to whom is the policy's."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, false, or_, select, update
from sqlalchemy.orm import Session

from wattstead.registry import tables, trail
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.errors import LinkInvalid, RoleRefused, Unknown
from wattstead.registry.people import accounts, changes, emails, memberships, roles
from wattstead.registry.people.tokens import fresh, token_hash
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.reach import of_organizations, of_sites
from wattstead.registry.records import Account, Invitation, InvitationLook, NewInvitation, PersonChange
from wattstead.registry.trail import Actor

LIFE = timedelta(days=14)
_Row = tables.Invitation


def create(
    session: Session,
    actor: Actor,
    authority: Authority,
    email: str,
    role: Role,
    now: datetime,
    *,
    organization_id: int | None = None,
    site_id: int | None = None,
    told: PersonChange | None = None,
) -> NewInvitation:
    """Ask an address to take a role on a branch, a site, or the platform; the same asked before is void.

    What is ``told`` of the person waits for the account that an answer may make; one that there is keeps its own.
    Raises `RoleRefused`, `NameInvalid`, `Unknown`.
    """
    if told is not None:
        changes.check_attributes(told)
    plain = emails.checked(email)
    own = accounts.of_email(session, plain)
    if own is not None and own.id == actor.impersonator_id:
        raise RoleRefused("eyes.role", "nobody invites themselves through somebody's eyes")
    is_own = own is not None and own.id == actor.account_id
    roles.check_given(session, authority, role, organization_id, site_id, own=is_own)
    same = (_Row.email == plain, _Row.role == role.value, *_at(organization_id, site_id), *_open(now))
    session.execute(update(_Row).where(*same).values(revoked=now))
    token = fresh()
    row = _Row(
        token_hash=token_hash(token),
        email=plain,
        organization_id=organization_id,
        site_id=site_id,
        role=role.value,
        inviter_id=actor.account_id,
        created=now,
        expires=now + LIFE,
        told=msgspec.json.encode(told).decode() if told is not None else "",
    )
    session.add(row)
    session.flush()
    _note(session, now, actor, "invite", row)
    return NewInvitation(_record(row), token)


def invitations(session: Session, reach: Reach | None, now: datetime) -> list[Invitation]:
    """The invitations within reach that wait for an answer, the newest first."""
    rows = session.scalars(select(_Row).where(*_open(now), *_within(reach)).order_by(_Row.id.desc()))
    return [_record(row) for row in rows]


def of_guests(session: Session, now: datetime, *conditions: ColumnElement[bool]) -> list[Invitation]:
    """Shares of sites that wait for an answer, by id."""
    guests = (_Row.role == Role.GUEST.value, _Row.site_id.is_not(None), *_open(now), *conditions)
    return [_record(row) for row in session.scalars(select(_Row).where(*guests).order_by(_Row.id))]


def revoke(session: Session, actor: Actor, invitation_id: int, reach: Reach | None, now: datetime) -> None:
    """Take an invitation within reach back; raises `Unknown`."""
    row = session.scalars(select(_Row).where(_Row.id == invitation_id, *_open(now), *_within(reach))).first()
    if row is None:
        raise Unknown("invitation", invitation_id)
    row.revoked, row.told = now, ""
    session.flush()
    _note(session, now, actor, "revoke", row)


def look(session: Session, token: str, now: datetime, *, proven: bool = False) -> InvitationLook:
    """What an invitation offers; ``proven`` as in `accept`; raises `LinkInvalid`."""
    row = _standing(session, token, now)
    site = session.get(tables.Site, row.site_id) if row.site_id else None
    organization = session.get(tables.Organization, row.organization_id) if row.organization_id else None
    inviter = session.get(tables.Account, row.inviter_id) if row.inviter_id else None
    known = accounts.of_email(session, row.email)
    return InvitationLook(
        email=row.email,
        role=row.role,
        place=site.name if site else organization.name if organization else "",
        inviter=(inviter.name or inviter.email) if inviter else "",
        expires=row.expires,
        has_account=known is not None and not _opens(session, row, known, now, proven),
    )


def accept(
    session: Session,
    token: str,
    now: datetime,
    *,
    name: str = "",
    password_hash: str = "",
    signed_id: int | None = None,
    proven: bool = False,
) -> Account:
    """Take the role that was offered, and no other one that waits for an answer of its own.

    A new person gives a password, one with an account is signed in to it. ``proven``: the link was mailed, so who has
    it has the address. Raises `LinkInvalid`, `RoleRefused`, `NameInvalid`.
    """
    row = _standing(session, token, now)
    known = accounts.of_email(session, row.email)
    if known is not None and known.state == "disabled":
        raise LinkInvalid("invitation")
    if known is not None and known.id == row.inviter_id:
        path = memberships.place_path(session, row.organization_id, row.site_id)
        if not memberships.authority(session, known.id, now).gives_oneself(Role(row.role), path, row.site_id or 0):
            raise RoleRefused("role.own", "nobody gives themselves a role that sees readings they do not see")
    if known is not None and known.id != signed_id and not _opens(session, row, known, now, proven):
        raise RoleRefused(
            "invitation.account",
            f"{row.email} has an account; sign in to it to accept this invitation",
            email=row.email,
        )
    if known is None or known.state == "invited":
        if not password_hash:
            raise RoleRefused("invitation.password", "a new account needs a password")
        known = _joined(session, row, known, name, password_hash, now)
    if proven and known.verified is None:
        known.verified = now
    _take(session, row, known, now)
    return accounts.record(known)


def accept_all(session: Session, known: tables.Account, now: datetime) -> None:
    """Take every role that was offered to an account's address, which somebody else has shown to be its person's."""
    for row in session.scalars(select(_Row).where(_Row.email == known.email, *_open(now)).order_by(_Row.id)).all():
        if _stands(session, row, now):
            _take(session, row, known, now)


def _take(session: Session, row: _Row, known: tables.Account, now: datetime) -> None:
    row.accepted, row.told = now, ""
    session.flush()
    memberships.create(
        session, known.id, Role(row.role), now, organization_id=row.organization_id, site_id=row.site_id,
        giver_id=row.inviter_id, lengthens=False,
    )  # fmt: skip
    _note(session, now, Actor(known.id), "accept", row)


def _opens(session: Session, row: _Row, known: tables.Account, now: datetime, proven: bool) -> bool:
    """Whether an invitation lets its holder set the password of an account that nobody has signed in to.

    A mailed link shows that the holder has the address. One that was shown to its inviter does no more than the inviter
    could: look after the people of that organization, and give each role that the account has or that somebody else who
    looks after them has offered.
    """
    if known.state != "invited" or (known.password_hash and not proven):
        return False
    if proven:
        return True
    after, home_path = (
        Right(Action.CHANGE, Resource.PERSON),
        memberships.place_path(session, known.organization_id, None),
    )
    authority = memberships.authority(session, row.inviter_id or 0, now)
    if not authority.may(after, home_path) or not authority.above(memberships.held(session, known.id, now)):
        return False
    for other in session.scalars(select(_Row).where(_Row.email == row.email, _Row.id != row.id, *_open(now))):
        path = memberships.place_path(session, other.organization_id, other.site_id)
        if authority.gives(Role(other.role), path, other.site_id or 0) or other.inviter_id is None:
            continue
        if memberships.authority(session, other.inviter_id, now).may(after, home_path):
            return False
    return True


def _joined(
    session: Session, row: _Row, known: tables.Account | None, name: str, password_hash: str, now: datetime
) -> tables.Account:
    if known is None:
        at = home(session, row.organization_id, row.site_id, row.inviter_id)
        made = accounts.create(session, at, row.email, password_hash, now)
        if row.told:
            changes.put_attributes(session, made.id, msgspec.json.decode(row.told, type=PersonChange))
        if accounts.checked_name(name):
            changes.put_attributes(session, made.id, PersonChange(name=name))
        return accounts.row_of(session, made.id)
    known.password_hash, known.state = password_hash, "active"
    known.name = accounts.checked_name(name) or known.name
    known.version += 1
    return known


def _standing(session: Session, token: str, now: datetime) -> _Row:
    """An invitation that may be accepted: whoever invited is still there and could still give the role."""
    row = session.scalars(select(_Row).where(_Row.token_hash == token_hash(token), *_open(now))).first()
    if row is None or not _stands(session, row, now):
        raise LinkInvalid("invitation")
    return row


def _stands(session: Session, row: _Row, now: datetime) -> bool:
    inviter = session.get(tables.Account, row.inviter_id) if row.inviter_id is not None else None
    if inviter is None or inviter.state != "active":
        return False
    path = memberships.place_path(session, row.organization_id, row.site_id)
    return memberships.authority(session, inviter.id, now).gives(Role(row.role), path, row.site_id or 0)


def home(session: Session, organization_id: int | None, site_id: int | None, inviter_id: int | None) -> int:
    """The organization that a new person belongs to: where the role is, else the inviter's."""
    if organization_id is not None:
        return organization_id
    if site_id is not None:
        return session.scalars(select(tables.Site.organization_id).where(tables.Site.id == site_id)).one()
    return session.scalars(select(tables.Account.organization_id).where(tables.Account.id == inviter_id)).one()


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _Row.accepted.is_(None), _Row.revoked.is_(None), _Row.expires > now


def _at(organization_id: int | None, site_id: int | None) -> tuple[ColumnElement[bool], ...]:
    organization = _Row.organization_id
    return (
        organization.is_(None) if organization_id is None else organization == organization_id,
        _Row.site_id.is_(None) if site_id is None else _Row.site_id == site_id,
    )


def _within(reach: Reach | None) -> list[ColumnElement[bool]]:
    if reach is None or reach.everywhere:
        return []
    parts: list[ColumnElement[bool]] = [_Row.site_id.in_(select(tables.Site.id).where(*of_sites(reach)))]
    if reach.branches:
        inside = select(tables.Organization.id).where(*of_organizations(reach))
        parts.append(_Row.organization_id.in_(inside))
    return [or_(false(), *parts)]


def _note(session: Session, now: datetime, actor: Actor, action: str, row: _Row) -> None:
    offered = {"invitation": row.id, "email": row.email, "role": row.role}
    trail.note(
        session,
        now,
        actor,
        action,
        Resource.PERSON,
        0,
        organization_id=row.organization_id,
        site_id=row.site_id,
        after=offered,
    )


def _record(row: _Row) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        organization_id=row.organization_id,
        site_id=row.site_id,
        role=row.role,
        inviter_id=row.inviter_id,
        created=row.created,
        expires=row.expires,
        accepted=row.accepted,
        revoked=row.revoked,
    )
