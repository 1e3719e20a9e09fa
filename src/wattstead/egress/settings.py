"""EgressSettings: to which broker, under which topics, how often; it connects nothing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class EgressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker is told."""

    host: str
    port: int
    tls: bool = False
    authority: str = ""
    """File of certificates by which the broker is known; empty: those of the system."""
    user: str = ""
    password: str = ""
    installation: str
    """Tells one Wattstead from another at the same broker: part of client id and of Home Assistant's ids."""
    prefix: Annotated[str, Meta(pattern="^[^+#]+$")] = "wattstead"
    qos: Literal[0, 1] = 0
    retain: bool = True
    """Who subscribes later gets the last value at once."""
    discovery: bool = True
    discovery_prefix: str = "homeassistant"
    every_s: float = 10.0
    """At most one value of a point in so long: the last."""
