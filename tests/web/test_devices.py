"""Devices over HTTP: made, moved, told to be quiet; and one day of one of them by the hour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from wattstead.registry.points.declare import PointChange
from wattstead.web.directory import POLL_S


@pytest.fixture(scope="module")
def homes(office: Any) -> Iterator[Any]:
    registry = office.registry
    one, two = (registry.create_organization(f"Branch {n}", office.root).id for n in "12")
    made = type("Homes", (), {})
    made.one, made.two, made.office = one, two, office
    made.mill = registry.create_site(one, "Mill", "Europe/Paris").id
    made.inn = registry.create_site(one, "Inn", "Europe/Paris").id
    made.barn = registry.create_site(two, "Barn", "Europe/Paris").id
    made.owner = office.signed_in()
    made.partner = office.join("dev@one.example", "partner", organization_id=one)
    made.user = office.join("user@one.example", "user", site_id=made.mill)
    yield made
    for client in (made.owner, made.partner, made.user):
        client.close()


def _told(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def _make(homes: Any, **body: Any) -> Any:
    return _told(homes.partner.post("/devices", json={"name": "Meter", **body}), 201)


def test_a_device_from_a_template(homes: Any) -> None:
    template = _told(homes.partner.get("/templates"))["rows"][0]["name"]
    made = _make(homes, site_id=homes.mill, template=template, serial_number="SN1", tags={"batch": "7"})
    assert (made["template"], made["site"], made["tags"]) == (template, "Mill", {"batch": "7"})
    points = [row for row in homes.partner.get(f"/points?site={homes.mill}").json() if row["device_id"] == made["id"]]
    assert points
    listed = _told(homes.partner.get("/devices", params={"serial_number": "SN1", "tag.batch": "7"}))
    assert [row["id"] for row in listed["rows"]] == [made["id"]]
    assert _told(homes.user.get("/devices", params={"q": "sn1"}))["total"] == 1
    unknown = homes.partner.post("/devices", json={"name": "x", "site_id": homes.mill, "template": "none"})
    assert unknown.status_code == 404


def test_where_a_device_may_be_made(homes: Any) -> None:
    assert homes.partner.post("/devices", json={"name": "x", "site_id": homes.barn}).status_code == 404
    assert homes.partner.post("/devices", json={"name": "x", "organization_id": homes.two}).status_code == 404
    assert homes.user.post("/devices", json={"name": "x", "site_id": homes.mill}).status_code == 403
    loose = _make(homes)
    assert (loose["site_id"], loose["organization_id"]) == (None, homes.one)
    assert homes.user.get(f"/devices/{loose['id']}").status_code == 404
    nobodys = _told(homes.partner.get("/devices", params={"site_id.empty": "yes"}))
    assert loose["id"] in [row["id"] for row in nobodys["rows"]]


def test_changing_a_device(homes: Any) -> None:
    made = _make(homes, site_id=homes.mill)
    path, version = f"/devices/{made['id']}", {"If-Match": '"1"'}
    assert _told(homes.partner.patch(path, json={"firmware": "2"}, headers=version))["version"] == 2
    assert homes.partner.patch(path, json={"firmware": "3"}, headers=version).status_code == 412
    assert homes.partner.patch(path, json={"firmware": "3"}).status_code == 428
    for body in ({"site_id": homes.barn}, {"organization_id": homes.two}, {"posting": False}, {"mobile_bytes": 0},
                 {"completeness": 7}, {"space_id": 999_999}):  # fmt: skip
        assert homes.partner.patch(path, json=body, headers={"If-Match": '"2"'}).status_code in (400, 404), body
    assert homes.partner.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert homes.partner.get(path).status_code == 404


def test_moving_a_device(homes: Any) -> None:
    template = _told(homes.partner.get("/templates"))["rows"][0]["name"]
    made = _make(homes, site_id=homes.mill, template=template)
    path = f"/devices/{made['id']}"
    assert homes.partner.post(f"{path}/move", json={"site_id": homes.barn}).status_code == 404
    assert homes.partner.post(f"{path}/move", json={}).status_code == 400
    assert homes.user.post(f"{path}/move", json={"site_id": homes.mill}).status_code == 403
    moved = homes.partner.post(f"{path}/move", json={"site_id": homes.inn}, headers={"If-Match": '"1"'})
    assert _told(moved)["site"] == "Inn"
    assert homes.user.get(path).status_code == 404
    stale = homes.partner.post(f"{path}/move", json={"site_id": homes.mill}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert homes.partner.post(f"{path}/move", json={"site_id": None, "organization_id": homes.two}).status_code == 404
    assert _told(homes.partner.post(f"{path}/move", json={"site_id": None}))["site_id"] is None


def test_a_device_from_the_shelf_gets_its_points_when_it_comes_to_a_site(homes: Any) -> None:
    template = _told(homes.partner.get("/templates"))["rows"][0]["name"]
    made = _make(homes, template=template)
    site = homes.office.registry.create_site(homes.one, "Fresh", "UTC").id
    _told(homes.partner.post(f"/devices/{made['id']}/move", json={"site_id": site}))
    assert {row["device_id"] for row in homes.partner.get(f"/points?site={site}").json()} == {made["id"]}


def test_posting_by_hand(homes: Any) -> None:
    made = _make(homes, site_id=homes.mill)
    path = f"/devices/{made['id']}/posting"
    assert _told(homes.partner.post(path, json={"enabled": False}))["posting"] is False
    assert homes.office.registry.closed().devices == {made["id"]}
    assert homes.user.post(path, json={"enabled": True}).status_code == 403
    assert homes.partner.post(path, json={}).status_code == 400
    assert _told(homes.partner.post(path, json={"enabled": True}))["posting"] is True


def test_a_day_of_a_device_by_the_hour(house: Any, person: httpx.Client) -> None:
    site = house.home
    device = house.registry.create_device(site, "Meter").id
    house.registry.change_point(house.points["kwh"], PointChange(device_id=device))
    time.sleep(2 * POLL_S)
    told = _told(person.get(f"/api/v1/devices/{device}/hours", params={"day": "2026-03-02"}))
    assert (told["zone"], len(told["start"])) == ("Europe/Berlin", 24)
    (point,) = told["points"]
    assert point["unit"] == "Wh"
    series = person.get(
        f"/api/v1/series?points={house.points['kwh']}&start={told['start'][0]}&end={told['end']}&step=1h"
    ).json()
    assert point["amount"] == series["points"][0]["amount"]
    assert len(_told(person.get(f"/api/v1/devices/{device}/hours", params={"day": "2026-03-29"}))["start"]) == 23
    for wrong in ("2026-02-30", "today", "20260302", "2026-3-2"):
        assert person.get(f"/api/v1/devices/{device}/hours", params={"day": wrong}).status_code == 400
