"""Lasting: what shows or gives a site away for longer than a session is looked at inside the transaction that does it.

What was found out before it may be over: the site handed over, the branch moved. The doors' methods take the authority
of whoever asks; without one it is the product itself that acts.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import reach as reaching
from wattstead.registry import tables
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.errors import RoleRefused, Unknown
from wattstead.registry.points import declare
from wattstead.registry.policy import Resource, Right
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import Actor


class Wanted(NamedTuple):
    """Something that must lie where something is allowed."""

    resource: Resource
    identity: int
    reach: Reach | None
    """None: anywhere."""


def reach_of(authority: Authority | None, right: Right) -> Reach | None:
    """Where a right is held; None, which is everywhere, for the product itself."""
    return None if authority is None else authority.reach(right)


def check_own_eyes(by: Actor) -> None:
    """Raise `RoleRefused` for an administrator who looks through somebody's eyes: that sight ends within the hour, and
    nothing is made with it that goes on seeing.
    """
    if by.impersonator_id is not None:
        raise RoleRefused(
            "eyes.lasting",
            "nobody gives a sight of readings through somebody's eyes that outlives the look; end it first",
        )


def check_not_to_oneself(
    authority: Authority | None, right: Right, former: str, present: str, sites: tuple[int, int] = (0, 0)
) -> None:
    """Raise `RoleRefused` for who would see readings by giving something away: who runs the platform moves things
    about, and does not take them to where the same account sees.

    ``former`` and ``present`` are paths of organizations, ``sites`` the sites there.
    """
    if authority is None or authority.rests_on_sight(right, former, sites[0]):
        return
    if authority.would_see(present, sites[1]):
        raise RoleRefused(
            "role.sight",
            "your account sees readings there and sees none of these now; let somebody else do this, or choose another "
            "organization",
        )


def hold(session: Session, *wanted: Wanted) -> None:
    """Keep sites, devices and organizations where they are until the transaction ends; raise `Unknown` for whatever
    does not lie within its reach by now.

    To be called before anything else is locked or changed: sites in the order of their ids, then organizations.
    """
    devices = possible(one.identity for one in wanted if one.resource is Resource.DEVICE)
    sites = possible(one.identity for one in wanted if one.resource is Resource.SITE)
    device, site, organization = tables.Device, tables.Site, tables.Organization
    if devices:
        at = session.scalars(select(device.site_id).where(device.id.in_(devices), device.site_id.is_not(None)))
        sites += [one for one in at if one is not None]
    declare.lock_sites(session, sorted(set(sites)))
    owners = select(site.organization_id).where(site.id.in_(sites))
    owners_of_devices = select(device.organization_id).where(device.id.in_(devices))
    named = possible(one.identity for one in wanted if one.resource is Resource.ORGANIZATION)
    theirs = organization.id.in_(owners) | organization.id.in_(owners_of_devices) | organization.id.in_(named)
    session.execute(select(organization.id).where(theirs).order_by(organization.id).with_for_update(read=True))
    if devices:
        locked = select(device.id).where(device.id.in_(devices)).order_by(device.id)
        session.execute(locked.with_for_update(key_share=True))
    for one in wanted:
        if not reaching.within(session, one.resource, one.identity, one.reach):
            raise Unknown(one.resource.value, one.identity)
