"""Devices: made, changed, moved; whose the history is after a move; keys of devices and their successors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.registry.conftest import Clock

from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, KeyInvalid, Stale, Unknown
from wattstead.registry.places.devices import Made
from wattstead.registry.places.keys import Terms
from wattstead.registry.policy import Resource
from wattstead.registry.records import Account, Device, PointDeclaration, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

DECLARED = (
    PointDeclaration(address="m1/power", name="Power", quantity=Quantity.ELECTRICITY, unit="W", tags={"phase": "1"}),
    PointDeclaration(
        address="m1/kwh", name="Energy", quantity=Quantity.ELECTRICITY, unit="kWh", kind=Kind.REGISTER, width=100_000
    ),
)


@pytest.fixture
def meter(registry: Registry, site: Site) -> Device:
    made = Made(template="sdm120", revision=2, prefix="m1", declarations=DECLARED)
    return registry.create_device(
        site.id, "Meter", attributes={"serial_number": "SN1", "firmware": "1.2"}, tags={"batch": "7"}, made=made
    )


@pytest.fixture
def barn(registry: Registry, owner: Account) -> Site:
    return registry.create_site(owner.organization_id, "Barn", "Asia/Kolkata")


def test_a_device_with_its_points(registry: Registry, site: Site, meter: Device) -> None:
    assert (meter.template, meter.revision, meter.serial_number, meter.tags) == ("sdm120", 2, "SN1", {"batch": "7"})
    assert [(row.address, row.device_id) for row in registry.points()] == [("m1/power", meter.id), ("m1/kwh", meter.id)]
    changed = registry.change_device(
        meter.id, attributes={"name": "Main meter", "firmware": "1.3"}, tags={"batch": "", "roof": "n"}, version=1
    )
    assert (changed.name, changed.firmware, changed.tags, changed.version) == ("Main meter", "1.3", {"roof": "n"}, 2)
    with pytest.raises(Stale):
        registry.change_device(meter.id, attributes={"name": "x"}, version=1)
    for wrong in ({"site_id": 1}, {"organization_id": 1}, {"completeness": 2}, {"posting": False}, {"template": "x"}):
        with pytest.raises(AttributeInvalid):
            registry.change_device(meter.id, attributes=wrong)


def test_a_device_that_nobody_owns_yet(registry: Registry, owner: Account, site: Site) -> None:
    loose = registry.create_device(None, "Box 1", organization_id=owner.organization_id)
    assert (loose.site_id, loose.organization_id) == (None, owner.organization_id)
    root = f"/{owner.organization_id}/"
    assert registry.devices(reach=Reach((root,))) == [loose]
    assert registry.devices(reach=Reach((), (site.id,))) == []
    assert registry.devices(reach=Reach(("/99/",))) == []
    placed = registry.move_device(loose.id, site.id)
    assert (placed.site_id, placed.version) == (site.id, 2)
    for missing in ({}, {"organization_id": 99}):
        with pytest.raises(Unknown):
            registry.create_device(None, "Box 2", **missing)


def test_history_stays_at_the_home_where_it_was_measured(
    registry: Registry, site: Site, barn: Site, meter: Device, owner: Account
) -> None:
    before = {row.address: row.point.id for row in registry.points(site_ids=[site.id])}
    moved = registry.move_device(meter.id, barn.id, by=Actor(owner.id))
    assert (moved.site_id, moved.space_id) == (barn.id, None)
    left = registry.points(site_ids=[site.id])
    assert {row.address: row.point.id for row in left} == before
    assert {row.device_id for row in left} == {None}
    made = registry.points(site_ids=[barn.id])
    assert {row.address for row in made} == set(before)
    assert not {row.point.id for row in made} & set(before.values())
    assert {row.device_id for row in made} == {meter.id}
    assert {row.point.zone for row in made} == {"Asia/Kolkata"}
    assert [(r.name, r.tags, r.point.width, r.point.unit) for r in made] == [
        (r.name, r.tags, r.point.width, r.point.unit) for r in left
    ]
    old, new = (registry.trail(resource=Resource.DEVICE, site_id=one.id)[0] for one in (site, barn))
    assert (old.action, new.action) == ("move away", "move")
    assert barn.name not in str(old.words)
    assert str(site.id) not in [str(v) for v in new.words.get("changes", {})]  # type: ignore[attr-defined]


def test_a_device_that_comes_back_finds_its_points(registry: Registry, site: Site, barn: Site, meter: Device) -> None:
    before = {row.point.id for row in registry.points(site_ids=[site.id])}
    registry.move_device(meter.id, barn.id)
    registry.move_device(meter.id, site.id)
    rows = registry.points(site_ids=[site.id])
    assert {row.point.id for row in rows} == before
    assert {row.device_id for row in rows} == {meter.id}


def test_a_device_moves_by_way_of_the_shelf(registry: Registry, site: Site, barn: Site, meter: Device) -> None:
    before = {row.point.id for row in registry.points(site_ids=[site.id])}
    registry.move_device(meter.id, None)
    assert registry.devices(site.id) == []
    registry.move_device(meter.id, barn.id)
    assert {row.point.id for row in registry.points(site_ids=[site.id])} == before
    assert {row.address for row in registry.points(site_ids=[barn.id])} == {"m1/power", "m1/kwh"}


def test_history_taken_along_on_purpose(registry: Registry, site: Site, barn: Site, meter: Device) -> None:
    before = {row.address: row.point.id for row in registry.points(site_ids=[site.id])}
    generation = registry.generation()
    registry.move_device(meter.id, barn.id, with_history=True)
    assert registry.points(site_ids=[site.id]) == []
    rows = registry.points(site_ids=[barn.id])
    assert {row.address: row.point.id for row in rows} == before
    assert {row.point.id for row in registry.points_changed_since(generation)} == set(before.values())
    assert registry.devices_moved_since(generation)
    assert "points taken along" in str(registry.trail(resource=Resource.DEVICE, site_id=site.id)[0].words)
    with pytest.raises(Conflict):
        registry.move_device(meter.id, None, with_history=True)


def test_an_address_that_is_taken_at_the_new_site(registry: Registry, site: Site, barn: Site, meter: Device) -> None:
    registry.create_device(barn.id, "Other", made=Made(declarations=DECLARED[:1]))
    for with_history in (False, True):
        with pytest.raises(Conflict):
            registry.move_device(meter.id, barn.id, with_history=with_history)
    assert registry.device(meter.id) == meter
    with pytest.raises(Conflict):
        registry.move_device(meter.id, site.id)


def test_keys_of_a_device_that_moves(registry: Registry, site: Site, barn: Site, meter: Device) -> None:
    keys = {scope: registry.create_key(site.id, scope, terms=Terms(device_id=meter.id)) for scope in Scope}
    home = registry.create_key(site.id, Scope.WRITE)
    generation = registry.generation()
    registry.move_device(meter.id, barn.id)
    write = registry.key(keys[Scope.WRITE].secret)
    assert write is not None
    assert (write.site_id, write.device_id) == (barn.id, meter.id)
    assert registry.key(keys[Scope.READ].secret) is None
    assert registry.key(keys[Scope.ADMIN].secret) is None
    stays = registry.key(home.secret)
    assert stays is not None
    assert stays.site_id == site.id
    assert len(registry.keys_since(generation)) == 3


def test_a_device_that_goes_leaves_its_history(registry: Registry, site: Site, meter: Device) -> None:
    key = registry.create_key(site.id, Scope.WRITE, terms=Terms(device_id=meter.id))
    generation = registry.generation()
    registry.delete_device(meter.id, version=meter.version)
    assert [row.device_id for row in registry.points(site_ids=[site.id])] == [None, None]
    assert registry.key(key.secret) is None
    assert [state.grant for state in registry.keys_since(generation)] == [None]


def test_a_key_ends_by_itself(registry: Registry, site: Site, clock: Clock) -> None:
    ends = clock() + timedelta(hours=1)
    made = registry.create_key(site.id, Scope.READ, terms=Terms(expires=ends, plain_http=False))
    grant = registry.key(made.secret)
    assert grant is not None
    assert (grant.ends_s, grant.plain_http) == (ends.timestamp(), False)
    clock.pass_(timedelta(hours=1))
    assert registry.key(made.secret) is None
    with pytest.raises(KeyInvalid):
        registry.create_key(site.id, Scope.READ, terms=Terms(expires=clock()))


def test_a_key_and_its_successor_both_live(registry: Registry, site: Site, meter: Device, clock: Clock) -> None:
    terms = Terms(device_id=meter.id, plain_http=False)
    old = registry.create_key(site.id, Scope.WRITE, "sender", point_limit=7, terms=terms)
    new = registry.rotate_key(old.key.id, timedelta(days=2))
    assert new.secret != old.secret
    kept = ("name", "scope", "point_limit", "device_id", "plain_http", "site_id")
    assert [getattr(new.key, one) for one in kept] == [getattr(old.key, one) for one in kept]
    assert registry.key(old.secret) is not None
    assert registry.key(new.secret) is not None
    with pytest.raises(KeyInvalid):
        registry.rotate_key(old.key.id)
    clock.pass_(timedelta(days=2))
    assert registry.key(old.secret) is None
    assert registry.key(new.secret) is not None
    told = str(registry.trail(resource=Resource.KEY))
    assert old.secret not in told
    assert new.secret not in told
    for wrong in (timedelta(days=-1), timedelta(days=100)):
        with pytest.raises(KeyInvalid):
            registry.rotate_key(new.key.id, wrong)


def test_a_key_of_another_sites_device(registry: Registry, barn: Site, meter: Device) -> None:
    with pytest.raises(Unknown):
        registry.create_key(barn.id, Scope.WRITE, terms=Terms(device_id=meter.id))
