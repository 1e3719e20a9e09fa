"""MQTT in the table of sources."""

from __future__ import annotations

from wattstead.ingest.mqtt.decode import decode
from wattstead.ingest.mqtt.look import look
from wattstead.ingest.mqtt.run import run
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import SourceProtocol

MQTT = SourceProtocol("mqtt", "docs/mqtt.md", "MQTT", MqttSettings, decode, run, look)
