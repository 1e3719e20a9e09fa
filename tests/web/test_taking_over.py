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
