"""What is measured and in which unit: the tables of quantities, units, directions, kinds and qualities.

Unit conversion lives here and nowhere else. A new unit is a row of ``UNITS``.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from wattstead.metering.errors import WattsteadError


class Quantity(StrEnum):
    """What a point measures."""

    UNKNOWN = "unknown"
    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    COLD = "cold"
    WATER = "water"
    STEAM = "steam"
    COMPRESSED_AIR = "compressed_air"
    OIL = "oil"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    IRRADIANCE = "irradiance"
    WIND = "wind"
    CLOUD = "cloud"
    PRECIPITATION = "precipitation"
    PRESSURE = "pressure"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    POWER_FACTOR = "power_factor"
    CHARGE_LEVEL = "charge_level"
    STATE = "state"
    PRICE = "price"
    CARBON_INTENSITY = "carbon_intensity"
    SIGNAL = "signal"


class Direction(StrEnum):
    """Seen from the site; energy is never negative. NET is signed power, import positive."""

    NONE = "none"
    IMPORT = "import"
    EXPORT = "export"
    NET = "net"


class Kind(StrEnum):
    """How consecutive readings of a point relate."""

    GAUGE = "gauge"
    """An instantaneous level: power, temperature."""
    REGISTER = "register"
    """A cumulative counter."""
    DELTA = "delta"
    """An amount per interval, labelled by the interval's start; pulses."""
    MEAN = "mean"
    """A mean over the time since the reading before, such as mean power."""
    STATE = "state"
    """A code: inverter status."""


class Role(StrEnum):
    """Which part of a home a point stands for; decides its colour and its sign on a picture."""

    NONE = "none"
    HOME = "home"
    GRID = "grid"
    EXPORT = "export"
    SOLAR = "solar"
    BATTERY = "battery"
    EV = "ev"
    APPLIANCE = "appliance"


class Quality(IntEnum):
    """How far a reading is trusted; stored with each reading."""

    RAW = 0
    VALID = 1
    ESTIMATED = 2
    EDITED = 3
    SUSPECT = 4
    MISSING = 5


class UnitError(WattsteadError):
    """A unit that is not in the table, or one that cannot be converted into the other."""


class Unit(msgspec.Struct, frozen=True):
    """One unit: ``base value = value * factor + offset`` in the SI base unit named by ``base``."""

    symbol: str
    base: str
    factor: float
    offset: float = 0.0


CURRENCIES: tuple[str, ...] = (
    "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "UAH", "USD", "CAD", "AUD",
)  # fmt: skip
"""Currencies that prices of energy are told in; one is not converted into another."""

_PER = (("kWh", 1.0), ("MWh", 1e-3))


def _rows() -> dict[str, Unit]:
    rows = [
        ("", "", 1.0, 0.0),
        ("1", "", 1.0, 0.0),
        ("%", "%", 1.0, 0.0),
        ("W", "W", 1.0, 0.0),
        ("kW", "W", 1e3, 0.0),
        ("MW", "W", 1e6, 0.0),
        ("VA", "VA", 1.0, 0.0),
        ("kVA", "VA", 1e3, 0.0),
        ("var", "var", 1.0, 0.0),
        ("kvar", "var", 1e3, 0.0),
        ("Wh", "Wh", 1.0, 0.0),
        ("kWh", "Wh", 1e3, 0.0),
        ("MWh", "Wh", 1e6, 0.0),
        ("J", "Wh", 1 / 3600, 0.0),
        ("kJ", "Wh", 1e3 / 3600, 0.0),
        ("MJ", "Wh", 1e6 / 3600, 0.0),
        ("GJ", "Wh", 1e9 / 3600, 0.0),
        ("BTU", "Wh", 1055.05585262 / 3600, 0.0),
        ("therm", "Wh", 105.4804e6 / 3600, 0.0),
        ("pulse", "pulse", 1.0, 0.0),
        ("V", "V", 1.0, 0.0),
        ("mV", "V", 1e-3, 0.0),
        ("kV", "V", 1e3, 0.0),
        ("A", "A", 1.0, 0.0),
        ("mA", "A", 1e-3, 0.0),
        ("Hz", "Hz", 1.0, 0.0),
        ("°C", "°C", 1.0, 0.0),
        ("K", "°C", 1.0, -273.15),
        ("°F", "°C", 5 / 9, -160 / 9),
        ("W/m²", "W/m²", 1.0, 0.0),
        ("m³", "m³", 1.0, 0.0),
        ("l", "m³", 1e-3, 0.0),
        ("ft³", "m³", 0.3048**3, 0.0),
        ("gal", "m³", 0.003785411784, 0.0),
        ("m³/h", "m³/h", 1.0, 0.0),
        ("l/h", "m³/h", 1e-3, 0.0),
        ("m/s", "m/s", 1.0, 0.0),
        ("km/h", "m/s", 1 / 3.6, 0.0),
        ("mph", "m/s", 0.44704, 0.0),
        ("kn", "m/s", 1852 / 3600, 0.0),
        ("°", "°", 1.0, 0.0),
        ("mm", "mm", 1.0, 0.0),
        ("cm", "mm", 10.0, 0.0),
        ("inch", "mm", 25.4, 0.0),
        ("Pa", "Pa", 1.0, 0.0),
        ("hPa", "Pa", 1e2, 0.0),
        ("bar", "Pa", 1e5, 0.0),
        ("dBm", "dBm", 1.0, 0.0),
        ("s", "s", 1.0, 0.0),
        ("ms", "s", 1e-3, 0.0),
        *((f"{one}/{per}", f"{one}/kWh", factor, 0.0) for one in CURRENCIES for per, factor in _PER),
        ("ct/kWh", "EUR/kWh", 1e-2, 0.0),
        ("p/kWh", "GBP/kWh", 1e-2, 0.0),
    ]
    return {symbol: Unit(symbol, base, factor, offset) for symbol, base, factor, offset in rows}


UNITS: dict[str, Unit] = _rows()
"""Every unit that may be named, by symbol."""

ALIASES: dict[str, str] = {"C": "°C", "degC": "°C", "F": "°F", "degF": "°F", "m3": "m³", "W/m2": "W/m²", "L": "l"}


def unit(symbol: str) -> Unit:
    """The unit of that symbol.

    Raises `UnitError` naming the symbol when the table has none.

    >>> unit("kW").factor
    1000.0
    """
    found = UNITS.get(ALIASES.get(symbol, symbol))
    if found is None:
        raise UnitError(f"unit {symbol!r} is not known; known are {', '.join(s for s in UNITS if s)}")
    return found


def conversion(source: str, target: str) -> tuple[float, float]:
    """Factor and offset that turn a number in ``source`` into one in ``target``.

    Raises `UnitError` when the two measure different things.

    >>> conversion("kW", "W")
    (1000.0, 0.0)
    """
    a, b = unit(source), unit(target)
    if a.base != b.base:
        raise UnitError(f"unit {source!r} ({a.base or 'none'}) cannot become {target!r} ({b.base or 'none'})")
    return a.factor / b.factor, (a.offset - b.offset) / b.factor
