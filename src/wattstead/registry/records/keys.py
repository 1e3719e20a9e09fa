"""Keys: what they allow, and how they may be shown."""

from __future__ import annotations

from datetime import datetime

import msgspec

from wattstead.registry.policy import Scope


class KeyGrant(msgspec.Struct, frozen=True):
    """What a valid key allows: writing to, or reading from, one site."""

    id: int
    site_id: int
    organization_id: int
    scope: Scope
    point_limit: int
    device_id: int | None = None
    """The device that it belongs to: points that appear under it are that device's."""
    ends_s: float = 0.0
    """Seconds since 1970 after which it allows nothing; 0: it does not end."""
    plain_http: bool = True
    """Whether it may be shown without TLS from another machine."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown: never its secret, only the first six characters."""

    id: int
    site_id: int
    name: str
    scope: Scope
    prefix: str
    point_limit: int
    point_count: int
    """Points that new addresses under this key have created."""
    created: datetime
    revoked: datetime | None
    last_used: datetime | None
    sealed: bool
    """True when the secret is kept encrypted, as the EmonCMS encrypted form needs it."""
    device_id: int | None = None
    expires: datetime | None = None
    plain_http: bool = True
    successor_id: int | None = None
    """The key that replaces it; both live until this one ends."""


class NewKey(msgspec.Struct, frozen=True):
    """A key just made; the only moment at which its secret is known."""

    key: Key
    secret: str


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """What a cache of keys learns about one of them."""

    secret_hash: bytes
    grant: KeyGrant | None
    """None: revoked."""
    key_id: int
    secret: str | None
    """Of a sealed key."""
