"""People over HTTP: the directory, changes and their versions, roles, looking through somebody's eyes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def branch(office: Any) -> Any:
    """A branch below the owner's organization, with a partner, a colleague above, and a customer in it."""
    branch = office.registry.create_organization("Sun Ltd", office.root)
    cottage = office.registry.create_site(branch.id, "Cottage", "Europe/Paris").id
    people = {
        "partner": office.join("partner@test.example", "partner", organization_id=branch.id),
        "boss": office.join("boss@test.example", "owner", organization_id=branch.id),
        "customer": office.join("customer@test.example", "user", site_id=cottage),
        "owner": office.signed_in(),
    }
    ids = {name: client.get("/session").json()["account_id"] for name, client in people.items()}
    yield type("Branch", (), {"id": branch.id, "cottage": cottage, "people": people, "ids": ids})
    for client in people.values():
        client.close()


def ids_of(answer: httpx.Response) -> set[int]:
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()["rows"]}


def test_the_directory_shows_each_only_theirs(branch: Any) -> None:
    inside = {branch.ids[name] for name in ("partner", "boss", "customer")}
    assert ids_of(branch.people["owner"].get("/people")) >= inside | {branch.ids["owner"]}
    answer = branch.people["partner"].get("/people")
    assert ids_of(answer) == inside and answer.json()["total"] == 3
    assert branch.people["customer"].get("/people").status_code == 403
    foreign = branch.people["partner"].get(f"/people/{branch.ids['owner']}")
    missing = branch.people["partner"].get("/people/987654")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"].replace(str(branch.ids["owner"]), "N") == missing.json()["detail"].replace(
        "987654", "N"
    )


def test_the_directory_is_searched_sorted_and_paged(branch: Any) -> None:
    owner = branch.people["owner"]
    assert ids_of(owner.get("/people", params={"q": "CUSTOM"})) == {branch.ids["customer"]}
    assert ids_of(owner.get("/people", params={"role": "partner"})) == {branch.ids["partner"]}
    assert ids_of(owner.get("/people", params={"site": branch.cottage})) == {branch.ids["customer"]}
    first = owner.get("/people", params={"limit": 1, "sort": "email", "order": "desc"}).json()
    rest = owner.get("/people", params={"sort": "email", "order": "desc", "cursor": first["cursor"]}).json()
    emails = [row["email"] for row in first["rows"] + rest["rows"]]
    assert emails == sorted(emails, reverse=True) and len(emails) == first["total"]
    for wrong in ({"sort": "password_hash"}, {"password_hash": "x"}, {"cursor": "?"}, {"limit": 0}, {"order": "up"}):
        assert owner.get("/people", params=wrong).status_code == 400, wrong


def test_a_change_needs_the_version_it_was_made_to(branch: Any) -> None:
    owner, path = branch.people["owner"], f"/people/{branch.ids['customer']}"
    tag = owner.get(path).headers["etag"]
    assert owner.patch(path, json={"phone": "+33 1"}).status_code == 428
    changed = owner.patch(path, json={"phone": "+33 1"}, headers={"If-Match": tag})
    assert changed.status_code == 200 and changed.json()["phone"] == "+33 1" and changed.headers["etag"] != tag
    assert owner.patch(path, json={"phone": "+33 2"}, headers={"If-Match": tag}).status_code == 412
    assert owner.delete(path, headers={"If-Match": tag}).status_code == 412
    for told in (
        {"password_hash": "x"},
        {"role": "owner"},
        {"organization_id": 1},
        {"id": 1},
        {"verified": "2026-01-01"},
    ):
        assert owner.patch(path, json=told, headers={"If-Match": "*"}).status_code == 400, told


@pytest.mark.parametrize(("name", "status"), [("boss", 403), ("owner", 404)])
def test_a_partner_lays_no_hand_on_those_above(branch: Any, name: str, status: int) -> None:
    partner, path = branch.people["partner"], f"/people/{branch.ids[name]}"
    for told in ({"email": "mine@test.example"}, {"state": "disabled"}, {"name": "x"}):
        assert partner.patch(path, json=told, headers={"If-Match": '"1"'}).status_code == status
    assert partner.delete(path, headers={"If-Match": '"1"'}).status_code in (403, 404)
    role = {"role": "partner", "organization_id": branch.id}
    assert partner.post(f"{path}/memberships", json=role).status_code in (201, 404)


def test_roles_are_given_where_one_stands_alone(office: Any, branch: Any) -> None:
    partner, path = branch.people["partner"], f"/people/{branch.ids['customer']}/memberships"
    refused = [
        ({"role": "owner", "organization_id": branch.id}, 403),
        ({"role": "administrator"}, 403),
        ({"role": "partner", "organization_id": office.root}, 404),
        ({"role": "user", "site_id": office.site}, 404),
        ({"role": "user", "site_id": 987654}, 404),
        ({"role": "user", "organization_id": branch.id}, 400),
        ({"role": "king", "organization_id": branch.id}, 400),
    ]
    for told, status in refused:
        assert partner.post(path, json=told).status_code == status, told
    made = partner.post(path, json={"role": "manager", "site_id": branch.cottage})
    assert made.status_code == 201
    assert "create space" in branch.people["customer"].get("/session").json()["rights"]
    owned = next(
        one["id"] for one in branch.people["owner"].get(f"/people/{branch.ids['owner']}").json()["memberships"]
    )
    assert partner.delete(f"{path}/{owned}").status_code == 404
    assert partner.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert "create space" not in branch.people["customer"].get("/session").json()["rights"]


def test_a_disabled_person_is_out_at_once(office: Any, branch: Any) -> None:
    victim, owner = office.join("victim@test.example", "user", site_id=branch.cottage), branch.people["owner"]
    path = f"/people/{victim.get('/session').json()['account_id']}"
    tag = owner.get(path).headers["etag"]
    assert owner.patch(path, json={"state": "disabled"}, headers={"If-Match": tag}).status_code == 200
    assert victim.get("/session").status_code == 401
    again = victim.post("/session", json={"email": "victim@test.example", "password": "correct horse battery"})
    assert again.status_code == 403 and "disabled" in again.json()["detail"]
    tag = owner.get(path).headers["etag"]
    assert owner.delete(path, headers={"If-Match": tag}).status_code == 204
    assert owner.get(path).status_code == 404


def test_an_administrator_looks_through_eyes_and_comes_back(office: Any, branch: Any) -> None:
    with office.signed_in() as admin:
        path = f"/people/{branch.ids['customer']}/impersonate"
        assert branch.people["partner"].post(path, json={}).status_code == 403
        own = admin.cookies["wattstead_session"]
        for silent in ({}, {"reason": "  "}):
            assert admin.post(path, json=silent).status_code == admin.post(path).status_code == 400
        assert admin.post(path, json={"reason": "ticket 1"}).status_code == 201
        seen = admin.get("/session").json()
        assert (seen["email"], seen["impersonator"]) == ("customer@test.example", office.owner.email)
        assert admin.post("/account/password", json={"current": "x", "password": "y"}).status_code == 403
        assert admin.post("/account/totp").status_code == admin.delete("/sessions").status_code == 403
        assert admin.post(f"/people/{branch.ids['partner']}/impersonate").status_code == 403
        assert [one["impersonated"] for one in branch.people["customer"].get("/sessions").json()].count(True) == 1
        assert admin.delete("/session").status_code == 204
        assert admin.cookies["wattstead_session"] == own
        assert admin.get("/session").json()["email"] == office.owner.email
        assert admin.post(f"/people/{branch.ids['owner']}/impersonate", json={"reason": "ticket 2"}).status_code == 403


def test_eyes_end_with_the_sessions_of_whoever_looks(office: Any, branch: Any) -> None:
    """A stolen cookie of these eyes is worth nothing once the administrator has ended a session or the password."""
    email, password, other = "eyes@test.example", "correct horse battery", "staple staple staple"
    customer, looking = "customer@test.example", f"/people/{branch.ids['customer']}/impersonate"
    office.join(email, "administrator").close()

    def opened(password: str) -> Any:
        eyes = office.signed_in(email, password)
        eyes.post(looking, json={"reason": "ticket 5"}).raise_for_status()
        assert eyes.get("/session").json()["email"] == customer
        return eyes

    def listed(client: Any) -> dict[str, str]:
        return {one["eyes_of"]: one["name"] for one in client.get("/sessions").json() if not one["impersonated"]}

    with office.signed_in(email) as admin:
        first = opened(password)
        assert admin.delete(f"/sessions/{listed(admin)[customer]}").status_code == 204
        assert first.get("/session").status_code == 401 and customer not in listed(admin)
        second = opened(password)
        assert admin.delete("/sessions").status_code == 204 and second.get("/session").status_code == 401
        third, elsewhere = opened(password), office.signed_in(email)
        assert elsewhere.delete("/session").status_code == 204 and third.get("/session").status_code == 401
        fourth = opened(password)
        assert admin.post("/account/password", json={"current": password, "password": other}).status_code == 204
        assert fourth.get("/session").status_code == 401
        fifth = opened(other)
        assert customer not in listed(branch.people["partner"]) and admin.get("/session").status_code == 200
        assert fifth.delete("/session").status_code == 204, "who closes the eyes keeps the own session"
        assert fifth.get("/session").json()["email"] == email and admin.get("/session").status_code == 200


def test_an_operator_tells_a_reason_first(office: Any, branch: Any) -> None:
    with office.join("operator@test.example", "operator", organization_id=branch.id) as operator:
        told = operator.get("/session").json()
        assert told["lacks_reason"] and "see person" not in told["rights"]
        refused = operator.get("/people")
        assert refused.status_code == 403 and "reason" in refused.json()["detail"]
        assert operator.post("/reason", json={"reason": "  "}).status_code == 400
        assert operator.post("/reason", json={"reason": "ticket 17"}).status_code == 204
        assert branch.ids["customer"] in ids_of(operator.get("/people"))
        assert operator.get("/session").json()["lacks_reason"] is False
        deeds = [deed for deed in office.registry.trail() if deed.action == "reason"]
        assert [deed.words for deed in deeds[:1]] == [{"reason": "ticket 17"}]


def test_a_person_is_made_once_however_often_it_is_asked(office: Any, branch: Any) -> None:
    owner, wanted = branch.people["owner"], {"email": "once@test.example", "role": "user", "site_id": branch.cottage}
    first, again = (owner.post("/people", json=wanted, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.json()["id"] == again.json()["id"]
    assert first.json()["link"].startswith(office.url) and not again.json()["link"], "a secret is shown once"
    assert owner.post("/people", json=wanted).status_code == 409
