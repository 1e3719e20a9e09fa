"""Zigbee2MQTT: ``<base>/<device>`` with JSON; ``last_seen``, where the device list is set to send it, is the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered, leaves
from wattstead.ingest.decoding.instants import TimeInvalid, from_any
from wattstead.ingest.mqtt.formats.format_row import Format, Topic, json_value
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Unreadable

_NOT_OF_DEVICES = ("set", "get", "availability")
_NO_READINGS = ("update", "device", "color", "last_seen", "elapsed")
_UNITS = {
    "power": "W",
    "power_apparent": "VA",
    "power_reactive": "var",
    "energy": "kWh",
    "produced_energy": "kWh",
    "current": "A",
    "voltage": "V",
    "ac_frequency": "Hz",
    "temperature": "°C",
    "local_temperature": "°C",
    "device_temperature": "°C",
    "humidity": "%",
    "soil_moisture": "%",
    "battery": "%",
    "pressure": "hPa",
}


def filters(settings: MqttSettings) -> Sequence[str]:
    """All below the base: names of devices may hold slashes."""
    return (f"{settings.zigbee2mqtt_topic}/#",)


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """A device or a group; not the bridge, and not what is said to devices."""
    base = settings.zigbee2mqtt_topic + "/"
    device = topic.removeprefix(base)
    levels = device.split("/")
    if not topic.startswith(base) or not device or levels[0] == "bridge" or any(e in levels for e in _NOT_OF_DEVICES):
        return None
    return Topic(f"zigbee/{device}", lambda raw, now_us: _read(device, raw, now_us))


def _read(device: str, raw: bytes, received_us: int) -> Columns | Few:
    gathered = Gathered(received_us)
    found = json_value(raw) if raw.strip() else {}
    if not isinstance(found, dict):  # an attribute alone, where the device is set to send them so
        if isinstance(found, list):
            raise Unreadable("payload is a list; expected an object, or one value")
        gathered.put(f"zigbee/{device}", found)
        return gathered.columns()
    time_us = _instant(found.get("last_seen"))
    on_battery = "battery" in found
    for path, value in leaves(found):
        if path[0] in _NO_READINGS:
            continue
        unit = "mV" if on_battery and path[-1] == "voltage" else _unit(path[-1])
        gathered.put(f"zigbee/{device}/{'/'.join(path)}", value, time_us, unit)
    return gathered.columns()


def _unit(name: str) -> str:
    plain = name
    for end in ("_l1", "_l2", "_l3", "_phase_b", "_phase_c", "_a", "_b", "_c"):
        plain = plain.removesuffix(end)
    return _UNITS.get(plain, "")


def _instant(found: Any) -> int | None:
    """ISO 8601 with a zone, or milliseconds; None where there is none. Raises `Unreadable`."""
    try:
        return None if found is None else from_any(found, "ms")
    except TimeInvalid as fault:
        raise Unreadable(f"last_seen: {fault}") from None


ZIGBEE2MQTT = Format("zigbee2mqtt", filters, claim)
