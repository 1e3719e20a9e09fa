"""Keys: shown whole once, listed by their beginning, revoked for ever."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def test_a_key_is_made_used_and_revoked(house: Any, person: httpx.Client) -> None:
    made = person.post("/api/v1/keys", json={"site_id": house.home, "scope": "read", "name": "phone"})
    assert made.status_code == 201
    key = made.json()
    assert len(key["secret"]) == 32
    assert key["secret"].startswith(key["prefix"])
    listed = {row["id"]: row for row in person.get(f"/api/v1/keys?site={house.home}").json()}
    assert listed[key["id"]]["name"] == "phone"
    assert "secret" not in listed[key["id"]]
    with house.client(key["secret"]) as phone:
        assert phone.get("/api/v1/sites").status_code == 200
        assert person.delete(f"/api/v1/keys/{key['id']}").status_code == 204
        assert phone.get("/api/v1/sites").status_code == 401
    assert key["id"] not in [row["id"] for row in person.get("/api/v1/keys").json()]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"site_id": 99, "scope": "read"}, 404),
        ({"site_id": 1, "scope": "both"}, 400),
        ({"site_id": 1}, 400),
        ({"site_id": 1, "scope": "read", "name": ""}, 400),
    ],
)
def test_a_key_that_cannot_be(person: httpx.Client, body: dict[str, Any], status: int) -> None:
    assert person.post("/api/v1/keys", json=body).status_code == status


def test_only_people_keep_keys(house: Any, reader: httpx.Client, person: httpx.Client) -> None:
    assert reader.get("/api/v1/keys").status_code == 403
    assert reader.post("/api/v1/keys", json={"site_id": house.home, "scope": "write"}).status_code == 403
    assert person.delete("/api/v1/keys/99999").status_code == 404
    assert person.get("/api/v1/keys?site=99999").status_code == 404


def test_status_is_for_people(reader: httpx.Client, person: httpx.Client) -> None:
    assert reader.get("/api/v1/status").status_code == 403
    told = person.get("/api/v1/status").json()
    assert told["ok"] is True
    assert told["parts"] == [
        {"name": "journal", "ok": True, "text": "All readings are stored.", "figures": {"lag_bytes": 0.0}}
    ]
