"""Joining and coming back over HTTP: mailed links go where the settings say; who has an account is not told."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import text

PASSWORD = "correct horse battery"
LINK = re.compile(r"https?://\S+")


def token_of(link: str) -> str:
    return link.partition("?token=")[2]


def test_an_invitation_without_mail_shows_its_link(office: Any) -> None:
    with office.signed_in() as owner, office.client() as guest:
        made = owner.post("/invitations", json={"email": "New@test.example", "role": "user", "site_id": office.site})
        assert made.status_code == 201 and made.json()["link"].startswith(f"{office.url}/invitation?token=")
        token = token_of(made.json()["link"])
        assert "link" not in owner.get("/invitations").json()[0]
        look = guest.get("/invitations/look", params={"token": token}).json()
        assert (look["email"], look["place"], look["has_account"]) == ("new@test.example", "Mill", False)
        answer = {"token": token, "name": "New", "password": PASSWORD}
        assert guest.post("/invitations/accept", json=answer | {"password": "short"}).status_code == 400
        assert guest.post("/invitations/accept", json=answer | {"role": "owner"}).status_code == 400
        assert guest.post("/invitations/accept", json=answer).json() == {"email": "new@test.example"}
        assert guest.post("/invitations/accept", json=answer).status_code == 404
        assert guest.get("/invitations/look", params={"token": token}).status_code == 404
        told = office.signed_in("new@test.example").get("/session").json()
        assert (told["role"], told["name"]) == ("user", "New")


def test_who_has_an_account_accepts_signed_in(office: Any) -> None:
    with office.signed_in() as owner, office.join("second@test.example", "user", site_id=office.site) as person:
        wanted = {"email": "second@test.example", "role": "auditor", "organization_id": office.root}
        token = token_of(owner.post("/invitations", json=wanted).json()["link"])
        for other in (office.client(), owner):
            refused = other.post("/invitations/accept", json={"token": token, "password": PASSWORD, "name": "x"})
            assert refused.status_code == 403 and "sign in" in refused.json()["detail"]
        assert person.post("/invitations/accept", json={"token": token}).status_code == 200
        assert person.get("/session").json()["roles"] == ["auditor", "user"]


def test_invitations_are_refused_where_one_stands_not(office: Any) -> None:
    other = office.registry.create_organization("Other", office.root).id
    branch = office.registry.create_organization("Sun", office.root).id
    with office.join("fitter@test.example", "partner", organization_id=branch) as partner, office.signed_in() as owner:
        for told, status in (
            ({"role": "partner", "organization_id": other}, 404),
            ({"role": "partner", "organization_id": 987654}, 404),
            ({"role": "owner", "organization_id": branch}, 403),
            ({"role": "administrator"}, 403),
            ({"role": "user", "site_id": office.site}, 404),
        ):
            assert partner.post("/invitations", json={"email": "x@test.example", **told}).status_code == status, told
        wanted = {"email": "y@test.example", "role": "auditor", "organization_id": office.root}
        made = owner.post("/invitations", json=wanted).json()
        assert partner.delete(f"/invitations/{made['id']}").status_code == 404
        assert made["id"] not in [one["id"] for one in partner.get("/invitations").json()]
        assert owner.delete(f"/invitations/{made['id']}").status_code == 204
        assert office.client().get("/invitations/look", params={"token": token_of(made["link"])}).status_code == 404


def test_links_never_take_the_host_from_a_request(mailing: Any) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    with mailing.signed_in() as owner:
        wanted = {"email": "mailed@test.example", "role": "user", "site_id": mailing.site}
        made = owner.post("/invitations", json=wanted, headers=evil)
        assert made.status_code == 201 and "link" not in made.json()
    with mailing.client(**evil) as stranger:
        assert stranger.post("/recover", json={"email": mailing.owner.email}).status_code == 204
    invitation, recovery = mailing.mails()
    for letter, page in ((invitation, "invitation"), (recovery, "recover")):
        (link,) = LINK.findall(letter.text)
        assert link.startswith(f"https://energy.example/w/{page}?token=") and "evil" not in letter.text
    assert (invitation.to, recovery.to) == ("mailed@test.example", mailing.owner.email)


def test_a_lost_password_is_answered_alike(mailing: Any) -> None:
    with mailing.join("lost@test.example", "user", site_id=mailing.site) as person, mailing.client() as stranger:
        mailing.mails()
        known, unknown = (
            stranger.post("/recover", json={"email": email}) for email in ("lost@test.example", "none@test.example")
        )
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
        (letter,) = mailing.mails()
        finish = {"token": token_of(LINK.findall(letter.text)[0]), "password": "staple staple staple"}
        assert stranger.post("/recover/finish", json=finish | {"token": "guess"}).status_code == 404
        assert stranger.post("/recover/finish", json=finish).status_code == 204
        assert person.get("/session").status_code == 401
        assert stranger.post("/recover/finish", json=finish).status_code == 404
        assert mailing.signed_in("lost@test.example", "staple staple staple")


def test_registration_is_answered_alike_and_waits_for_the_address(mailing: Any) -> None:
    with mailing.client() as stranger:
        wanted = {"organization": "home", "email": "me@test.example", "password": PASSWORD, "name": "Me"}
        assert stranger.post("/register", json=wanted).status_code == 404
        assert stranger.get("/register").json() == []
        with mailing.registry._db.writing() as s:
            s.execute(text("UPDATE organization SET registration = true"))
        assert stranger.get("/register").json() == [{"id": mailing.root, "name": "Home"}]
        fresh = stranger.post("/register", json=wanted)
        taken = stranger.post("/register", json=wanted | {"email": mailing.owner.email})
        assert (fresh.status_code, fresh.json()) == (taken.status_code, taken.json()) == (201, {"verify": True})
        first, second = mailing.mails()
        assert (first.to, second.to) == ("me@test.example", mailing.owner.email) and "token=" not in second.text
        with mailing.signed_in() as owner:
            known = {"email": "coco@test.example", "role": "auditor", "organization_id": mailing.root}
            assert owner.post("/people", json=known).status_code == 201
        mailing.mails()
        alike = stranger.post("/register", json=wanted | {"email": "сосо@test.example"})
        assert (alike.status_code, alike.json()) == (201, {"verify": True}), "it tells of no account"
        (third,) = mailing.mails()
        assert third.to == "сосо@test.example" and "token=" not in third.text
        login = {"email": "me@test.example", "password": PASSWORD}
        assert stranger.post("/session", json=login).status_code == 403
        token = token_of(LINK.findall(first.text)[0])
        assert stranger.post("/verify", json={"token": token}).json() == {"email": "me@test.example"}
        told = stranger.post("/session", json=login)
        assert told.status_code == 201 and told.json()["role"] == "nobody" and told.json()["rights"] == []
        assert stranger.get("/account").json()["verified"] is not None
        for path in ("/people", "/sites", "/keys"):
            assert stranger.get(path).status_code in (200, 403)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/register", ["organization", "email", "password"]),
        ("/recover", ["email"]),
        ("/recover/finish", ["token", "password"]),
        ("/verify", ["token"]),
        ("/invitations/accept", ["token"]),
        ("/session", ["email", "password"]),
    ],
)
def test_a_page_of_another_site_starts_none_of_this(office: Any, path: str, wanted: list[str]) -> None:
    with httpx.Client(base_url=f"{office.url}/api/v1", headers={"Origin": "https://evil.example"}) as evil:
        body = {"email": "a@test.example", "token": "t", "password": PASSWORD, "organization": 1}
        assert evil.post(path, json={name: body[name] for name in wanted}).status_code == 403


@pytest.mark.parametrize("later", [False, True])
def test_no_answer_undoes_the_end_of_a_role(office: Any, later: bool) -> None:
    email = f"ends.{later}@test.example"
    site = office.registry.create_site(office.root, "House", "UTC").id
    with office.signed_in() as owner, office.join(email, "auditor", organization_id=office.root) as person:
        about = f"/people/{person.get('/session').json()['account_id']}"
        role = {"role": "user", "site_id": site}

        def invite() -> str:
            return str(owner.post("/invitations", json={"email": email, **role}).json()["link"].partition("?token=")[2])

        def give() -> None:
            made = owner.post(f"{about}/memberships", json={**role, "expires": "2099-01-01T00:00:00Z"})
            assert made.status_code == 201

        if later:
            give()
        token = invite()
        if not later:
            give()
        accepted = person.post("/invitations/accept", json={"token": token})
        assert accepted.status_code == (200 if later else 404)
        (held,) = [one for one in owner.get(about).json()["memberships"] if one["role"] == "user"]
        assert held["expires"].startswith("2099-01-01")
        token = invite()
        assert owner.delete(f"{about}/memberships/{held['id']}").status_code == 204
        assert person.post("/invitations/accept", json={"token": token}).status_code == 404
