"""Messages with texts that are not UTF-8 are unreadable, and dead letters: none may come back for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wattstead.ingest.amqp import decode as amqp
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.fetched import octopus, openmeteo
from wattstead.ingest.fetched.octopus import OctopusSettings
from wattstead.ingest.fetched.openmeteo import OpenMeteoSettings
from wattstead.ingest.mqtt import decode as mqtt
from wattstead.ingest.mqtt import flat
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit

MQTT = MqttSettings(host="localhost", mappings=(TopicMapping(topic="a/b", value="v"), TopicMapping(topic="a/c")))
ODD = b'{"device_id":"\xff","timestamp":1700000000,"measurement_value":1.5}'


@pytest.mark.parametrize(
    ("decode", "settings", "where", "raw"),
    [
        (amqp.decode, AmqpSettings(host="localhost"), "device_consumption", ODD),
        (mqtt.decode, MQTT, "device_consumption/m1", ODD),
        (mqtt.decode, MQTT, "a/b", b'{"v":1,"\xff":2}'),
        (mqtt.decode, MQTT, "emon/a", b'{"\xff":1}'),
        (mqtt.decode, MQTT, "emon/a/b", b'"\xff"'),
        (mqtt.decode, MQTT, "tele/a/SENSOR", b'{"Time":"\xff","X":1}'),
        (mqtt.decode, MQTT, "a/c", b'"\xff"'),
        (openmeteo.decode, OpenMeteoSettings(latitude=52.52, longitude=13.41), "", b'{"reason":"\xff","error":true}'),
        (octopus.decode, OctopusSettings(product="AGILE-24-10-01", region="C"), "", b'{"results":[{"x":"\xff"}]}'),
    ],
)
def test_it_is_unreadable(decode: Callable[[Message, Any], object], settings: Any, where: str, raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(Message(raw, where, 1_700_000_000_000_000), settings)


@pytest.mark.parametrize("count", [1, 40])
def test_among_many_it_costs_itself_alone(count: int) -> None:
    assert flat._objects([b'{"a":1}'] * count + [b'{"\xff":1}']) == [{"a": 1.0}] * count + [{}]
    assert flat._alone([b"1"] * count + [b'"\xff"']) == [{None: 1.0}] * count + [{}]
