"""AmqpSettings: where a RabbitMQ is, which queue is read, and what its messages mean; it connects nothing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wattstead.ingest.sources.source_protocol import WHERE, Secret

Text = Annotated[str, Meta(max_length=200)]


class AmqpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sets for one queue."""

    host: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=253,
            title="Server",
            description="Name or address",
            extra_json_schema=WHERE,
        ),
    ]
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            title="Port",
            description="0: 5671 with TLS, else 5672",
            extra_json_schema=WHERE,
        ),
    ] = 0
    tls: Annotated[
        bool,
        Meta(
            title="TLS",
            description="Encrypt, and check the server's certificate",
            extra_json_schema=WHERE,
        ),
    ] = False
    ca: Annotated[
        str,
        Meta(
            title="Authority",
            description="PEM by which the server is known; empty: those of the system",
            extra_json_schema=WHERE,
        ),
    ] = ""
    certificate: Annotated[str, Meta(title="Client certificate", description="PEM, where the server asks for one")] = ""
    private_key: Annotated[Secret, Meta(title="Client key", description="PEM of its key")] = ""
    user: Annotated[Text, Meta(title="User", description="Name to sign in with")] = "guest"
    password: Annotated[Secret, Meta(title="Password", description="To that name")] = ""
    virtual_host: Annotated[Text, Meta(title="Virtual host", description="Part of the server that the queue is in")] = (
        "/"
    )
    queue: Annotated[
        str,
        Meta(min_length=1, max_length=200, title="Queue", description="Made, durable, where it does not exist"),
    ] = "device_consumption"
    meaning: Annotated[
        Literal["kw-mean", "kwh-per-reading"],
        Meta(
            title="What a value is",
            description="kw-mean: mean power since the last message, in kW; kwh-per-reading: energy since then, in kWh",
        ),
    ] = "kw-mean"
    device_field: Annotated[Text, Meta(min_length=1, title="Field of the device", description="Name in the JSON")] = (
        "device_id"
    )
    time_field: Annotated[
        Text, Meta(min_length=1, title="Field of the time", description="Unix seconds or milliseconds, or ISO 8601")
    ] = "timestamp"
    value_field: Annotated[Text, Meta(min_length=1, title="Field of the value", description="Name in the JSON")] = (
        "measurement_value"
    )
    prefix: Annotated[
        Text, Meta(title="First part of the points' names", description="Empty: the name of the queue")
    ] = ""
    prefetch: Annotated[
        int, Meta(ge=1, le=10_000, title="Prefetch", description="Messages that may be on their way to the disk")
    ] = 1_000
    heartbeat_s: Annotated[
        int, Meta(ge=2, le=600, title="Heartbeat", description="Seconds after which silence is noticed")
    ] = 20

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (5671 if self.tls else 5672)

    @property
    def dead_letters(self) -> str:
        """Name of the exchange, and of the queue behind it, to which refused messages go with the reason."""
        return f"{self.queue}.dead"
