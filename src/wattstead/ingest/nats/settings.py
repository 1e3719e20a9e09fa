"""NatsSettings: where a NATS server is, what is read there and what it means; it connects nothing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wattstead.ingest.sources.broker import BrokerSettings, Text
from wattstead.ingest.sources.source_protocol import Alone, Secret


class SubjectMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a pattern of subjects and paths in their JSON to a point."""

    subject: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            title="Subject",
            description="Pattern with * and >, or with names: meters.{site}.{meter}.power, meters.{rest...}",
        ),
    ]
    address: Annotated[
        Text,
        Meta(
            title="Point",
            description="Name of the point, with the names of the pattern in braces; {*} is the key that * met; "
            "empty: the subject, and the path",
        ),
    ] = ""
    value: Annotated[
        Text,
        Meta(
            title="Value",
            description="Path in the JSON: power, phases[0].w, readings[*].value, *; empty: the payload itself",
        ),
    ] = ""
    time: Annotated[
        Text, Meta(title="Time", description="Path of the time in the JSON; empty: when it is received")
    ] = ""
    time_format: Annotated[
        Literal["auto", "s", "ms", "us", "ns", "iso"],
        Meta(title="Form of the time", description="auto: ISO 8601, or seconds, ms, µs or ns by their size"),
    ] = "auto"
    unit: Annotated[str, Meta(max_length=20, title="Unit", description="Such as kWh; empty: none is said")] = ""
    factor: Annotated[float, Meta(title="Factor", description="What values are multiplied with")] = 1.0


PLAYED = SubjectMapping(
    subject="device_consumption.{device}",
    address="device_consumption/{device}/power",
    value="measurement_value",
    time="timestamp",
    unit="kW",
)
"""What ``wattstead simulate device --to nats://…`` sends."""


class NatsSettings(BrokerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sets for one server."""

    PORTS = (4222, 4222)

    token: Annotated[Secret, Meta(title="Token", description="Instead of user and password, where one is used")] = ""
    stream: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^[^\s.*>/\\]*$",
            title="Stream",
            description="JetStream stream to read, so that nothing is lost meanwhile; empty: the subject as it is sent",
        ),
    ] = ""
    durable: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^[^\s.*>/\\]*$",
            title="Durable consumer",
            description="By which the stream knows how far we are; no two sources may have the same; "
            "empty: wattstead- and the number of the source",
        ),
    ] = ""
    group: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^\S*$",
            title="Queue group",
            description="Without a stream: members of a group share the messages; empty: alone",
        ),
    ] = ""
    mappings: Annotated[
        tuple[SubjectMapping, ...], Meta(min_length=1, title="Mappings", description="What is read, and what it means")
    ] = (PLAYED,)

    @property
    def where(self) -> str:
        """Host and port, for people."""
        host, port = self.at
        return f"{host}:{port}"


def durable_of(settings: NatsSettings, source_id: int) -> str:
    """The name of the consumer of a stream: another for each source, as one would acknowledge what only the other
    reads."""
    return settings.durable or f"wattstead-{source_id}"


def alone(settings: NatsSettings, source_id: int) -> Alone | None:
    """The consumer, where a stream is read."""
    if not settings.stream:
        return None
    return Alone("durable", durable_of(settings, source_id), f"stream {settings.stream} of {settings.where.lower()}")
