"""The Influx write interface through a real server: by hand, and with InfluxData's own clients unchanged."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import influxdb
import pytest
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from wattstead.ingest.limits import IngestLimits

if TYPE_CHECKING:
    from conftest import Door

NOW_US = 1_700_000_000_000_000
LINES = b"meter,id=1 power=100.5,count=3i 1699999999\nmeter,id=2 power=-1 1699999999\n"
EXPECTED = {"influx/meter,id=1/power": 100.5, "influx/meter,id=1/count": 3.0, "influx/meter,id=2/power": -1.0}


def test_version_1_with_each_way_to_send_the_key(door: Door) -> None:
    basic = base64.b64encode(f"me:{door.key}".encode()).decode()
    for query, headers in (
        (f"&u=me&p={door.key}", {}),
        ("", {"Authorization": f"Basic {basic}"}),
        ("", {"Authorization": f"Token me:{door.key}"}),
        ("", {"Authorization": f"Bearer {door.key}"}),
    ):
        answer = door.http.post(f"/write?db=home&precision=s{query}", content=LINES, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"") and "x-influxdb-version" in answer.headers
    assert door.values() == EXPECTED and len(door.stored()) == 12
    assert {row.time_us for row in door.stored()} == {NOW_US - 1_000_000}


def test_version_2_with_gzip(door: Door) -> None:
    headers = {"Authorization": f"Token {door.key}", "Content-Encoding": "gzip"}
    url = "/api/v2/write?org=o&bucket=b&precision=s"
    assert door.http.post(url, content=gzip.compress(LINES), headers=headers).status_code == 204
    assert door.values() == EXPECTED


def test_lines_without_time_get_the_receive_time(door: Door) -> None:
    door.http.post(f"/write?p={door.key}", content=b"meter power=1\n")
    assert door.stored()[0][:3] == ("influx/meter/power", NOW_US, 1.0)


def test_texts_are_left_out_and_the_rest_is_kept(door: Door) -> None:
    body = b'status,id=1 state="on",power=7 1\nstatus,id=1 state="off" 2\n'
    assert door.http.post(f"/write?precision=s&p={door.key}", content=body).status_code == 204
    assert door.values() == {"influx/status,id=1/power": 7.0}


def test_partial_write_names_lines_as_influx_does(door: Door) -> None:
    body = b"meter power=1 1\nmeter power= 2\nmeter power=3 3\nmeter power=4 4102444800\n"
    one = door.http.post(f"/write?precision=s&p={door.key}", content=body)
    assert one.status_code == 400
    assert one.json()["error"] == (
        "partial write: unable to parse 'meter power= 2': missing field value (line 2)\n"
        "time 2100-01-01T00:00:00Z lies after 2023-11-15T22:13:20Z; not kept (line 4) dropped=2"
    )
    assert one.headers["x-influxdb-error"].startswith("partial write: unable to parse")
    headers = {"Authorization": f"Token {door.key}"}
    two = door.http.post("/api/v2/write?precision=s", content=body, headers=headers)
    assert two.status_code == 400 and two.json()["code"] == "invalid" and two.json()["line"] == 2
    assert two.json()["message"] == one.json()["error"]
    assert [row.value for row in door.stored()] == [1.0, 3.0] * 2


def test_nothing_written(door: Door) -> None:
    answer = door.http.post(f"/write?p={door.key}", content=b"meter power=\n")
    assert answer.status_code == 400
    assert answer.json() == {"error": "unable to parse 'meter power=': missing field value (line 1)"}
    assert door.http.post(f"/write?p={door.key}", content=b"").status_code == 204
    many = door.http.post(f"/write?p={door.key}", content=b"meter power=\n" * 250).json()["error"]
    assert many.count("unable to parse") == 100 and "and 150 more" in many


def test_keys_and_parameters(door: Door) -> None:
    assert door.http.post("/write", content=LINES).json() == {"error": "unable to parse authentication credentials"}
    answer = door.http.post("/write?u=a&p=b", content=LINES)
    assert (answer.status_code, answer.json()) == (401, {"error": "authorization failed"})
    answer = door.http.post("/api/v2/write", content=LINES, headers={"Authorization": "Token nobody"})
    assert (answer.status_code, answer.json()) == (401, {"code": "unauthorized", "message": "unauthorized access"})
    assert door.http.post(f"/write?p={door.read_key}", content=LINES).status_code == 403
    answer = door.http.post(f"/write?p={door.key}&precision=fortnight", content=LINES)
    assert answer.status_code == 400 and "precision is 'fortnight'" in answer.json()["error"]
    answer = door.http.get("/write")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert not door.stored()


def test_names_beyond_the_limits_are_named_by_line(door: Door) -> None:
    long = "x" * 10_000
    body = f'm,tag={long} v=1 1\nm,tag=a\x07b v=2 2\nm,tag=it\'s\\ "quoted" v=3 3\n'.encode()
    message = door.http.post(f"/write?precision=s&p={door.key}", content=body).json()["error"]
    assert "10015 characters" in message and "(line 1)" in message
    assert "control character" in message and "(line 2)" in message and len(message) < 1_000
    assert door.values() == {'influx/m,tag=it\'s "quoted"/v': 3.0}


def test_points_up_to_the_limit_of_the_key(door: Door) -> None:
    body = "".join(f"m,id={i} v=1 {i}\n" for i in range(5)).encode()
    for _ in range(2):
        answer = door.http.post(f"/write?precision=s&p={door.small_key}", content=body)
        assert answer.status_code == 400 and "limit of 3 points" in answer.json()["error"]
        assert "(line 4)" in answer.json()["error"] and answer.json()["error"].endswith("dropped=2")
    assert len(door.stored()) == 6


def test_a_regular_sender_is_answered_from_memory(door: Door) -> None:
    for second in range(5):
        body = "".join(f"m,id={i} power={i * second},energy={i}i {second}\n" for i in range(300)).encode()
        assert door.http.post(f"/write?precision=s&p={door.key}", content=body).status_code == 204
    stored = door.stored()
    assert len(stored) == 3000 and {row.value for row in stored if row.address == "influx/m,id=7/power"} == {
        0,
        7,
        14,
        21,
        28,
    }


def test_large_bodies_are_decoded_beside_the_others(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(thread_bytes=1_000))
    body = "".join(f"m,id={i} power={i} 5\n" for i in range(500)).encode()
    for _ in range(2):
        assert door.http.post(f"/write?precision=s&p={door.key}", content=body).status_code == 204
    assert len(door.stored()) == 1000


def test_what_clients_ask_before_they_write(door: Door) -> None:
    ping = door.http.get("/ping")
    assert ping.status_code == 204 and ping.headers["x-influxdb-version"] and ping.headers["x-influxdb-build"]
    assert door.http.head("/ping").status_code == 204
    assert door.http.get("/ping?verbose=true").json()["version"]
    assert door.http.get("/health").json()["status"] == "pass"
    headers = {"Authorization": f"Token {door.read_key}"}
    assert door.http.get("/api/v2/buckets?name=x", headers=headers).json()["buckets"][0]["name"] == "x"
    assert door.http.get("/api/v2/orgs?org=me", headers=headers).json()["orgs"][0]["name"] == "me"
    assert door.http.post("/api/v2/buckets", json={"name": "y"}, headers=headers).status_code == 201
    assert door.http.post("/api/v2/buckets", content=b"y", headers=headers).status_code == 400
    deep = door.http.post("/api/v2/buckets", content=b'{"name":' + b"[" * 100_000, headers=headers)
    assert deep.status_code == 400
    assert door.http.get("/api/v2/buckets").status_code == 401


def test_the_client_of_version_2(door: Door) -> None:
    with InfluxDBClient(f"http://127.0.0.1:{door.server.port}", token=door.key, org="home", enable_gzip=True) as client:
        assert client.ping() and client.health().status == "pass"
        buckets = client.buckets_api()
        assert buckets.find_bucket_by_name("energy").name == "energy"
        assert buckets.create_bucket(bucket_name="solar").name == "solar"
        writer = client.write_api(write_options=SYNCHRONOUS)
        at = datetime(2023, 11, 14, 22, tzinfo=UTC)
        points = [Point("meter").tag("id", "a b").field("power", 1.5).field("on", True).field("n", 3).time(at)]
        writer.write("energy", record=points)
        writer.write("energy", record="meter,id=x power=2 1699999999000000000")
        with pytest.raises(ApiException) as caught:
            writer.write("energy", record="meter,id=x power=oops")
        assert caught.value.status == 400
    assert door.values() == {
        "influx/meter,id=a b/power": 1.5, "influx/meter,id=a b/on": 1.0, "influx/meter,id=a b/n": 3.0,
        "influx/meter,id=x/power": 2.0,
    }  # fmt: skip
    assert door.stored()[0].time_us == 1_699_999_200_000_000


def test_the_client_of_version_1(door: Door) -> None:
    client = influxdb.InfluxDBClient("127.0.0.1", door.server.port, "me", door.key, "home", gzip=True)
    assert client.ping()
    point = {
        "measurement": "meter",
        "tags": {"id": "a,b"},
        "time": "2023-11-14T22:00:00Z",
        "fields": {"power": 1.5, "count": 3, "on": False, "note": 'says "hi"'},
    }
    assert client.write_points([point], time_precision="ms")
    client.close()
    assert door.values() == {
        r"influx/meter,id=a\,b/" + name: v for name, v in (("power", 1.5), ("count", 3), ("on", 0))
    }
