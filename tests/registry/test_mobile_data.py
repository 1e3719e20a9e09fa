"""Mobile data of devices: which device a key's bytes count for, and in which month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wattstead.registry.places.keys import Terms
from wattstead.registry.records import Account, Device, Scope, Site
from wattstead.registry.registry import Registry

if TYPE_CHECKING:
    from conftest import Clock


def _key(registry: Registry, site: Site, device: Device | None = None) -> int:
    terms = Terms(device_id=device.id if device else None)
    return registry.create_key(site.id, Scope.WRITE, terms=terms).key.id


def _used(registry: Registry, *devices: Device) -> list[int]:
    return [registry.device(one.id).mobile_bytes for one in devices]


def test_bytes_count_for_the_device_of_the_key(registry: Registry, site: Site) -> None:
    first = registry.create_device(site.id, "first")
    of_first, of_site = _key(registry, site, first), _key(registry, site)
    before = registry.generation(), registry.device(first.id).version
    registry.add_traffic({of_first: 100, of_site: 20, 99_999: 7})
    assert _used(registry, first) == [120], "the key of a site counts for its only device"
    second = registry.create_device(site.id, "second")
    registry.add_traffic({of_first: 1, of_site: 50})
    assert _used(registry, first, second) == [121, 0], "of two devices nobody knows which it was"
    assert registry.device(first.id).version == before[1]
    assert registry.generation() == before[0] + 1, "only the second device is a change"


def test_a_device_on_another_network_uses_no_mobile_data_unless_it_has_a_budget(registry: Registry, site: Site) -> None:
    wired = registry.create_device(site.id, "wired", attributes={"connection": "ethernet"})
    given = {"connection": "wifi", "mobile_budget_bytes": 1_000}
    behind = registry.create_device(site.id, "behind a mobile router", attributes=given)
    mobile = registry.create_device(site.id, "mobile", attributes={"connection": "mobile"})
    registry.add_traffic({_key(registry, site, one): 10 for one in (wired, behind, mobile)})
    assert _used(registry, wired, behind, mobile) == [0, 10, 10]
    registry.change_device(behind.id, attributes={"mobile_budget_bytes": None})
    registry.add_traffic({_key(registry, site): 5})
    assert _used(registry, wired, behind, mobile) == [0, 10, 15], "what the others send goes through the mobile one"


def test_a_month_ends_by_the_clock_of_the_site(registry: Registry, owner: Account, clock: Clock) -> None:
    devices, keys = [], []
    for zone in ("Pacific/Auckland", "Europe/Berlin", "America/New_York"):
        place = registry.create_site(owner.organization_id, zone, zone)
        devices.append(registry.create_device(place.id, "meter"))
        keys.append(_key(registry, place, devices[-1]))
    clock.now = datetime(2026, 3, 31, 10, 59, tzinfo=UTC)  # 23:59 in Auckland
    registry.add_traffic(dict.fromkeys(keys, 5))
    assert _used(registry, *devices) == [5, 5, 5]
    clock.pass_(timedelta(minutes=1))
    registry.add_traffic({keys[1]: 5})
    assert _used(registry, *devices) == [0, 10, 5], "it is April in Auckland, whether the device sends or not"
    clock.now = datetime(2026, 3, 31, 22, tzinfo=UTC)  # midnight in Berlin
    registry.add_traffic(dict.fromkeys(keys, 1))
    assert _used(registry, *devices) == [1, 1, 6]
    clock.now = datetime(2027, 1, 15, tzinfo=UTC)
    registry.add_traffic({})
    assert _used(registry, *devices) == [0, 0, 0]
