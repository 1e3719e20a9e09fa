"""What the registry answers with: frozen structs that need no database; they hold no rule and read nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from wattstead.metering.point import Point
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.registry.errors import AddressError


class Scope(StrEnum):
    """What a key may do; a write key never reads, a read key never writes."""

    WRITE = "write"
    READ = "read"


class KeyGrant(msgspec.Struct, frozen=True):
    """What a valid key allows: writing to, or reading from, one site."""

    id: int
    site_id: int
    organization_id: int
    scope: Scope
    point_limit: int


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


class Device(msgspec.Struct, frozen=True):
    """A thing at a site that sends readings."""

    id: int
    site_id: int
    name: str
    created: datetime


class Account(msgspec.Struct, frozen=True):
    """A person who may sign in."""

    id: int
    organization_id: int
    email: str
    role: str
    created: datetime


class FirstOwner(msgspec.Struct, frozen=True):
    """The owner made at first start, with the password to print once."""

    account: Account
    password: str


class NewAddress(msgspec.Struct, frozen=True):
    """An address as a sender names it, and what is known beside it should the point have to be created."""

    path: str
    name: str = ""
    """Label of the new point; empty: the last part of the path."""
    unit: str = ""
    """The sender's unit, kept as a hint for the suggestion."""
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class Resolution(msgspec.Struct, frozen=True):
    """Point ids of the addresses of one batch, and the addresses that got none with the reason."""

    ids: dict[str, int]
    refused: dict[str, AddressError]

    def __getitem__(self, path: str) -> int:
        return self.ids[path]


class PointDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A point that is declared rather than discovered: by the demo, the simulator, an import, a template."""

    address: str
    name: str
    kind: Kind = Kind.GAUGE
    quantity: Quantity = Quantity.UNKNOWN
    direction: Direction = Direction.NONE
    unit: str = ""
    role: Role = Role.NONE
    resolution: float = 0.0
    width: int = 0
    max_rate: float = 0.0
    max_gap_s: float = 1800.0
    device_id: int | None = None
    adopted: bool = True
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class PointRow(msgspec.Struct, frozen=True, kw_only=True):
    """A point with what the registry knows about it beside its physics."""

    point: Point
    site_id: int
    device_id: int | None
    name: str
    address: str
    role: Role
    adopted: bool
    unit_hint: str
    rule_version: int
    """Grows when the step rule changes: rollups computed under a smaller one are to be made again."""
    created: datetime
    tags: dict[str, str]


class TagFilter(msgspec.Struct, frozen=True):
    """One condition on a tag of a point, or of its site where the point has none of that key.

    Exactly one of ``equals``, ``among`` and ``prefix`` is given.
    """

    key: str
    equals: str | None = None
    among: tuple[str, ...] | None = None
    prefix: str | None = None
