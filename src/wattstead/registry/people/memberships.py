"""Memberships: which role a person has where; what a role allows is in the policy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.registry import tables
from wattstead.registry.errors import NameInvalid, Unknown
from wattstead.registry.policy import HELD, Authority, Place, Role, Stand
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
) -> Membership:
    """Give a role on an organization's branch, on a site, or, with neither, on the platform; twice is once.

    Raises `Unknown`, and `NameInvalid` where the role cannot be held.
    """
    place = Place.BRANCH if organization_id else Place.SITE if site_id else Place.PLATFORM
    if place not in HELD[role]:
        raise NameInvalid("role", role.value, f"cannot be held on a {place.value}")
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
    session.flush()
    dataset.bump(session)
    return record(row)


def end(session: Session, membership_id: int) -> Membership:
    """Take a role back; raises `Unknown`."""
    row = session.get(tables.Membership, membership_id)
    if row is None:
        raise Unknown("membership", membership_id)
    session.delete(row)
    session.flush()
    dataset.bump(session)
    return record(row)


def memberships(session: Session, *conditions: ColumnElement[bool]) -> list[Membership]:
    """The memberships that meet every condition, by id."""
    rows = session.scalars(select(tables.Membership).where(*conditions).order_by(tables.Membership.id))
    return [record(row) for row in rows]


def authority(session: Session, account_id: int, now: datetime, reason: str = "") -> Authority:
    """Everywhere that a person stands now; disabled organizations and what has expired count for nothing."""
    rows = session.execute(
        select(
            tables.Membership.role, tables.Organization.path, tables.Organization.disabled, tables.Membership.site_id
        )
        .outerjoin(tables.Organization, tables.Organization.id == tables.Membership.organization_id)
        .where(
            tables.Membership.account_id == account_id,
            or_(tables.Membership.expires.is_(None), tables.Membership.expires > now),
        )
        .order_by(tables.Membership.id)
    )
    stands = [
        Stand(Role(role), "" if site_id else path or "/", site_id or 0)
        for role, path, disabled, site_id in rows
        if disabled is None
    ]
    return Authority(tuple(stands), reason)


def authority_of_key(grant: KeyGrant) -> Authority:
    """What a key may do at its site, by its scope."""
    return Authority((Stand(Role.GUEST, site_id=grant.site_id),), key=grant.scope)


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
    )


def _is(column: InstrumentedAttribute[int | None], identity: int | None) -> ColumnElement[bool]:
    return column.is_(None) if identity is None else column == identity
