"""Readings as they came: JSON, CSV, spans."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import httpx
import pytest

from wattstead.registry.records import NewAddress
from wattstead.web.api.readings import readings


def test_readings_come_in_order_and_in_pages(house: Any, reader: httpx.Client) -> None:
    query = {"point": house.points["power"], "start": house.start_s * 1000, "end": (house.start_s + 600) * 1000}
    whole = reader.get("/api/v1/readings", params=query).json()
    assert (whole["point"], whole["unit"], whole["more"]) == (house.points["power"], "W", False)
    assert whole["time"] == [(house.start_s + 60 * i) * 1000 for i in range(10)]
    assert whole["value"] == list(range(10))
    assert len(whole["quality"]) == 10
    first = reader.get("/api/v1/readings", params=query | {"limit": 4}).json()
    assert (first["time"], first["more"]) == (whole["time"][:4], True)
    rest = reader.get("/api/v1/readings", params=query | {"start": first["time"][-1] + 0.001}).json()
    assert first["time"] + rest["time"] == whole["time"]


def test_readings_of_several_points_come_page_by_page(house: Any, reader: httpx.Client) -> None:
    ids = sorted([house.points["outdoor"], house.points["power"]])
    query = {"points": f"{ids[1]},{ids[0]}", "start": house.start_s * 1000, "end": (house.start_s + 1200) * 1000}
    whole = reader.get("/api/v1/readings/page", params=query).json()
    wanted = [
        (point, time, value)
        for point in ids
        for one in [reader.get("/api/v1/readings", params=query | {"point": point}).json()]
        for time, value in zip(one["time"], one["value"], strict=True)
    ]
    assert list(zip(whole["point"], whole["time"], whole["value"], strict=True)) == wanted and len(wanted) == 22
    assert whole["cursor"] == ""
    pages, cursor = [], ""
    while not pages or cursor:
        page = reader.get("/api/v1/readings/page", params=query | {"limit": 5, "cursor": cursor}).json()
        pages += zip(page["point"], page["time"], page["value"], strict=True)
        cursor = page["cursor"]
    assert pages == wanted
    for wrong in ({"cursor": "1"}, {"cursor": "x.y"}, {"points": f"{ids[0]},{house.points['secret']}"}):
        assert reader.get("/api/v1/readings/page", params=query | wrong).status_code in (400, 404)


def test_many_readings_are_packed_once(house: Any, reader: httpx.Client) -> None:
    query = {"point": house.points["power"], "start": "2026-03-01", "end": "2026-03-04"}
    answer = reader.get("/api/v1/readings", params=query)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["time"]) == 2 * 1440


def test_readings_come_in_the_base_unit(house: Any, reader: httpx.Client) -> None:
    query = {"point": house.points["outdoor"], "start": "2026-03-01T00:00Z", "end": "2026-03-01T01:00Z"}
    told = reader.get("/api/v1/readings", params=query).json()
    assert told["unit"] == "°C"
    assert [round(value, 9) for value in told["value"]] == [10.0] * 6


def test_csv_has_the_digits_that_came_and_the_sites_offset(house: Any, reader: httpx.Client) -> None:
    query = {"point": house.points["kwh"], "start": "2026-03-01", "end": "2026-03-04", "format": "csv"}
    answer = reader.get("/api/v1/readings", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="point-{house.points["kwh"]}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2 * 1440
    assert rows[0]["time"] == "2026-03-01T01:00:00+01:00"
    assert datetime.fromisoformat(rows[-1]["time"]).timestamp() == house.start_s + 2 * 86_400 - 60
    assert [row["value"] for row in rows[:3]] == ["1000.0", "1000.0", "1000.0"]
    assert {row["unit"] for row in rows} == {"kWh"}
    assert rows[0]["quality"] in ("raw", "valid")


def test_the_span_of_several_points(house: Any, reader: httpx.Client) -> None:
    ids = f"{house.points['power']},{house.points['kitchen']}"
    told = reader.get(f"/api/v1/span?points={ids}").json()
    assert told == {"first": house.start_s * 1000, "last": (house.start_s + 2 * 86_400 - 60) * 1000}


def test_a_point_without_readings_has_no_span(house: Any, reader: httpx.Client) -> None:
    grant = house.registry.key(house.write)
    point = house.registry.resolve(grant, [NewAddress("emon/empty/x")])["emon/empty/x"]
    assert reader.get(f"/api/v1/span?points={point}").json() == {"first": None, "last": None}
    told = reader.get(f"/api/v1/readings?point={point}").json()
    assert told["time"] == told["value"] == []


def test_bad_questions_say_where(reader: httpx.Client) -> None:
    for query, place in (
        ("", "point"), ("?point=0", "point"), ("?point=1&limit=1000000", "limit"), ("?point=1&format=xml", "format"),
    ):  # fmt: skip
        answer = reader.get(f"/api/v1/readings{query}")
        assert answer.status_code == 400
        assert [p["place"] for p in answer.json()["places"]] == [place]


def test_a_file_is_paged_to_its_end(house: Any, reader: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_PAGE_ROWS", 700)
    monkeypatch.setattr(readings, "_MOST_FILE_ROWS", 1_000, raising=False)
    query = {"point": house.points["power"], "start": "2026-03-01T00:00Z", "end": "2026-03-04T00:00Z", "format": "csv"}
    rows = list(csv.reader(io.StringIO(reader.get("/api/v1/readings", params=query).text)))
    assert len(rows) - 1 == 2 * 1440
    assert len({row[0] for row in rows}) == len(rows)
