"""Devices that may not post: their readings are refused with a reason, those of others in the same batch are kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.migrated import migrated

from wattstead.ingest.resolving.closed import NOTHING, ClosedPoints
from wattstead.ingest.resolving.grants import Grants
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.registry.places.keys import Terms
from wattstead.registry.records import KeyGrant, KeyState, NewAddress, PointDeclaration, Scope, Site
from wattstead.registry.registry import Registry

if TYPE_CHECKING:
    from conftest import Door

pytestmark = pytest.mark.unit
NOW_S = 1_700_000_000
_DEVICE = 77


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def own(open_door: Callable[..., Door]) -> Door:
    """A door of its own: what is closed is the server's."""
    return open_door()


def _close(door: Door, *points: int) -> None:
    door.points.closed = ClosedPoints([_DEVICE], dict.fromkeys(points, _DEVICE))


def test_a_batch_loses_only_the_readings_of_the_closed_device(own: Door) -> None:
    shut = own.declare("a")
    own.declare("b")
    _close(own, shut)
    body = {"point": ["a", "b", "a"], "time": [NOW_S, NOW_S, NOW_S + 1], "value": [1, 2, 3]}
    answer = own.http.post("/api/v1/readings", json=body, headers=_bearer(own.key))
    assert answer.status_code == 200
    told = answer.json()
    assert told["accepted"] == 1
    assert len(told["rejected"]) == 2
    assert all(f"device {_DEVICE} may not post" in issue["reason"] for issue in told["rejected"])
    assert own.values() == {"b": 2}


def test_a_body_by_ids_and_one_of_nothing_else_are_refused(own: Door) -> None:
    shut = own.declare("a")
    _close(own, shut)
    body = {"point": [shut], "time": [NOW_S], "value": [1]}
    answer = own.http.post("/api/v1/readings", json=body, headers=_bearer(own.key))
    assert answer.status_code == 422
    assert "enable it on the page of the device" in answer.json()["detail"]
    assert own.values() == {}


def test_the_short_way_leaves_closed_points_to_the_usual_one(own: Door) -> None:
    url = f"/input/post?node=n&apikey={own.key}&json="
    for _ in range(2):  # the second finds the names known, and goes the short way
        assert own.http.get(url + '{"p":1,"q":2}').text == "ok"
    usual = own.server.usual
    assert own.http.get(url + '{"p":3,"q":4}').text == "ok"
    assert own.server.usual == usual
    _close(own, own.points.addresses(own.site)["emon/n/p"])
    own.http.get(url + '{"p":5,"q":6}')
    assert own.server.usual == usual + 1
    assert own.values() == {"emon/n/p": 3, "emon/n/q": 6}
    own.points.closed = NOTHING
    assert own.http.get(url + '{"p":7,"q":8}').text == "ok"
    assert own.server.usual == usual + 1
    assert own.values() == {"emon/n/p": 7, "emon/n/q": 8}


def test_a_key_of_a_closed_device_is_refused_whole(own: Door) -> None:
    key = "f" * 32
    own.points.add_key(key, KeyGrant(9_999, own.site, 1, Scope.WRITE, 100, _DEVICE))
    _close(own)
    body = {"point": ["new"], "time": [NOW_S], "value": [1]}
    answer = own.http.post("/api/v1/readings", json=body, headers=_bearer(key))
    assert answer.status_code == 403
    assert "posting is disabled" in answer.json()["detail"]
    assert own.values() == {}


def test_masks() -> None:
    closed = ClosedPoints([1, 2], {5: 1, 9: 2})
    points = np.array([0, 5, 9, 10, 2**32 - 1], np.uint32)
    assert closed.mask(points).tolist() == [False, True, True, False, False]
    assert not NOTHING.mask(points).any()
    assert (bool(NOTHING), bool(closed)) == (False, True)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(migrated(tmp_path)) as opened:
        opened.first_owner("ada@example.org", "correct horse battery")
        yield opened


@pytest.fixture
def site(registry: Registry) -> Site:
    return registry.create_site(1, "Mill", "Europe/Paris")


@pytest.fixture
def resolver(registry: Registry) -> Iterator[RegistryResolver]:
    """As a server has it."""
    made = RegistryResolver(registry)
    made.start()
    yield made
    made.close()


def _until(true: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come true within a minute")


def test_a_server_learns_by_itself_that_a_device_was_closed_and_opened(
    resolver: RegistryResolver, registry: Registry, site: Site
) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    points = [row.point.id for row in registry.points()]
    registry.put_posting(device.id, enabled=False)
    _until(lambda: resolver.closed.mask(np.array(points, np.uint32)).all())
    (later,) = registry.create_points(site.id, [PointDeclaration(address="later", name="L", device_id=device.id)])
    _until(lambda: resolver.closed.among([later]))
    registry.put_posting(device.id, enabled=True)
    _until(lambda: not resolver.closed)


def test_a_point_that_appears_under_a_devices_key_is_the_devices(registry: Registry, site: Site) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    made = registry.create_key(site.id, Scope.WRITE, terms=Terms(device_id=device.id))
    grant = registry.key(made.secret)
    assert grant is not None
    found = registry.resolve(grant, [NewAddress("x")])
    assert registry.point(found["x"]).device_id == device.id


def test_a_key_that_has_ended_opens_nothing() -> None:
    now_s = 1_000.0
    grants = Grants(lambda secret: None, now_s=lambda: now_s)
    secret = "a" * 32
    hashed = hashlib.sha256(secret.encode()).digest()
    grant = KeyGrant(1, 7, 1, Scope.WRITE, 100, None, 1_010.0)
    grants.learn([KeyState(secret_hash=hashed, grant=grant, key_id=1, secret=secret)])
    assert grants.find(secret) is grant
    assert grants.sealed(1) is not None
    now_s = 1_010.0
    assert grants.find(secret) is None
    assert grants.sealed(1) is None


def test_keys_of_a_disabled_site_and_keys_that_end_are_refused(
    resolver: RegistryResolver, registry: Registry, site: Site
) -> None:
    key = registry.create_key(site.id, Scope.WRITE)
    ends = datetime.now(UTC) + timedelta(seconds=3)
    ending = registry.create_key(site.id, Scope.WRITE, terms=Terms(expires=ends))
    assert resolver.key(key.secret) is not None
    assert resolver.key(ending.secret) is not None
    _until(lambda: resolver.key(ending.secret) is None)
    registry.change_site(site.id, attributes={"state": "disabled"})
    _until(lambda: resolver.key(key.secret) is None)
    registry.change_site(site.id, attributes={"state": "active"})
    _until(lambda: resolver.key(key.secret) is not None)


async def test_a_device_that_takes_its_points_along_is_not_written_to_from_its_old_site(
    resolver: RegistryResolver, registry: Registry, site: Site
) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    grant = registry.key(registry.create_key(site.id, Scope.WRITE).secret)
    assert grant is not None
    address = registry.points(site_ids=[site.id])[0].address
    (before,) = (await resolver.points(grant, [address])).tolist()
    epoch = resolver.epoch
    other = registry.create_site(1, "Barn", "UTC")
    registry.move_device(device.id, other.id, with_history=True)
    _until(lambda: resolver.epoch > epoch)
    (after,) = (await resolver.points(grant, [address])).tolist()
    assert after != before
    assert registry.point(before).site_id == other.id
    assert registry.point(after).site_id == site.id


def test_posting_costs_nobody_what_is_remembered(resolver: RegistryResolver, registry: Registry, site: Site) -> None:
    device = registry.create_device_from_template(site.id, "shelly-plug-s")
    _until(lambda: resolver.epoch == 0)
    registry.put_posting(device.id, enabled=False)
    _until(lambda: bool(resolver.closed))
    assert resolver.epoch == 0


def test_a_new_epoch_ends_what_is_remembered_of_names(own: Door) -> None:
    url = f"/input/post?node=n&apikey={own.key}&json="
    for _ in range(2):
        assert own.http.get(url + '{"p":1}').text == "ok"
    usual = own.server.usual
    own.points.epoch += 1
    assert own.http.get(url + '{"p":2}').text == "ok"
    assert own.server.usual == usual + 1
    assert own.http.get(url + '{"p":3}').text == "ok"
    assert own.server.usual == usual + 1
    assert own.values() == {"emon/n/p": 3}
