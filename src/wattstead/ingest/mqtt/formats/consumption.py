"""Consumption of a device as it is sent to RabbitMQ and NATS too: ``device_consumption/<device>`` with kW and seconds.

``{"device_id": "m1", "timestamp": 1700000000, "measurement_value": 1.52}``; ``wattstead simulate device`` says it.
"""

from __future__ import annotations

from collections.abc import Sequence

from wattstead.ingest.mqtt.formats.format_row import Format, Topic
from wattstead.ingest.mqtt.formats.mapping import CompiledMapping
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping

_ROW = CompiledMapping(
    TopicMapping(
        topic="device_consumption/{device}",
        address="device_consumption/{device}/power",
        value="measurement_value",
        time="timestamp",
        unit="kW",
    )
)


def filters(settings: MqttSettings) -> Sequence[str]:
    """Every device."""
    return (_ROW.pattern.filter,)


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """A device."""
    return _ROW.claim(topic)


CONSUMPTION = Format("consumption", filters, claim)
