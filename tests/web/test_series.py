"""History in buckets over HTTP: exact sums, the site's calendar, empty buckets, bounds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def ask(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/series", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_minutes_are_the_readings(house: Any, reader: httpx.Client) -> None:
    told = ask(reader, points=house.points["power"], start=house.start_s * 1000, end="2026-03-01T01:00Z", step="1min")
    (point,) = told["points"]
    assert (told["zone"], told["step"], told["step_s"]) == ("Europe/Berlin", "1min", 60)
    assert told["start"] == [(house.start_s + 60 * i) * 1000 for i in range(60)]
    assert told["end"] == (house.start_s + 3600) * 1000
    assert point["count"] == [1] * 60
    assert point["min"] == point["mean"] == point["max"] == point["first"] == point["last"] == list(range(60))
    assert (point["unit"], point["amount_unit"], point["readings"]) == ("W", "Wh", 60)


def test_quarters_sum_to_hours_hours_to_days_days_to_the_register(house: Any, reader: httpx.Client) -> None:
    ids = f"{house.points['power']},{house.points['kwh']}"
    span = {"start": "2026-03-01", "end": "2026-03-03"}
    answers = {step: ask(reader, points=ids, step=step, **span) for step in ("15min", "1h", "day")}
    assert [len(told["start"]) for told in answers.values()] == [192, 48, 2]
    assert answers["day"]["start"][0] == (house.start_s - 3600) * 1000  # Berlin's midnight
    for place in (0, 1):
        totals = {step: told["points"][place]["amount_total"] for step, told in answers.items()}
        assert len(set(totals.values())) == 1, totals
        quarters = [a or 0 for a in answers["15min"]["points"][place]["amount"]]
        hours = [a or 0 for a in answers["1h"]["points"][place]["amount"]]
        assert [sum(quarters[4 * i : 4 * i + 4]) for i in range(48)] == pytest.approx(hours, abs=1e-6)
    at_end = reader.get(f"/api/v1/readings?point={house.points['kwh']}&start={answers['day']['end']}&limit=1").json()
    register = answers["day"]["points"][1]
    assert register["amount_total"] == pytest.approx(at_end["value"][0] - register["first"][0])


def test_a_bucket_without_readings_is_null(house: Any, reader: httpx.Client) -> None:
    told = ask(reader, points=house.points["power"], start="2026-02-01", end="2026-02-02", step="6h")
    (point,) = told["points"]
    assert point["count"] == [0] * 4
    assert point["mean"] == point["min"] == point["amount"] == [None] * 4
    assert (point["amount_total"], point["readings"]) == (None, 0)


def test_the_server_chooses_a_human_step(house: Any, reader: httpx.Client) -> None:
    told = ask(reader, points=house.points["power"], start="2026-03-01", end="2026-04-01")
    assert told["step"] == "30min"
    assert len(told["start"]) == 2 * 24 * 31 - 2
    assert (
        ask(reader, points=house.points["power"], start="2016-01-01", end="2026-01-01", buckets=100)["step"] == "month"
    )


def test_values_come_in_the_base_unit(house: Any, reader: httpx.Client) -> None:
    told = ask(reader, points=house.points["outdoor"], start="2026-03-01T00:00Z", end="2026-03-01T01:00Z", step="1h")
    (point,) = told["points"]
    assert (point["unit"], point["amount_unit"], point["amount"], point["amount_total"]) == ("°C", None, [], None)
    assert point["mean"] == pytest.approx([10.0])


def test_several_points_in_one_question(house: Any, reader: httpx.Client) -> None:
    ids = [house.points["kitchen"], house.points["power"]]
    told = ask(reader, points=",".join(map(str, ids)), start="2026-03-01", end="2026-03-02", step="day")
    assert [point["id"] for point in told["points"]] == ids


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({}, "points"),
        ({"points": ""}, "points"),
        ({"points": "1,x"}, "points"),
        ({"points": "1 OR 1=1"}, "points"),
        ({"points": ",".join(map(str, range(1, 60)))}, "points"),
        ({"points": "1", "start": "soon"}, "start"),
        ({"points": "1", "start": "2026-03-02", "end": "2026-03-01"}, "end"),
        ({"points": "1", "start": "2026-01-01", "end": "2026-03-01", "step": "1s"}, "step"),
        ({"points": "1", "step": "7min"}, "step"),
        ({"points": "1", "buckets": "1601"}, "buckets"),
        ({"points": "1", "buckets": "many"}, "buckets"),
        ({"points": "1", "zone": "Mars/Base"}, "zone"),
    ],
)
def test_a_question_that_cannot_be_answered_says_where(reader: httpx.Client, query: dict[str, str], place: str) -> None:
    answer = reader.get("/api/v1/series", params=query)
    assert answer.status_code == 400, answer.text
    assert [p["place"] for p in answer.json()["places"]] == [place]
