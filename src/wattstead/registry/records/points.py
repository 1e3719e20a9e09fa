"""Points and the addresses by which senders know them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from wattstead.metering.point import Point
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.registry.errors import AddressError


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
    max_gap_s: float | None = None
    """None: as is usual for its kind."""
    pulses_per_kwh: float = 0.0
    device_id: int | None = None
    adopted: bool = True
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class PointRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    retired: datetime | None = None
    """Since when its device's template knows it no more."""
    version: int = 0
    """Grows with every change of what is known about it."""
    open_to: str = ""
    """Address ranges whose visitors read it without a key, separated by spaces; empty: nobody does."""


class TagFilter(msgspec.Struct, frozen=True):
    """One condition on a tag of a point, or of its site where the point has none of that key.

    Exactly one of ``equals``, ``among`` and ``prefix`` is given.
    """

    key: str
    equals: str | None = None
    among: tuple[str, ...] | None = None
    prefix: str | None = None
