"""MQTT in the table of sources."""

from __future__ import annotations

from wattstead.ingest.mqtt.decode import check, decode
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.source_protocol import SourceProtocol

MQTT = SourceProtocol(
    "mqtt",
    "docs/mqtt.md",
    "MQTT",
    MqttSettings,
    decode,
    Late("wattstead.ingest.mqtt.run", "run"),
    Late("wattstead.ingest.mqtt.look", "look"),
    check=check,
)
