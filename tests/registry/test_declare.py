"""Declaring and changing points: what may go together, what adoption does, when rollups are out of date."""

from __future__ import annotations

from typing import Any

import pytest

from wattstead.metering.errors import WattsteadError
from wattstead.metering.point import Point
from wattstead.metering.quantity import Direction, Kind, Quantity, Role, UnitError
from wattstead.registry.errors import AddressInvalid, NameInvalid, PointInvalid, Unknown
from wattstead.registry.points.declare import PointChange
from wattstead.registry.points.physics import check
from wattstead.registry.records import Account, KeyGrant, NewAddress, PointDeclaration, Site
from wattstead.registry.registry import Registry


def test_a_declared_point_is_what_was_declared(registry: Registry, site: Site) -> None:
    device = registry.create_device(site.id, "Meter")
    declared = PointDeclaration(
        address="meter/kwh",
        name="Bought",
        kind=Kind.REGISTER,
        quantity=Quantity.ELECTRICITY,
        direction=Direction.IMPORT,
        unit="kWh",
        role=Role.GRID,
        resolution=0.001,
        width=10**9,
        max_rate=12.5,
        max_gap_s=900.0,
        device_id=device.id,
        tags={"phase": "L1"},
    )
    (point_id,) = registry.create_points(site.id, [declared])
    row = registry.point(point_id)
    assert row.point == Point(
        id=point_id,
        kind=Kind.REGISTER,
        quantity=Quantity.ELECTRICITY,
        direction=Direction.IMPORT,
        unit="kWh",
        resolution=0.001,
        width=10**9,
        max_rate=12.5,
        max_gap_s=900.0,
        zone="Europe/Paris",
    )
    assert (row.name, row.role, row.adopted, row.device_id, row.tags) == (
        "Bought",
        Role.GRID,
        True,
        device.id,
        {"phase": "L1"},
    )


def test_declaring_again_keeps_the_points(registry: Registry, site: Site, grant: KeyGrant) -> None:
    appeared = registry.resolve(grant, [NewAddress("b")])["b"]
    first = registry.create_points(site.id, [PointDeclaration(address=a, name=a) for a in "abc"])
    generation = registry.generation()
    again = registry.create_points(site.id, [PointDeclaration(address=a, name="other", unit="W") for a in "cbaa"])
    assert again == [first[2], first[1], first[0], first[0]] and first[1] == appeared
    assert {row.name for row in registry.points()} == {"a", "b", "c"}
    assert registry.generation() == generation
    assert registry.create_points(site.id, []) == []


def test_thousands_are_declared_at_once(registry: Registry, site: Site) -> None:
    declared = [PointDeclaration(address=f"p{n}", name=f"P {n}", tags={"n": str(n % 7)}) for n in range(5_000)]
    ids = registry.create_points(site.id, declared)
    assert ids == list(range(ids[0], ids[0] + 5_000))
    assert {len(group) for group in registry.grouped_points(["n"]).values()} == {714, 715}


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (AddressInvalid, {"address": ""}),
        (AddressInvalid, {"address": "a\nb"}),
        (NameInvalid, {"name": "x" * 201}),
        (PointInvalid, {"unit": "furlong"}),
        (PointInvalid, {"unit": "W", "kind": Kind.REGISTER}),
        (PointInvalid, {"unit": "kWh", "quantity": Quantity.TEMPERATURE}),
        (PointInvalid, {"resolution": float("nan")}),
        (PointInvalid, {"resolution": -1.0}),
        (PointInvalid, {"max_gap_s": float("inf")}),
        (PointInvalid, {"width": 12}),
        (PointInvalid, {"width": -10}),
        (PointInvalid, {"width": 2**63}),
        (NameInvalid, {"tags": {"": "v"}}),
        (Unknown, {"device_id": 99}),
    ],
)
def test_one_wrong_declaration_creates_none(
    registry: Registry, site: Site, error: type[WattsteadError], wrong: dict[str, Any]
) -> None:
    fine = PointDeclaration(address="fine", name="fine")
    with pytest.raises(error):
        registry.create_points(site.id, [fine, PointDeclaration(**({"address": "bad", "name": "bad"} | wrong))])
    assert registry.points() == []


@pytest.mark.unit
@pytest.mark.parametrize("width", [0, 2, 10, 1000, 2**16, 2**32, 10**9, 10**18, 2**62])
def test_widths_of_registers(width: int) -> None:
    check(Point(id=1, kind=Kind.REGISTER, unit="kWh", width=width))


def test_adoption_sets_what_the_point_is_and_keeps_its_address(registry: Registry, grant: KeyGrant) -> None:
    point_id = registry.resolve(grant, [NewAddress("emon/5/p1")])["emon/5/p1"]
    change = PointChange(
        name="Roof", quantity=Quantity.ELECTRICITY, unit="kW", role=Role.SOLAR, tags={"side": "south", "none": ""}
    )
    row = registry.change_point(point_id, change)
    assert row == registry.point(point_id)
    assert (row.name, row.address, row.adopted, row.role) == ("Roof", "emon/5/p1", True, Role.SOLAR)
    assert (row.point.unit, row.point.quantity, row.point.id) == ("kW", Quantity.ELECTRICITY, point_id)
    assert row.tags == {"side": "south"} and row.rule_version == 2
    assert registry.resolve(grant, [NewAddress("emon/5/p1")])["emon/5/p1"] == point_id
    assert registry.change_point(point_id, PointChange(tags={"side": ""})).tags == {}


@pytest.mark.parametrize(
    ("change", "grows"),
    [
        (PointChange(name="x"), False),
        (PointChange(role=Role.HOME), False),
        (PointChange(direction=Direction.IMPORT), False),
        (PointChange(tags={"a": "b"}), False),
        (PointChange(kind=Kind.REGISTER), False),
        (PointChange(kind=Kind.DELTA), True),
        (PointChange(unit="Wh"), True),
        (PointChange(resolution=0.5), True),
        (PointChange(width=10**6), True),
        (PointChange(max_rate=3.0), True),
        (PointChange(max_gap_s=60.0), True),
    ],
)
def test_rollups_are_out_of_date_when_the_step_rule_changes(
    registry: Registry, site: Site, change: PointChange, grows: bool
) -> None:
    (point_id,) = registry.create_points(
        site.id, [PointDeclaration(address="a", name="a", kind=Kind.REGISTER, unit="kWh")]
    )
    assert registry.change_point(point_id, change).rule_version == (2 if grows else 1)


def test_a_mean_counts_for_a_day_unless_said_otherwise(registry: Registry, site: Site, grant: KeyGrant) -> None:
    mean = {"kind": Kind.MEAN, "quantity": Quantity.ELECTRICITY, "unit": "kW"}
    point_id = registry.resolve(grant, [NewAddress("queue/1/mean_power", "kW")])["queue/1/mean_power"]
    assert registry.point(point_id).point.max_gap_s == 1_800
    assert registry.change_point(point_id, PointChange(**mean)).point.max_gap_s == 86_400  # type: ignore[arg-type]
    assert registry.change_point(point_id, PointChange(max_gap_s=7200.0)).point.max_gap_s == 7_200
    assert registry.change_point(point_id, PointChange(kind=Kind.GAUGE)).point.max_gap_s == 7_200, "said by a person"
    declared = [
        PointDeclaration(address="a", name="a", **mean),  # type: ignore[arg-type]
        PointDeclaration(address="b", name="b", max_gap_s=60.0, **mean),  # type: ignore[arg-type]
    ]
    assert [registry.point(one).point.max_gap_s for one in registry.create_points(site.id, declared)] == [86_400, 60]
    with pytest.raises(PointInvalid, match="no power"):
        registry.change_point(point_id, PointChange(kind=Kind.MEAN, unit="kWh"))


def test_renaming_alone_is_not_adoption(registry: Registry, grant: KeyGrant) -> None:
    point_id = registry.resolve(grant, [NewAddress("a")])["a"]
    assert not registry.change_point(point_id, PointChange(name="b")).adopted
    assert registry.change_point(point_id, PointChange(role=Role.HOME)).adopted
    assert not registry.change_point(point_id, PointChange(adopted=False)).adopted


def test_aliases_of_units_are_stored_as_the_unit(registry: Registry, grant: KeyGrant) -> None:
    point_id = registry.resolve(grant, [NewAddress("a")])["a"]
    assert registry.change_point(point_id, PointChange(unit="m3")).point.unit == "m³"


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (UnitError, PointChange(unit="furlong")),
        (PointInvalid, PointChange(kind=Kind.DELTA, unit="°C")),
        (PointInvalid, PointChange(quantity=Quantity.VOLTAGE, unit="A")),
        (PointInvalid, PointChange(width=7)),
        (NameInvalid, PointChange(name="")),
        (NameInvalid, PointChange(tags={"k": "a\x00"})),
        (Unknown, PointChange(device_id=99)),
    ],
)
def test_a_wrong_change_changes_nothing(
    registry: Registry, grant: KeyGrant, error: type[WattsteadError], change: PointChange
) -> None:
    point_id = registry.resolve(grant, [NewAddress("a")])["a"]
    before, generation = registry.point(point_id), registry.generation()
    with pytest.raises(error):
        registry.change_point(point_id, change)
    assert registry.point(point_id) == before and registry.generation() == generation


def test_a_device_of_another_site_is_not_known(registry: Registry, owner: Account, grant: KeyGrant) -> None:
    other = registry.create_site(owner.organization_id, "Barn", "UTC")
    device = registry.create_device(other.id, "Meter")
    point_id = registry.resolve(grant, [NewAddress("a")])["a"]
    with pytest.raises(Unknown):
        registry.change_point(point_id, PointChange(device_id=device.id))
    with pytest.raises(Unknown):
        registry.change_point(99, PointChange(name="x"))
    with pytest.raises(Unknown):
        registry.create_points(99, [PointDeclaration(address="a", name="a")])
