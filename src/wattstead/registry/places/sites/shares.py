"""Who else may look at a site: organizations, people until a day, whoever has a link; all of it can be taken back."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.errors import AttributeInvalid, Conflict, Unknown
from wattstead.registry.people import memberships
from wattstead.registry.people.emails import folded
from wattstead.registry.places.closed import closed_paths
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Guest, Membership, NewShareLink, ShareLink, SiteGrant
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import SYSTEM, Actor

_CREATE = Right(Action.CREATE, Resource.SHARE)
LONGEST = timedelta(days=366)
"""No link lives longer."""


def grant(
    session: Session, site_id: int, organization_id: int, changes: bool, now: datetime, by: Actor = SYSTEM
) -> SiteGrant:
    """Let another organization's people see a site as their roles allow, and with ``changes`` change it.

    Raises `Unknown`, `Conflict` for the site's own organization and those above it, which would keep the grant when the
    site is handed over.
    """
    site, organization = session.get(tables.Site, site_id), session.get(tables.Organization, organization_id)
    if site is None:
        raise Unknown("site", site_id)
    if organization is None:
        raise Unknown("organization", organization_id)
    if memberships.place_path(session, None, site_id).startswith(organization.path):
        sentence = f"organization {organization_id} sees site {site_id} already: it is its own, or of one below it"
        raise Conflict("grant.own", sentence)
    row = session.get(tables.SiteGrant, (organization_id, site_id))
    before = {} if row is None else {"organization_id": organization_id, "changes": row.changes}
    if row is None:
        row = tables.SiteGrant(organization_id=organization_id, site_id=site_id, changes=changes, created=now)
        session.add(row)
    row.changes = changes
    session.flush()
    dataset.bump(session)
    after = {"organization_id": organization_id, "changes": changes}
    trail.note(
        session, now, by, "grant", Resource.SITE, site_id, organization_id=site.organization_id, site_id=site_id,
        before=before, after=after,
    )  # fmt: skip
    return _grant(row, organization.name)


def end_grant(session: Session, site_id: int, organization_id: int, now: datetime, by: Actor = SYSTEM) -> None:
    """Take a grant back; raises `Unknown`."""
    row = session.get(tables.SiteGrant, (organization_id, site_id)) if possible([organization_id, site_id]) else None
    if row is None:
        raise Unknown("grant", organization_id)
    before = {"organization_id": organization_id, "changes": row.changes}
    session.delete(row)
    session.flush()
    dataset.bump(session)
    trail.note(session, now, by, "end grant", Resource.SITE, site_id, site_id=site_id, before=before)


def grants(session: Session, site_id: int) -> list[SiteGrant]:
    """The organizations beside the tree that see a site, by name."""
    rows = session.execute(
        select(tables.SiteGrant, tables.Organization.name)
        .join(tables.Organization, tables.Organization.id == tables.SiteGrant.organization_id)
        .where(tables.SiteGrant.site_id == site_id)
        .order_by(tables.Organization.name, tables.Organization.id)
    )
    return [_grant(row, name) for row, name in rows]


def create_link(
    session: Session, site_id: int, name: str, expires: datetime, now: datetime, by: Actor = SYSTEM
) -> NewShareLink:
    """A link to a site, its token shown this once; raises `Unknown`, `AttributeInvalid` for an end that is none."""
    if session.get(tables.Site, site_id) is None:
        raise Unknown("site", site_id)
    check_end(expires, now)
    token = secrets.token_urlsafe(32)
    row = tables.ShareLink(site_id=site_id, token_hash=_hash(token), name=names.checked("link", name), created=now)
    row.maker_id, row.expires, row.revoked = by.account_id, expires, None
    session.add(row)
    session.flush()
    after = {"name": name, "expires": expires}
    trail.note(session, now, by, "create", Resource.SHARE, row.id, site_id=site_id, after=after)
    return NewShareLink(record(row), token)


def links(session: Session, site_id: int, now: datetime) -> list[ShareLink]:
    """The links of a site that are open, by id."""
    rows = session.scalars(
        select(tables.ShareLink)
        .where(
            tables.ShareLink.site_id.in_(possible([site_id])),
            tables.ShareLink.revoked.is_(None),
            tables.ShareLink.expires > now,
        )
        .order_by(tables.ShareLink.id)
    )
    return [record(row) for row in rows]


def end_link(session: Session, link_id: int, now: datetime, by: Actor = SYSTEM) -> ShareLink:
    """Close a link for ever; whoever came by it sees nothing more; raises `Unknown`."""
    row = session.get(tables.ShareLink, link_id) if possible([link_id]) else None
    if row is None:
        raise Unknown("share", link_id)
    if row.revoked is None:
        row.revoked = now
        session.flush()
        dataset.bump(session)
        trail.note(
            session, now, by, "delete", Resource.SHARE, link_id, site_id=row.site_id, before={"name": row.name}
        )  # fmt: skip
    return record(row)


def link(session: Session, link_id: int) -> ShareLink:
    """The link of that id; raises `Unknown`."""
    row = session.get(tables.ShareLink, link_id) if possible([link_id]) else None
    if row is None:
        raise Unknown("share", link_id)
    return record(row)


def guest(session: Session, token: str, now: datetime) -> Guest | None:
    """Who a link's token stands for; None when it is unknown, closed or over, its organization is disabled, or whoever
    made it may not share the site any more.
    """
    link = tables.ShareLink
    row = session.execute(
        select(link.id, link.site_id, tables.Organization.path, link.expires, link.maker_id)
        .join(tables.Site, tables.Site.id == tables.ShareLink.site_id)
        .join(tables.Organization, tables.Organization.id == tables.Site.organization_id)
        .where(
            tables.ShareLink.token_hash == _hash(token),
            tables.ShareLink.revoked.is_(None),
            tables.ShareLink.expires > now,
        )
    ).one_or_none()
    if row is None or row.path.startswith(closed_paths(session)):
        return None
    ends_s = row.expires.timestamp()
    if row.maker_id is not None:
        maker = memberships.own_authority(session, row.maker_id, now)
        if not maker.may(_CREATE, row.path, row.site_id):
            return None
        ends_s = min(ends_s, memberships.first_end_s(session, row.maker_id, now) or ends_s)
    return Guest(row.id, row.site_id, ends_s)


def people(session: Session, site_id: int, now: datetime) -> list[tuple[Membership, str, str]]:
    """Who belongs to a site, with name and e-mail address, by name; of a guest from elsewhere the address alone."""
    table = tables.Membership
    from_elsewhere = (table.role == Role.GUEST.value) & (tables.Account.organization_id != tables.Site.organization_id)
    name = case((from_elsewhere, ""), else_=tables.Account.name)
    rows = session.execute(
        select(table, name, tables.Account.email)
        .join(tables.Account, tables.Account.id == table.account_id)
        .join(tables.Site, tables.Site.id == table.site_id)
        .where(table.site_id.in_(possible([site_id])), memberships.counting(now))
        .order_by(name, tables.Account.email, table.id)
    )
    return [(memberships.record(row), name, email) for row, name, email in rows]


def resting(session: Session, site_id: int, now: datetime) -> tuple[frozenset[int], frozenset[int]]:
    """The roles of guests and the links of a site that show nothing now, since whoever made them may not show it."""
    member, link = tables.Membership, tables.ShareLink
    guests = (member.site_id.in_(possible([site_id])), member.role == Role.GUEST.value)
    given = session.execute(select(member.id, member.giver_id).where(*guests))
    made = session.execute(select(link.id, link.maker_id).where(link.site_id.in_(possible([site_id]))))
    roles, links = ([(one, maker) for one, maker in rows if maker is not None] for rows in (given, made))
    if not roles and not links:
        return frozenset(), frozenset()
    path = memberships.place_path(session, None, site_id)
    makers = {maker: memberships.own_authority(session, maker, now) for _, maker in (*roles, *links)}
    return (
        frozenset(one for one, maker in roles if not makers[maker].gives(Role.GUEST, path, site_id)),
        frozenset(one for one, maker in links if not makers[maker].may(_CREATE, path, site_id)),
    )


def guest_membership(session: Session, membership_id: int) -> Membership:
    """A person's share of a site; raises `Unknown` when it is none."""
    row = session.get(tables.Membership, membership_id) if possible([membership_id]) else None
    if row is None or row.role != Role.GUEST.value or row.site_id is None:
        raise Unknown("share", membership_id)
    return memberships.record(row)


def with_person(
    session: Session, site_id: int, email: str, expires: datetime | None, now: datetime, by: Actor = SYSTEM
) -> Membership | None:
    """Show a site to the person of an e-mail address until a day; None when nobody is known here to have that address,
    who is then to be invited: see `_is_theirs`.

    Raises `Unknown`, `AttributeInvalid`, `NameInvalid`.
    """
    path = memberships.place_path(session, None, site_id)
    if expires is not None:
        check_end(expires, now)
    account = session.scalar(select(tables.Account).where(tables.Account.email == folded(email)))
    if account is None or not _is_theirs(session, account, path, now):
        return None
    account_id = account.id
    made = memberships.create(
        session, account_id, Role.GUEST, now, site_id=site_id, expires=expires, giver_id=by.account_id
    )
    after = {"account_id": account_id, "role": made.role, "expires": expires}
    trail.note(session, now, by, "create", Resource.SHARE, made.id, site_id=site_id, after=after)
    return made


def _is_theirs(session: Session, account: tables.Account, path: str, now: datetime) -> bool:
    """Whether an account is known to be that of the person of its address.

    A mail has shown it, or the person has a role in the organization at ``path`` or one above it; else whoever made the
    account may have typed in a stranger's address, and the share would be the wrong person's.
    """
    if account.state != "active":
        return False
    held = memberships.held(session, account.id, now)
    return account.verified is not None or any(path.startswith(at) for _, at, _ in held)


def end_person(session: Session, membership_id: int, now: datetime, by: Actor = SYSTEM) -> Membership:
    """Take a person's share of a site back; raises `Unknown`."""
    gone = guest_membership(session, membership_id)
    memberships.end(session, membership_id, now)
    before = {"account_id": gone.account_id, "role": gone.role, "expires": gone.expires}
    trail.note(session, now, by, "delete", Resource.SHARE, membership_id, site_id=gone.site_id, before=before)
    return gone


def end_all(session: Session, sites: Select[int], now: datetime, by: Actor = SYSTEM) -> int:
    """Close the open links of sites and take back what was shown to people; how many there were."""
    link, member = tables.ShareLink, tables.Membership
    open_ = link.revoked.is_(None) & (link.expires > now)
    open_links = session.scalars(select(link.id).where(link.site_id.in_(sites), open_).order_by(link.id)).all()
    for link_id in open_links:
        end_link(session, link_id, now, by)
    here = member.site_id.in_(sites) & (member.role == Role.GUEST.value)
    living = or_(member.expires.is_(None), member.expires > now)
    shown = session.scalars(select(member.id).where(here, living).order_by(member.id)).all()
    for member_id in shown:
        end_person(session, member_id, now, by)
    return len(open_links) + len(shown)


def end_given(session: Session, account_id: int, now: datetime, by: Actor = SYSTEM) -> int:
    """End what somebody has shown to people at sites where that person may share no more; how many shares there were.

    A share that another one gave anew is that one's.
    """
    member = tables.Membership
    theirs = select(member.id, member.site_id).where(
        member.giver_id == account_id, member.role == Role.GUEST.value, member.site_id.is_not(None)
    )
    authority, ended = memberships.own_authority(session, account_id, now), 0
    for member_id, site_id in session.execute(theirs.order_by(member.id)).all():
        path = memberships.place_path(session, None, site_id)
        if site_id is not None and not authority.gives(Role.GUEST, path, site_id):
            end_person(session, member_id, now, by)
            ended += 1
    return ended


def check_end(expires: datetime, now: datetime) -> None:
    """Raise `AttributeInvalid` unless a share ends within what is allowed."""
    if not now < expires <= now + LONGEST:
        raise AttributeInvalid("expires", f"must lie within the next {LONGEST.days} days")


def record(row: tables.ShareLink) -> ShareLink:
    """The link as it is answered."""
    return ShareLink(
        id=row.id, site_id=row.site_id, name=row.name, created=row.created, expires=row.expires, revoked=row.revoked
    )


def _grant(row: tables.SiteGrant, name: str) -> SiteGrant:
    return SiteGrant(
        organization_id=row.organization_id,
        organization=name,
        site_id=row.site_id,
        changes=row.changes,
        created=row.created,
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
