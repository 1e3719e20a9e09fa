"""The pulse API, byte for byte as its clients read it; who may read, and what those see who may not."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Kind, Quantity
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Readings
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import PointDeclaration
from wattstead.web.pulses.routes import ANSWERS

START_MS = 1_772_323_200_000
HOUR_MS = 3_600_000
LAN = "192.168.7.9"
CORS = {
    "content-type": "text/javascript; charset=UTF-8",
    "cache-control": "max-age=0, must-revalidate",
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET",
    "access-control-allow-headers": "origin, x-requested-with, accept, authorization",
    "access-control-max-age": "60",
}
BAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">\n<head>\n'
    "<title>Bad Request</title>\n</head>\n<body>\n<h1>Bad Request</h1>\n</body>\n</html>\n"
)


class Meters:
    """Two meters of the home; the first has two days of pulses and is open to a network, the second is not."""

    def __init__(self, house: Any) -> None:
        self.house = house
        declared = [
            PointDeclaration(address=f"pulse/{meter}/{name}", name=f"{name} {meter}", **about)
            for meter in (1, 2)
            for name, about in (
                ("blinks", {"kind": Kind.DELTA, "unit": "pulse", "quantity": Quantity.ELECTRICITY}),
                ("ms", {"unit": "ms"}),
            )
        ]
        ids = house.registry.create_points(house.home, declared)
        self.blinks, self.ms, self.closed, self.closed_ms = ids
        house.registry.change_point(self.blinks, PointChange(open_to="192.168.7.0/24", pulses_per_kwh=600))
        gaps = np.random.default_rng(7).integers(500, 90_000, 4_000)
        gaps[1_000:1_003] = [5 * HOUR_MS, 1, 2**31 - 1]
        gaps[1_003:] += 1
        stamps = START_MS + 77 + np.cumsum(np.minimum(gaps, 6 * HOUR_MS))
        self.pulses = list(zip(stamps.tolist(), gaps.tolist(), strict=True))
        values = [(self.blinks, np.ones(len(gaps))), (self.ms, gaps.astype(float)), (self.closed, np.ones(len(gaps))),
                  (self.closed_ms, gaps.astype(float))]  # fmt: skip
        batch = ReadingBatch.of(
            np.concatenate([np.full(len(v), p) for p, v in values]), np.tile(stamps * 1000, 4),
            np.concatenate([v for _, v in values]), version=5,
        )  # fmt: skip
        house.series.put_rules([row.point for row in house.registry.points()])
        house.series.append([batch])
        self.end = self.pulses[-1][0] // HOUR_MS * HOUR_MS
        house.series.roll(START_MS * 1000, (self.end + HOUR_MS) * 1000, ids)
        self.now_ms = self.pulses[-1][0]

    def publish(self, ms: int, *points: int) -> int:
        """A blink."""
        self.now_ms += 1_000
        points = points or (self.ms,)
        batch = ReadingBatch.of(points, [self.now_ms * 1000] * len(points), [float(ms)] * len(points), version=9)
        self.house.live.latest.take(Columns.of([batch]))
        readings = Readings(batch.point, batch.time_us, batch.value)
        self.house.loop.call_soon_threadsafe(self.house.live.publish, readings)
        return self.now_ms

    def hours(self, first: int, end: int) -> list[tuple[int, int, float, int, int]]:
        """What a table of hours says."""
        by_hour: dict[int, list[int]] = {}
        for stamp, ms in self.pulses:
            by_hour.setdefault(stamp // HOUR_MS * HOUR_MS, []).append(ms)
        return [
            (hour, len(ms), 3_600_000.0 * len(ms) / sum(ms), min(ms), max(ms))
            for hour, ms in sorted(by_hour.items())
            if first <= hour < end
        ]


@pytest.fixture(scope="module")
def meters(house: Any) -> Meters:
    return Meters(house)


@pytest.fixture(params=["point", "site", "key", "bearer"])
def ask(meters: Meters, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Asks of the open meter from its network by the id of its point or its number, or from elsewhere with a key."""
    house, way = meters.house, request.param
    with house.client(
        house.read if way == "bearer" else "", headers=_from("8.8.8.8" if "e" in way[1:2] else LAN)
    ) as http:

        def asked(word: str, *given: int) -> str:
            head = f"/pulses/{house.home}/{word}/1" if way == "site" else f"/{word}/{meters.blinks}"
            path = "/".join([head, *map(str, given)]) + (f"?key={house.read}" if way == "key" else "")
            answer = http.get(path)
            assert answer.status_code == 200, answer.text
            assert {name: answer.headers[name] for name in CORS} == CORS
            return answer.text

        yield asked


def _from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def _rows(rows: Any) -> str:
    return "[" + ",".join("[" + ",".join(_cell(cell) for cell in row) + "]" for row in rows) + "]"


def _cell(value: float) -> str:
    return repr(value).removesuffix(".0")


def test_since(meters: Meters, ask: Any) -> None:
    stamp = meters.pulses[3_500][0]
    assert ask("since", stamp) == _rows(meters.pulses[3_500:])
    assert ask("since", stamp + 1) == _rows(meters.pulses[3_501:])
    assert ask("since", 0) == _rows(meters.pulses)
    assert ask("since", 10**15 - 1) == "[]"


def test_aggregate(meters: Meters, ask: Any) -> None:
    for since, interval, count in (
        (START_MS, 86_400_000, 5),
        (meters.pulses[10][0], 777_001, 1_000),
        (meters.pulses[7][0] - 99, 86_399_999, 900),
        (0, 10**15 - 1, 1),
    ):
        expected = Counter(
            (stamp - since) // interval * interval
            for stamp, _ in meters.pulses
            if since <= stamp < since + interval * count
        )
        assert ask("aggregate", since, interval, count) == _rows(sorted(expected.items()))
    assert ask("aggregate", START_MS, 1000, 0) == ask("aggregate", 10**15 - 1, 1, 1) == "[]"


def test_hourly_and_its_sums(meters: Meters, ask: Any) -> None:
    first, end = meters.pulses[0][0] // HOUR_MS * HOUR_MS, meters.end
    assert ask("hourly", 0, 10**15 - 1) == _rows(meters.hours(0, 2**60))
    assert ask("hourly", first, first) == _rows(meters.hours(0, 2**60)[:1])
    assert ask("hourly", first + 1, end - 1) == _rows(meters.hours(first + 1, end))
    assert ask("hourly", end + 10 * HOUR_MS, end) == "[]"
    since, interval, count = START_MS - 12_345, 86_400_000, 20
    sums: dict[int, float] = {}
    for hour, _, mean, _, _ in meters.hours(since, since + interval * count):
        place = (hour - since) // interval * interval
        sums[place] = sums.get(place, 0.0) + mean
    assert ask("aggregate_hourly", since, interval, count) == _rows(sums.items())


def test_usage_and_last(meters: Meters, ask: Any) -> None:
    age = int(time.time() * 1000) - meters.pulses[2_000][0]
    few = int(ask("usage", age + 60_000).strip("[]"))
    assert 2_000 <= few <= 2_003
    assert ask("usage", 0) == "[0]"
    assert ask("last", age + 10**14) == _rows(meters.pulses)
    stamp = meters.publish(1_250)
    assert ask("last") == f"[{stamp},1250]"


def test_blip_waits_for_the_next_one(meters: Meters, ask: Any) -> None:
    opened = meters.house.live
    with ThreadPoolExecutor(2) as waiting:
        both = [waiting.submit(ask, "blip") for _ in range(2)]
        while len(opened) < 2:
            time.sleep(0.01)
        stamp = meters.publish(777)
        assert [one.result(30) for one in both] == [f"[{stamp},777]"] * 2
    assert len(opened) == 0


def test_a_client_that_goes_leaves_nothing(meters: Meters) -> None:
    house = meters.house
    with house.client(headers=_from(LAN)) as http, pytest.raises(httpx.ReadTimeout):
        http.get(f"/blip/{meters.blinks}", timeout=0.5)
    until = time.monotonic() + 30
    while len(house.live) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(house.live) == 0


def test_more_than_may_be_asked_for(meters: Meters) -> None:
    with meters.house.client(headers=_from(LAN)) as http:
        for path in (
            f"/aggregate/{meters.blinks}/0/1/1001", f"/aggregate_hourly/{meters.blinks}/0/1/1001",
            f"/aggregate/{meters.blinks}/0/0/5", f"/since/{meters.blinks}/{10**15}", f"/last/{10**16}",
            f"/usage/{meters.blinks}/{'9' * 16}", f"/hourly/{meters.blinks}/0/{10**15}",
        ):  # fmt: skip
            answer = http.get(path)
            assert (answer.status_code, answer.text) == (400, BAD), path
        for path in ("/last/x", f"/since/{meters.blinks}", f"/hourly/{meters.blinks}/1", f"/blip/{meters.blinks}/1"):
            assert http.get(path).status_code == 404, path
        told = http.options(f"/since/{meters.blinks}/1")
        assert (told.status_code, told.text) == (200, "") and told.headers["access-control-allow-origin"] == "*"


ASKED = {
    "blip": "", "last": "", "since": "/0", "aggregate": "/0/1000/10", "aggregate_hourly": "/0/1000/10",
    "hourly": "/0/999999999999999", "usage": "/99999999999999",
}  # fmt: skip


def test_what_is_not_open_is_as_what_is_not_there(meters: Meters) -> None:
    house = meters.house
    assert set(ASKED) == set(ANSWERS)
    there = {meters.closed: LAN, meters.blinks: "10.1.2.3", meters.ms: LAN, house.points["power"]: LAN}
    with house.client() as http:
        for word, given in ASKED.items():
            missing = http.get(f"/{word}/987654{given}", headers=_from(LAN))
            assert missing.text == {"blip": "", "usage": "[0]"}.get(word, "[]")
            assert missing.status_code == (204 if word == "blip" else 200)
            answers = [http.get(f"/{word}/{point}{given}", headers=_from(at)) for point, at in there.items()]
            answers += [
                http.get(f"/pulses/{site}/{word}/{number}{given}", headers=_from(LAN))
                for site, number in ((house.home, 2), (house.home, 3), (house.barn, 1), (99, 1), (house.home, 0))
            ]
            answers += [
                http.get(f"/{word}/{meters.blinks}{given}", headers={"Authorization": f"Bearer {house.barn_read}"})
            ]
            for answer in answers:
                same = {"x-request-id", "date"}
                assert (answer.status_code, answer.content) == (missing.status_code, missing.content), word
                assert {k: v for k, v in answer.headers.items() if k not in same} == {
                    k: v for k, v in missing.headers.items() if k not in same
                }


def test_keys_that_do_not_read(meters: Meters) -> None:
    house = meters.house
    with house.client() as http:
        texts = set()
        for key in ("0" * 32, house.write):
            for meter in (meters.blinks, 987_654):
                answer = http.get(f"/last/{meter}?key={key}", headers=_from(LAN))
                assert answer.status_code == 401 and answer.headers["access-control-allow-origin"] == "*"
                texts.add(answer.text)
        assert len(texts) == 1


def test_opening_a_meter_over_the_api(meters: Meters) -> None:
    house = meters.house
    with house.signed_in() as person, house.client(headers=_from("10.9.8.7")) as http:
        path = f"/api/v1/points/{meters.closed}"
        version = person.get(path)
        assert (version.json()["open_to"], version.json()["pulses_per_kwh"]) == ("", 0)
        change = {"open_to": "10.9.8.7/16, fd00::1", "pulses_per_kwh": 800}
        answer = person.patch(path, json=change, headers={"If-Match": version.headers["ETag"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["open_to"] == "10.9.0.0/16 fd00::1/128" and answer.json()["amount_unit"] == "Wh"
        assert http.get(f"/aggregate/{meters.closed}/0/999999999999999/1").text == "[[0,4000]]"
        deed = person.get("/api/v1/trail", params={"site": house.home}).json()["rows"][0]
        assert deed["fields"]["open_to"] == ["", "10.9.0.0/16 fd00::1/128"]
        tag = {"If-Match": answer.headers["ETag"]}
        wrong = person.patch(path, json={"open_to": "everybody"}, headers=tag)
        assert wrong.status_code == 400 and "no range of addresses" in wrong.text
        person.patch(path, json={"open_to": ""}, headers=tag).raise_for_status()
        assert http.get(f"/aggregate/{meters.closed}/0/999999999999999/1").text == "[]"
    span = {"start": START_MS, "end": meters.pulses[-1][0] + 1, "every": "1M", "points": meters.closed}
    with house.client(house.read) as reader:
        found = reader.get("/api/v1/series", params=span).json()["points"][0]
        assert found["amount_unit"] == "Wh" and found["amount_total"] == 4_000 * 1.25


def test_access_is_looked_at_again_before_a_pulse_is_told(meters: Meters) -> None:
    house, change = meters.house, house_change
    with house.client(headers=_from(LAN)) as http, ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(http.get, f"/blip/{meters.blinks}")
        while not len(house.live):
            time.sleep(0.01)
        change(meters, "")
        threading.Event().wait(0.4)  # longer than the web may not know of it
        meters.publish(640)
        assert (answer.result(30).status_code, answer.result().text) == (204, "")
        change(meters, "192.168.7.0/24")


def house_change(meters: Meters, ranges: str) -> None:
    meters.house.registry.change_point(meters.blinks, PointChange(open_to=ranges))
