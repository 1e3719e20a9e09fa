"""BrokerSettings: where a message broker is and who we are there, as all protocols of brokers ask it."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from wattstead.ingest.sources.source_protocol import WHERE, Secret, only

Text = Annotated[str, Meta(max_length=200)]


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What settings of a protocol of brokers begin with."""

    PORTS: ClassVar[tuple[int, int]]
    """The usual ports, without TLS and with it."""

    host: Annotated[
        str,
        Meta(min_length=1, max_length=253, title="Broker", description="Name or address", extra_json_schema=WHERE),
    ]
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            title="Port",
            description="0: the usual one of the protocol, without TLS or with it",
            extra_json_schema=WHERE,
        ),
    ] = 0
    tls: Annotated[
        bool, Meta(title="TLS", description="Encrypt, and check the broker's certificate", extra_json_schema=WHERE)
    ] = False
    ca: Annotated[
        str,
        Meta(
            title="Authority",
            description="PEM by which the broker is known; empty: those of the system",
            extra_json_schema=WHERE | only(tls=True),
        ),
    ] = ""
    certificate: Annotated[
        str,
        Meta(
            title="Client certificate",
            description="PEM, where the broker asks for one",
            extra_json_schema=only(tls=True),
        ),
    ] = ""
    private_key: Annotated[
        Secret, Meta(title="Client key", description="PEM of its key", extra_json_schema=only(tls=True))
    ] = ""
    user: Annotated[Text, Meta(title="User", description="Name to sign in with; empty: without")] = ""
    password: Annotated[Secret, Meta(title="Password", description="To that name")] = ""

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or self.PORTS[self.tls]
