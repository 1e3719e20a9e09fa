"""Looks of operators: kept with who, what, when and why, once for a page, and read by those whose things they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.web.conftest import Office

REASON = "ticket 4711: bill too high"


def _looks(client: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        client.get("/trail", params={"action": "look", **asked}).raise_for_status().json()["rows"]
    )
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
