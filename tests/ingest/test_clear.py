"""Keys in the clear: which port takes what, and how each protocol words a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from wattstead.ingest.http.clear import Clear
from wattstead.registry.records import KeyGrant
from wattstead.registry.records import Scope as KeyScope

if TYPE_CHECKING:
    from conftest import Door

CLOSED, READER = "c" * 32, "d" * 32
PLAIN = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9, 192.168.1.7"}
TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.168.1.7"}
OWN_MACHINE = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "127.0.0.1"}


def ways(door: Door, key: str, told: dict[str, str]) -> dict[str, httpx.Response]:
    """One reading by every protocol."""
    http, form = door.http, {"node": "n", "fulljson": '{"p":1}', "apikey": key}
    return {
        "own": http.post(
            "/api/v1/readings", json={"point": "a", "value": 1}, headers={"Authorization": f"Bearer {key}", **told}
        ),
        "write": http.post("/write", params={"p": key}, content=b"m v=1", headers=told),
        "write2": http.post("/api/v2/write", content=b"m v=1", headers={"Authorization": f"Token {key}", **told}),
        "post": http.post("/input/post", data=form, headers=told),
        "get": http.get("/emoncms/input/post", params=form, headers=told),
        "bulk": http.post("/input/bulk", data={"data": "[[0,1,5]]", "time": "5", "apikey": key}, headers=told),
    }


@pytest.fixture(params=[Clear.BY_KEY, Clear.NEVER])
def behind(request: pytest.FixtureRequest, open_door: Callable[..., Door]) -> Door:
    """A door behind a proxy, with a key that may not be shown in the clear."""
    door = open_door(port=request.param)
    door.points.add_key(CLOSED, KeyGrant(90, door.site, 1, KeyScope.WRITE, 1_000, plain_http=False))
    door.points.add_key(READER, KeyGrant(91, door.site, 1, KeyScope.READ, 0))
    return door


def test_what_each_port_takes(behind: Door) -> None:
    by_key = behind.server.kind is Clear.BY_KEY
    for told in ({}, TLS, OWN_MACHINE):
        for key in (behind.key, CLOSED):
            for _ in range(2):  # the second time the names are known, and the short way is open
                assert {one.is_success for one in ways(behind, key, told).values()} == {True}
    before = len(behind.stored())
    taken = ways(behind, behind.key, PLAIN)
    assert all(one.is_success is by_key for one in taken.values())
    assert (len(behind.stored()) > before) is by_key
    before = len(behind.stored())
    assert {one.status_code for one in ways(behind, CLOSED, PLAIN).values()} == {403}
    assert len(behind.stored()) == before


def test_how_each_protocol_words_it_and_what_is_told(open_door: Callable[..., Door]) -> None:
    door = open_door(port=Clear.BY_KEY)
    door.points.add_key(CLOSED, KeyGrant(90, door.site, 1, KeyScope.WRITE, 1_000, plain_http=False))
    refused = ways(door, CLOSED, PLAIN)
    problem = refused["own"].json()
    assert (problem["status"], problem["title"]) == (403, "Not allowed")
    assert "key 90 may not be sent without TLS" in problem["detail"]
    assert "without TLS" in refused["write"].json()["error"]
    assert refused["write2"].json()["code"] == "forbidden"
    for name in ("post", "get", "bulk"):
        assert refused[name].json()["success"] is False
        assert "use https" in refused[name].json()["message"]
    assert door.app.reception.tally.shown_keys == {90: 6}
    assert ways(door, "e" * 32, PLAIN)["own"].status_code == 401


def test_what_clients_ask_before_they_write(open_door: Callable[..., Door]) -> None:
    """Without a key it is answered; with one, only with a write key that may be shown."""
    door = open_door(port=Clear.BY_KEY)
    door.points.add_key(READER, KeyGrant(91, door.site, 1, KeyScope.READ, 0))
    door.points.add_key(CLOSED, KeyGrant(90, door.site, 1, KeyScope.WRITE, 1_000, plain_http=False))
    assert door.http.get("/ping", headers=PLAIN).status_code == 204
    asked = {
        key: door.http.get("/api/v2/orgs", headers={"Authorization": f"Token {key}", **PLAIN}).status_code
        for key in (door.key, READER, CLOSED)
    }
    assert asked == {door.key: 200, READER: 403, CLOSED: 403}


def test_the_short_way_is_taken_over_tls_and_for_keys_that_allow_it(open_door: Callable[..., Door]) -> None:
    door = open_door(port=Clear.BY_KEY)
    form = {"node": "n", "fulljson": '{"p":1}', "apikey": door.key}
    door.http.get("/input/post", params=form).raise_for_status()
    usual = door.server.usual
    for told in ({}, TLS):
        assert door.http.get("/input/post", params=form, headers=told).is_success
    assert door.server.usual == usual
    assert door.http.get("/input/post", params=form, headers=PLAIN).is_success
    assert door.server.usual == usual + 1  # what a proxy tells otherwise than https is looked at in full
