"""What a Sparkplug B payload says whose metrics have their names; a birth and a death say online 1 and 0.

Pure: aliases get their names in `wattstead.ingest.mqtt.sparkplug.nodes`, before the payload comes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.mqtt.formats.format_row import Format, Topic
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.mqtt.sparkplug.payload import is_ambiguous, number_of, payload_of, unit_of
from wattstead.ingest.mqtt.sparkplug.topic import BIRTHS, DEATHS, NAMESPACE, SparkplugTopic, sparkplug_topic
from wattstead.metering.quantity import ALIASES, UNITS

_NO_READINGS = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Properties/")


def filters(settings: MqttSettings) -> Sequence[str]:
    """All groups, or those of the settings."""
    return [f"{NAMESPACE}/{group}/#" for group in settings.sparkplug_groups or ("+",)]


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """Births, deaths and data; not commands and not the state of hosts."""
    found = sparkplug_topic(topic)
    if found is None or (settings.sparkplug_groups and found.group not in settings.sparkplug_groups):
        return None
    return Topic(f"sparkplug/{found.group}/{found.node}", lambda raw, now_us: _read(found, raw, now_us))


def _read(topic: SparkplugTopic, raw: bytes, received_us: int) -> Columns | Few:
    payload = payload_of(raw)
    gathered = Gathered(received_us)
    sent_us = payload.timestamp * 1000 if payload.HasField("timestamp") else None
    if topic.kind in BIRTHS or topic.kind in DEATHS:
        # a node's death was written when it connected, before its birth: of nodes both count when they are heard
        heard_us = None if topic.kind in ("NBIRTH", "NDEATH") else _in_range(sent_us)
        gathered.put(f"{topic.prefix}/online", topic.kind in BIRTHS, heard_us)
    if topic.kind in DEATHS:
        return gathered.columns()
    for metric in payload.metrics:
        name = metric.name
        if not name:
            gathered.rejected.add(f"alias {metric.alias}", "has no name: no birth certificate told it")
        elif is_ambiguous(metric):
            gathered.rejected.add(name[:80], "may be negative or large: no birth certificate told its type")
        elif not name.startswith(_NO_READINGS):
            time_us = metric.timestamp * 1000 if metric.HasField("timestamp") else sent_us
            gathered.put(f"{topic.prefix}/{name}", number_of(metric), _in_range(time_us), _unit(metric))
    return gathered.columns()


def _in_range(time_us: int | None) -> int | None:
    """A timestamp that no column holds stays one that no window of time takes."""
    return None if time_us is None else min(time_us, 2**62)


def _unit(metric: Any) -> str:
    found = unit_of(metric)
    return ALIASES.get(found, found) if found in UNITS or found in ALIASES else ""


SPARKPLUG = Format("sparkplug", filters, claim)
