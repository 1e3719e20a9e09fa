"""Edges: what is known of a machine on site, what people set of it, and what the door needs to let it in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from wattstead.metering.point import Point
from wattstead.registry.records.keys import KeyGrant
from wattstead.registry.records.sources import SourceState


class Treatment(StrEnum):
    """What an edge does with readings of some addresses before it sends them."""

    DROP = "drop"
    """They are not kept."""
    SCALE = "scale"
    """Times ``factor``, plus ``offset``."""
    DEADBAND = "deadband"
    """Only what differs from the last one kept by more than ``band``, or comes ``every_s`` after it."""
    AVERAGE = "average"
    """One reading for ``every_s`` seconds: the mean of a level, the last of a register, the sum of amounts."""


class EdgeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the pre-processing: the first line whose pattern fits an address counts, of each treatment."""

    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """Of addresses, with ``*`` for anything: ``boiler/*``."""
    treatment: Treatment
    factor: float = 1.0
    offset: float = 0.0
    band: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    every_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0


class EdgeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people set of an edge; all of it is sent to it."""

    rules: Annotated[tuple[EdgeRule, ...], msgspec.Meta(max_length=200)] = ()
    aggregate_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    """The site's policy: nothing finer than buckets of so many seconds leaves the site; 0: every reading may."""
    disk_mb: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2_000
    """What readings that wait may take on its disk."""
    drain_per_s: Annotated[int, msgspec.Meta(ge=10, le=1_000_000)] = 20_000
    """Readings a second of those that waited that are sent when the link is back; new ones come first."""
    send_every_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 2.0
    trial_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 120.0
    """For how long a new configuration is on trial: what fails in that time brings the former one back."""


Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000_000)]
"""Microseconds since 1970, no later than the year 9999: what can be shown as a date."""
Number = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
"""Of a configuration."""


class EdgeHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How an edge says it is doing; instants in µs, counts since it was installed unless said otherwise."""

    program: str = ""
    """Its version."""
    clock_us: Instant = 0
    """Its clock when it said so."""
    heard_us: Instant = 0
    """The server's clock when it heard so; whatever the edge says of that is not kept."""
    applied: Number = 0
    """Number of the configuration that it runs."""
    refused: Number = 0
    """Number of a configuration that it has taken back; 0: none."""
    refused_why: str = ""
    waiting_bytes: int = 0
    """Readings that wait to be sent, on its disk."""
    waiting_readings: int = 0
    """About how many they are."""
    behind_s: float = 0.0
    """How old the oldest of them is."""
    packed: int = 0
    """Readings that were packed to save room; nothing is lost by that."""
    thinned: int = 0
    """Readings that became aggregates because the disk budget was at its end."""
    lost: int = 0
    """Aggregates that were given up because even they did not fit."""
    thinned_why: str = ""
    letters: int = 0
    """Messages in quarantine there."""
    rate_per_s: float = 0.0
    """Readings a second that its sources bring, mean of the last minute."""
    last_error: str = ""
    """Why it could last not send, or ask how to go on."""
    last_error_us: Instant = 0
    memory_mb: float = 0.0
    disk_free_mb: float = 0.0
    sources: dict[str, str] = {}
    """State of each of its sources by id, with the last error."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A machine on site."""

    id: int
    site_id: int
    key_id: int
    name: str
    joined: datetime | None
    code_until: datetime | None
    """Until when the code it was given lets it join; None: there is none, or it was used."""
    settings: EdgeSettings
    enabled: bool
    wanted: int
    sequence: int
    last_seen: datetime | None
    health: EdgeHealth
    created: datetime
    version: int


class EdgeConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that an edge was offered."""

    number: int
    made: datetime
    settings: EdgeSettings
    sources: list[str]
    """The names of the sources that it ran."""
    applied: datetime | None
    """When the edge first said that it runs it; null: it never did."""
    refused_why: str
    """Why it was refused or taken back; empty: it was not."""


class NewEdge(msgspec.Struct, frozen=True):
    """An edge and the code with which it joins; the only moment at which that is known."""

    edge: Edge
    code: str


class EdgeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the door knows of an edge that has joined."""

    id: int
    site_id: int
    signing_key: str
    grant: KeyGrant | None
    """None: its site is closed, or it is switched off."""
    grants: dict[int, KeyGrant]
    """What the keys of its sources allow, by the source's id."""
    sequence: int
    sequence_digest: str
    sequence_at: int


class EdgePoint(msgspec.Struct, frozen=True):
    """A line of the map: an address of the site and the point that it is."""

    address: str
    point: Point
    adopted: bool = True
    """Whether somebody has said what it is."""


class EdgePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an edge needs to know."""

    edge: Edge
    sealing_key: str
    sources: list[SourceState]
    points: list[EdgePoint]
