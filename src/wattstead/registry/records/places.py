"""Places: organizations, sites, devices."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Organization(msgspec.Struct, frozen=True):
    """A node of the tree of organizations; ``path`` is ``/1/4/``: the ids from the root down to itself."""

    id: int
    parent_id: int | None
    path: str
    name: str
    created: datetime


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A place with points; ``note`` is shown to its people."""

    id: int
    organization_id: int
    name: str
    zone: str
    note: str
    created: datetime
    tags: dict[str, str]


class SiteName(msgspec.Struct, frozen=True):
    """What is needed of a site to speak of it."""

    id: int
    name: str
    zone: str
    note: str


class Device(msgspec.Struct, frozen=True):
    """A thing at a site that sends readings."""

    id: int
    site_id: int
    name: str
    created: datetime
