"""Sources: what is known of a connection, and what whoever opens it needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from wattstead.registry.records.keys import KeyGrant


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A way in that the server opens itself; never the secrets it needs, only their names."""

    id: int
    site_id: int
    device_id: int | None
    """The device whose readings it brings; None: the site's, of whatever device."""
    edge_id: int | None = None
    """The machine on site that runs it; None: the server."""
    key_id: int
    """Its own write key, whose secret nobody knows."""
    name: str
    protocol: str
    settings: dict[str, Any]
    secrets: tuple[str, ...]
    """Which secrets are set."""
    past_days: float
    """How old a reading may be; 0: any age."""
    rate: float
    """Readings a second it may bring; 0: what the server allows."""
    enabled: bool
    created: datetime
    version: int


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """A source as whoever runs it learns of it."""

    source: Source
    secrets: Mapping[str, str]
    grant: KeyGrant | None
    """What its key allows; None: its site or organization is closed."""
    fault: str = ""
    """Why it cannot be run."""

    def __repr__(self) -> str:
        """Without the secrets: a repr ends in logs."""
        return f"SourceState({self.source.id})"
