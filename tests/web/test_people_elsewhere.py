"""People who belong to several organizations: suspended in one alone, not told of to the others; tags and filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest


class Company(NamedTuple):
    """A company of its own with a site."""

    id: int
    site: int
    owner: httpx.Client


@pytest.fixture(scope="module")
def companies(office: Any) -> Iterator[list[Company]]:
    """Two companies that know nothing of each other."""
    found = []
    for name in ("Mill", "Dairy"):
        made = office.registry.create_organization(f"{name} Ltd", office.root)
        site = office.registry.create_site(made.id, name, "Europe/Paris").id
        found.append(
            Company(made.id, site, office.join(f"{name.lower()}@test.example", "owner", organization_id=made.id))
        )
    yield found
    for one in found:
        one.owner.close()


@pytest.fixture(scope="module")
def both(office: Any, companies: list[Company]) -> Iterator[tuple[httpx.Client, int]]:
    """Somebody who manages the sites of both, and belongs to the second."""
    mill, dairy = companies
    with office.join("both@test.example", "manager", site_id=dairy.site) as person:
        made = mill.owner.post(
            "/invitations", json={"email": "both@test.example", "role": "manager", "site_id": mill.site}
        )
        token = made.json()["link"].partition("?token=")[2]
        assert person.post("/invitations/accept", json={"token": token}).status_code == 200
        yield person, person.get("/session").json()["account_id"]


def test_who_works_elsewhere_too_is_suspended_here_and_resumed(
    companies: list[Company], both: tuple[httpx.Client, int]
) -> None:
    (mill, dairy), (person, identity) = companies, both
    path = f"/people/{identity}"
    for owner in (mill.owner, dairy.owner):
        version = {"If-Match": owner.get(path).headers["etag"]}
        refused = owner.patch(path, json={"state": "disabled"}, headers=version)
        assert refused.status_code == 403 and refused.json()["code"] in ("person.elsewhere", "person.above")
    answer = mill.owner.put(f"{path}/suspension")
    assert answer.status_code == 200 and all(one["suspended"] for one in answer.json()["memberships"])
    assert person.get(f"/sites/{mill.site}").status_code == 404
    assert person.get(f"/sites/{dairy.site}").status_code == 200
    assert not any(one["suspended"] for one in dairy.owner.get(path).json()["memberships"])
    assert [row["email"] for row in mill.owner.get("/people", params={"role": "manager"}).json()["rows"]] == []
    assert mill.owner.put(f"{path}/suspension").json()["code"] == "role.none"
    assert mill.owner.delete(f"{path}/suspension").status_code == 200
    assert person.get(f"/sites/{mill.site}").status_code == 200


def test_suspending_needs_sight_and_the_right_to_give(
    office: Any, companies: list[Company], both: tuple[httpx.Client, int]
) -> None:
    mill, dairy = companies
    stranger = dairy.owner.get("/session").json()["account_id"]
    for method in ("PUT", "DELETE"):
        foreign = mill.owner.request(method, f"/people/{stranger}/suspension")
        missing = mill.owner.request(method, "/people/987654/suspension")
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json()["detail"].replace(str(stranger), "N") == missing.json()["detail"].replace("987654", "N")
        assert both[0].request(method, f"/people/{both[1]}/suspension").status_code == 403
        own = mill.owner.get("/session").json()["account_id"]
        assert mill.owner.request(method, f"/people/{own}/suspension").json()["code"] == "person.own"
    with office.join("partner.mill@test.example", "partner", organization_id=mill.id) as partner:
        own = mill.owner.get("/session").json()["account_id"]
        assert partner.put(f"/people/{own}/suspension").json()["code"] == "role.none"


def test_making_a_person_answers_alike_whoever_has_an_account_elsewhere(companies: list[Company]) -> None:
    mill, dairy = companies
    wanted = {"role": "user", "site_id": mill.site, "name": "Nova", "tags": {"team": "red"}}
    answers = [
        mill.owner.post("/people", json=wanted | {"email": email})
        for email in ("nobody.yet@test.example", "dairy@test.example", "dаіrу@test.example")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 400], "the last one mixes letters, whoever there is"
    free, taken = (answer.json() for answer in answers[:2])
    assert free["id"] is None and free["name"] == "Nova" and free["tags"] == {"team": "red"}
    assert {**free, "email": "", "link": "", "created": ""} == {**taken, "email": "", "link": "", "created": ""}
    assert "etag" not in answers[0].headers and "etag" not in answers[1].headers
    for email in ("nobody.yet@test.example", "dairy@test.example"):
        assert mill.owner.get("/people", params={"q": email}).json()["total"] == 0
    waiting = {one["email"] for one in mill.owner.get("/invitations").json()}
    assert waiting >= {"nobody.yet@test.example", "dairy@test.example"}
    assert mill.owner.post("/people", json=wanted | {"email": "mill@test.example"}).status_code == 409, "seen anyway"
    token = taken["link"].partition("?token=")[2]
    assert dairy.owner.post("/invitations/accept", json={"token": token}).status_code == 200
    assert dairy.owner.get(f"/sites/{mill.site}").status_code == 200
    assert dairy.owner.get("/account").json()["name"] != "Nova", "who has an account keeps the own name"


def test_an_answer_makes_the_person_as_told(office: Any, companies: list[Company]) -> None:
    mill, wanted = companies[0], {"email": "told@test.example", "role": "user", "name": "Tilda", "phone": "+33 1"}
    made = mill.owner.post("/people", json=wanted | {"site_id": companies[0].site, "tags": {"team": "blue"}})
    token = made.json()["link"].partition("?token=")[2]
    with office.client() as door:
        answer = door.post(
            "/invitations/accept", json={"token": token, "name": "", "password": "correct horse battery"}
        )
        assert answer.status_code == 200, answer.text
    (row,) = mill.owner.get("/people", params={"tag.team": "blue", "name.contains": "ILD"}).json()["rows"]
    assert (row["name"], row["phone"], row["tags"]) == ("Tilda", "+33 1", {"team": "blue"})


def test_an_address_is_changed_by_who_runs_the_platform_alone(office: Any, companies: list[Company]) -> None:
    mill = companies[0]
    with office.join("typo@test.example", "user", site_id=mill.site) as person, office.signed_in() as admin:
        path = f"/people/{person.get('/session').json()['account_id']}"
        for email in ("dairy@test.example", "free@test.example"):
            refused = mill.owner.patch(
                path, json={"email": email}, headers={"If-Match": mill.owner.get(path).headers["etag"]}
            )
            assert (refused.status_code, refused.json()["code"]) == (403, "email.administrator")
        version = {"If-Match": admin.get(path).headers["etag"]}
        assert admin.patch(path, json={"email": "type@test.example"}, headers=version).status_code == 200


def test_people_are_filtered_and_exported_with_their_tags(
    office: Any, companies: list[Company], both: tuple[httpx.Client, int]
) -> None:
    (mill, dairy), (_, identity) = companies, both
    version = {"If-Match": dairy.owner.get(f"/people/{identity}").headers["etag"]}
    with office.signed_in() as admin:
        told = {"phone_type": "Fairphone", "tags": {"team": "green", "key": "=1+1"}}
        assert admin.patch(f"/people/{identity}", json=told, headers=version).status_code == 200
    today = datetime.now(UTC).date()
    asked: list[tuple[dict[str, Any], bool]] = [
        ({"tag.team": "green"}, True), ({"tag.team": ["green", "red"]}, True), ({"tag.team.empty": "yes"}, False),
        ({"phone_type.contains": "PHONE"}, True), ({"phone_type.prefix": "fair"}, True), ({"phone.empty": "yes"}, True),
        ({"created.from": f"{today - timedelta(days=1)}"}, True), ({"created.to": "2026-01-01"}, False),
        ({"second_factor": "yes"}, False), ({"email": ["x@y.example", "BOTH@test.example"]}, True),
    ]  # fmt: skip
    for query, found in asked:
        page = dairy.owner.get("/people", params=query)
        assert page.status_code == 200, page.text
        assert (identity in {row["id"] for row in page.json()["rows"]}) is found, query
        lines = dairy.owner.get("/directory/export", params=query | {"kind": "people"}).text
        assert ("both@test.example" in lines) is found, query
    assert "tag.team" in dairy.owner.get("/directory/export", params={"kind": "people"}).text.splitlines()[0]
    for foreign in ({"tag.team": "green"}, {"tag.team.empty": "no"}, {"phone_type.contains": "phone"}):
        assert identity not in {row["id"] for row in mill.owner.get("/people", params=foreign).json()["rows"]}
    assert "green" not in mill.owner.get("/directory/export", params={"kind": "people"}).text
    for wrong in ({"name.from": "a"}, {"created.contains": "1"}, {"role": ["user", "owner"]}, {"created.from": "soon"}):
        assert dairy.owner.get("/people", params=wrong).status_code == 400, wrong
        assert dairy.owner.get("/directory/export", params=wrong | {"kind": "people"}).status_code == 400, wrong


def test_a_share_ends_when_the_role_of_its_maker_does(office: Any, companies: list[Company]) -> None:
    """Without anybody ending anything: the maker's role is over, and so is what it showed."""
    mill, dairy = companies
    with (
        office.join("shows.expires@test.example", "user", site_id=mill.site) as maker,
        office.join("seen.expires@test.example", "auditor", organization_id=dairy.id) as seen,
        office.client() as guest,
    ):
        link = maker.post("/shares", json={"site_id": mill.site, "name": "Link", "expires_days": 3}).json()["link"]
        offered = maker.post("/shares", json={"site_id": mill.site, "email": "seen.expires@test.example"}).json()
        token = offered["link"].partition("?token=")[2]
        assert seen.post("/invitations/accept", json={"token": token}).status_code == 200
        shown = f"/shared/{link.rpartition('/')[2]}"
        assert seen.get(f"/sites/{mill.site}").status_code == guest.get(shown).status_code == 200
        asked = maker.post("/shares", json={"site_id": mill.site, "email": "not.yet@test.example"})
        assert asked.json()["kind"] == "invitation"

        def listed() -> dict[str, bool]:
            rows = mill.owner.get("/shares", params={"site": mill.site}).json()["rows"]
            return {row["kind"]: row["resting"] for row in rows}

        assert listed() == {"person": False, "invitation": False, "link": False}
        path = f"/people/{maker.get('/session').json()['account_id']}/memberships"
        over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        ended = {"role": "user", "site_id": mill.site, "expires": over}
        assert mill.owner.post(path, json=ended).status_code == 201
        assert seen.get(f"/sites/{mill.site}").status_code == guest.get(shown).status_code == 404
        assert listed() == {"person": True, "invitation": False, "link": True}
        assert mill.owner.post(path, json={"role": "user", "site_id": mill.site}).status_code == 201
        assert seen.get(f"/sites/{mill.site}").status_code == guest.get(shown).status_code == 200
