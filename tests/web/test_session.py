"""Signing in and out, the cookie, and requests that a page of another site makes a browser send."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def sign_in(client: httpx.Client, house: Any, **headers: str) -> httpx.Response:
    return client.post("/api/v1/session", json={"email": house.owner, "password": house.password}, headers=headers)


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(house: Any, nobody: httpx.Client) -> None:
    answer = sign_in(nobody, house)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["email"], told["role"], told["roles"]) == (house.owner, "owner", ["administrator", "owner"])
    assert told["demo"] == {"note": "replayed", "write_key": house.write}
    assert "create site" in told["rights"] and told["impersonator"] is None and told["lacks_reason"] is False
    cookie = answer.headers.get_list("set-cookie")[0]
    assert cookie.startswith("wattstead_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert nobody.get("/api/v1/session").json()["email"] == house.owner


def test_the_cookie_is_secure_behind_tls_and_keeps_to_the_prefix(house: Any, nobody: httpx.Client) -> None:
    answer = sign_in(nobody, house, **{"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/energy"})
    for cookie in answer.headers.get_list("set-cookie"):
        assert "Secure" in cookie and "Path=/energy/" in cookie


def test_nobody_behind_a_proxy_chooses_the_own_address(house: Any, nobody: httpx.Client) -> None:
    lines = [("X-Forwarded-For", "198.51.100.9"), ("X-Forwarded-For", "203.0.113.1, 192.0.2.7")]
    me = {"email": house.owner, "password": house.password}
    assert nobody.post("/api/v1/session", json=me, headers=lines).status_code == 201
    (own,) = [row for row in nobody.get("/api/v1/sessions").json() if row["current"]]
    assert own["address"] == "192.0.2.7"


@pytest.mark.parametrize("email", ["owner@test.example", "stranger@test.example", "no address", "x" * 254])
def test_wrong_logins_answer_alike(nobody: httpx.Client, email: str) -> None:
    answer = nobody.post("/api/v1/session", json={"email": email, "password": "wrong password"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == "e-mail address or password is wrong"
    assert problem["request"] == answer.headers["x-request-id"] != ""
    assert "set-cookie" not in answer.headers


def test_too_many_wrong_logins_are_told_to_wait(house: Any, nobody: httpx.Client) -> None:
    body = {"email": "busy@test.example", "password": "wrong password"}
    answers = [nobody.post("/api/v1/session", json=body) for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", None),
        (b'{"email": "a@b"}', "body"),
        (b'{"email": 5, "password": "x"}', "email"),
        (b'{"email": "a@b", "password": "x", "admin": true}', "body"),
        (b"[" * 100_000, None),
    ],
)
def test_a_login_that_cannot_be_read_says_where(nobody: httpx.Client, body: bytes, place: str | None) -> None:
    answer = nobody.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert [p["place"] for p in answer.json().get("places", [])] == ([place] if place else [])


def test_a_body_that_is_too_large_is_refused(nobody: httpx.Client) -> None:
    assert nobody.post("/api/v1/session", content=b"x" * 2_000_000).status_code == 413


def test_signing_out_ends_the_session(house: Any) -> None:
    with house.signed_in() as client:
        token = client.cookies["wattstead_session"]
        assert client.delete("/api/v1/session").status_code == 204
        assert "wattstead_session" not in client.cookies
        again = client.get("/api/v1/session", headers={"Cookie": f"wattstead_session={token}"})
        assert again.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"X-Wattstead": "1"}, 200),
        ({"Origin": "here"}, 200),
    ],
)
def test_a_change_needs_a_page_of_ours(house: Any, headers: dict[str, str], status: int) -> None:
    headers = {name: house.url if value == "here" else value for name, value in headers.items()}
    with house.client() as client:
        sign_in(client, house)
        path = f"/api/v1/points/{house.points['power']}"
        headers["If-Match"] = client.get(path).headers["ETag"]
        assert client.patch(path, json={"name": "House power"}, headers=headers).status_code == status


def test_a_page_of_another_site_cannot_sign_a_browser_in(house: Any, nobody: httpx.Client) -> None:
    assert sign_in(nobody, house, Origin="https://evil.example").status_code == 403


def test_nobody_reads_anything(house: Any, nobody: httpx.Client) -> None:
    point = house.points["power"]
    for path in (
        "session", "sites", "points", f"points/{point}", f"series?points={point}", f"readings?point={point}",
        f"span?points={point}", f"live?points={point}", "keys", "status",
    ):  # fmt: skip
        answer = nobody.get(f"/api/v1/{path}")
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
