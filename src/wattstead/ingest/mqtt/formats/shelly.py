"""Shelly: first generation (``shellies/<id>/…``, a number a topic), second and later (``<id>/status/…``, JSON).

Energy of the first generation is in watt-minutes and becomes Wh. A change that a newer device sends twice, as status
and as notification, is read twice, once with its own time: switch one of them off in the device.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered, leaves
from wattstead.ingest.decoding.instants import TimeInvalid, from_any
from wattstead.ingest.mqtt.formats.format_row import Format, Topic, json_object, text_of
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Unreadable

_FIRST = "shellies/"
_NO_READINGS = ("announce", "info", "command", "online", "settings", "input_event", "color")
_COMPONENT = re.compile(r"[a-z0-9_]+:\d+")
_GEN1: dict[str, tuple[str, float]] = {
    "power": ("W", 1.0),
    "energy": ("Wh", 1 / 60),
    "returned_energy": ("Wh", 1 / 60),
    "total": ("Wh", 1.0),
    "total_returned": ("Wh", 1.0),
    "reactive_power": ("var", 1.0),
    "voltage": ("V", 1.0),
    "current": ("A", 1.0),
    "temperature": ("°C", 1.0),
    "temperature_f": ("°F", 1.0),
    "humidity": ("%", 1.0),
    "battery": ("%", 1.0),
}
_GEN2 = (
    (re.compile(r"(.*_)?(act_power|apower)"), "W"),
    (re.compile(r"(.*_)?(aprt_power)"), "VA"),
    (re.compile(r"(.*_)?voltage"), "V"),
    (re.compile(r"(.*_)?current"), "A"),
    (re.compile(r"(.*_)?freq"), "Hz"),
    (re.compile(r"(.*_)?(act_energy|act_ret_energy|total_act|total_act_ret)"), "Wh"),
    (re.compile(r"tC"), "°C"),
    (re.compile(r"tF"), "°F"),
    (re.compile(r"rh|percent"), "%"),
)
_COUNTERS = ("aenergy", "ret_aenergy")


def filters(settings: MqttSettings) -> Sequence[str]:
    """Both generations."""
    return (f"{_FIRST}#", "+/status/+", "+/events/rpc")


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """A value of the first generation, a component or the notifications of a newer device."""
    levels = topic.split("/")
    if topic.startswith(_FIRST):
        if len(levels) < 3 or levels[2] in _NO_READINGS or levels[-1] in ("command", "set"):
            return None
        device, path = levels[1], levels[2:]
        return Topic(f"shelly/{device}", lambda raw, now_us: _read_number(device, path, raw, now_us))
    if len(levels) != 3:
        return None
    device = levels[0]
    if levels[1] == "status" and _COMPONENT.fullmatch(levels[2]):
        part = levels[2]
        return Topic(f"shelly/{device}", lambda raw, now_us: _read_component(device, part, raw, now_us))
    if levels[1:] == ["events", "rpc"]:
        return Topic(f"shelly/{device}", lambda raw, now_us: _read_notification(device, raw, now_us))
    return None


def _read_number(device: str, path: Sequence[str], raw: bytes, received_us: int) -> Columns | Few:
    unit, factor = _GEN1.get(path[-1], ("", 1.0))
    gathered = Gathered(received_us)
    gathered.put(f"shelly/{device}/{'/'.join(path)}", text_of(raw), None, unit, factor)
    return gathered.columns()


def _read_component(device: str, part: str, raw: bytes, received_us: int) -> Columns | Few:
    gathered = Gathered(received_us)
    _gather(gathered, device, part, json_object(raw), None)
    return gathered.columns()


def _read_notification(device: str, raw: bytes, received_us: int) -> Columns | Few:
    found = json_object(raw)
    gathered = Gathered(received_us)
    if found.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
        return gathered.columns()
    params = found.get("params")
    if not isinstance(params, dict):
        raise Unreadable(f"params is {type(params).__name__}; expected an object with ts and components")
    try:
        time_us = None if params.get("ts") is None else from_any(params["ts"])
    except TimeInvalid as fault:
        raise Unreadable(f"params.ts: {fault}") from None
    for part, status in params.items():
        if _COMPONENT.fullmatch(part) and isinstance(status, dict):
            _gather(gathered, device, part, status, time_us)
    return gathered.columns()


def _gather(gathered: Gathered, device: str, part: str, status: dict[str, Any], time_us: int | None) -> None:
    for path, value in leaves(status):
        if path == ("id",) or path[-1] == "minute_ts" or "by_minute" in path or "errors" in path:
            continue
        gathered.put(f"shelly/{device}/{part}/{'/'.join(path)}", value, time_us, _unit(path))


def _unit(path: tuple[str, ...]) -> str:
    if path[0] in _COUNTERS:
        return "Wh"
    return next((unit for name, unit in _GEN2 if name.fullmatch(path[-1])), "")


SHELLY = Format("shelly", filters, claim)
