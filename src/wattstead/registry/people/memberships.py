"""Memberships: which role a person has where; what a role allows is in the policy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from wattstead.registry import tables
from wattstead.registry.authority import Authority, Stand
from wattstead.registry.errors import NameInvalid, Unknown
from wattstead.registry.places.closed import closed_paths, is_closed_to
from wattstead.registry.policy import HELD, Place, Role
from wattstead.registry.records import KeyGrant, Membership
from wattstead.registry.storage import dataset


def create(
    session: Session,
    account_id: int,
    role: Role,
    now: datetime,
    *,
    organization_id: int | None = None,
    site_id: int | None = None,
    expires: datetime | None = None,
    giver_id: int | None = None,
    lengthens: bool = True,
) -> Membership:
    """Give a role on an organization's branch, on a site, or, with neither, on the platform; twice is once.

    Offers of the same role that wait for an answer are void. Without ``lengthens`` the end of a held role stays. A
    guest's role stands while ``giver_id`` may show that site; one that was suspended counts again.
    Raises `Unknown`, and `NameInvalid` where the role cannot be held.
    """
    check_held(role, organization_id, site_id)
    named = ((tables.Account, account_id), (tables.Organization, organization_id), (tables.Site, site_id))
    for table, identity in named:
        if identity is not None and session.get(table, identity) is None:
            raise Unknown(table.__tablename__, identity)
    same = (
        tables.Membership.account_id == account_id,
        tables.Membership.role == role.value,
        _is(tables.Membership.organization_id, organization_id),
        _is(tables.Membership.site_id, site_id),
    )
    row = session.scalars(select(tables.Membership).where(*same)).first()
    if row is None:
        row = tables.Membership(
            account_id=account_id, organization_id=organization_id, site_id=site_id, role=role.value, created=now
        )
        session.add(row)
        row.expires = expires
    elif lengthens or (row.expires is not None and row.expires <= now):
        row.expires = expires
    row.giver_id = giver_id if role is Role.GUEST else None
    row.suspended = None
    session.flush()
    _void_offers(session, row, now)
    dataset.bump(session)
    return record(row)


def end(session: Session, membership_id: int, now: datetime) -> Membership:
    """Take a role back, and the offers of it that wait for an answer; raises `Unknown`."""
    row = session.get(tables.Membership, membership_id)
    if row is None:
        raise Unknown("membership", membership_id)
    _void_offers(session, row, now)
    session.delete(row)
    session.flush()
    dataset.bump(session)
    return record(row)


def suspend(session: Session, membership_id: int, since: datetime | None, now: datetime) -> Membership:
    """Let a role count for nothing ``since`` then, or, with None, count again; offers of it that wait are void.

    Raises `Unknown`.
    """
    row = session.get(tables.Membership, membership_id, with_for_update=True)
    if row is None:
        raise Unknown("membership", membership_id)
    row.suspended = since
    _void_offers(session, row, now)
    session.flush()
    dataset.bump(session)
    return record(row)


def counting(now: datetime) -> ColumnElement[bool]:
    """The condition on `Membership` that a role counts now: it has not ended, and is not suspended."""
    member = tables.Membership
    return or_(member.expires.is_(None), member.expires > now) & member.suspended.is_(None)


def _void_offers(session: Session, row: tables.Membership, now: datetime) -> None:
    """Void what was offered before of a role that was given or taken just now: its answer would undo that."""
    offer = tables.Invitation
    email = select(tables.Account.email).where(tables.Account.id == row.account_id).scalar_subquery()
    same = (
        offer.email == email, offer.role == row.role, _is(offer.organization_id, row.organization_id),
        _is(offer.site_id, row.site_id), offer.accepted.is_(None), offer.revoked.is_(None),
    )  # fmt: skip
    session.execute(update(offer).where(*same).values(revoked=now), execution_options={"synchronize_session": False})


def memberships(session: Session, *conditions: ColumnElement[bool]) -> list[Membership]:
    """The memberships that meet every condition, by id."""
    rows = session.scalars(select(tables.Membership).where(*conditions).order_by(tables.Membership.id))
    return [record(row) for row in rows]


def authority(session: Session, account_id: int, now: datetime, reason: str = "") -> Authority:
    """Everywhere that a person stands now; disabled branches and what has expired count for nothing."""
    closed = closed_paths(session)
    if closed and is_closed_to(session, account_id):
        return Authority((), reason)
    roles = _roles(session, account_id, now, counting(now))
    givers = {giver_id: own_authority(session, giver_id, now) for *_, giver_id in roles if giver_id is not None}
    stands = [
        Stand(role, "" if site_id else path, site_id)
        for role, path, site_id, giver_id in roles
        if not path.startswith(closed) and (giver_id is None or givers[giver_id].gives(Role.GUEST, path, site_id))
    ]
    return Authority(tuple(stands), reason)


def own_authority(session: Session, account_id: int, now: datetime) -> Authority:
    """Where a person stands but for what others showed them: by this one shows a site; nowhere once disabled."""
    account, closed = session.get(tables.Account, account_id), closed_paths(session)
    if account is None or account.state != "active" or (closed and is_closed_to(session, account_id)):
        return Authority()
    roles = _roles(session, account_id, now, counting(now), tables.Membership.role != Role.GUEST.value)
    living = (one for one in roles if not one[1].startswith(closed))
    return Authority(tuple(Stand(role, "" if site_id else path, site_id) for role, path, site_id, _ in living))


def held(session: Session, account_id: int, now: datetime) -> list[tuple[Role, str, int]]:
    """Every role that a person has, also those that rest now: role, path of the organization it lies in (``/``: the
    platform), site or 0.
    """
    return [(role, path, site_id) for role, path, site_id, _ in _roles(session, account_id, now)]


def _roles(
    session: Session, account_id: int, now: datetime, *conditions: ColumnElement[bool]
) -> list[tuple[Role, str, int, int | None]]:
    """Roles as in `held`, each with who gave it, where that matters."""
    at_site = aliased(tables.Organization)
    rows = session.execute(
        select(
            tables.Membership.role, tables.Organization.path, at_site.path, tables.Membership.site_id,
            tables.Membership.giver_id,
        )
        .outerjoin(tables.Organization, tables.Organization.id == tables.Membership.organization_id)
        .outerjoin(tables.Site, tables.Site.id == tables.Membership.site_id)
        .outerjoin(at_site, at_site.id == tables.Site.organization_id)
        .where(
            tables.Membership.account_id == account_id,
            or_(tables.Membership.expires.is_(None), tables.Membership.expires > now),
            *conditions,
        )
        .order_by(tables.Membership.id)
    )  # fmt: skip
    return [(Role(role), path or at or "/", site_id or 0, giver_id) for role, path, at, site_id, giver_id in rows]


def first_end_s(session: Session, account_id: int, now: datetime) -> float:
    """When the first of the roles that a person has now, or that those have who showed them a site, ends by itself, in
    seconds since 1970; 0 when none does.
    """
    member = tables.Membership
    givers = select(member.giver_id).where(member.account_id == account_id, member.giver_id.is_not(None))
    theirs = (member.account_id == account_id) | member.account_id.in_(givers)
    found = session.scalar(select(func.min(member.expires)).where(theirs, member.expires > now))
    return found.timestamp() if found else 0.0


def place_path(session: Session, organization_id: int | None, site_id: int | None) -> str:
    """The path of the organization where a role would be held; ``/`` for the platform; raises `Unknown`."""
    if site_id is not None:
        site = session.get(tables.Site, site_id)
        if site is None:
            raise Unknown("site", site_id)
        organization_id = site.organization_id
    if organization_id is None:
        return "/"
    organization = session.get(tables.Organization, organization_id)
    if organization is None:
        raise Unknown("organization", organization_id)
    return organization.path


def check_held(role: Role, organization_id: int | None, site_id: int | None) -> None:
    """Raise `NameInvalid` where the role cannot be held."""
    place = Place.BRANCH if organization_id else Place.SITE if site_id else Place.PLATFORM
    if place not in HELD[role] or (organization_id and site_id):
        raise NameInvalid("role", role.value, f"cannot be held on a {place.value}")


def authority_of_key(grant: KeyGrant) -> Authority:
    """What a key may do at its site, or with the one device it is bound to, by its scope."""
    stand = Stand(Role.GUEST, site_id=grant.site_id, device_id=grant.device_id or 0)
    return Authority((stand,), key=grant.scope)


def record(row: tables.Membership) -> Membership:
    """The membership as it is answered."""
    return Membership(
        id=row.id,
        account_id=row.account_id,
        organization_id=row.organization_id,
        site_id=row.site_id,
        role=row.role,
        created=row.created,
        expires=row.expires,
        suspended=row.suspended,
    )


def _is(column: InstrumentedAttribute[int | None], identity: int | None) -> ColumnElement[bool]:
    return column.is_(None) if identity is None else column == identity
