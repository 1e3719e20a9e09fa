"""Devices made from templates: each one that comes with the product, own ones, and rolling a new revision over."""

from __future__ import annotations

import pytest

from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AddressTaken, TemplateTaken, Unknown
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import Account, KeyGrant, NewAddress, PointRow, Site
from wattstead.registry.registry import Registry
from wattstead.registry.templates.library import Source, shipped
from wattstead.registry.templates.rollover import What
from wattstead.registry.templates.template import Template

PLAIN = """\
name: plain
revision: 1
title: Plain meter
speaks: modbus
points:
  - {name: Power, address: power, quantity: electricity, unit: W}
  - {name: Bought, address: import, kind: register, quantity: electricity, unit: kWh, scale: 0.01}
  - {name: Voltage, address: voltage, quantity: voltage, unit: V}
"""
NEXT = """\
name: plain
revision: 2
title: Plain meter
speaks: modbus
points:
  - {name: Active power, address: power, quantity: electricity, unit: W, direction: net}
  - {name: Bought, address: import, kind: register, quantity: electricity, unit: kWh, scale: 0.001, width: 1000000000}
  - {name: Frequency, address: frequency, quantity: frequency, unit: Hz}
"""


def _points(registry: Registry, device_id: int) -> dict[str, PointRow]:
    return {row.address: row for row in registry.points() if row.device_id == device_id}


@pytest.mark.parametrize("template", [one.template for one in shipped()], ids=lambda one: str(one.name))
def test_a_template_makes_a_device_with_all_its_points(registry: Registry, site: Site, template: Template) -> None:
    device = registry.create_device_from_template(site.id, template.name)
    assert (device.template, device.revision, device.prefix) == (template.name, template.revision, template.prefix)
    made = _points(registry, device.id)
    assert set(made) == {template.prefix + point.address for point in template.points}
    for point in template.points:
        row = made[template.prefix + point.address]
        told = (row.name, row.role, row.point.kind, row.point.unit, row.point.resolution, row.point.width)
        assert told == (point.name, point.role, point.kind, point.unit, point.scale, point.width)
        assert row.adopted


def test_a_second_device_gets_other_addresses_and_a_taken_prefix_is_refused(registry: Registry, site: Site) -> None:
    first = registry.create_device_from_template(site.id, "shelly-em")
    second = registry.create_device_from_template(site.id, "shelly-em", {"name": "Shed"})
    assert (first.prefix, second.prefix, second.name) == ("shelly-em/", "shelly-em-2/", "Shed")
    before = registry.largest_point_id()
    with pytest.raises(AddressTaken) as found:
        registry.create_device_from_template(site.id, "shelly-em", prefix="shelly-em/")
    assert found.value.device_id == first.id
    assert registry.largest_point_id() == before
    assert len(registry.devices(site.id)) == 2


def test_points_that_appeared_by_themselves_become_the_devices(registry: Registry, site: Site, grant: KeyGrant) -> None:
    appeared = registry.resolve(grant, [NewAddress("emon/emonpi/power1"), NewAddress("emon/emonpi/other")])
    device = registry.create_device_from_template(site.id, "emonpi")
    row = registry.point(appeared["emon/emonpi/power1"])
    assert (row.device_id, row.adopted, row.point.quantity, row.name) == (
        device.id, True, Quantity.ELECTRICITY, "Power 1",
    )  # fmt: skip
    assert registry.point(appeared["emon/emonpi/other"]).device_id is None


def test_a_device_without_a_site_has_no_points_yet(registry: Registry, owner: Account) -> None:
    device = registry.create_device_from_template(None, "emonpi", organization_id=owner.organization_id)
    assert (device.site_id, device.template, device.prefix) == (None, "emonpi", "emon/emonpi/")
    assert registry.points() == []


def test_it_gets_its_points_when_it_comes_to_a_site(registry: Registry, owner: Account, site: Site) -> None:
    other = registry.create_device_from_template(site.id, "emonpi")
    device = registry.create_device_from_template(None, "emonpi", organization_id=owner.organization_id)
    moved = registry.move_device(device.id, site.id)
    assert (moved.site_id, moved.prefix) == (site.id, "emon/emonpi-2/")
    assert len(_points(registry, device.id)) == len(_points(registry, other.id)) > 0
    assert all(address.startswith("emon/emonpi-2/") for address in _points(registry, device.id))


def test_what_is_not_there_is_unknown(registry: Registry, site: Site) -> None:
    for name, revision, at in (("nothing", None, site.id), ("emonpi", 99, site.id), ("emonpi", None, 10**12)):
        with pytest.raises(Unknown):
            registry.create_device_from_template(at, name, revision=revision)
    assert registry.devices(site.id) == []


def test_own_templates_are_seen_in_their_branch_alone(registry: Registry, owner: Account) -> None:
    root = owner.organization_id
    partner = registry.create_organization("Partner", root)
    other = registry.create_organization("Other", root)
    below = registry.create_organization("Below", partner.id)
    made = registry.put_template(partner.id, PLAIN)
    assert (made.source, made.organization_id) == (Source.OWN, partner.id)

    def seen(*paths: str) -> bool:
        return any(one.id == made.id for one in registry.templates(Reach(paths)))

    assert seen(partner.path)
    assert seen(below.path)
    assert seen(f"/{root}/")
    assert not seen(other.path)
    assert not seen(other.path, f"{other.path[:-1]}0/")
    for organization, known in ((below, True), (other, False)):
        site = registry.create_site(organization.id, "Site", "UTC")
        if known:
            assert registry.create_device_from_template(site.id, "plain").revision == 1
        else:
            with pytest.raises(Unknown):
                registry.create_device_from_template(site.id, "plain")


def test_a_revision_is_there_once_and_can_be_taken_from_the_shelf(registry: Registry, owner: Account) -> None:
    first = registry.put_template(owner.organization_id, PLAIN)
    with pytest.raises(TemplateTaken):
        registry.put_template(owner.organization_id, PLAIN)
    with pytest.raises(TemplateTaken):
        registry.put_template(owner.organization_id, shipped()[0].text)
    assert first.id is not None
    registry.remove_template(first.id)
    with pytest.raises(Unknown):
        registry.remove_template(first.id)
    with pytest.raises(Unknown):
        registry.template("plain")
    assert registry.put_template(owner.organization_id, PLAIN).id == first.id


def test_a_new_revision_is_shown_first_then_applied(registry: Registry, site: Site) -> None:
    registry.put_template(site.organization_id, PLAIN)
    device = registry.create_device_from_template(site.id, "plain")
    before = _points(registry, device.id)
    registry.change_point(before["plain/import"].point.id, PointChange(name="From the grid", resolution=0.1))
    registry.put_template(site.organization_id, NEXT)
    preview = registry.preview_rollover(device.id)
    assert (preview.from_revision, preview.to_revision) == (1, 2)
    told = {one.address: one for one in preview.differences}
    assert {address: one.what for address, one in told.items()} == {
        "plain/power": What.CHANGE,
        "plain/import": What.CHANGE,
        "plain/frequency": What.ADD,
        "plain/voltage": What.RETIRE,
    }
    assert set(told["plain/power"].changes) == {"name", "direction"}
    assert set(told["plain/import"].changes) == {"width"}
    assert told["plain/import"].kept == {"resolution": (0.1, 0.001)}
    assert set(_points(registry, device.id)) == set(before)
    assert registry.apply_rollover(device.id) == preview
    after = _points(registry, device.id)
    assert after["plain/power"].name == "Active power"
    assert (after["plain/import"].name, after["plain/import"].point.resolution) == ("From the grid", 0.1)
    assert after["plain/import"].point.width == 10**9
    assert after["plain/import"].rule_version > before["plain/import"].rule_version
    assert after["plain/frequency"].point.quantity is Quantity.FREQUENCY
    assert after["plain/voltage"].retired is not None
    assert {one.point.id for one in before.values()} <= {one.point.id for one in after.values()}
    assert registry.devices(site.id)[0].revision == 2
    assert registry.preview_rollover(device.id).differences == []


def test_rolling_back_restores_what_was_retired(registry: Registry, site: Site) -> None:
    registry.put_template(site.organization_id, PLAIN)
    registry.put_template(site.organization_id, NEXT)
    device = registry.create_device_from_template(site.id, "plain", revision=1)
    registry.apply_rollover(device.id)
    told = {one.address: one.what for one in registry.apply_rollover(device.id, 1).differences}
    assert told["plain/voltage"] is What.RESTORE
    assert told["plain/frequency"] is What.RETIRE
    after = _points(registry, device.id)
    assert after["plain/voltage"].retired is None
    assert after["plain/frequency"].retired is not None
    assert after["plain/power"].point.kind is Kind.GAUGE


def test_a_device_whose_template_is_gone_can_still_be_rolled_over(registry: Registry, site: Site) -> None:
    first = registry.put_template(site.organization_id, PLAIN)
    device = registry.create_device_from_template(site.id, "plain")
    registry.put_template(site.organization_id, NEXT)
    assert first.id is not None
    registry.remove_template(first.id)
    told = {one.address: one.what for one in registry.apply_rollover(device.id).differences}
    assert told["plain/voltage"] is What.RETIRE
    assert _points(registry, device.id)["plain/power"].name == "Active power"


def test_a_device_that_was_taken_away_closes_nothing_at_its_old_site(registry: Registry, site: Site) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    registry.move_device(device.id, None, organization_id=registry.create_organization("Other", None).id)
    registry.put_posting(device.id, enabled=False)
    assert registry.closed().devices == {device.id}
    assert registry.closed().points == {}


def test_posting_closes_a_devices_points(registry: Registry, site: Site) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    other = registry.create_device_from_template(site.id, "tasmota-plug")
    generation = registry.generation()
    version = registry.put_posting(device.id, enabled=False)
    assert registry.generation() > generation
    assert registry.put_posting(device.id, enabled=False) == version
    closed = registry.closed()
    assert closed.devices == {device.id}
    assert set(closed.points) == {row.point.id for row in _points(registry, device.id).values()}
    assert other.id not in closed.points.values()
    registry.put_posting(device.id, enabled=True)
    assert not registry.closed().devices
    with pytest.raises(Unknown):
        registry.put_posting(10**12, enabled=True)
