"""Accounts stay with whom they were made for: what a foreign owner, a partner or a link can do to them over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PASSWORD = "correct horse battery"


def token_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["link"]).partition("?token=")[2]


@pytest.fixture(scope="module")
def foreign(office: Any) -> Any:
    """Another company with a site and an owner of its own."""
    company = office.registry.create_organization("Foreign", office.root)
    site = office.registry.create_site(company.id, "Elsewhere", "Europe/Paris").id
    with office.join("foreign@test.example", "owner", organization_id=company.id) as boss:
        yield type("Foreign", (), {"id": company.id, "site": site, "boss": boss})


def test_a_prepared_account_is_not_opened_by_a_foreign_invitation(office: Any, foreign: Any) -> None:
    email = "prepared@test.example"
    with office.signed_in() as owner, office.client() as door:
        made = owner.post("/people", json={"email": email, "role": "administrator"})
        assert made.json()["roles"] == [] and made.json()["state"] == "invited"
        wanted = {"email": email, "role": "user", "site_id": foreign.site}
        stolen = token_of(foreign.boss.post("/invitations", json=wanted))
        assert door.get("/invitations/look", params={"token": stolen}).json()["has_account"] is True
        refused = door.post("/invitations/accept", json={"token": stolen, "password": "staple staple staple"})
        assert refused.status_code == 403 and "sign in" in refused.json()["detail"]
        assert door.post("/session", json={"email": email, "password": "staple staple staple"}).status_code == 401
        accepted = door.post("/invitations/accept", json={"token": token_of(made), "password": PASSWORD})
        assert accepted.status_code == 200
        with office.signed_in(email) as person:
            assert person.get("/session").json()["roles"] == ["administrator"]
            assert person.post("/invitations/accept", json={"token": stolen}).status_code == 200
            assert person.get("/session").json()["roles"] == ["administrator", "user"]


def test_who_stands_lower_does_not_open_what_was_prepared_above(office: Any) -> None:
    email = "above@test.example"
    with (
        office.signed_in() as owner,
        office.join("lower@test.example", "partner", organization_id=office.root) as partner,
        office.client() as door,
    ):
        made = owner.post("/people", json={"email": email, "role": "owner", "organization_id": office.root})
        lower = partner.post("/invitations", json={"email": email, "role": "user", "site_id": office.site})
        answer = {"token": token_of(lower), "password": PASSWORD}
        assert door.post("/invitations/accept", json=answer).status_code == 403
        person = f"/people/{made.json()['id']}"
        role = {"role": "user", "site_id": office.site}
        refused = owner.post(f"{person}/memberships", json=role)
        assert refused.status_code == 403 and "not joined" in refused.json()["detail"]
        second = owner.post("/invitations", json={"email": email, **role})
        assert door.post("/invitations/accept", json=answer | {"token": token_of(second)}).status_code == 200
        with office.signed_in(email) as signed:
            assert signed.get("/session").json()["roles"] == ["user"]


def test_a_share_is_no_hand_on_the_account(office: Any, foreign: Any) -> None:
    email = "stays@test.example"
    with office.signed_in() as owner, office.join(email, "auditor", organization_id=office.root) as person:
        (known,) = owner.get("/people", params={"q": email}).json()["rows"]
        about = f"/people/{known['id']}"
        version = {"If-Match": f'"{known["version"]}"'}
        changed = owner.patch(about, json={"phone": "+33170", "name": "Stays"}, headers=version)
        assert changed.status_code == 200, changed.text
        wanted = {"email": email, "role": "guest", "site_id": foreign.site}
        shown = token_of(foreign.boss.post("/invitations", json=wanted))
        assert person.post("/invitations/accept", json={"token": shown}).status_code == 200
        owner.delete(f"{about}/memberships/{known['memberships'][0]['id']}")
        answer = foreign.boss.get(about)
        seen = answer.json()
        assert (seen["email"], seen["name"], seen["phone"], seen["state"]) == (email, "", "", "")
        assert seen["last_seen"] is None and [one["role"] for one in seen["memberships"]] == ["guest"]
        for asked in ({"q": "33170"}, {"q": "stays 33170"}, {"phone": "+33170"}, {"state": "active", "q": email}):
            assert foreign.boss.get("/people", params=asked).json()["total"] == 0, asked
        assert seen["organization_id"] is None and seen["organization"] == ""
        elsewhere = {"site": office.site}, {"role": "auditor"}, {"organization": office.root}
        for asked in elsewhere:
            assert owner.get("/people", params={"q": email, "role": "guest"}).json()["total"] == 1
            assert foreign.boss.get("/people", params={"q": email, **asked}).json()["total"] == 0, asked
            listed = {"kind": "people", "format": "csv", "q": email, **asked}
            assert email not in foreign.boss.get("/directory/export", params=listed).text
        assert foreign.boss.get("/people", params={"q": email, "site": foreign.site}).json()["total"] == 1
        for asked, total in (({"email": email}, 1), ({"name.prefix": "St"}, 0), ({"phone": "+33170"}, 0)):
            filters = {f"person.{name}": value for name, value in asked.items()}
            assert foreign.boss.get("/sites", params=filters).json()["total"] == total, asked
        for branch, total in ((foreign.id, 1), (office.root, 0)):
            assert foreign.boss.get("/sites", params={"organization": branch}).json()["total"] == total
        for sort in ("name", "phone", "last_seen", "organization", "email"):
            listed = foreign.boss.get("/people", params={"sort": sort, "q": email}).json()["rows"]
            assert [(row["email"], row["phone"]) for row in listed] == [(email, "")]
        (guest,) = foreign.boss.get("/shares", params={"site": foreign.site}).json()["rows"]
        assert (guest["name"], guest["email"]) == ("", email)
        version = {"If-Match": answer.headers["ETag"]}
        for told in ({"email": "mine@test.example"}, {"name": "Mine"}, {"state": "disabled"}):
            refused = foreign.boss.patch(about, json=told, headers=version)
            assert refused.status_code == 403 and "another organization" in refused.json()["detail"], refused.text
        assert foreign.boss.delete(about, headers=version).status_code == 403
        assert person.get("/account").status_code == 200
        assert foreign.boss.delete(f"/shares/{guest['id']}").status_code == 204
        assert foreign.boss.get(about).status_code == 404


@pytest.mark.parametrize("how", ["registered", "invited elsewhere"])
def test_a_share_waits_for_whoever_holds_its_link(office: Any, foreign: Any, how: str) -> None:
    email = f"typed.{how.partition(' ')[0]}@test.example"
    with office.signed_in() as owner, office.join(f"u.{email}", "user", site_id=office.site) as user:
        if how == "registered":
            about = owner.get(f"/organizations/{office.root}")
            version = {"If-Match": about.headers["ETag"]}
            opened = owner.patch(f"/organizations/{office.root}", json={"registration": True}, headers=version)
            assert opened.status_code == 200, opened.text
            wanted = {"organization": office.root, "email": email, "password": PASSWORD, "name": "x"}
            with office.client() as door:
                assert door.post("/register", json=wanted).status_code == 201
            typed = office.signed_in(email)
        else:
            typed = office.join(email, "user", site_id=foreign.site)
        made = user.post("/shares", json={"site_id": office.site, "email": email})
        assert made.status_code == 201 and made.json()["kind"] == "invitation", made.text
        assert typed.get(f"/sites/{office.site}").status_code in (403, 404)
        ending = user.post("/shares", json={"site_id": office.site, "email": email, "expires_days": 1})
        assert ending.status_code == 400
        assert typed.post("/invitations/accept", json={"token": token_of(made)}).status_code == 200
        assert typed.get(f"/sites/{office.site}").status_code == 200
        typed.close()


def test_a_dot_at_the_end_makes_no_other_address(office: Any) -> None:
    with office.signed_in() as owner, office.client() as door:
        twin = {"email": f"{office.owner.email}.", "role": "auditor", "organization_id": office.root}
        assert owner.post("/people", json=twin).status_code == 409
        login = {"email": twin["email"], "password": PASSWORD}
        assert door.post("/session", json=login).json()["email"] == office.owner.email
