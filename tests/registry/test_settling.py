"""Many sites at once: as whole as those made one by one, all or none."""

from __future__ import annotations

import secrets

import pytest

from wattstead.metering.errors import WattsteadError
from wattstead.registry.errors import Unknown
from wattstead.registry.places.settling import NewDevice, NewSite
from wattstead.registry.records import Account, TagFilter
from wattstead.registry.registry import Registry
from wattstead.registry.templates.library import Library, shipped

TEMPLATE = Library(shipped()).find("fronius-symo").template


def _new(organization_id: int, number: int, **more: object) -> NewSite:
    return NewSite(
        organization_id=organization_id,
        attributes={"name": f"Site {number}", "zone": "Europe/Paris", "latitude": 48.0, **more},
        tags={"number": str(number)},
        devices=[NewDevice(template=TEMPLATE, prefix="pv/", attributes={"name": "Roof"}, tags={"part": "inverter"})],
        secret=secrets.token_hex(16),
    )


def test_sites_come_with_devices_points_tags_and_keys(registry: Registry, owner: Account) -> None:
    generation = registry.generation()
    new = [_new(owner.organization_id, number) for number in range(30)]
    made = registry.settle(new)
    assert registry.generation() > generation
    sites = {site.id: site for site in registry.sites()}
    assert [sites[one.site_id].name for one in made] == [f"Site {number}" for number in range(30)]
    assert sites[made[7].site_id].tags == {"number": "7"}
    assert sites[made[7].site_id].latitude == 48.0
    (device,) = registry.devices(made[7].site_id)
    assert (device.id, device.template, device.prefix, device.tags) == (
        made[7].devices[0], "fronius-symo", "pv/", {"part": "inverter"},
    )  # fmt: skip
    points = {row.address: row for row in registry.points(site_ids=[made[7].site_id])}
    assert {address: row.point.id for address, row in points.items()} == made[7].points
    assert set(points) == {f"pv/{point.address}" for point in TEMPLATE.points}
    assert all(row.device_id == device.id and row.adopted for row in points.values())
    grant = registry.key(new[7].secret)
    assert grant is not None
    assert grant.site_id == made[7].site_id
    assert registry.point_ids(where=[TagFilter("number", equals="3")]) == sorted(made[3].points.values())
    assert registry.preview_rollover(device.id).differences == []


def test_one_that_cannot_be_leaves_none(registry: Registry, owner: Account) -> None:
    good = _new(owner.organization_id, 1)
    for bad in (
        _new(10**6, 2),
        _new(owner.organization_id, 2, zone="Nowhere/Land"),
        _new(owner.organization_id, 2, tilt_deg=999),
    ):
        with pytest.raises(WattsteadError):
            registry.settle([good, bad])
    with pytest.raises(Unknown):
        registry.settle([_new(10**6, 1)])
    assert registry.sites() == []
    assert registry.settle([]) == []
