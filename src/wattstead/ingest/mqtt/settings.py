"""MqttSettings: where a broker is, who we are there, and what is to be read; it connects nothing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wattstead.ingest.sources.broker import BrokerSettings, Text

FormatName = Literal["emoncms", "tasmota", "shelly", "statestream", "zigbee2mqtt", "sparkplug", "consumption"]
ALL_FORMATS: tuple[FormatName, ...] = (
    *("emoncms", "tasmota", "shelly", "statestream", "zigbee2mqtt", "sparkplug", "consumption"),
)


class TopicMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the free mapping: from a pattern of topics and paths in their JSON to a point."""

    topic: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            title="Topic",
            description="Pattern with + and #, or with names: meters/{site}/{meter}/power, meters/{rest...}",
        ),
    ]
    address: Annotated[
        str,
        Meta(
            max_length=200,
            title="Point",
            description="Name of the point, with the names of the pattern in braces; {*} is the key that * met; "
            "empty: the topic, and the path",
        ),
    ] = ""
    value: Annotated[
        str,
        Meta(
            max_length=200,
            title="Value",
            description="Path in the JSON: ENERGY.Power, phases[0].w, readings[*].value, *; empty: the payload itself",
        ),
    ] = ""
    time: Annotated[
        str, Meta(max_length=200, title="Time", description="Path of the time in the JSON; empty: when it is received")
    ] = ""
    time_format: Annotated[
        Literal["auto", "s", "ms", "us", "ns", "iso"],
        Meta(title="Form of the time", description="auto: ISO 8601, or seconds, ms, µs or ns by their size"),
    ] = "auto"
    unit: Annotated[str, Meta(max_length=20, title="Unit", description="Such as kWh; empty: none is said")] = ""
    factor: Annotated[float, Meta(title="Factor", description="What values are multiplied with")] = 1.0


class MqttSettings(BrokerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sets for one broker."""

    PORTS = (1883, 8883)

    client_id: Annotated[
        str,
        Meta(
            max_length=128,
            title="Client id",
            description="By which the broker keeps what comes while we are away; no two may have the same",
        ),
    ] = ""
    version: Annotated[
        Literal["5", "3.1.1"], Meta(title="MQTT version", description="3.1.1 is tried too where 5 is not spoken")
    ] = "5"
    qos: Annotated[
        Literal[0, 1], Meta(title="QoS", description="1: the broker sends again what is not yet on disk here")
    ] = 1
    group: Annotated[
        str,
        Meta(
            max_length=64,
            pattern="^[^/+#]*$",
            title="Shared group",
            description="Subscribe as a member of this group (MQTT 5); empty: alone, and retained messages come too",
        ),
    ] = ""
    keepalive_s: Annotated[
        int, Meta(ge=5, le=3600, title="Keep-alive", description="Seconds after which silence is noticed")
    ] = 30
    session_s: Annotated[
        int,
        Meta(
            ge=0, le=4_294_967_294, title="Session", description="Seconds for which the broker keeps messages (MQTT 5)"
        ),
    ] = 86_400
    formats: Annotated[tuple[FormatName, ...], Meta(title="Formats", description="Devices that are understood")] = (
        ALL_FORMATS
    )
    mappings: Annotated[
        tuple[TopicMapping, ...], Meta(title="Own mappings", description="Come before the formats")
    ] = ()
    emoncms_topic: Annotated[Text, Meta(title="EmonCMS topic", description="First level of its topics")] = "emon"
    tasmota_topic: Annotated[
        Text, Meta(title="Tasmota topic", description="As FullTopic of the devices, with tele for the prefix")
    ] = "tele/%topic%"
    tasmota_zone: Annotated[
        Text,
        Meta(
            title="Tasmota time zone",
            description="Of devices that send local times without one, such as Europe/Berlin; empty: when received",
        ),
    ] = ""
    statestream_topic: Annotated[
        Text, Meta(title="Home Assistant topic", description="Base topic of its state stream")
    ] = "homeassistant"
    zigbee2mqtt_topic: Annotated[Text, Meta(title="Zigbee2MQTT topic", description="Its base topic")] = "zigbee2mqtt"
    sparkplug_groups: Annotated[tuple[Text, ...], Meta(title="Sparkplug groups", description="Empty: all of them")] = ()
    device_rate: Annotated[
        float,
        Meta(gt=0, le=100_000, title="Messages a second of one device", description="More are refused, one by one"),
    ] = 100.0
