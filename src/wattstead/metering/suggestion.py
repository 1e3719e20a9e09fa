"""What a point that appeared by itself probably is, from its name and unit; a proposal, adopted by a person."""

from __future__ import annotations

import re

import msgspec

from wattstead.metering.quantity import ALIASES, UNITS, Direction, Kind, Quantity, Role, unit


class Suggestion(msgspec.Struct, frozen=True):
    """What to propose to the person who adopts the point."""

    quantity: Quantity
    kind: Kind
    direction: Direction
    unit: str
    role: Role


_E = Quantity.ELECTRICITY
_G, _R = Kind.GAUGE, Kind.REGISTER

_MEASURES: list[tuple[str, Quantity, Kind, str]] = [
    ("kwh", _E, _R, "kWh"),
    ("mwh", _E, _R, "MWh"),
    ("wh energy", _E, _R, "Wh"),
    ("blink blinks", _E, Kind.DELTA, "pulse"),
    ("pulse pulses pulsecount impulse impulses", _E, _R, "pulse"),
    ("gas", Quantity.GAS, _R, "m³"),
    ("water", Quantity.WATER, _R, "m³"),
    ("temp temps temperature degc celsius external_temperature outside indoor", Quantity.TEMPERATURE, _G, "°C"),
    ("hum humidity rh", Quantity.HUMIDITY, _G, "%"),
    ("soc charge_level", Quantity.CHARGE_LEVEL, _G, "%"),
    ("volt volts voltage vrms v", Quantity.VOLTAGE, _G, "V"),
    ("current amp amps irms a", Quantity.CURRENT, _G, "A"),
    ("freq frequency hz", Quantity.FREQUENCY, _G, "Hz"),
    ("pf powerfactor cosphi", Quantity.POWER_FACTOR, _G, ""),
    ("rssi signal dbm", Quantity.SIGNAL, _G, "dBm"),
    ("irradiance ghi pyranometer", Quantity.IRRADIANCE, _G, "W/m²"),
    ("wind windspeed", Quantity.WIND, _G, "m/s"),
    ("cloud clouds cloud_cover", Quantity.CLOUD, _G, "%"),
    ("rain snow precipitation showers snowfall", Quantity.PRECIPITATION, Kind.DELTA, "mm"),
    ("pressure barometer hpa", Quantity.PRESSURE, _G, "hPa"),
    ("price tariff", Quantity.PRICE, _G, ""),
    ("co2 carbon intensity", Quantity.CARBON_INTENSITY, _G, ""),
    ("state status mode", Quantity.STATE, Kind.STATE, ""),
    ("kw", _E, _G, "kW"),
    ("power watt watts w p load demand", _E, _G, "W"),
]
"""Words that say what is measured, the surest first."""

_ROLES: list[tuple[str, Role]] = [
    ("export exported feedin surplus", Role.EXPORT),
    ("solar pv inverter generation generated gen production", Role.SOLAR),
    ("battery batt bat", Role.BATTERY),
    ("ev car evse openevse charger wallbox zappi", Role.EV),
    ("heatpump hp fridge freezer washer washing dryer dishwasher oven hob cooker kettle boiler immersion tv "
     "microwave lights lighting aircon ac pump pool computer router", Role.APPLIANCE),
    ("grid mains import imported meter", Role.GRID),
    ("home house use usage consumption consumed total load", Role.HOME),
]  # fmt: skip
"""Words that say which part of a home it is, the most telling first."""

_ROLE_MEANS_POWER = frozenset({Role.SOLAR, Role.GRID, Role.HOME, Role.EXPORT})
_BY_UNIT: dict[str, tuple[Quantity, Kind]] = {
    "W": (_E, _G),
    "VA": (_E, _G),
    "var": (_E, _G),
    "Wh": (_E, _R),
    "V": (Quantity.VOLTAGE, _G),
    "A": (Quantity.CURRENT, _G),
    "Hz": (Quantity.FREQUENCY, _G),
    "°C": (Quantity.TEMPERATURE, _G),
    "W/m²": (Quantity.IRRADIANCE, _G),
    "m/s": (Quantity.WIND, _G),
    "Pa": (Quantity.PRESSURE, _G),
    "dBm": (Quantity.SIGNAL, _G),
    "s": (Quantity.UNKNOWN, _G),
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|co2", re.UNICODE)


def suggestion(name: str, hint: str = "") -> Suggestion | None:
    """Propose what a point is; ``hint`` is the unit that its sender gave; None when nothing points anywhere.

    >>> suggestion("solar_kwh").kind, suggestion("solar_kwh").role
    (<Kind.REGISTER: 'register'>, <Role.SOLAR: 'solar'>)
    >>> suggestion("x17") is None
    True
    """
    words = _words(name)
    role = next((role for listed, role in _ROLES if words & set(listed.split())), Role.NONE)
    symbol = ALIASES.get(hint, hint)
    if symbol and symbol in UNITS:
        measure = _by_unit(symbol, words)
    else:
        measure = _by_words(words) or ((_E, _G, "W") if role in _ROLE_MEANS_POWER else None)
    if measure is None:
        return None
    quantity, kind, unit_symbol = measure
    if quantity is _E and "pump" not in words:
        quantity = Quantity.HEAT if "heat" in words else Quantity.COLD if "cooling" in words else _E
    if kind is _R and "interval" in words:
        kind = Kind.DELTA
    if kind is _G and "mean" in words and unit(unit_symbol).base == "W":
        kind = Kind.MEAN
    electric = quantity is _E
    return Suggestion(quantity, kind, _direction(words, role, kind) if electric else Direction.NONE, unit_symbol,
                      role if electric or quantity is Quantity.CHARGE_LEVEL else Role.NONE)  # fmt: skip


def _by_words(words: set[str]) -> tuple[Quantity, Kind, str] | None:
    for listed, quantity, kind, symbol in _MEASURES:
        if words & set(listed.split()):
            return quantity, kind, symbol
    return None


def _by_unit(symbol: str, words: set[str]) -> tuple[Quantity, Kind, str] | None:
    if unit(symbol).base.endswith("/kWh"):
        return Quantity.PRICE, _G, symbol
    known = _BY_UNIT.get(unit(symbol).base)
    if known:
        return *known, symbol
    named = _by_words(words)
    if symbol == "%":
        level = named[0] if named and named[2] == "%" else None
        return (level, _G, "%") if level else None
    fits = named is not None and unit(named[2]).base == unit(symbol).base
    return (named[0], named[1], symbol) if named and fits else None


def _direction(words: set[str], role: Role, kind: Kind) -> Direction:
    if role is Role.EXPORT:
        return Direction.EXPORT
    if words & {"import", "imported"} or (role is Role.GRID and kind is Kind.REGISTER):
        return Direction.IMPORT
    return Direction.NET if role is Role.GRID and kind in (_G, Kind.MEAN) else Direction.NONE


def _words(name: str) -> set[str]:
    spelled = {word.lower() for word in _WORD.findall(name) if len(word) > 1 or word.isupper()}  # V, not v
    return spelled | ({"co2"} if "co2" in name.lower() else set())
