"""What Home Assistant learns of a point by MQTT discovery, so that it appears there by itself; pure.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

from typing import Any

from wattstead import __version__
from wattstead.egress.published import PublishedPoint, topic_of
from wattstead.metering.quantity import Kind, Quantity, UnitError, unit

_BY_BASE = {
    "W": "power",
    "VA": "apparent_power",
    "var": "reactive_power",
    "Wh": "energy",
    "V": "voltage",
    "A": "current",
    "Hz": "frequency",
    "°C": "temperature",
    "W/m²": "irradiance",
    "m³/h": "volume_flow_rate",
    "m/s": "wind_speed",
    "Pa": "pressure",
    "dBm": "signal_strength",
}
_BY_QUANTITY = {
    (Quantity.HUMIDITY, "%"): "humidity",
    (Quantity.CHARGE_LEVEL, "%"): "battery",
    (Quantity.GAS, "m³"): "gas",
    (Quantity.WATER, "m³"): "water",
    (Quantity.POWER_FACTOR, ""): "power_factor",
}
_SPELT = {"l": "L", "l/h": "L/h"}
_OF_AMOUNTS = ("energy", "gas", "water")
_ALLOWED = {
    "power": {"W", "kW", "MW"},
    "apparent_power": {"VA", "kVA"},
    "reactive_power": {"var", "kvar"},
    "energy": {"Wh", "kWh", "MWh", "J", "kJ", "MJ", "GJ"},
    "voltage": {"V", "mV", "kV"},
    "current": {"A", "mA"},
    "volume_flow_rate": {"m³/h"},
    "temperature": {"°C", "°F", "K"},
    "pressure": {"Pa", "hPa", "bar"},
    "wind_speed": {"m/s", "km/h"},
    "gas": {"m³", "L"},
    "water": {"m³", "L"},
}
"""Units that Home Assistant takes with a class; a class that is not here takes the one unit it has."""


def config_topic(point: PublishedPoint, discovery_prefix: str, installation: str) -> str:
    """Where the config of a point goes; an empty one there takes the point away again."""
    return f"{discovery_prefix}/sensor/wattstead_{installation}/point_{point.id}/config"


def all_configs(discovery_prefix: str, installation: str) -> str:
    """The filter that fits the configs of all points, and nothing of others."""
    return f"{discovery_prefix}/sensor/wattstead_{installation}/+/config"


def config_of(point: PublishedPoint, prefix: str, installation: str) -> dict[str, Any]:
    """The config of a point's sensor.

    >>> solar = PublishedPoint(id=7, site_id=1, site="Home", address="pv", label="Solar", unit="kW")
    >>> found = config_of(solar, "wattstead", "a1")
    >>> found["device_class"], found["state_class"], found["unit_of_measurement"], found["state_topic"]
    ('power', 'measurement', 'kW', 'wattstead/1/pv')
    """
    kind, symbol = device_class(point), _SPELT.get(point.unit, point.unit)
    found: dict[str, Any] = {
        "name": point.label,
        "unique_id": f"wattstead_{installation}_{point.id}",
        "object_id": f"wattstead_{point.site_id}_{point.id}",
        "state_topic": topic_of(point, prefix),
        "value_template": "{{ value_json.value }}",
        "json_attributes_topic": topic_of(point, prefix),
        "availability_topic": f"{prefix}/status",
        "device": {
            "identifiers": [f"wattstead_{installation}_site_{point.site_id}"],
            "name": point.site,
            "manufacturer": "Wattstead",
        },
        "origin": {"name": "Wattstead", "sw_version": __version__},
    }
    if symbol:
        found["unit_of_measurement"] = symbol
    if kind:
        found["device_class"] = kind
    meaning = state_class(point, kind)
    if meaning:
        found["state_class"] = meaning
    return found


def device_class(point: PublishedPoint) -> str:
    """The class that Home Assistant has for such; empty for none."""
    try:
        base = unit(point.unit).base
    except UnitError:
        return ""
    found = _BY_QUANTITY.get((point.quantity, base)) or (_BY_BASE.get(base, "") if base else "")
    symbol = _SPELT.get(point.unit, point.unit)
    return found if symbol in _ALLOWED.get(found, {symbol}) else ""


def state_class(point: PublishedPoint, kind: str) -> str:
    """How its values follow each other; empty where Home Assistant has no word: amounts per interval, codes."""
    if point.kind is Kind.REGISTER:
        return "total_increasing"
    if point.kind in (Kind.GAUGE, Kind.MEAN) and kind not in _OF_AMOUNTS and point.quantity is not Quantity.STATE:
        return "measurement"
    return ""
