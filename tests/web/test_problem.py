"""Refusals say what would have been right."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.mark.parametrize(
    "path, place, words",
    [
        ("/api/v1/series?points={power}&step=hour", "step", "10min, 15min, 30min, 1h"),
        ("/api/v1/readings?point={power}&format=xml", "format", "csv, json"),
        ("/api/v1/organizations?order=up", "order", "asc, desc"),
        ("/api/v1/directory/export?kind=sites&format=pdf", "format", "csv, xlsx"),
    ],
)
def test_a_word_that_is_none_of_some_is_told_which_they_are(
    house: Any, person: httpx.Client, path: str, place: str, words: str
) -> None:
    told = person.get(path.format(**house.points)).json()
    assert [one["place"] for one in told["places"]] == [place]
    assert "give one of" in told["detail"] and words in told["detail"]


def test_so_is_a_word_in_a_body(house: Any, person: httpx.Client) -> None:
    told = person.patch(f"/api/v1/points/{house.points['power']}", json={"kind": "meter"}).json()
    assert "give one of gauge, register, delta, mean, state" in told["detail"]


def test_a_text_that_is_not_utf8_is_told(house: Any, person: httpx.Client) -> None:
    point = f"/api/v1/points/{house.points['power']}"
    head = {"Content-Type": "application/json"}
    for method, path in (("PATCH", point), ("POST", "/api/v1/keys"), ("POST", "/api/v1/session")):
        told = person.request(method, path, content=b'{"name":"\xff"}', headers=head)
        assert told.status_code == 400 and "not UTF-8" in told.json()["detail"], told.text


def test_a_unit_of_a_correction_that_is_not_the_points(house: Any, person: httpx.Client) -> None:
    body = {"readings": [{"time": "2026-03-01T08:00", "value": 1}], "unit": "furlong"}
    told = person.post(f"/api/v1/points/{house.points['power']}/readings", json=body).json()
    assert told["detail"] == "unit: is 'furlong'; give 'W'"
