"""What goes together in a point: quantity, unit, kind and width; pure, so that templates need no database."""

from __future__ import annotations

import math

import msgspec

from wattstead.metering.point import Point, usual_gap_s
from wattstead.metering.quantity import Kind, Quantity, unit
from wattstead.registry.errors import PointInvalid
from wattstead.registry.records import PointDeclaration

_LONGEST_WIDTH = 2**62
_INSTANT = frozenset({"W", "VA", "var", "V", "A", "Hz", "°C", "W/m²", "m³/h", "m/s", "Pa", "dBm"})
"""Base units of levels: no counter can be in them."""
_BASES: dict[Quantity, frozenset[str]] = {
    Quantity.ELECTRICITY: frozenset({"W", "Wh", "VA", "var", "pulse"}),
    Quantity.TEMPERATURE: frozenset({"°C"}),
    Quantity.HUMIDITY: frozenset({"%"}),
    Quantity.CHARGE_LEVEL: frozenset({"%", "Wh"}),
    Quantity.IRRADIANCE: frozenset({"W/m²"}),
    Quantity.WIND: frozenset({"m/s"}),
    Quantity.PRESSURE: frozenset({"Pa"}),
    Quantity.VOLTAGE: frozenset({"V"}),
    Quantity.CURRENT: frozenset({"A"}),
    Quantity.FREQUENCY: frozenset({"Hz"}),
}
"""Base units in which a quantity may be given; a quantity that is not listed takes any."""


def check(point: Point) -> None:
    """Raise `PointInvalid`, or `UnitError`, when the parts of a point do not go together."""
    base = unit(point.unit).base
    allowed = _BASES.get(point.quantity)
    if base and allowed is not None and base not in allowed:
        raise PointInvalid(f"{point.quantity.value} cannot be in {point.unit!r}; use a unit of {_listed(allowed)}")
    if point.kind in (Kind.REGISTER, Kind.DELTA) and base in _INSTANT:
        raise PointInvalid(f"a {point.kind.value} counts an amount, {point.unit!r} is a level; use kWh, m³ or pulse")
    if point.kind is Kind.MEAN and base != "W":
        raise PointInvalid(f"a mean is integrated, {point.unit!r} is no power; use W, kW or MW")
    for name in ("resolution", "max_rate", "max_gap_s", "pulses_per_kwh"):
        number = getattr(point, name)
        if not (math.isfinite(number) and number >= 0):
            raise PointInvalid(f"{name} is {number}; give a finite number of zero or more")
    if point.pulses_per_kwh and base != "pulse":
        raise PointInvalid(f"pulses per kWh are said of a point in {point.unit!r}; its unit must be 'pulse'")
    if point.width and not _is_width(point.width):
        raise PointInvalid(f"width is {point.width}; give a power of ten or of two, or 0 for none")


def physics(declaration: PointDeclaration, zone: str = "UTC") -> Point:
    """What a declared point is, before it has an id."""
    given = {k: v for k, v in msgspec.structs.asdict(declaration).items() if k in Point.__struct_fields__}
    return Point(id=0, zone=zone, **given | {"max_gap_s": gap_s(declaration)})


def gap_s(declaration: PointDeclaration) -> float:
    """The longest gap of a declared point: as said, else the usual one of its kind."""
    return usual_gap_s(declaration.kind) if declaration.max_gap_s is None else declaration.max_gap_s


def _is_width(width: int) -> bool:
    if not 1 < width <= _LONGEST_WIDTH:
        return False
    return width & (width - 1) == 0 or str(width).strip("0") == "1"


def _listed(bases: frozenset[str]) -> str:
    return ", ".join(sorted(bases))
