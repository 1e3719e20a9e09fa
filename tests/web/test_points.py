"""Sites and points: what one may see, latest values in base units, adopting and renaming."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from wattstead.registry.places.devices import Made
from wattstead.registry.records import NewAddress, PointDeclaration


def _change(client: httpx.Client, point: int, change: Any) -> httpx.Response:
    version = client.get(f"/api/v1/points/{point}").headers["ETag"]
    return client.patch(f"/api/v1/points/{point}", json=change, headers={"If-Match": version})


def test_a_key_sees_its_site_and_a_person_all(house: Any, reader: httpx.Client, person: httpx.Client) -> None:
    told = reader.get("/api/v1/sites").json()
    (home,) = told["rows"]
    assert (home["id"], home["name"], home["zone"], home["note"], told["total"]) == (
        house.home, "Home", "Europe/Berlin", "", 1,
    )  # fmt: skip
    assert [site["name"] for site in person.get("/api/v1/sites").json()["rows"]] == ["Barn", "Home"]
    assert house.points["secret"] not in [row["id"] for row in reader.get("/api/v1/points").json()]
    assert house.points["secret"] in [row["id"] for row in person.get("/api/v1/points").json()]


def test_what_is_not_ones_own_looks_like_what_is_not_there(house: Any, reader: httpx.Client) -> None:
    secret = house.points["secret"]
    for path in ("points/{}", "series?points={}", "readings?point={}", "span?points={}", "live?points={}"):
        mine, missing = (reader.get(f"/api/v1/{path.format(i)}") for i in (secret, 999_999))
        assert mine.status_code == missing.status_code == 404
        assert mine.json()["detail"].replace(str(secret), "999999") == missing.json()["detail"]
    assert reader.get(f"/api/v1/points?site={house.barn}").status_code == 404


def test_a_point_is_told_with_its_latest_value_in_the_base_unit(house: Any, reader: httpx.Client) -> None:
    time_s = house.publish(house.points["outdoor"], 50.0)
    row = reader.get(f"/api/v1/points/{house.points['outdoor']}").json()
    assert row["latest"] == {"time": time_s * 1000, "value": pytest.approx(10.0)}
    assert (row["unit"], row["base_unit"], row["amount_unit"]) == ("°F", "°C", None)
    assert row["suggestion"] == {
        "quantity": "temperature", "kind": "gauge", "direction": "none", "unit": "°F", "role": "none",
    }  # fmt: skip


def test_points_come_in_pages(house: Any, person: httpx.Client) -> None:
    every = [row["id"] for row in person.get("/api/v1/points").json()]
    first = [row["id"] for row in person.get("/api/v1/points?limit=2").json()]
    rest = [row["id"] for row in person.get(f"/api/v1/points?after={first[-1]}").json()]
    assert first + rest == every == sorted(every)
    assert person.get("/api/v1/points?limit=0").json()["places"][0]["place"] == "limit"


def test_a_new_address_appears_by_itself(house: Any, reader: httpx.Client) -> None:
    before = {row["address"] for row in reader.get("/api/v1/points").json()}
    grant = house.registry.key(house.write)
    house.registry.resolve(grant, [NewAddress("emon/new/solar_kwh")])
    found: list[dict[str, Any]] = []
    while not found:
        rows = reader.get("/api/v1/points").json()
        found = [row for row in rows if row["address"] not in before]
    assert [row["address"] for row in found] == ["emon/new/solar_kwh"]
    assert found[0]["suggestion"]["role"] == "solar"
    assert found[0]["latest"] is None


def test_adopting_changes_what_a_point_is(house: Any, person: httpx.Client) -> None:
    grant = house.registry.key(house.write)
    point = house.registry.resolve(grant, [NewAddress("adopt me")])["adopt me"]
    change = {"name": "Wärmepumpe 1", "quantity": "electricity", "kind": "register", "unit": "kWh", "role": "appliance"}
    answer = _change(person, point, change)
    assert answer.status_code == 200, answer.text
    told = person.get(f"/api/v1/points/{point}").json()
    assert {name: told[name] for name in change} == change
    assert (told["adopted"], told["suggestion"], told["address"]) == (True, None, "adopt me")


def test_a_change_names_the_version_that_was_seen_and_is_kept(house: Any, person: httpx.Client) -> None:
    grant = house.registry.key(house.write)
    point = house.registry.resolve(grant, [NewAddress("kept")])["kept"]
    path = f"/api/v1/points/{point}"
    seen = person.get(path)
    first = {"If-Match": seen.headers["ETag"]}
    assert seen.headers["ETag"] == f'"{seen.json()["version"]}"'
    assert person.patch(path, json={"name": "One"}).status_code == 428
    answer = person.patch(path, json={"name": "One", "unit": "W"}, headers=first)
    assert answer.status_code == 200
    assert person.patch(path, json={"name": "Two"}, headers=first).status_code == 412
    assert person.patch(path, json={"name": "Two"}, headers={"If-Match": answer.headers["ETag"]}).status_code == 200
    history = person.get(f"/api/v1/sites/{house.home}/history").json()["rows"]
    last, former = (one for one in history if (one["resource"], one["resource_id"]) == ("point", point))
    assert last["fields"] == {"name": ["One", "Two"]}
    assert former["fields"]["unit"] == ["", "W"] and former["fields"]["name"][1] == "One"
    assert (last["action"], last["who"]) == ("change", person.get("/api/v1/session").json()["name"] or house.owner)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"unit": "furlong"}, "furlong"),
        ({"kind": "register", "unit": "W"}, "level"),
        ({"kind": "wave"}, "kind"),
        ({"nam": "x"}, "nam"),
        ({"width": 7}, "power of ten"),
        ({"resolution": -1}, "resolution"),
        ({"max_gap_s": -1}, "max_gap_s"),
        ({"max_rate": -0.5}, "max_rate"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": "a\x00b"}, "control character"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(house: Any, person: httpx.Client, change: Any, word: str) -> None:
    answer = _change(person, house.points["power"], change)
    assert answer.status_code == 400
    assert word in answer.text


def test_a_register_is_wider_than_what_it_shows(house: Any, person: httpx.Client) -> None:
    grant = house.registry.key(house.write)
    point = house.registry.resolve(grant, [NewAddress("wide")])["wide"]
    house.publish(point, 999_999.0)
    register = {"quantity": "electricity", "kind": "register", "unit": "Wh"}
    refused = _change(person, point, register | {"width": 10**6})
    assert [one["place"] for one in refused.json()["places"]] == ["width"]
    assert (
        "1000000 resolutions of 0.001 Wh are 1000 Wh, and the greatest reading is 999999 Wh" in refused.json()["detail"]
    )
    assert person.get(f"/api/v1/points/{point}").json()["kind"] == "gauge"
    for fitting in ({"width": 10**9}, {"width": 10**6, "resolution": 1}, {"name": "Wide"}):
        assert _change(person, point, register | fitting).status_code == 200
    assert _change(person, point, {"resolution": 0.001}).status_code == 400


def test_a_register_is_wider_than_what_it_ever_showed(house: Any, person: httpx.Client) -> None:
    """Its meter was exchanged: the newest reading is small, older ones are not."""
    house.publish(house.points["kwh"], 3.0)
    refused = _change(person, house.points["kwh"], {"width": 10**5, "resolution": 0.001})
    assert refused.status_code == 400 and "the greatest reading is 1034.51" in refused.json()["detail"], refused.text


def test_gaps_and_jumps_are_what_the_point_says(house: Any, person: httpx.Client) -> None:
    point = house.points["power"]
    assert person.get(f"/api/v1/points/{point}").json()["max_gap_s"] == house.registry.point(point).point.max_gap_s
    told = _change(person, point, {"max_gap_s": 7200, "max_rate": 8.4}).json()
    assert (told["max_gap_s"], told["max_rate"]) == (7200, 8.4)
    kept = house.registry.point(point).point
    assert (kept.max_gap_s, kept.max_rate) == (7200, 8.4)


def test_keys_change_nothing(house: Any, reader: httpx.Client) -> None:
    answer = reader.patch(f"/api/v1/points/{house.points['power']}", json={"name": "x"})
    assert answer.status_code == 403
    assert "this key may not" in answer.json()["detail"]


def test_a_write_key_never_reads(house: Any) -> None:
    with house.client(house.write) as writer:
        for path in ("sites", "points", f"series?points={house.points['power']}", "session"):
            assert writer.get(f"/api/v1/{path}").status_code == 403


def test_points_of_one_name_are_told_apart_by_their_devices(house: Any, person: httpx.Client) -> None:
    registry = house.registry
    site = registry.create_site(registry.site(house.barn).organization_id, "Twins", "Europe/Berlin")
    declared = [PointDeclaration(address=f"{one}/power", name="Power", unit="W") for one in "abc"]
    made = [
        registry.create_device(site.id, name, made=Made(prefix=f"{one.address[0]}/", declarations=[one]))
        for name, one in zip(("Inverter", "Meter", "Meter"), declared, strict=True)
    ]
    alone = registry.create_device(
        site.id, "Boiler", made=Made(declarations=[PointDeclaration(address="t", name="Heat", unit="°C")])
    )

    def told() -> dict[int, tuple[str, str]]:
        answer = person.get(f"/api/v1/points?site={site.id}")
        rows = answer.json() if answer.status_code == 200 else []  # a site just made is seen a moment later
        return {row["device_id"]: (row["name"], row["label"]) for row in rows}

    def see(wanted: dict[int, tuple[str, str]]) -> None:
        for _ in range(1_200):
            if told() == wanted:
                return
            time.sleep(0.05)
        assert told() == wanted

    wanted = {
        made[0].id: ("Power", "Inverter · Power"),
        made[1].id: ("Power", "Meter (b) · Power"),
        made[2].id: ("Power", "Meter (c) · Power"),
        alone.id: ("Heat", "Heat"),
    }
    see(wanted)
    registry.change_device(made[1].id, attributes={"name": "Grid"})
    see(wanted | {made[1].id: ("Power", "Grid · Power"), made[2].id: ("Power", "Meter · Power")})
    (point,) = (row for row in person.get(f"/api/v1/points?site={site.id}").json() if row["device_id"] == made[0].id)
    assert person.get(f"/api/v1/points/{point['id']}").json()["label"] == "Inverter · Power"
    renamed = _change(person, point["id"], {"name": "AC power"}).json()
    assert (renamed["name"], renamed["label"]) == ("AC power", "AC power")
    for device in (*made, alone):
        registry.delete_device(device.id)
    registry.delete_site(site.id)
