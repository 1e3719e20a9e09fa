"""Tasmota: what ``tele/<device>/SENSOR`` and ``STATE`` say.

``Time`` is the device's local time. With a zone in it (SetOption52 1) it is used; without one it is read in the zone of
the settings, of the two instants of a repeated hour the one nearer to receiving; without that either, the reading
gets the time of receiving, since a guess would be an hour wrong for half of the year.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered, leaves
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.mqtt.formats.format_row import Format, Topic, json_object
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.mqtt.topics import TopicPattern
from wattstead.ingest.sources.source_protocol import Unreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = ("SENSOR", "STATE")
_OF_STATE = ("POWER", "Vcc", "Wifi/RSSI", "Wifi/Signal", "UptimeSec")
"""What of STATE is kept: switches, supply, radio; not memory and load."""
_UNITS = {
    "Power": "W",
    "ApparentPower": "VA",
    "ReactivePower": "var",
    "Voltage": "V",
    "Current": "A",
    "Frequency": "Hz",
    "Total": "kWh",
    "Today": "kWh",
    "Yesterday": "kWh",
    "ExportActive": "kWh",
    "ImportActive": "kWh",
    "Period": "Wh",
    "Humidity": "%",
    "Signal": "dBm",
}
_IDENTIFIERS = frozenset(
    {
        "id",
        "address",
        "addr",
        "serial",
        "serialnumber",
        "serialno",
        "mac",
        "uid",
        "meterid",
        "serverid",
        "devicename",
        "alias",
    }
)
"""What says which sensor it is, in lower case and without underscores: its digits are no reading."""
_DEGREES = {"C": "°C", "F": "°F"}


@lru_cache(100)
def _patterns(full_topic: str) -> tuple[TopicPattern, ...]:
    if "%topic%" not in full_topic:
        raise ParameterInvalid("tasmota_topic", full_topic, "%topic% in it, such as tele/%topic%")
    plain = full_topic.replace("%prefix%", "tele").replace("%topic%", "{device}").strip("/")
    return tuple(TopicPattern(f"{plain}/{kind}") for kind in _KINDS)


def filters(settings: MqttSettings) -> Sequence[str]:
    """SENSOR and STATE of all devices."""
    return [pattern.filter for pattern in _patterns(settings.tasmota_topic)]


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """The telemetry of one device."""
    for kind, pattern in zip(_KINDS, _patterns(settings.tasmota_topic), strict=True):
        found = pattern.match(topic)
        if found is not None:
            device, zone = found["device"], _zone(settings.tasmota_zone)
            return Topic(f"tasmota/{device}", partial(_read, device, kind == "STATE", zone))
    return None


def _read(device: str, of_state: bool, zone: ZoneInfo | None, raw: bytes, received_us: int) -> Columns | Few:
    found = json_object(raw)
    gathered = Gathered(received_us)
    time_us = _instant(found.pop("Time", None), zone, received_us)
    degrees = _DEGREES.get(str(found.pop("TempUnit", "")), "")
    pressure = "hPa" if found.pop("PressureUnit", "") == "hPa" else ""
    for path, value in leaves(found):
        if of_state and not "/".join(path).startswith(_OF_STATE):
            continue
        name = _name(path)
        if name.endswith("Time") or name.lower().replace("_", "") in _IDENTIFIERS:  # since when a counter counts
            continue
        gathered.put(f"tasmota/{device}/{'/'.join(path)}", value, time_us, _unit(name, degrees, pressure))
    return gathered.columns()


def _name(path: tuple[str, ...]) -> str:
    """What a value is called, whichever of several it is."""
    return path[-2] if path[-1].isdecimal() and len(path) > 1 else path[-1]


def _unit(name: str, degrees: str, pressure: str) -> str:
    if name in ("Temperature", "DewPoint"):
        return degrees
    if name in ("Pressure", "SeaPressure"):
        return pressure
    return _UNITS.get(name, "")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterInvalid("tasmota_zone", name, "a zone such as Europe/Berlin") from None


def _instant(found: Any, zone: ZoneInfo | None, received_us: int) -> int | None:
    """Microseconds; None where the text leaves the instant open. Raises `Unreadable` for what is no time."""
    if found is None:
        return None
    try:
        local = datetime.fromisoformat(found)
        if local.tzinfo is not None:
            return (local - _EPOCH) // timedelta(microseconds=1)
        if zone is None:
            return None
        either = [(local.replace(tzinfo=zone, fold=fold) - _EPOCH) // timedelta(microseconds=1) for fold in (0, 1)]
    except (TypeError, ValueError, OverflowError):
        raise Unreadable(f"Time is {found!r:.60}; expected like 2024-05-01T12:00:00") from None
    return min(either, key=lambda time_us: abs(time_us - received_us))


TASMOTA = Format("tasmota", filters, claim)
