"""What a value of M-Bus is (EN 13757-3): the tables of VIF codes, and the numbers behind DIF codes; pure."""

from __future__ import annotations

import struct
from typing import NamedTuple


class Quantity(NamedTuple):
    """What a VIF says: a name, a unit of this product (empty: none is known), a power of ten and a factor beside it."""

    name: str
    unit: str
    power: int = 0
    factor: float = 1.0


class NotNumber(ValueError):
    """The bytes hold no number: a meter says so that it has none, or they are broken."""


_DURATIONS = (1.0, 60.0, 3600.0, 86_400.0)


def _spread(rows: list[tuple[int, int, str, str, int, float]]) -> dict[int, Quantity]:
    """Rows of first code, how many, name, unit, first power, factor."""
    return {
        first + at: Quantity(name, unit, power + at, factor)
        for first, count, name, unit, power, factor in rows
        for at in range(count)
    }


PRIMARY: dict[int, Quantity] = _spread([
    (0x00, 8, "energy", "Wh", -3, 1.0), (0x08, 8, "energy", "J", 0, 1.0), (0x10, 8, "volume", "m³", -6, 1.0),
    (0x18, 8, "mass kg", "", -3, 1.0), (0x28, 8, "power", "W", -3, 1.0), (0x30, 8, "power", "W", 0, 1 / 3600),
    (0x38, 8, "flow", "m³/h", -6, 1.0), (0x40, 8, "flow", "m³/h", -7, 60.0), (0x48, 8, "flow", "m³/h", -9, 3600.0),
    (0x50, 8, "mass flow kg/h", "", -3, 1.0), (0x58, 4, "flow temperature", "°C", -3, 1.0),
    (0x5C, 4, "return temperature", "°C", -3, 1.0), (0x60, 4, "temperature difference K", "", -3, 1.0),
    (0x64, 4, "external temperature", "°C", -3, 1.0), (0x68, 4, "pressure", "bar", -3, 1.0),
    (0x6E, 1, "heat cost units", "", 0, 1.0),
]) | {
    code + at: Quantity(name, "s", 0, factor)
    for code, name in ((0x20, "on time"), (0x24, "operating time"))
    for at, factor in enumerate(_DURATIONS)
}  # fmt: skip
"""VIF without an extension."""
FIRST: dict[int, Quantity] = _spread([
    (0x00, 2, "energy", "MWh", -1, 1.0), (0x02, 2, "reactive energy kvarh", "", 0, 1.0),
    (0x04, 2, "apparent energy kVAh", "", 0, 1.0), (0x08, 2, "energy", "GJ", -1, 1.0),
    (0x10, 2, "volume", "m³", 2, 1.0),
    (0x14, 4, "reactive power", "kvar", -3, 1.0), (0x1A, 2, "humidity", "%", -1, 1.0),
    (0x20, 1, "volume", "ft³", 0, 1.0),
    (0x21, 1, "volume", "ft³", -1, 1.0), (0x28, 2, "power", "MW", -1, 1.0), (0x2C, 4, "frequency", "Hz", -3, 1.0),
    (0x30, 2, "power", "W", -1, 1e9 / 3600), (0x34, 4, "apparent power", "kVA", -3, 1.0),
])  # fmt: skip
"""VIFE behind FB."""
SECOND: dict[int, Quantity] = _spread(
    [(0x40, 16, "voltage", "V", -9, 1.0), (0x50, 16, "current", "A", -12, 1.0), (0x3A, 1, "number", "", 0, 1.0)]
)
"""VIFE behind FD; the others are about the meter itself (versions, states, counts of accesses)."""
ERRORS = {
    0x15: "no data available", 0x16: "overflow", 0x17: "underflow", 0x18: "data error",
    0x1C: "premature end of record",
}  # fmt: skip
"""VIFE by which a meter says what is wrong with a record."""
MEDIA = {
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat", 0x05: "steam", 0x06: "warm water",
    0x07: "water", 0x08: "heat cost allocator", 0x09: "compressed air", 0x0A: "cooling", 0x0B: "cooling", 0x0C: "heat",
    0x0D: "heat and cooling", 0x15: "hot water", 0x16: "cold water", 0x17: "dual water", 0x18: "pressure",
    0x19: "converter", 0x1B: "room sensor", 0x28: "waste water",
}  # fmt: skip
LENGTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
"""Bytes by data field; 13 is of variable length, 15 special."""
_REAL, _BCD = 5, (9, 10, 11, 12, 14)


def number_of(field: int, raw: bytes) -> float | int:
    """The number in the bytes of a data field; raises `NotNumber`.

    >>> number_of(2, b"\\xfe\\xff"), number_of(11, bytes.fromhex("0200f0")), number_of(12, bytes.fromhex("78563412"))
    (-2, -2, 12345678)
    """
    if field == _REAL:
        return float(struct.unpack("<f", raw)[0])
    if field in _BCD:
        digits = raw[::-1].hex()
        sign = -1 if digits[0] == "f" else 1
        digits = digits[1:] if sign < 0 else digits
        if not digits.isdecimal():
            raise NotNumber(f"{raw[::-1].hex()} is no decimal number")
        return sign * int(digits)
    if not raw:
        raise NotNumber("there is no number")
    value = int.from_bytes(raw, "little", signed=True)
    if value == -(1 << (8 * len(raw) - 1)):
        raise NotNumber("the meter has no valid value")
    return value


def scaled(value: float | int, power: int, factor: float) -> float:
    """The number times a power of ten and a factor, exact where that is possible.

    >>> scaled(123, -3, 1.0)
    0.123
    """
    found = value * 10**power if power >= 0 else value / 10**-power
    return float(found * factor if factor != 1.0 else found)
