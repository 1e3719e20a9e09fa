"""MbusSettings: where the bus is and which meters are on it; it opens nothing."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.sources.wire import Baud, Where


class MbusMeter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One meter."""

    address: Annotated[
        str,
        Meta(
            pattern="^(25[0-4]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]|[0-9]{8}|[0-9]{8}[0-9A-Fa-f]{8})$",
            title="Address",
            description="Primary, 0 to 250 (254: the only one), or secondary: the 8 digits on the meter, or all 16",
        ),
    ]
    prefix: Annotated[
        str,
        Meta(max_length=100, title="Prefix", description="Begins the addresses of its points; empty: by its number"),
    ] = ""


class MbusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bus."""

    port: Where
    baud: Baud = 2_400
    meters: Annotated[
        tuple[MbusMeter, ...], Meta(max_length=250, title="Meters", description="Look around to find them")
    ] = ()
    every_s: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            title="Every",
            description="Seconds between two readings; a meter on battery may be read some times a day only",
        ),
    ] = 900.0
    timeout_s: Annotated[
        float, Meta(ge=0.05, le=10, title="Time-out", description="Seconds until an answer begins")
    ] = 0.6
    retries: Annotated[int, Meta(ge=0, le=10, title="Retries", description="Of a question that no answer came to")] = 2
    prefix: Annotated[
        str, Meta(max_length=100, title="Prefix", description="What the addresses of its points begin with")
    ] = "mbus/"


def check(settings: MbusSettings) -> None:
    """Raise `ParameterInvalid` where no meter is named."""
    if not settings.meters:
        raise ParameterInvalid("meters", "", "a meter by its address; look around to find those on the bus")
