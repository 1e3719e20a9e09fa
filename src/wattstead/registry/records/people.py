"""People who may sign in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from wattstead.registry.authority import Authority
from wattstead.registry.records.filters import Filter


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person; empty texts are what nobody has told."""

    id: int
    organization_id: int
    """0: not told, of somebody who belongs elsewhere."""
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
    has_password: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a person on an organization's branch, on a site, or on the platform."""

    id: int
    account_id: int
    organization_id: int | None
    site_id: int | None
    role: str
    created: datetime
    expires: datetime | None
    suspended: datetime | None = None
    """Since when it counts for nothing, until it is resumed."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a session."""

    account: Account
    authority: Authority
    session: str
    """The session's name."""
    impersonator_id: int | None
    """The administrator who looks through this person's eyes."""
    ends_s: float = 0.0
    """When the first of the person's roles ends by itself, in seconds since 1970; 0: none does."""


class OpenSession(msgspec.Struct, frozen=True):
    """A session as its person may see it."""

    name: str
    """By which it is ended; not its token."""
    created: datetime
    last_used: datetime
    expires: datetime
    agent: str
    address: str
    impersonator_id: int | None
    eyes_of: str = ""
    """The address of the person through whose eyes one looks in it; empty: it is one's own session."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was asked to join."""

    id: int
    email: str
    organization_id: int | None
    site_id: int | None
    role: str
    inviter_id: int | None
    created: datetime
    expires: datetime
    accepted: datetime | None
    revoked: datetime | None


class NewInvitation(msgspec.Struct, frozen=True):
    """An invitation with the token of its link, which is known this once."""

    invitation: Invitation
    token: str


class InvitationLook(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever holds the link may know before answering."""

    email: str
    role: str
    place: str
    """Name of the organization or site; empty for the platform."""
    inviter: str
    expires: datetime
    has_account: bool
    """Whether the address has an account already, which must sign in to accept."""


class RelyingParty(msgspec.Struct, frozen=True):
    """For whom a passkey is made: its key works there alone."""

    id: str
    """Name of the host."""
    origin: str
    """Scheme, host and port of the pages."""
    name: str = "Wattstead"


class Passkey(msgspec.Struct, frozen=True):
    """A passkey as its person may see it."""

    id: int
    name: str
    created: datetime
    last_used: datetime | None


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a person; None leaves it."""

    name: str | None = None
    phone: str | None = None
    mobile_phone: str | None = None
    phone_type: str | None = None
    operating_system: str | None = None
    application_version: str | None = None
    privacy_state: str | None = None
    locale: str | None = None
    email: str | None = None
    state: str | None = None
    """``active``, ``disabled``."""
    tags: dict[str, str] = {}
    """Those to set; an empty value removes one."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a person with the names of where it holds."""

    id: int
    role: str
    organization_id: int | None
    organization: str | None
    site_id: int | None
    site: str | None
    expires: datetime | None
    suspended: datetime | None = None
    """Since when it counts for nothing, until it is resumed."""


class PersonRow(msgspec.Struct, frozen=True):
    """A person of the directory."""

    account: Account
    organization: str
    """Name of the organization; empty when it is not the asker's to know."""
    memberships: list[Holding]
    tags: dict[str, str] = {}


class PeopleQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which people to list, in which order, and from where on."""

    q: str = ""
    """Part of name, e-mail address or a phone number."""
    filters: tuple[Filter, ...] = ()
    role: str = ""
    organization_id: int | None = None
    site_id: int | None = None
    sort: str = "name"
    descending: bool = False
    limit: int = 100
    cursor: str = ""


class PeoplePage(msgspec.Struct, frozen=True):
    """A page of the directory."""

    rows: list[PersonRow]
    total: int
    cursor: str
    """Where the next page begins; empty on the last."""


class FirstOwner(msgspec.Struct, frozen=True):
    """The owner made at first start, with the password to print once."""

    account: Account
    password: str
