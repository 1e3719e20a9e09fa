"""Suggestions: what devices in the field really call their values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.point import Point
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.metering.suggestion import suggestion
from wattstead.registry.points.physics import check

pytestmark = pytest.mark.unit

E, G, R = Quantity.ELECTRICITY, Kind.GAUGE, Kind.REGISTER


@pytest.mark.parametrize(
    ("name", "hint", "quantity", "kind", "unit", "role"),
    [
        ("power1", "", E, G, "W", Role.NONE),
        ("solar_power", "", E, G, "W", Role.SOLAR),
        ("solar", "", E, G, "W", Role.SOLAR),
        ("PVPower", "", E, G, "W", Role.SOLAR),
        ("solar_kwh", "", E, R, "kWh", Role.SOLAR),
        ("use_kwh", "", E, R, "kWh", Role.HOME),
        ("gridImport", "kWh", E, R, "kWh", Role.GRID),
        ("battery_soc", "", Quantity.CHARGE_LEVEL, G, "%", Role.BATTERY),
        ("batteryPower", "W", E, G, "W", Role.BATTERY),
        ("temperature", "", Quantity.TEMPERATURE, G, "°C", Role.NONE),
        ("T1", "°F", Quantity.TEMPERATURE, G, "°F", Role.NONE),
        ("humidity", "%", Quantity.HUMIDITY, G, "%", Role.NONE),
        ("Vrms", "", Quantity.VOLTAGE, G, "V", Role.NONE),
        ("frequency", "", Quantity.FREQUENCY, G, "Hz", Role.NONE),
        ("pulsecount", "", E, R, "pulse", Role.NONE),
        ("gas_total", "m3", Quantity.GAS, R, "m³", Role.NONE),
        ("water", "l", Quantity.WATER, R, "l", Role.NONE),
        ("inverter_status", "", Quantity.STATE, Kind.STATE, "", Role.NONE),
        ("heatpump_power", "kW", E, G, "kW", Role.APPLIANCE),
        ("mean_power", "kW", E, Kind.MEAN, "kW", Role.NONE),
        ("mean_temperature", "°C", Quantity.TEMPERATURE, G, "°C", Role.NONE),
        ("W sensor solar power", "W", E, G, "W", Role.SOLAR),
    ],
)
def test_names_from_the_field(name: str, hint: str, quantity: Quantity, kind: Kind, unit: str, role: Role) -> None:
    found = suggestion(name, hint)
    assert found is not None
    assert (found.quantity, found.kind, found.unit, found.role) == (quantity, kind, unit, role)


@pytest.mark.parametrize("name", ["x17", "17", "", "a/b", "Ω", "node", "123_456"])
def test_nothing_is_proposed_for_names_that_say_nothing(name: str) -> None:
    assert suggestion(name) is None


def test_nothing_is_proposed_where_name_and_unit_disagree() -> None:
    assert suggestion("power", "m³") is None


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("grid_power", Direction.NET),
        ("grid_kwh", Direction.IMPORT),
        ("import_power", Direction.IMPORT),
        ("export_kwh", Direction.EXPORT),
        ("solar", Direction.NONE),
    ],
)
def test_direction_is_seen_from_the_site(name: str, direction: Direction) -> None:
    found = suggestion(name)
    assert found is not None and found.direction is direction


@given(st.text(max_size=60), st.sampled_from(["", "W", "kWh", "°C", "%", "m³", "l", "V", "bogus"]))
def test_whatever_is_proposed_can_be_adopted(name: str, hint: str) -> None:
    found = suggestion(name, hint)
    if found is not None:
        check(Point(id=1, kind=found.kind, quantity=found.quantity, direction=found.direction, unit=found.unit))
