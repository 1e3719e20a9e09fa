"""InfluxQL over HTTP as Grafana's InfluxDB source and the clients of version 1 ask it."""

from __future__ import annotations

import base64
import time
from typing import Any

import httpx
import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.registry.records import NewAddress


def ask(client: httpx.Client, house: Any, q: str, **more: str) -> list[dict[str, Any]]:
    answer = client.get("/query", params={"q": q, "db": "wattstead", "epoch": "ms", "p": house.read} | more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-influxdb-version"] == "1.8.10"
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def tables(client: httpx.Client, house: Any, q: str, **more: str) -> list[dict[str, Any]]:
    (result,) = ask(client, house, q, **more)
    assert "error" not in result, result
    found: list[dict[str, Any]] = result.get("series", [])
    return found


@pytest.fixture(scope="module")
def put(house: Any) -> Any:
    """Stores readings of a new field: times in seconds, values."""

    def stored(path: str, time_s: Any, value: Any) -> int:
        grant = house.registry.key(house.write)
        point: int = house.registry.resolve(grant, [NewAddress(path)])[path]
        house.series.put_rules([row.point for row in house.registry.points(point_ids=[point])])
        time_us = np.round(np.asarray(time_s) * 1e6).astype(np.int64)
        house.series.append([ReadingBatch.of(np.full(len(time_us), point), time_us, value, version=1)])
        house.series.roll_spans(np.array([point], np.uint32), time_us[:1], time_us[-1:] + 1)
        return point

    return stored


def seen(client: httpx.Client, house: Any, q: str, **more: str) -> list[dict[str, Any]]:
    """What `tables` finds, once a new address is seen: within a moment."""
    for _ in range(1_200):
        if found := tables(client, house, q, **more):
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing was found by {q}")


def test_a_grafana_panel(house: Any, nobody: httpx.Client) -> None:
    start, end = house.start_s * 1000, (house.start_s + 3600) * 1000
    found = tables(
        nobody, house,
        f'SELECT mean("temp") FROM "climate" WHERE time >= {start}ms and time <= {end - 1}ms '
        'GROUP BY time(30m), "room"::tag fill(null) ORDER BY time ASC',
    )  # fmt: skip
    assert [table["tags"] for table in found] == [{"room": "cellar"}, {"room": "kitchen"}]
    assert found[0] == {
        "name": "climate", "tags": {"room": "cellar"}, "columns": ["time", "mean"],
        "values": [[start, 10.0], [start + 1_800_000, 10.0]],
    }  # fmt: skip


def test_tags_merge_and_filter(house: Any, nobody: httpx.Client) -> None:
    where = f"time >= {house.start_s}s AND time < {house.start_s + 3600}s"
    both = tables(nobody, house, f"SELECT mean(temp), count(temp), max(temp), min(temp) FROM climate WHERE {where}")
    assert both == [
        {"name": "climate", "columns": ["time", "mean", "count", "max", "min"],
         "values": [[house.start_s * 1000, 15.0, 12, 20.0, 10.0]]}
    ]  # fmt: skip
    for condition in ("room = 'kitchen'", "room =~ /^kit.*$/", "room != 'cellar'", "floor = '0' AND room !~ /^c/"):
        one = tables(nobody, house, f"SELECT sum(temp) FROM climate WHERE {where} AND {condition}")
        assert one[0]["values"] == [[house.start_s * 1000, 120.0]], condition
    assert tables(nobody, house, f"SELECT sum(temp) FROM climate WHERE {where} AND room = 'attic'") == []


def test_fill(house: Any, nobody: httpx.Client) -> None:
    last = house.start_s + 2 * 86_400 - 600
    where = f"time >= {last}s AND time < {last + 1800}s AND room = 'cellar' GROUP BY time(10m)"
    values = {
        fill: [
            row[1] for row in tables(nobody, house, f"SELECT mean(temp) FROM climate WHERE {where} {fill}")[0]["values"]
        ]
        for fill in ("", "fill(null)", "fill(none)", "fill(previous)", "fill(7)")
    }
    assert values == {
        "": [10.0, None, None], "fill(null)": [10.0, None, None], "fill(none)": [10.0],
        "fill(previous)": [10.0, 10.0, 10.0], "fill(7)": [10.0, 7.0, 7.0],
    }  # fmt: skip
    counts = tables(nobody, house, f"SELECT count(temp) FROM climate WHERE {where}")[0]["values"]
    assert [row[1] for row in counts] == [1, 0, 0]


def test_a_sum_is_exact(house: Any, nobody: httpx.Client, put: Any) -> None:
    first_s = 1_600_000_020
    where = f"time >= {first_s}s AND time < {first_s + 60}s"
    put("influx/pulses/n", first_s + np.arange(49), np.eye(1, 49, 17)[0])
    (told,) = seen(nobody, house, f"SELECT sum(n), count(n) FROM pulses WHERE {where} GROUP BY time(1m)")
    assert told["values"] == [[first_s * 1000, 1.0, 49]]
    (told,) = tables(nobody, house, "SELECT sum(n), first(n) FROM pulses")
    assert told["values"][0][1:] == [1.0, 0.0]


def test_numbers_are_those_that_were_sent(house: Any, nobody: httpx.Client) -> None:
    found = tables(nobody, house, "SELECT last(value) FROM outdoor")
    assert found[0]["values"] == [[(house.start_s + 2 * 86_400 - 600) * 1000, 50.0]]


def test_other_senders_points_are_listed_too(house: Any, nobody: httpx.Client) -> None:
    (names,) = tables(nobody, house, "SHOW MEASUREMENTS")
    assert {"climate", "outdoor", "emon/emontx", "emon/meter"} <= {row[0] for row in names["values"]}
    found = tables(nobody, house, 'SELECT max("power1") FROM "emon/emontx"')
    assert found[0]["values"][0][1] == 1439.0


def test_readings_themselves(house: Any, nobody: httpx.Client) -> None:
    found = tables(nobody, house, "SELECT * FROM climate WHERE room = 'kitchen' LIMIT 2", epoch="s")
    assert found[0]["columns"] == ["time", "temp", "floor", "room"]
    assert found[0]["values"] == [[house.start_s, 20.0, "0", "kitchen"], [house.start_s + 600, 20.0, "0", "kitchen"]]
    newest = tables(
        nobody, house, "SELECT temp FROM climate WHERE room = 'cellar' ORDER BY time DESC LIMIT 2", epoch="s"
    )
    assert [row[0] for row in newest[0]["values"]] == [house.start_s + 2 * 86_400 - 600 * i for i in (1, 2)]


def test_the_newest_and_the_far_of_many_readings(house: Any, nobody: httpx.Client, put: Any) -> None:
    first_s, many = 1_600_000_000, 150_000
    put("influx/fast/v", first_s + np.arange(many), np.arange(many, dtype=float))
    last_s = first_s + many - 1
    (newest,) = seen(nobody, house, "SELECT v FROM fast ORDER BY time DESC LIMIT 40000", epoch="s")
    assert [row[0] for row in newest["values"]] == list(range(last_s, last_s - 40_000, -1))
    for skipped in (99_995, 149_990):
        for order, sign, begin_s in (("ASC", 1, first_s), ("DESC", -1, last_s)):
            q = f"SELECT v FROM fast ORDER BY time {order} LIMIT 10 OFFSET {skipped}"
            (table,) = tables(nobody, house, q, epoch="s")
            assert [row[0] for row in table["values"]] == [begin_s + sign * (skipped + n) for n in range(10)]
            assert "partial" not in table
    assert tables(nobody, house, f"SELECT v FROM fast LIMIT 10 OFFSET {many}") == []
    for q, begin_s in (("SELECT v FROM fast", first_s), ("SELECT v FROM fast LIMIT 120000 OFFSET 7", first_s + 7)):
        (table,) = tables(nobody, house, q, epoch="s")
        assert (len(table["values"]), table["values"][0][0], table["partial"]) == (100_000, begin_s, True)
    (result,) = ask(nobody, house, "SELECT v FROM fast LIMIT 1 OFFSET 900000")
    assert "OFFSET 900000 passes over more than 800000 rows" in result["error"]


def test_limits_offsets_and_order(house: Any, nobody: httpx.Client) -> None:
    where = f"time >= {house.start_s}s AND time < {house.start_s + 3600}s"
    q = f"SELECT mean(temp) FROM climate WHERE {where} GROUP BY time(10m), room ORDER BY time DESC LIMIT 2 OFFSET 1 "
    q += "SLIMIT 1"
    (table,) = tables(nobody, house, q, epoch="s")
    assert [row[0] for row in table["values"]] == [house.start_s + 2400, house.start_s + 1800]


def test_what_there_is(house: Any, nobody: httpx.Client) -> None:
    assert tables(nobody, house, "SHOW DATABASES") == [
        {"name": "databases", "columns": ["name"], "values": [["wattstead"], ["Home"]]}
    ]
    assert tables(nobody, house, "SHOW TAG KEYS FROM climate")[0]["values"] == [["floor"], ["room"]]
    assert tables(nobody, house, "SHOW FIELD KEYS FROM climate")[0]["values"] == [["temp", "float"]]
    rooms = tables(nobody, house, "SHOW TAG VALUES FROM climate WITH KEY = room WHERE floor = '-1'")
    assert rooms[0] == {"name": "climate", "columns": ["key", "value"], "values": [["room", "cellar"]]}
    assert tables(nobody, house, "SHOW RETENTION POLICIES ON wattstead")[0]["columns"][0] == "name"
    assert tables(nobody, house, "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)CLIM/ LIMIT 5")[0]["values"] == [
        ["climate"]
    ]
    assert tables(nobody, house, "SHOW SERIES FROM climate")[0]["values"][0] == ["climate,floor=-1,room=cellar"]


def test_several_statements_and_a_faulty_one(house: Any, nobody: httpx.Client) -> None:
    results = ask(nobody, house, "CREATE DATABASE x; SELECT mean(temp) FROM climate GROUP BY time(1u); SHOW DATABASES")
    assert [result["statement_id"] for result in results] == [0, 1, 2]
    assert set(results[0]) == {"statement_id"}
    assert "max-select-buckets limit exceeded" in results[1]["error"]
    assert "series" in results[2]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Token {key}"},
        {"Authorization": "Token anybody:{key}"},
        {"Authorization": "Bearer {key}"},
        {"Authorization": "Basic {basic}"},
    ],
)
def test_ways_to_show_a_key(house: Any, nobody: httpx.Client, headers: dict[str, str]) -> None:
    basic = base64.b64encode(f"grafana:{house.read}".encode()).decode()
    told = {name: value.format(key=house.read, basic=basic) for name, value in headers.items()}
    answer = nobody.post("/query", data={"q": "SHOW DATABASES"}, headers=told)
    assert answer.status_code == 200


def test_keys_that_may_not_read(house: Any, nobody: httpx.Client) -> None:
    missing = nobody.get("/query?q=SHOW DATABASES")
    assert (missing.status_code, missing.json()) == (401, {"error": "unable to parse authentication credentials"})
    assert missing.headers["www-authenticate"].startswith("Basic")
    for key in ("0" * 32, house.write):
        answer = nobody.get("/query", params={"q": "SHOW MEASUREMENTS", "p": key})
        assert answer.status_code == 401
        assert answer.json()["error"].startswith("authorization failed")


def test_what_clients_ask_before_they_write(house: Any, nobody: httpx.Client) -> None:
    answer = nobody.post("/query", params={"q": 'CREATE DATABASE "telegraf"', "u": "telegraf", "p": house.write})
    assert (answer.status_code, answer.json()) == (200, {"results": [{"statement_id": 0}]})
    listed = nobody.get("/query", params={"q": "SHOW DATABASES", "p": house.write}).json()
    assert listed["results"][0]["series"][0]["values"] == [["wattstead"]]


def test_a_key_sees_its_own_site_only(house: Any, nobody: httpx.Client) -> None:
    names = ask(nobody, house, "SHOW MEASUREMENTS", p=house.barn_read)[0]["series"][0]["values"]
    assert names == [["secret"]]
    assert tables(nobody, house, "SELECT mean(value) FROM secret") == []
    assert tables(nobody, house, "SHOW MEASUREMENTS", db="Barn")[0]["values"][0] != ["secret"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({}, 'missing required parameter "q"'),
        ({"q": "SELECT"}, "error parsing query: found EOF, expected identifier at line 1, char 7"),
        ({"q": "DROP DATABASE x"}, "error parsing query: found DROP, expected SELECT, SHOW, CREATE DATABASE"),
        ({"q": "SHOW DATABASES", "epoch": "fortnight"}, "invalid epoch"),
    ],
)
def test_errors_have_influxs_form(house: Any, nobody: httpx.Client, query: dict[str, str], error: str) -> None:
    answer = nobody.get("/query", params=query | {"p": house.read})
    assert answer.status_code == 400
    assert error in answer.json()["error"]


def test_times_without_epoch_are_texts(house: Any, nobody: httpx.Client) -> None:
    answer = nobody.get("/query", params={"q": "SELECT first(temp) FROM climate WHERE room='cellar'", "p": house.read})
    assert answer.json()["results"][0]["series"][0]["values"][0][0] == "2026-03-01T00:00:00Z"
