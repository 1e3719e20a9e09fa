"""Looks of operators: kept with who, what, when and why, once for a page, and read by those whose things they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.policy import Role
from wattstead.registry.records import PointDeclaration
from wattstead.registry.trail import Actor

if TYPE_CHECKING:
    from tests.web.conftest import Office

REASON = "ticket 4711: bill too high"


def _looks(client: httpx.Client, path: str = "/trail", **asked: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(path, params={"action": "look", **asked}).raise_for_status().json()["rows"]
    return rows


@pytest.fixture(scope="module")
def operator(office: Office) -> httpx.Client:
    """An operator of the whole organization who has told why."""
    client = office.join("operator@test.example", "operator", organization_id=office.root)
    assert client.get(f"/sites/{office.site}").status_code in (403, 404), "nothing is seen without a reason"
    client.post("/reason", json={"reason": REASON}).raise_for_status()
    return client


def test_each_look_at_sites_and_people_is_kept(office: Office, operator: httpx.Client) -> None:
    customer = office.join("customer@test.example", "user", site_id=office.site)
    me = customer.get("/session").json()
    with office.signed_in() as boss:
        (person,) = boss.get("/people", params={"q": "customer@test"}).json()["rows"]
        for _ in range(3):  # a page asks several times
            operator.get(f"/sites/{office.site}").raise_for_status()
        operator.get(f"/sites/{office.site}/people")
        operator.get(f"/people/{person['id']}").raise_for_status()
        operator.get("/people", params={"q": "customer"}).raise_for_status()
        operator.get("/directory/export", params={"kind": "sites", "format": "csv", "q": "mill"}).raise_for_status()
        (site,) = _looks(boss, resource="site", id=office.site)
        assert (site["who"], site["reason"], site["site_id"]) == ("operator", REASON, office.site)
        (looked,) = _looks(boss, resource="person", id=person["id"])
        assert (looked["who"], looked["reason"]) == ("operator", REASON)
        assert _looks(boss, resource="person", id=0)[0]["fields"]["question"] == [None, "q=customer"]
        assert "q=mill" in _looks(boss, resource="site", id=0)[0]["fields"]["question"][1]
        assert office.registry.broken_trail() is None
    assert [one["resource"] for one in _looks(customer)] == ["site"], "whose site it is reads that it was looked at"
    assert me["email"] == "customer@test.example"


def test_what_is_not_theirs_was_not_looked_at(office: Office, operator: httpx.Client) -> None:
    foreign = office.registry.create_organization("Elsewhere", None)
    site = office.registry.create_site(foreign.id, "Far", "UTC")
    assert operator.get(f"/sites/{site.id}").status_code == 404
    assert office.registry.trail(site_id=site.id, action="look") == []


def test_others_are_not_watched(office: Office) -> None:
    with office.signed_in() as boss:
        before = len(_looks(boss))
        boss.get(f"/sites/{office.site}").raise_for_status()
        assert len(_looks(boss)) == before


@pytest.fixture(scope="module")
def watched(house: Any) -> Iterator[httpx.Client]:
    """An operator of the house who has told why."""
    home = house.registry.site(house.home).organization_id
    owner = house.registry.signed(house.registry.login(house.owner, house.password))
    account = house.registry.invite(
        Actor(owner.account.id), owner.authority, "watched@test.example", Role.OPERATOR, organization_id=home
    )
    house.registry.accept_invitation(account.token, "watched", house.password)
    with house.client(headers={"X-Wattstead": "1"}) as client:
        me = {"email": "watched@test.example", "password": house.password}
        assert client.post("/api/v1/session", json=me).status_code == 201
        client.post("/api/v1/reason", json={"reason": REASON}).raise_for_status()
        yield client


def _fresh(boss: httpx.Client, send: Callable[[], object]) -> list[dict[str, Any]]:
    """The looks that a question leaves."""
    before = {one["id"] for one in _looks(boss, "/api/v1/trail")}
    send()
    return [one for one in _looks(boss, "/api/v1/trail", limit=500) if one["id"] not in before]


def _points(looks: list[dict[str, Any]]) -> set[int]:
    return {point for one in looks for point in one["fields"].get("points", [None, []])[1]}


def test_looks_in_other_languages_name_what_was_answered(house: Any, watched: httpx.Client) -> None:
    """EmonCMS's and InfluxDB's questions name their points anywhere: in the path, parameters, forms, statements."""
    with house.signed_in() as boss:
        power, kwh, outdoor, secret = (house.points[name] for name in ("power", "kwh", "outdoor", "secret"))
        span = {"start": house.start_s, "end": house.start_s + 600, "interval": 60}
        asked = [
            ({power}, lambda: watched.post("/feed/data.json", data={"id": power, **span})),
            ({kwh}, lambda: watched.get("/feed/value.json", params={"id": kwh})),
            ({power, outdoor}, lambda: watched.post("/feed/fetch.json", data={"ids": f"{power},{outdoor}"})),
            ({outdoor}, lambda: watched.post("/query", data={"q": 'SELECT last("value") FROM "outdoor"'})),
        ]
        for points, send in asked:
            fresh = _fresh(boss, lambda send=send: send().raise_for_status())
            assert {one["reason"] for one in fresh} == {REASON} and all(one["site_id"] for one in fresh)
            named = _points(fresh)
            assert points <= named and (len(points) > 1 or points == named)
        for send in (lambda: watched.get("/feed/list.json"), lambda: watched.get("/api/v1/points")):
            before = {one["id"] for one in _looks(boss, "/api/v1/trail", resource="reading")}
            send().raise_for_status()
            rows = _looks(boss, "/api/v1/trail", resource="reading")
            (one,) = [row for row in rows if row["id"] not in before]
            assert {power, kwh, outdoor, secret} <= set(one["fields"]["points"][1]), "one look, whatever the sites"
            assert (one["site_id"], one["reason"]) == (None, REASON)
        history = boss.get(f"/api/v1/sites/{house.home}/history").raise_for_status().json()["rows"]
        assert sum(one["action"] == "look" for one in history) == len(asked)


def test_a_look_names_the_points_that_were_answered_however_they_are_written(house: Any, watched: httpx.Client) -> None:
    kitchen, cellar, secret = (house.points[name] for name in ("kitchen", "cellar", "secret"))
    day = {"start": house.start_s * 1000, "end": (house.start_s + 3600) * 1000}
    with house.signed_in() as boss:
        for path, name in (("readings", "point"), ("series", "points"), ("span", "points"), ("live", "points")):
            twice = f"/api/v1/{path}?{name}={kitchen}&{name}={secret}"
            refused = watched.get(twice)
            assert refused.status_code == 400 and "2 times" in refused.json()["detail"], path
            assert boss.get(twice).status_code == 400
        blanks = _fresh(
            boss,
            lambda: watched.get("/api/v1/series", params={"points": f"{kitchen}, {secret}", **day}).raise_for_status(),
        )
        assert _points(blanks) == {kitchen, secret} and len(blanks) == 2, "a record for each site"
        again = _fresh(boss, lambda: watched.get("/api/v1/series", params={"points": f"{secret},{cellar}", **day}))
        assert _points(again) == {secret, cellar}
        foreign = _fresh(boss, lambda: watched.get("/api/v1/readings", params={"point": 10**9}))
        assert foreign == []


def test_lists_and_days_of_readings_name_their_points(house: Any, watched: httpx.Client, eventually: Any) -> None:
    device = house.registry.create_device(house.barn, "Meter", organization_id=None, attributes={}, tags={}).id
    (energy,) = house.registry.create_points(
        house.barn,
        [
            PointDeclaration(
                address="watched/kwh", name="Energy", unit="kWh", kind=Kind.REGISTER,
                quantity=Quantity.ELECTRICITY, device_id=device,
            )
        ],
    )  # fmt: skip
    with house.signed_in() as boss:
        day = {"day": "2026-03-01"}
        eventually(lambda: boss.get(f"/api/v1/devices/{device}/hours", params=day).json()["points"])
        hours = _fresh(boss, lambda: watched.get(f"/api/v1/devices/{device}/hours", params=day).raise_for_status())
        assert _points(hours) == {energy} and {one["resource"] for one in hours} == {"device", "reading"}
        listed = _fresh(boss, lambda: watched.get("/api/v1/points").raise_for_status())
        assert _points(listed) >= {house.points["power"], house.points["secret"], energy}


def test_a_list_is_kept_with_all_its_filters(house: Any, watched: httpx.Client) -> None:
    with house.signed_in() as boss:
        both = {"site": [house.home, house.barn], "limit": 3}
        sites = _fresh(boss, lambda: watched.get("/api/v1/devices", params=both).raise_for_status())
        assert {one["resource_id"] for one in sites if one["resource"] == "site"} == {house.home, house.barn}
        filler = "x" * 600
        for city in ("Lyon", "Nice"):
            (kept,) = _fresh(boss, lambda city=city: watched.get(f"/api/v1/sites?city={filler}&city={city}"))
            assert kept["fields"]["question"][1].endswith(f"city={city}")
        for path in ("sites?q=a&q=b", "devices?limit=1&limit=500", "people?site=1&site=2", "people?sort=a&sort=name"):
            assert watched.get(f"/api/v1/{path}").status_code == 400, path
        for kind in ("sites", "people"):
            assert boss.get(f"/api/v1/directory/export?kind={kind}&kind=people&format=csv").status_code == 400


def test_who_sees_no_keys_is_not_told_that_of_the_demo(watched: httpx.Client) -> None:
    assert watched.get("/api/v1/session").json()["demo"] == {"note": "replayed", "write_key": ""}
