"""Which unit the amounts of a point have; computes no amount."""

from __future__ import annotations

from wattstead.metering.point import INTEGRATED, Point, StepMode, counts_energy, step_rule
from wattstead.metering.quantity import unit


def amount_unit(point: Point) -> str | None:
    """The base unit of a point's amounts; None when its values make none.

    >>> from wattstead.metering.quantity import Kind, Quantity
    >>> amount_unit(Point(id=1, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="kW"))
    'Wh'
    """
    mode = step_rule(point).mode
    if mode is StepMode.NONE:
        return None
    return "Wh" if mode in INTEGRATED or counts_energy(point) else unit(point.unit).base
