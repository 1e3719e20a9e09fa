"""Points, units and the step rule that follows from what a point is."""

from __future__ import annotations

import pytest

from wattstead.metering.point import Point, StepMode, amount_per_step, default_resolution, step_rule
from wattstead.metering.quantity import UNITS, Kind, Quantity, UnitError, conversion, unit

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "symbol", "mode"),
    [
        (Kind.REGISTER, "kWh", StepMode.REGISTER),
        (Kind.REGISTER, "pulse", StepMode.REGISTER),
        (Kind.DELTA, "Wh", StepMode.DELTA),
        (Kind.GAUGE, "W", StepMode.POWER),
        (Kind.GAUGE, "kW", StepMode.POWER),
        (Kind.GAUGE, "°C", StepMode.NONE),
        (Kind.GAUGE, "", StepMode.NONE),
        (Kind.STATE, "", StepMode.NONE),
        (Kind.STATE, "W", StepMode.NONE),
    ],
)
def test_the_rule_follows_from_kind_and_unit(kind: Kind, symbol: str, mode: StepMode) -> None:
    assert step_rule(Point(id=1, kind=kind, unit=symbol)).mode is mode


@pytest.mark.parametrize("symbol", ["W", "kW", "MW"])
def test_one_hour_of_power_is_that_many_watt_hours(symbol: str) -> None:
    point = Point(id=1, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit=symbol)
    assert 3_600_000 * amount_per_step(point) == pytest.approx(unit(symbol).factor)


def test_registers_count_in_their_resolution() -> None:
    assert default_resolution("Wh") == 1e-3
    assert default_resolution("pulse") == 1.0
    assert default_resolution("m³") == 1e-3
    point = Point(id=1, kind=Kind.REGISTER, unit="kWh", resolution=0.1)
    assert amount_per_step(point) == pytest.approx(100.0)


def test_conversions() -> None:
    factor, offset = conversion("°F", "°C")
    assert 212 * factor + offset == pytest.approx(100)
    factor, offset = conversion("°C", "K")
    assert 0 * factor + offset == pytest.approx(273.15)
    with pytest.raises(UnitError, match="kWh"):
        conversion("kWh", "W")
    with pytest.raises(UnitError, match="furlong"):
        unit("furlong")


@pytest.mark.parametrize("symbol", list(UNITS))
def test_every_unit_reaches_its_base_and_back(symbol: str) -> None:
    there, shift = conversion(symbol, UNITS[symbol].base)
    back, unshift = conversion(UNITS[symbol].base, symbol)
    assert (7.0 * there + shift) * back + unshift == pytest.approx(7.0)
