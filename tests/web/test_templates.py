"""Templates over HTTP: listed, shown, kept, removed by those who may, and rolled over a device."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from wattstead.registry.registry import Registry

OWN = """\
name: {name}
revision: {revision}
title: Own meter
speaks: modbus
points:
  - {{name: Power, address: power, quantity: electricity, unit: W}}
  - {{name: {second}, address: second, quantity: voltage, unit: V}}
"""


def _organization(house: Any) -> int:
    found: int = house.registry.sites()[0].organization_id
    return found


def test_templates_are_listed_searched_and_shown(person: httpx.Client, reader: httpx.Client) -> None:
    listed = person.get("/api/v1/templates").json()
    assert listed["total"] >= 25
    assert {"emontx4", "linky-standard", "eastron-sdm630"} <= {row["name"] for row in listed["rows"]}
    assert [row["name"] for row in person.get("/api/v1/templates?q=janitza").json()["rows"]] == [
        "janitza-umg604", "janitza-umg96",
    ]  # fmt: skip
    shown = person.get("/api/v1/templates/p1-dsmr5/1").json()
    assert shown["source"] == "shipped"
    assert shown["template"]["points"][0]["field"] == "1-0:1.8.1"
    assert shown["text"].startswith("# Source: ")
    assert person.get("/api/v1/templates/p1-dsmr5/7").status_code == 404
    assert reader.get("/api/v1/templates").status_code == 403


def test_an_own_template_is_kept_and_removed(house: Any, person: httpx.Client) -> None:
    body = {"organization_id": _organization(house), "text": OWN.format(name="kept", revision=1, second="Voltage")}
    made = person.post("/api/v1/templates", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["source"] == "own"
    assert person.post("/api/v1/templates", json=body).status_code == 409
    assert person.post("/api/v1/templates", json={**body, "organization_id": 10**8}).status_code == 404
    assert person.get("/api/v1/templates/kept/1").json()["id"] == made.json()["id"]
    assert person.delete(f"/api/v1/templates/{made.json()['id']}").status_code == 204
    assert person.delete(f"/api/v1/templates/{made.json()['id']}").status_code == 404
    assert person.get("/api/v1/templates/kept/1").status_code == 404


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [("unit: V", "unit: volt", "line 7, points[1].unit"), ("revision: 1", "revision: x", "line 2, revision")],
)
def test_what_is_wrong_is_named_with_its_line(house: Any, person: httpx.Client, old: str, new: str, place: str) -> None:
    text = OWN.format(name="wrong", revision=1, second="Voltage").replace(old, new)
    answer = person.post("/api/v1/templates", json={"organization_id": _organization(house), "text": text})
    assert answer.status_code == 400
    assert [issue["place"] for issue in answer.json()["places"]] == [place]


def test_points_are_rolled_over_by_those_who_may_make_and_change_points(office: Any) -> None:
    registry: Registry = office.registry
    device = registry.create_device_from_template(office.site, "eastron-sdm120")
    spare = registry.create_device(None, "Spare", organization_id=office.root, attributes={}, tags={})
    url, wanted = f"/devices/{device.id}/rollover", {"template": "eastron-sdm630"}
    before = [(row.point.id, row.retired) for row in registry.points(site_ids=[office.site])]
    with (
        office.join("roll.operator@test.example", "operator", organization_id=office.root) as operator,
        office.join("roll.admin@test.example", "manager", site_id=office.site) as admin,
        office.join("roll.manager@test.example", "manager", site_id=office.site) as manager,
        office.signed_in() as owner,
    ):
        operator.post("/reason", json={"reason": "a ticket"}).raise_for_status()
        (person,) = owner.get("/people", params={"q": "roll.admin"}).json()["rows"]
        owner.post(f"/people/{person['id']}/memberships", json={"role": "administrator"}).raise_for_status()
        owner.delete(f"/people/{person['id']}/memberships/{person['memberships'][0]['id']}").raise_for_status()
        tag = {"If-Match": f'"{device.version}"'}
        assert operator.post(url, json=wanted).json()["differences"], "an operator sees points"
        for client in (operator, admin):
            refused = client.post(url, json=wanted | {"apply": True}, headers=tag)
            assert refused.status_code == 403 and refused.json().get("code") == "no_right", refused.text
        assert admin.post(url, json=wanted).status_code == 403, "an administrator sees no point"
        assert [(row.point.id, row.retired) for row in registry.points(site_ids=[office.site])] == before
        assert registry.device(device.id).template == "eastron-sdm120"
        assert admin.post(f"/devices/{spare.id}/rollover", json=wanted).json()["differences"] == []
        assert manager.post(url, json=wanted | {"apply": True}, headers=tag).status_code == 200


def test_a_revision_is_previewed_then_rolled_over(house: Any, person: httpx.Client) -> None:
    registry: Registry = house.registry
    organization = _organization(house)
    registry.put_template(organization, OWN.format(name="rolled", revision=1, second="Voltage"))
    device = registry.create_device_from_template(house.home, "rolled")
    registry.put_template(organization, OWN.format(name="rolled", revision=2, second="Voltage L1"))
    url = f"/api/v1/devices/{device.id}/rollover"
    told = person.post(url, json={}).json()
    assert (told["from_revision"], told["to_revision"]) == (1, 2)
    assert [(one["address"], one["what"], one["changes"]) for one in told["differences"]] == [
        ("rolled/second", "change", {"name": ["Voltage", "Voltage L1"]})
    ]
    assert person.post(url, json={"apply": True}).status_code == 428
    assert person.post(url, json={"apply": True}, headers={"If-Match": '"999"'}).status_code == 412
    tag = {"If-Match": f'"{device.version}"'}
    done = person.post(url, json={"apply": True}, headers=tag)
    assert done.status_code == 200, done.text
    assert done.headers["ETag"] == f'"{registry.device(device.id).version}"'
    assert person.post(url, json={}).json()["differences"] == []
    assert person.post("/api/v1/devices/99999999/rollover", json={}).status_code == 404
    assert person.post(url, json={"template": "nothing"}).status_code == 404
    assert person.post(url, json={"surprise": 1}).status_code == 400
