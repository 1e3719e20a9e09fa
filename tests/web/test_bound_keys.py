"""Keys that are bound to one device reach that device and nothing else of its site, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from wattstead.registry.places.keys import Terms
from wattstead.registry.records import PointDeclaration, Scope

SPAN = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "every": "1h"}


class Bound:
    """Two devices of the home with a point each, and the keys of the first."""

    def __init__(self, house: Any) -> None:
        registry = house.registry
        self.mine, self.other = (
            registry.create_device(house.home, name, organization_id=None, attributes={}, tags={}).id
            for name in ("Mine", "Other")
        )
        declared = [
            PointDeclaration(address=f"emon/bound/{name}", name=name, device_id=device)
            for name, device in (("mine", self.mine), ("other", self.other))
        ]
        self.point, self.foreign = registry.create_points(house.home, declared)
        terms = Terms(device_id=self.mine)
        self.keys = {scope: registry.create_key(house.home, scope, "bound", terms=terms).secret for scope in Scope}


@pytest.fixture(scope="module")
def bound(house: Any) -> Bound:
    return Bound(house)


@pytest.fixture(params=[Scope.READ, Scope.ADMIN])
def client(house: Any, bound: Bound, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with house.client(bound.keys[request.param]) as found:
        yield found


def test_only_the_device_is_seen(house: Any, bound: Bound, client: httpx.Client) -> None:
    api = "/api/v1"
    assert [row["id"] for row in client.get(f"{api}/points").json()] == [bound.point]
    assert [row["id"] for row in client.get(f"{api}/points", params={"site": house.home}).json()] == [bound.point]
    assert [row["id"] for row in client.get(f"{api}/devices").json()["rows"]] == [bound.mine]
    for path in (f"points/{bound.foreign}", f"devices/{bound.other}", f"sites/{house.barn}"):
        assert client.get(f"{api}/{path}").status_code == 404, path
    assert client.get(f"{api}/series", params=SPAN | {"points": bound.foreign}).status_code == 404
    assert client.get(f"{api}/series", params=SPAN | {"points": bound.point}).status_code == 200
    assert client.get(f"{api}/sites/{house.home}").status_code == 200
    assert client.get(f"{api}/spaces", params={"site": house.home}).status_code == 403
    feeds = client.get("/feed/list.json").json()
    assert [int(row["id"]) for row in feeds] == [bound.point]


def test_filters_ask_about_the_device_alone(house: Any, bound: Bound, client: httpx.Client) -> None:
    home = {"id": house.home}
    for name, mine, other in (("device.id", bound.mine, bound.other), ("device.name.prefix", "Min", "Oth")):
        assert client.get("/api/v1/sites", params={name: mine}).json()["total"] == 1, name
        assert client.get("/api/v1/sites", params={name: other}).json()["total"] == 0, name
    (row,) = client.get("/api/v1/sites", params=home).json()["rows"]
    assert row["devices"] == client.get(f"/api/v1/sites/{house.home}").json()["devices"] == 1
    with house.client(house.read) as whole:
        assert whole.get(f"/api/v1/sites/{house.home}").json()["devices"] > 1


def test_only_the_device_is_changed(house: Any, bound: Bound) -> None:
    api = "/api/v1"
    with house.client(bound.keys[Scope.ADMIN]) as admin:
        version = {"If-Match": admin.get(f"{api}/points/{bound.point}").headers["ETag"]}
        assert admin.patch(f"{api}/points/{bound.foreign}", json={"name": "No"}, headers=version).status_code == 404
        assert admin.patch(f"{api}/points/{bound.point}", json={"name": "Renamed"}, headers=version).status_code == 200
        assert admin.post(f"{api}/devices", json={"name": "New", "site_id": house.home}).status_code == 403
        assert admin.post(f"{api}/spaces", json={"name": "New", "site_id": house.home}).status_code == 403
        version = {"If-Match": admin.get(f"{api}/sites/{house.home}").headers["ETag"]}
        assert admin.patch(f"{api}/sites/{house.home}", json={"note": "No"}, headers=version).status_code == 403
        own = admin.get(f"{api}/devices/{bound.mine}")
        version = {"If-Match": own.headers["ETag"]}
        assert admin.patch(f"{api}/devices/{bound.mine}", json={"name": "Mine!"}, headers=version).status_code == 200
        assert admin.patch(f"{api}/devices/{bound.other}", json={"name": "No"}, headers=version).status_code == 404
        gone = admin.delete(f"{api}/points/{bound.foreign}/readings", params={"reason": "no"})
        assert gone.status_code == 404
        assert admin.delete(f"{api}/sites/{house.home}/readings", params={"reason": "no"}).status_code == 403


def test_the_write_key_lists_the_inputs_of_its_device(house: Any, bound: Bound) -> None:
    with house.client(bound.keys[Scope.WRITE]) as writer:
        listed = writer.get("/input/get.json").json()
    assert list(listed) == ["bound"] and list(listed["bound"]) == ["mine"]
