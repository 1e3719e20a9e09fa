"""AmqpSettings: where a RabbitMQ is, which queue is read, and what its messages mean; it connects nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from wattstead.ingest.sources.broker import BrokerSettings, Text


class AmqpSettings(BrokerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sets for one queue."""

    PORTS = (5672, 5671)

    user: Annotated[Text, Meta(title="User", description="Name to sign in with")] = "guest"
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
    def dead_letters(self) -> str:
        """Name of the exchange, and of the queue behind it, to which refused messages go with the reason."""
        return f"{self.queue}.dead"
