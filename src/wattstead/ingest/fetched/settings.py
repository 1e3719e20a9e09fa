"""What people set alike for every way in that is fetched."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from wattstead.ingest.sources.source_protocol import WHERE

Url = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=1_000,
        pattern=r"^https?://[^@\s/?#]+[^@\s]*$",
        title="Address",
        description="Of the server, beginning with https://",
        extra_json_schema=WHERE,
    ),
]
Every = Annotated[float, Meta(ge=60, le=86_400, title="Every", description="Seconds between two requests")]
Ca = Annotated[
    str,
    Meta(
        title="Authority",
        description="PEM by which the server is known; empty: those of the system",
        extra_json_schema=WHERE,
    ),
]
Prefix = Annotated[str, Meta(max_length=100, title="Prefix", description="What the addresses of its points begin with")]
