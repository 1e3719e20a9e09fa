"""The own account over HTTP: profile, password, address, sessions, second factor; each for its person alone."""

from __future__ import annotations

import itertools
import re
import time
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest

from wattstead.registry import tables
from wattstead.registry.people import accounts
from wattstead.registry.records import Scope

PASSWORD, OTHER = "correct horse battery", "staple staple staple"
_numbers = itertools.count()


@pytest.fixture
def email() -> str:
    return f"person{next(_numbers)}@test.example"


def next_code(app: pyotp.TOTP, used: str) -> str:
    """A code that was not used: the one after, which counts already."""
    return next(code for code in (app.now(), app.at(int(time.time()) + 30)) if code != used)


def login(client: httpx.Client, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post("/session", json={"email": email, "password": password, **more})


def test_the_profile(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person:
        told = person.get("/account").json()
        assert (told["email"], told["has_totp"], told["recovery_codes"]) == (email, False, 0)
        assert person.patch("/account", json={"name": "Åsa", "locale": "sv"}).json()["name"] == "Åsa"
        assert person.get("/session").json()["name"] == "Åsa"
        for wrong in ({"email": "x@test.example"}, {"state": "disabled"}, {"version": 9}, {"name": "x" * 201}):
            assert person.patch("/account", json=wrong).status_code == 400, wrong


def test_a_key_has_no_account(office: Any) -> None:
    secret = office.registry.create_key(office.site, Scope.READ).secret
    with office.client(Authorization=f"Bearer {secret}") as key:
        for path in ("/account", "/sessions"):
            assert key.get(path).status_code == 403, path
        assert key.post("/account/totp").status_code == key.post("/reason", json={"reason": "why"}).status_code == 403
        assert key.get("/people").status_code == key.get("/invitations").status_code == 403
    with office.client() as nobody:
        for path in ("/account", "/sessions", "/people", "/invitations"):
            assert nobody.get(path).status_code == 401, path


def test_the_password_is_changed_by_who_knows_it(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person, office.signed_in(email) as other:
        path = "/account/password"
        assert person.post(path, json={"current": OTHER, "password": OTHER}).status_code == 401
        assert person.post(path, json={"current": PASSWORD, "password": "short"}).status_code == 400
        assert person.post(path, json={"current": PASSWORD, "password": OTHER}).status_code == 204
        assert person.get("/session").status_code == 200 and other.get("/session").status_code == 401
        assert login(other, email).status_code == 401 and login(other, email, OTHER).status_code == 201


def test_the_address_is_changed_at_once_without_mail(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person:
        told = {"email": f"new-{email}", "password": PASSWORD}
        assert person.post("/account/email", json=told | {"password": OTHER}).status_code == 401
        assert person.post("/account/email", json=told | {"email": office.owner.email}).status_code == 409
        assert person.post("/account/email", json=told).json() == {"changed": True}
        assert person.get("/session").status_code == 401 and login(person, f"new-{email}").status_code == 201


def test_the_address_is_changed_when_the_mail_is_opened(mailing: Any, email: str) -> None:
    with mailing.join(email, "user", site_id=mailing.site) as person:
        mailing.mails()
        told = {"email": f"new-{email}", "password": PASSWORD}
        assert person.post("/account/email", json=told).json() == {"changed": False}
        (letter,) = mailing.mails()
        assert letter.to == f"new-{email}" and person.get("/session").json()["email"] == email
        token = re.search(r"token=(\S+)", letter.text)
        assert token is not None
        assert person.post("/verify", json={"token": token[1]}).json() == {"email": f"new-{email}"}
        assert person.get("/session").status_code == 401 and login(person, f"new-{email}").status_code == 201


def test_a_changed_password_voids_what_was_mailed(mailing: Any, email: str) -> None:
    with mailing.join(email, "user", site_id=mailing.site) as person, mailing.client() as door:
        mailing.mails()
        assert person.post("/account/email", json={"email": f"thief-{email}", "password": PASSWORD}).status_code == 200
        assert door.post("/recover", json={"email": email}).status_code == 204
        found = [re.search(r"token=(\S+)", letter.text) for letter in mailing.mails()]
        other, lost = (match[1] for match in found if match is not None)
        assert person.post("/account/password", json={"current": PASSWORD, "password": OTHER}).status_code == 204
        assert door.post("/verify", json={"token": other}).status_code == 404
        assert door.post("/recover/finish", json={"token": lost, "password": PASSWORD}).status_code == 404
        assert login(door, email, OTHER).status_code == 201 and person.get("/account").json()["email"] == email


def test_own_sessions_are_listed_and_ended(office: Any, email: str) -> None:
    with (
        office.join(email, "user", site_id=office.site) as person,
        office.signed_in(email) as other,
        office.signed_in() as owner,
    ):
        rows = person.get("/sessions").json()
        assert [row["current"] for row in rows].count(True) == 1 and rows[0]["agent"].startswith("python-httpx")
        name = next(row["name"] for row in other.get("/sessions").json() if row["current"])
        assert owner.delete(f"/sessions/{name}").status_code == 404
        assert person.delete(f"/sessions/{name}").status_code == 204
        assert other.get("/session").status_code == 401
        login(other, email)
        assert person.delete("/sessions").status_code == 204
        assert other.get("/session").status_code == 401 and person.get("/session").status_code == 200


def test_signing_in_never_keeps_a_given_session(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as victim, office.client() as browser:
        fixed = victim.cookies["wattstead_session"]
        answer = browser.post(
            "/session",
            json={"email": office.owner.email, "password": PASSWORD},
            headers={"Cookie": f"wattstead_session={fixed}"},
        )
        assert answer.status_code == 201 and browser.cookies["wattstead_session"] != fixed
        assert victim.get("/session").status_code == 401, "the session that was there before has ended"


def test_a_second_factor_is_asked_for_and_counts_once(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person, office.client() as door:
        begun = person.post("/account/totp").json()
        app = pyotp.TOTP(begun["secret"])
        assert begun["uri"].startswith("otpauth://totp/Wattstead:") and login(door, email).status_code == 201
        assert person.post("/account/totp/confirm", json={"code": "abc"}).status_code == 401
        used = app.now()
        codes = person.post("/account/totp/confirm", json={"code": used}).json()["codes"]
        assert len(codes) == len(set(codes)) == 10
        told = person.get("/account").json()
        assert told["has_totp"] is True and told["recovery_codes"] == 10
        asked = login(door, email)
        assert asked.status_code == 401 and asked.json()["second_factor"] is True
        wrong = login(door, email, OTHER, code=app.now())
        assert wrong.status_code == 401 and "second_factor" not in wrong.json()
        assert login(door, email, code=used).status_code == 401, "a code counts once"
        fresh = next_code(app, used)
        assert login(door, email, code=f"{fresh[:3]} {fresh[3:]}").status_code == 201
        assert login(door, email, code=fresh).status_code == 401
        assert login(door, email, code=codes[0].upper()).status_code == 201
        assert login(door, email, code=codes[0]).status_code == 401, "and so does a recovery code"
        renewed = person.post("/account/totp/codes", json={"password": PASSWORD}).json()["codes"]
        assert login(door, email, code=codes[1]).status_code == 401
        assert login(door, email, code=renewed[1]).status_code == 201
        for body, status in (({}, 400), ({"password": "not mine, I guess"}, 401), ({"password": PASSWORD}, 204)):
            dropped = person.request("DELETE", "/account/totp", json=body)
            assert dropped.status_code == status, dropped.text
            assert person.get("/account").json()["has_totp"] is (status != 204)
        assert login(door, email).status_code == 201


def test_a_session_alone_replaces_no_proof(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person, office.client() as door:
        app = pyotp.TOTP(person.post("/account/totp").json()["secret"])
        used = app.now()
        assert person.post("/account/totp/confirm", json={"code": used}).status_code == 201
        refused = person.post("/account/totp")
        assert refused.status_code == 403 and refused.json()["code"] == "factor.set"
        assert person.post("/account/totp/confirm", json={"code": app.now()}).status_code == 404
        for path in ("/account/totp", "/account/passkeys/begin"):
            assert person.post(path, json={"password": OTHER}).status_code == 401, path
            assert person.post(path, json={"password": ""}).status_code == 401, path
        assert person.post("/account/passkeys/begin").status_code == 400
        assert person.post("/account/passkeys/begin", json={"password": PASSWORD}).status_code == 200
        assert login(door, email, code=next_code(app, used)).status_code == 201, "the former one counts"
        fresh = pyotp.TOTP(person.post("/account/totp", json={"password": PASSWORD}).json()["secret"])
        assert person.post("/account/totp/confirm", json={"code": fresh.now()}).status_code == 201


def test_who_has_no_password_has_just_signed_in(office: Any) -> None:
    """As somebody who signs in at an outside provider."""
    with office.join("outside@test.example", "user", site_id=office.site) as person:
        me = person.get("/account").json()
        assert me["has_password"] is True
        with office.registry._db.writing() as session:
            accounts.put_password_hash(session, me["id"], "")
        begin, nothing = "/account/passkeys/begin", {"password": ""}
        assert person.get("/account").json()["has_password"] is False
        assert person.post(begin, json=nothing).status_code == 200
        with office.registry._db.writing() as session:
            for row in session.query(tables.Session).where(tables.Session.account_id == me["id"]):
                row.created -= timedelta(minutes=11)
        old = person.post(begin, json=nothing)
        assert old.status_code == 403 and old.json()["code"] == "session.old"


def test_codes_are_not_guessed(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person, office.client() as door:
        app = pyotp.TOTP(person.post("/account/totp").json()["secret"])
        used = app.now()
        assert person.post("/account/totp/confirm", json={"code": used}).status_code == 201
        answers = [login(door, email, code="000000").status_code for _ in range(11)]
        assert answers == [401] * 10 + [429]
        assert login(door, email, code=next_code(app, used)).status_code == 429


def test_secrets_are_sealed(office: Any, email: str) -> None:
    with office.join(email, "user", site_id=office.site) as person:
        secret = person.post("/account/totp").json()["secret"]
        used = pyotp.TOTP(secret).now()
        codes = person.post("/account/totp/confirm", json={"code": used}).json()["codes"]
        stored = b"".join(file.read_bytes() for file in office.folder.glob("registry.db*"))
        assert secret.encode() not in stored and codes[0].encode() not in stored
        assert person.cookies["wattstead_session"].encode() not in stored
