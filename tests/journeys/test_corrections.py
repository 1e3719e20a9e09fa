"""Readings that people add, correct and remove: found, kept with their history, in the trail, and gone for good."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.conftest import Running

Eventually = Callable[..., Any]
START_MS = 1_772_323_200_000
HOUR_MS = 3_600_000


@pytest.fixture
def meter(product: Running) -> str:
    """An address of the first home that nobody else writes to."""
    return f"corrections/{time.time_ns()}"


def _send(product: Running, meter: str, values: dict[int, float]) -> None:
    body = {"time_unit": "ms", "point": [meter] * len(values), "time": list(values), "value": list(values.values())}
    sent = httpx.post(
        f"{product.url}/api/v1/readings", json=body, headers={"Authorization": f"Bearer {product.write_key}"}
    )
    assert sent.status_code == 200, sent.text


def _readings(client: httpx.Client, point: int) -> dict[int, float]:
    span = {"start": START_MS - HOUR_MS, "end": START_MS + 24 * HOUR_MS}
    found = client.get("/api/v1/readings", params={"point": point, **span}).raise_for_status().json()
    return dict(zip(map(int, found["time"]), found["value"], strict=True))


def _means(client: httpx.Client, asked: dict[str, Any]) -> list[float | None] | None:
    """None while readings are still on their way."""
    found = client.get("/api/v1/series", params=asked)
    assert found.status_code in (200, 503), found.text
    return found.json()["points"][0]["mean"] if found.status_code == 200 else None


def test_readings_are_added_corrected_and_removed(product: Running, meter: str, eventually: Eventually) -> None:
    _send(product, meter, {START_MS: 1.0, START_MS + HOUR_MS: 2.0, START_MS + 2 * HOUR_MS: 3.0})
    with product.signed_in() as client:
        point = eventually(
            lambda: [one["id"] for one in client.get("/api/v1/points").json() if one["address"] == meter]
        )[0]  # fmt: skip
        eventually(lambda: len(_readings(client, point)) == 3)
        own, late = f"/api/v1/points/{point}/readings", START_MS + 3 * HOUR_MS

        taken = client.post(own, json={"readings": [{"time": START_MS, "value": 9}]})
        assert taken.status_code == 409 and "2026-03-01" in taken.text
        missing = client.put(own, json={"readings": [{"time": late, "value": 9}], "reason": "typed wrong"})
        assert missing.status_code == 409
        assert client.put(own, json={"readings": [{"time": START_MS, "value": 9}]}).status_code == 400, "no reason"
        huge = {"readings": [{"time": "9999-01-01", "value": 9}]}
        assert client.post(own, json=huge).status_code == 400

        headers = {"Idempotency-Key": meter}
        for _ in range(2):  # the repetition is not refused as a reading that is there already
            added = client.post(own, json={"readings": [{"time": late, "value": 4}]}, headers=headers)
            assert (added.status_code, added.json()) == (201, {"accepted": 1})
        eventually(lambda: _readings(client, point).get(late) == 4.0)
        wrong = START_MS + HOUR_MS
        client.put(own, json={"readings": [{"time": wrong, "value": 20}], "reason": "typed wrong"}).raise_for_status()
        eventually(lambda: _readings(client, point).get(wrong) == 20.0)
        (old,) = client.get(f"{own}/replaced").json()["rows"]
        assert (old["time"], old["value"]) == (wrong, 2.0) and old["received"] < old["replaced"]
        hours = {"points": point, "start": START_MS, "end": START_MS + 4 * HOUR_MS, "step": "1h"}
        eventually(lambda: _means(client, hours) == [1.0, 20.0, 3.0, 4.0])

        gone = {"start": wrong, "end": late, "reason": "meter was open"}
        assert client.delete(own, params={"start": wrong}).status_code == 400, "no reason"
        assert client.delete(own, params=gone).status_code == 204
        assert _readings(client, point) == {START_MS: 1.0, late: 4.0}
        assert client.get(f"{own}/replaced").json()["rows"] == []
        assert _means(client, hours) == [1.0, None, None, 4.0]
        _send(product, meter, {late + HOUR_MS: 5.0})
        assert client.delete(own, params={"start": late, "reason": "all of it"}).status_code == 204
        assert _readings(client, point) == {START_MS: 1.0}, "what was still on its way does not come back"
        assert client.get(f"/api/v1/points/{point}").json()["latest"]["value"] == 1.0

        told = client.get("/api/v1/trail", params={"resource": "reading", "id": point}).json()["rows"]
        assert [one["action"] for one in told] == ["delete", "delete", "correct", "add"]
        assert told[2]["fields"]["2026-03-01T01:00:00+00:00"] == [2.0, 20.0] and told[2]["reason"] == "typed wrong"


def test_what_one_may_not_do_is_refused(product: Running) -> None:
    with product.signed_in() as client:
        point = client.get("/api/v1/points").json()[0]["id"]
    reading = {"readings": [{"time": START_MS, "value": 9}], "reason": "no right"}
    reader = {"Authorization": f"Bearer {product.read_key}"}
    with httpx.Client(base_url=f"{product.url}/api/v1", headers=reader) as key:
        assert key.put(f"/points/{point}/readings", json=reading).status_code == 403
        assert key.delete(f"/points/{point}/readings", params={"reason": "no right"}).status_code == 403
        unknown = key.put("/points/99999999/readings", json=reading)
        assert unknown.status_code == 403, "the right is missing everywhere"
    with httpx.Client(base_url=f"{product.url}/api/v1") as nobody:
        assert nobody.delete(f"/points/{point}/readings", params={"reason": "no right"}).status_code == 401


def test_a_site_forgets_what_it_measured(product: Running, eventually: Eventually) -> None:
    with product.signed_in() as client:
        home = client.get("/api/v1/organizations").json()["rows"][0]["id"]
        asked_for = {"name": "Forgetful", "zone": "UTC", "organization_id": home}
        made = client.post("/api/v1/sites", json=asked_for).raise_for_status().json()
        site, writer = made["site"]["id"], {"Authorization": f"Bearer {made['secret']}"}
        times = [START_MS, START_MS + HOUR_MS]
        body = {"time_unit": "ms", "point": ["a", "b"], "time": times, "value": [1.0, 2.0]}
        httpx.post(f"{product.url}/api/v1/readings", json=body, headers=writer).raise_for_status()
        points = eventually(
            lambda: client.get("/api/v1/points", params={"site": site}).json(), lambda one: len(one) == 2
        )
        ids = {one["address"]: one["id"] for one in points}
        asked = {"end": START_MS + HOUR_MS, "reason": "asked for by the customer"}
        assert client.delete(f"/api/v1/sites/{site}/readings", params=asked).status_code == 204
        assert (_readings(client, ids["a"]), _readings(client, ids["b"])) == ({}, {times[1]: 2.0})
        assert client.delete(f"/api/v1/sites/{site}/readings", params={"reason": "all of it"}).status_code == 204
        assert _readings(client, ids["b"]) == {}
        told = client.get("/api/v1/trail", params={"site": site, "action": "delete", "resource": "reading"}).json()
        assert len(told["rows"]) == 4 and {one["reason"] for one in told["rows"]} == {asked["reason"], "all of it"}
