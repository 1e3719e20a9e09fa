"""The demo's people and its fleet: each role signs in and sees its own; a fleet is made beside a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
from tests.conftest import Running

_ROLES = {
    "owner": 14,
    "administrator": 14,
    "auditor": 12,
    "partner": 4,
    "operator": 12,
    "manager": 1,
    "user": 1,
    "guest": 1,
}
"""How many sites each sees; an operator once a reason is told."""


def _signed(url: str, login: dict[str, str]) -> httpx.Client:
    client = httpx.Client(base_url=url, headers={"X-Wattstead": "1"}, timeout=30)
    answer = client.post("/api/v1/session", json={"email": login["email"], "password": login["password"]})
    assert answer.status_code == 201, answer.text
    return client


@pytest.mark.parametrize("role", _ROLES)
def test_a_person_of_each_role_is_in_the_demo(prefixed: Running, role: str) -> None:
    note = json.loads((prefixed.folder / "demo.json").read_text())
    assert note["logins"][0]["role"] == "owner"
    (login,) = [one for one in note["logins"] if one["role"] == role]
    with closing(_signed(prefixed.url, login)) as client:
        assert client.get("/api/v1/session").json()["role"] == role
        if role == "operator":
            assert client.get("/api/v1/sites").status_code == 403
            assert client.post("/api/v1/reason", json={"reason": "a customer called"}).status_code == 204
        sites = _sites(client)
        own = [site for site in sites if site["note"]]  # what other journeys make in this demo has none
        assert len(own) == _ROLES[role]
        if role == "owner":
            assert sum("imulated" in site["note"] for site in sites) == 12


def test_the_fleet_has_readings(prefixed: Running, eventually: Callable[..., Any]) -> None:
    with prefixed.signed_in() as client:
        simulated = [site["id"] for site in _sites(client) if "imulated" in site["note"]]

        def latest() -> list[Any]:
            rows = client.get(f"/api/v1/points?site={simulated[0]}").json()
            return [row["latest"] for row in rows if row["address"].startswith("home/") and row["role"] == "home"]

        eventually(latest, lambda found: bool(found) and all(one is not None for one in found))


def test_a_fleet_is_made_beside_a_running_server(
    prefixed: Running, verb: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    with prefixed.signed_in() as client:
        before = len(_sites(client))
        said = verb("simulate", "--fleet", 30, "--days", 0.25, "--data", prefixed.folder, "--seed", 5)
        assert "30 sites" in said
        sites = eventually(lambda: _sites(client), lambda found: len(found) == before + 30)
        newest = max(site["id"] for site in sites)

        def stored() -> list[Any]:
            rows = client.get(f"/api/v1/points?site={newest}").json()
            return [row for row in rows if row["address"] == "home/power" and row["latest"]]

        eventually(stored)


def _sites(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/sites?limit=100").json()
    found: list[dict[str, Any]] = answer["rows"] if isinstance(answer, dict) else answer
    return found
