"""An administrator runs the platform and finds no way to its readings but to act as somebody, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from wattstead.registry.records import PointDeclaration
from wattstead.registry.trail import Actor

PASSWORD = "correct horse battery"
ADMINISTRATOR = "ada@test.example"


@pytest.fixture(scope="module")
def administrator(office: Any) -> Iterator[httpx.Client]:
    with office.join(ADMINISTRATOR, "administrator") as client:
        yield client


def test_no_key_that_reads(office: Any, administrator: httpx.Client) -> None:
    for scope, status in (("read", 403), ("admin", 403), ("write", 201)):
        made = administrator.post("/keys", json={"site_id": office.site, "scope": scope})
        assert made.status_code == status, made.text
    with office.signed_in() as owner:
        key = owner.post("/keys", json={"site_id": office.site, "scope": "read"}).json()
    refused = administrator.post(f"/keys/{key['id']}/rotate", json={})
    assert refused.status_code == 403 and "readings" in refused.json()["detail"]
    login = {"username": ADMINISTRATOR, "password": PASSWORD}
    told = httpx.post(f"{office.url}/user/auth.json", data=login, timeout=30).json()
    assert told["success"] is False and "apikey_read" not in told


def test_no_role_that_reads(office: Any, administrator: httpx.Client) -> None:
    own = administrator.get("/session").json()["account_id"]
    places: list[tuple[str, dict[str, int]]] = [
        ("owner", {"organization_id": office.root}), ("auditor", {"organization_id": office.root}),
        ("guest", {"site_id": office.site}), ("manager", {"site_id": office.site}),
    ]  # fmt: skip
    for role, place in places:
        given = administrator.post(f"/people/{own}/memberships", json={"role": role, **place})
        assert given.status_code == 403 and "readings" in given.json()["detail"], role
        asked = administrator.post("/invitations", json={"email": ADMINISTRATOR, "role": role, **place})
        assert asked.status_code == 403 and "readings" in asked.json()["detail"], role
    with office.join("seen@test.example", "owner", organization_id=office.root) as person:
        seen = person.get("/session").json()["account_id"]
    acting = office.signed_in(ADMINISTRATOR)
    with office.client() as eyes:
        eyes.cookies = acting.cookies
        assert eyes.post(f"/people/{seen}/impersonate", json={"reason": "ticket"}).status_code == 201
        role = {"role": "owner", "organization_id": office.root}
        assert eyes.post(f"/people/{own}/memberships", json=role).status_code == 403
        assert eyes.post("/invitations", json={"email": ADMINISTRATOR, **role}).status_code == 403
    assert administrator.get("/session").json()["roles"] == ["administrator"]


def test_keys_of_a_sign_in_have_an_author(office: Any) -> None:
    with office.join("signs@test.example", "owner", organization_id=office.root) as person:
        account_id = person.get("/session").json()["account_id"]
        login = {"username": "signs@test.example", "password": PASSWORD}
        told = httpx.post(f"{office.url}/user/auth.json", data=login, timeout=30).json()
        assert told["success"] is True
        deeds = person.get("/trail", params={"resource": "key", "limit": 2}).json()["rows"]
        assert [deed["account_id"] for deed in deeds] == [account_id] * 2


def test_the_trail_tells_no_reading(office: Any, administrator: httpx.Client) -> None:
    (point,) = office.registry.create_points(office.site, [PointDeclaration(address="told", name="Told")])
    (row,) = office.registry.points(point_ids=[point])
    with office.signed_in() as owner, office.join("reads@test.example", "owner", organization_id=office.root) as reads:
        tag = {"If-Match": owner.get(f"/points/{point}").headers["ETag"]}
        assert owner.patch(f"/points/{point}", json={"name": "Bedroom"}, headers=tag).status_code == 200
        office.registry.note_readings(
            Actor(office.owner.id), "correct", row, {"2026-03-01": 41.5}, {"2026-03-01": 42.5}, "a typing error"
        )
        for asked in ("/trail?resource=reading", "/trail?resource=point", f"/sites/{office.site}/history"):
            seen, hidden = (_measured(client, asked) for client in (reads, administrator))
            assert [one["id"] for one in seen] == [one["id"] for one in hidden] and seen
            assert all(one["fields"] for one in seen) and not any(one["fields"] for one in hidden)
            assert [one["reason"] for one in seen] == [one["reason"] for one in hidden]
            assert "42.5" not in str(hidden) and "Bedroom" not in str(hidden)
        assert [one["fields"] for one in _measured(reads, "/trail?resource=reading")] == [{"2026-03-01": [41.5, 42.5]}]


def _measured(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    rows = client.get(path).raise_for_status().json()["rows"]
    return [one for one in rows if one["resource"] in ("point", "reading")]
