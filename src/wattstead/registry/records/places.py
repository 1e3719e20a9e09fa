"""Places: organizations, sites, spaces, devices, and who else may look at a site."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the tree of organizations; ``path`` is ``/1/4/``: the ids from the root down to itself."""

    id: int
    parent_id: int | None
    path: str
    name: str
    created: datetime
    version: int
    kind: str
    """``fleet``, ``partner``, ``utility``, ``company``, ``home``."""
    note: str
    registration: bool
    """Whether people may register in it by themselves."""
    disabled: datetime | None
    """Since when its branch neither signs in nor sends."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A place with points; ``note`` is shown to its people; empty texts and nulls are what nobody has told."""

    id: int
    organization_id: int
    name: str
    zone: str
    note: str
    created: datetime
    tags: dict[str, str]
    version: int = 1
    state: str = "active"
    """``active``, ``disabled``: its keys write no more."""
    customer_number: str = ""
    address: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    delivery_point: str = ""
    subscription_number: str = ""
    subscribed_power_w: float | None = None
    hourly_maximum_wh: float | None = None
    dwelling: str = ""
    occupants: int | None = None
    area_m2: float | None = None
    heating: str = ""
    eligibility_phase: str = ""
    business_case: str = ""
    cluster: str = ""
    peak_power_w: float | None = None
    tilt_deg: float | None = None
    azimuth_deg: float | None = None
    """Clockwise from north: 180 faces south."""
    inverter: str = ""
    installed_on: date | None = None
    photo: str = ""
    """Digest of the picture; empty without one."""
    last_seen: datetime | None = None
    """Time of its newest reading."""
    completeness: float | None = None
    """Share of the expected readings of the last day that came, 0 to 1."""
    connection_state: str = ""
    """``online``, ``offline``; empty: never heard of."""


class SiteName(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is needed of a site to speak of it; made by thousands, and refers to nothing that could refer to it."""

    id: int
    name: str
    zone: str


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a site; ``path`` is ``/3/8/``: the ids from the topmost space down to itself."""

    id: int
    site_id: int
    parent_id: int | None
    path: str
    name: str
    kind: str
    area_m2: float | None
    note: str
    version: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that sends readings; without a site nobody owns it yet."""

    id: int
    site_id: int | None
    name: str
    created: datetime
    organization_id: int
    version: int
    space_id: int | None
    note: str
    template: str
    revision: int
    prefix: str
    connection: str
    posting: bool
    serial_number: str
    hardware_version: str
    firmware: str
    pairing_state: str
    connection_state: str
    last_seen: datetime | None
    completeness: float | None
    mobile_bytes: int
    mobile_budget_bytes: int | None
    photo: str
    tags: dict[str, str]


class HandedSite(msgspec.Struct, frozen=True):
    """A site that was given to another organization, and what of the former one's ended with that."""

    site: Site
    keys: int
    """Keys that read or set up; those that only write go on, so that no meter falls silent."""
    shares: int
    """Links, and people to whom the site was shown."""


class SiteGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Another organization whose people see a site as they see their own."""

    organization_id: int
    organization: str
    site_id: int
    changes: bool
    created: datetime


class ShareLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link by which anybody who has it may look at a site, until it ends."""

    id: int
    site_id: int
    name: str
    created: datetime
    expires: datetime
    revoked: datetime | None


class NewShareLink(msgspec.Struct, frozen=True):
    """A link just made; the only moment at which its token is known."""

    link: ShareLink
    token: str


class Guest(msgspec.Struct, frozen=True):
    """Who came by a link: nobody by name, with one site to look at."""

    id: int
    """Of the link."""
    site_id: int
    ends_s: float
    """Seconds since 1970 at which the link ends."""
