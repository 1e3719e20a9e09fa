"""How a source is shown: what it is, how it is doing, never its secrets; it asks nobody whether that may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.sight import Sight, State
from wattstead.registry.records import Source
from wattstead.web.problem import Refused
from wattstead.web.rooms import Rooms


class SourceSight(msgspec.Struct, kw_only=True):
    """How a source is doing; counts are since the server's start."""

    state: State
    """`off`: switched off; `elsewhere`: a machine on site runs it; `closed`: its site is disabled or its device may
    not post; `waiting`: it failed and is tried again; `hopeless`: it failed and is not tried again before it is
    changed."""
    since: datetime | None
    connected_to: str
    last_error: str
    """Why it last failed."""
    failed: datetime | None
    retry: datetime | None
    """When it is tried again."""
    failures: int
    faults: int
    """How many of these were faults of the program."""
    waiting_for: str
    """Why it takes no readings at this moment, though it is connected."""
    messages: int
    readings: int
    rejected: int
    """Readings that could not be kept."""
    refused: int
    """Messages of which nothing could be kept."""
    rate_per_s: float
    """Readings a second, mean of the last minute."""
    last_message: datetime | None
    last_rejected: str
    """Why the last reading or message was not kept."""
    lag_s: float | None
    """How far behind the other side it is, where that is known."""
    letters: int
    """Dead letters that wait."""
    letters_lost: int
    """Dead letters that newer ones took the place of."""


class SourceAnswer(msgspec.Struct, kw_only=True):
    """A connection that the server opens."""

    id: int
    site_id: int
    site: str
    device_id: int | None
    """The device whose readings it brings; null: of whatever device of the site."""
    device: str
    edge_id: int | None
    """The machine on site that runs it; null: the server."""
    name: str
    protocol: str
    title: str
    """What people call the protocol."""
    entrance: bool
    """Whether devices sign in there, at a door of this server; else the server opens a connection."""
    settings: dict[str, Any]
    """Without secrets."""
    secrets: list[str]
    """Which secrets are set."""
    past_days: float
    """How old a reading may be; 0: any age."""
    rate: float
    """Readings a second that it may bring; 0: what the server allows."""
    enabled: bool
    created: datetime
    version: int
    new_points: int
    """Points that appeared through it and wait for adoption."""
    sight: SourceSight | None
    """How it is doing; null where this server does not run sources."""


def shown(
    rooms: Rooms, source: Source, sight: Sight | None, names: tuple[str, str] = ("", ""), new_points: int = 0
) -> SourceAnswer:
    """A source as it is answered; ``names`` are those of its site and device."""
    plain = (
        "id",
        "site_id",
        "device_id",
        "edge_id",
        "name",
        "protocol",
        "settings",
        "past_days",
        "rate",
        "enabled",
        "created",
    )
    told = {name: getattr(source, name) for name in (*plain, "version")}
    table = rooms.opened.table if rooms.opened else ()
    protocol = next((one for one in table if one.name == source.protocol), None)
    return SourceAnswer(
        **told, site=names[0], device=names[1], title=protocol.title if protocol else source.protocol,
        entrance=protocol is not None and protocol.entrance, secrets=list(source.secrets),
        new_points=new_points, sight=_sight(source, sight) if rooms.opened is not None else None,
    )  # fmt: skip


def opened(rooms: Rooms) -> Sources:
    """Whoever runs the sources; raises `Refused` with 503 in a process that runs none."""
    if rooms.opened is None:
        raise Refused(503, "sources are not run by this process; ask the one that receives readings", retry_after_s=60)
    return rooms.opened


def instant(time_us: int) -> datetime | None:
    """Microseconds since 1970 as an instant; 0 is none."""
    return datetime.fromtimestamp(time_us / 1e6, UTC) if time_us else None


def _sight(source: Source, sight: Sight | None) -> SourceSight:
    if sight is None:  # made a moment ago
        sight = Sight(state=State.CONNECTING if source.enabled else State.OFF, since_us=0)
    same = ("state", "connected_to", "last_error", "failures", "faults", "waiting_for", "messages", "readings")
    more = ("rejected", "refused", "rate_per_s", "last_rejected", "lag_s", "letters", "letters_lost")
    return SourceSight(
        **{name: getattr(sight, name) for name in (*same, *more)}, since=instant(sight.since_us),
        failed=instant(sight.failed_us), retry=instant(sight.retry_us), last_message=instant(sight.last_message_us),
    )  # fmt: skip
