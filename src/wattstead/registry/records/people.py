"""People who may sign in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from wattstead.registry.policy import Authority


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person; empty texts are what nobody has told."""

    id: int
    organization_id: int
    email: str
    created: datetime
    version: int
    name: str
    state: str
    """``invited``, ``active``, ``disabled``."""
    verified: datetime | None
    phone: str
    mobile_phone: str
    phone_type: str
    operating_system: str
    application_version: str
    privacy_state: str
    locale: str
    last_seen: datetime | None
    has_totp: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a person on an organization's branch, on a site, or on the platform."""

    id: int
    account_id: int
    organization_id: int | None
    site_id: int | None
    role: str
    created: datetime
    expires: datetime | None


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a session."""

    account: Account
    authority: Authority
    session: str
    """The session's name."""
    impersonator_id: int | None
    """The administrator who looks through this person's eyes."""


class FirstOwner(msgspec.Struct, frozen=True):
    """The owner made at first start, with the password to print once."""

    account: Account
    password: str
