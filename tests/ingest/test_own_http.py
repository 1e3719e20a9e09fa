"""POST /api/v1/readings through a real server into a real journal."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from wattstead.registry.records import KeyGrant, Scope

if TYPE_CHECKING:
    from conftest import Door

NOW_US = 1_700_000_000_000_000
ROUTE = "/api/v1/readings"


def arrow(table: pa.Table, compression: str | None = None, rows_per_batch: int = 1000) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        for batch in table.to_batches(max_chunksize=rows_per_batch):
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def test_rows_are_stored_before_the_answer(door: Door, bearer: dict[str, str]) -> None:
    rows = [
        {"point": "kitchen", "time": "2023-11-14T22:13:20Z", "value": 230.5},
        {"point": "kitchen", "time": 1_700_000_001.5, "value": 231},
        {"point": "garage", "value": -1},
    ]
    answer = door.http.post(ROUTE, json={"readings": rows}, headers=bearer)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 3, "rejected": []})
    assert [row[:3] for row in door.stored()] == [
        ("kitchen", NOW_US, 230.5),
        ("kitchen", NOW_US + 1_500_000, 231.0),
        ("garage", NOW_US, -1.0),
    ]


@pytest.mark.parametrize("unit, factor", [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)])
def test_columns_with_each_unit_of_time(door: Door, bearer: dict[str, str], unit: str, factor: int) -> None:
    body = {"point": ["a", "b"], "time": [1_699_999_999 * factor] * 2, "value": [1, 2.5], "time_unit": unit}
    for _ in range(2):  # the second time the names are remembered
        assert door.http.post(ROUTE, json=body, headers=bearer).json() == {"accepted": 2, "rejected": []}
    assert {row[:3] for row in door.stored()} == {("a", NOW_US - 1_000_000, 1.0), ("b", NOW_US - 1_000_000, 2.5)}


def test_one_reading_without_lists(door: Door, bearer: dict[str, str]) -> None:
    assert door.http.post(ROUTE, json={"point": "a", "value": 4}, headers=bearer).json()["accepted"] == 1
    assert door.values() == {"a": 4.0}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_compressed_bodies(door: Door, bearer: dict[str, str], encoding: str) -> None:
    plain = json.dumps({"point": ["a"] * 50, "time": list(range(50)), "value": [1] * 50}).encode()
    pack = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "zstd": lambda text: pa.compress(text, codec="zstd", asbytes=True),
    }[encoding]
    answer = door.http.post(ROUTE, content=pack(plain), headers=bearer | {"Content-Encoding": encoding})
    assert answer.json()["accepted"] == 50


def test_bad_rows_are_named_and_the_others_kept(door: Door, bearer: dict[str, str]) -> None:
    body = (
        b'{"readings":[{"point":"a","time":1,"value":1},{"point":"a","time":"yesterday","value":1},'
        b'{"point":"a","time":2,"value":"230"},{"point":"a","time":3,"value":NaN},{"point":"a","time":4,"value":1e999},'
        b'{"point":"a","time":"2024-01-01T00:00:00","value":1},{"time":5,"value":1},7,'
        b'{"point":"a","time":6,"value":null},{"point":"a","time":6,"value":true},{"point":"","time":6,"value":1},'
        b'{"point":"a\\u0007","time":6,"value":1},{"point":"a","time":1e30,"value":1},{"point":"a","time":9,"value":9}]}'
    )
    answer = door.http.post(ROUTE, content=body, headers=bearer).json()
    assert answer["accepted"] == 2
    assert {issue["place"] for issue in answer["rejected"]} == {
        *("readings[1].time", "readings[2].value", "readings[3].value", "readings[4].value", "readings[5].time"),
        *("readings[6].point", "readings[7]", "readings[8].value", "readings[9].value", "readings[10]"),
        *("readings[11]", "readings[12].time"),
    }
    reasons = {issue["place"]: issue["reason"] for issue in answer["rejected"]}
    assert "'230'" in reasons["readings[2].value"] and "zone" in reasons["readings[5].time"]
    assert "control character" in reasons["readings[11]"]
    assert [(row.time_us, row.value) for row in door.stored()] == [(1_000_000, 1.0), (9_000_000, 9.0)]


def test_names_with_quotes_are_kept_and_long_ones_named(door: Door, bearer: dict[str, str]) -> None:
    names = ['say "hi"', "it's", "back\\slash", "a/b,c=d", "Küche ☀", "x" * 200, "y" * 201, "z" * 10_000]
    answer = door.http.post(ROUTE, json={"point": names, "value": [1] * len(names)}, headers=bearer).json()
    assert answer["accepted"] == 6 and set(door.values()) == set(names[:6])
    assert [issue["place"] for issue in answer["rejected"]] == ["row 6", "row 7"]
    assert "10000 characters" in answer["rejected"][1]["reason"] and len(answer["rejected"][1]["reason"]) < 300


@pytest.mark.parametrize(
    ("entry", "place", "reason"),
    [
        (b'{"point":"\xff","value":1}', "readings[1]", "control character '\\udcff'"),
        (b'{"point":"b","value":"\xff"}', "readings[1].value", "expected a number"),
        (b'{"point":"b","value":1,"x\xff":2}', "readings[1].x\\udcff", "is no field"),
        (b'{"point":"b","value":1,"x\\ud800":2}', "readings[1].x\\ud800", "is no field"),
        (b'{"point":"b","value":1,"unit":"\xff"}', "readings[1].unit", "is not known"),
    ],
)
def test_letters_that_are_none_cost_their_reading(
    door: Door, bearer: dict[str, str], entry: bytes, place: str, reason: str
) -> None:
    body = b'{"readings":[{"point":"a","value":1},%s,{"point":"c","value":3}]}' % entry
    answer = door.http.post(ROUTE, content=body, headers=bearer).json()
    assert answer["accepted"] == 2
    (issue,) = answer["rejected"]
    assert issue["place"] == place and reason in issue["reason"]
    odd = door.http.post(ROUTE, content=b'{"point":["a","\xff"],"value":[1,2]}', headers=bearer).json()
    assert odd["accepted"] == 1 and "\\udcff" in odd["rejected"][0]["reason"]
    for body in (b'{"x\xff":1}', b'{"x\\ud800":1}', b'{"point":"a","value":1,"time_unit":"\xff"}'):
        assert door.http.post(ROUTE, content=body, headers=bearer).status_code == 400


def test_far_past_and_future_are_named(door: Door, bearer: dict[str, str]) -> None:
    times = [-1, 0, 1_700_000_000, 1_700_086_400, 1_700_086_401, 4_000_000_000]
    answer = door.http.post(ROUTE, json={"point": ["a"] * 6, "time": times, "value": [1] * 6}, headers=bearer).json()
    assert answer["accepted"] == 3
    assert [issue["place"] for issue in answer["rejected"]] == ["row 0", "row 4", "row 5"]
    assert "1969-12-31T23:59:59Z lies before 1970" in answer["rejected"][0]["reason"]


def test_nothing_kept_is_a_problem(door: Door, bearer: dict[str, str]) -> None:
    answer = door.http.post(ROUTE, json={"point": ["a"], "time": ["noon"], "value": [1]}, headers=bearer)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rejected"][0]["place"] == "time[0]" and answer.json()["accepted"] == 0
    assert not door.stored() and not door.points.addresses(door.site)


@pytest.mark.parametrize(
    "body, place",
    [
        (b'{"readings": [', "line 1, column 15"),
        (b"\xff\xfe", "byte 0"),
        (b'{"point":["a"],"value":[1,2]}', "columns of different lengths (point 1, value 2)"),
        (b'{"point":["a"]}', "value is missing"),
        (b"7", "expected"),
        (b"[" * 100_000, "not JSON"),
        (b'{"point":"a","value":' + b"9" * 5000 + b"}", ""),
        (b'{"readings":[],"time_unit":"fortnight"}', "time_unit is 'fortnight'"),
    ],
)
def test_malformed_json_is_named(door: Door, bearer: dict[str, str], body: bytes, place: str) -> None:
    answer = door.http.post(ROUTE, content=body, headers=bearer)
    assert answer.status_code in (400, 422) and place in answer.json()["detail"]
    assert answer.json()["request"] == answer.headers["x-request-id"]
    assert not door.stored()


def test_keys(door: Door, bearer: dict[str, str]) -> None:
    body = {"point": "a", "value": 1}
    answers = {
        name: door.http.post(ROUTE, json=body, headers=headers)
        for name, headers in {
            "none": {},
            "unknown": {"Authorization": "Bearer nobody"},
            "read": {"Authorization": "Bearer " + door.read_key},
            "basic": {"Authorization": "Basic " + door.key},
        }.items()
    }
    assert {name: one.status_code for name, one in answers.items()} == {
        "none": 401, "unknown": 401, "read": 403, "basic": 401,
    }  # fmt: skip
    assert answers["none"].headers["www-authenticate"].startswith("Bearer")
    door.points.revoke_key(door.key)
    assert door.http.post(ROUTE, json=body, headers=bearer).status_code == 401
    assert not door.stored()


def test_points_by_id_only_of_the_own_site(door: Door, bearer: dict[str, str]) -> None:
    mine, theirs = door.declare("mine"), door.declare("theirs", other=True)
    body = {"point": [mine, theirs, 999_999, "new", 0, 2**40], "value": [1, 2, 3, 4, 5, 6]}
    answer = door.http.post(ROUTE, json=body, headers=bearer).json()
    assert answer["accepted"] == 2 and door.values() == {"mine": 1.0, "new": 4.0}
    assert {issue["place"] for issue in answer["rejected"]} == {"row 1", "row 2", "point[4]", "point[5]"}
    assert not door.stored(other=True)


def test_one_address_at_two_sites_is_two_points(door: Door, bearer: dict[str, str]) -> None:
    other = {"Authorization": f"Bearer {door.other_key}"}
    for headers, value in ((bearer, 1.0), (other, 2.0), (bearer, 3.0)):
        door.http.post(ROUTE, json={"point": ["same"], "value": [value]}, headers=headers)
    assert door.values() == {"same": 3.0} and door.values(other=True) == {"same": 2.0}


def test_the_key_of_a_device_writes_to_that_device_alone(door: Door, bearer: dict[str, str]) -> None:
    for number, device in ((1, 71), (2, 72)):
        secret = f"{door.key[:30]}{device:02x}"
        door.points.add_key(secret, KeyGrant(9_000 + number, door.site, 1, Scope.WRITE, 100, device))
    first, second = ({"Authorization": f"Bearer {door.key[:30]}{device:02x}"} for device in (71, 72))
    of_site = door.declare("of site")
    for _ in range(2):  # the second time from what is remembered
        assert door.http.post(ROUTE, json={"point": ["mine"], "value": [1]}, headers=first).json()["accepted"] == 1
        refused = door.http.post(ROUTE, json={"point": ["mine"], "value": [666]}, headers=second)
        assert refused.status_code == 422 and "'mine' is not one of device 72" in refused.text
        mixed = door.http.post(ROUTE, json={"point": ["of site", "theirs"], "value": [666, 2]}, headers=second).json()
        assert mixed["accepted"] == 1 and "'of site' is not one of device 72" in mixed["rejected"][0]["reason"]
        by_id = door.http.post(ROUTE, json={"point": [of_site], "value": [666]}, headers=second)
        assert by_id.status_code == 422 and "is not a point of this key's device" in by_id.text
        both = door.http.post(ROUTE, json={"point": ["mine", "theirs"], "value": [3, 4]}, headers=bearer)
        assert both.json()["accepted"] == 2
    assert door.values() == {"mine": 3.0, "theirs": 4.0}


def test_new_addresses_up_to_the_limit_of_the_key(door: Door) -> None:
    small = {"Authorization": f"Bearer {door.small_key}"}
    body = {"point": ["a", "b", "c", "d", "a"], "time": [1, 2, 3, 4, 5], "value": [1, 2, 3, 4, 5]}
    for _ in range(2):
        answer = door.http.post(ROUTE, json=body, headers=small).json()
        assert answer["accepted"] == 4 and "limit of 3 points" in answer["rejected"][0]["reason"]
        assert answer["rejected"][0]["place"] == "row 3"


def test_a_delta_without_a_time_is_refused(door: Door, bearer: dict[str, str]) -> None:
    door.declare("pulses", delta=True)
    answer = door.http.post(ROUTE, json={"point": ["pulses", "power"], "value": [1, 2]}, headers=bearer).json()
    assert answer["accepted"] == 1 and "send a time" in answer["rejected"][0]["reason"]
    answer = door.http.post(ROUTE, json={"point": "pulses", "time": 5, "value": 1}, headers=bearer).json()
    assert answer["accepted"] == 1


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
@pytest.mark.parametrize("encoded", [True, False])
def test_arrow(door: Door, bearer: dict[str, str], compression: str | None, encoded: bool) -> None:
    names = pa.array([f"m{i % 40}" for i in range(2500)])
    table = pa.table(
        {
            "point": names.dictionary_encode() if encoded else names,
            "time": pa.array(range(2500), pa.timestamp("ms", "UTC")),
            "value": pa.array(range(2500), pa.int32()),
        }
    )
    headers = bearer | {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = door.http.post(ROUTE, content=arrow(table, compression), headers=headers)
    assert answer.json() == {"accepted": 2500, "rejected": []}
    stored = door.stored()
    assert len(stored) == 2500 and stored[41][:3] == ("m1", 41_000, 41.0)


def test_arrow_rows_are_named(door: Door, bearer: dict[str, str]) -> None:
    table = pa.table(
        {"point": ["a", None, "b", "c", "d"], "time": [1.5, 2, None, 4, 5], "value": [1, 2, 3, None, float("inf")]}
    )
    headers = bearer | {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = door.http.post(ROUTE, content=arrow(table), headers=headers).json()
    assert answer["accepted"] == 1
    assert {issue["place"]: issue["reason"] for issue in answer["rejected"]} == {
        "row 1": "point is null", "row 2": "time is null", "row 3": "value is null", "row 4": "value is inf",
    }  # fmt: skip


def _arrow_faults() -> list[Any]:
    good = arrow(pa.table({"point": ["a"] * 100, "value": [1.0] * 100}))
    naive = pa.table({"point": ["a"], "time": pa.array([1], pa.timestamp("us")), "value": [1]})
    return [
        (b"", "stream"),
        (b"no arrow at all", "stream"),
        (good[: len(good) // 2], "stream"),
        (arrow(pa.table({"point": ["a"]})), "value is missing"),
        (arrow(pa.table({"point": ["a"], "value": ["x"]})), "expected a number type"),
        (arrow(pa.table({"point": [[1]], "value": [1]})), "expected names"),
        (arrow(naive), "is timestamp[us]; expected a timestamp with a zone"),
    ]


@pytest.mark.parametrize("body, detail", _arrow_faults())
def test_malformed_arrow_is_named(door: Door, bearer: dict[str, str], body: bytes, detail: str) -> None:
    headers = bearer | {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = door.http.post(ROUTE, content=body, headers=headers)
    assert answer.status_code == 400 and detail in answer.json()["detail"]


def test_other_formats_and_methods(door: Door, bearer: dict[str, str]) -> None:
    assert door.http.post(ROUTE, content=b"<a/>", headers=bearer | {"Content-Type": "text/xml"}).status_code == 415
    assert door.http.post(ROUTE, content=b"x", headers=bearer | {"Content-Encoding": "br"}).status_code == 415
    assert door.http.post(ROUTE, content=b"x", headers=bearer | {"Content-Encoding": "gzip"}).status_code == 400
    assert door.app.serves("POST", ROUTE) and not door.app.serves("GET", ROUTE)
    assert door.http.get("/elsewhere").status_code == 404


def test_a_field_that_is_not_known_costs_its_reading(door: Door, bearer: dict[str, str]) -> None:
    rows = [
        {"point": "b2", "time": 1_600_000_001, "value": 1},
        {"point": "b2", "tiem": 1_600_000_001, "value": 1},
        {"point": "b2", "time": 1_600_000_002, "value": 1, "time_unit": "ms"},
    ]
    answer = door.http.post(ROUTE, json={"readings": rows}, headers=bearer).json()
    assert (answer["accepted"], [issue["place"] for issue in answer["rejected"]]) == (
        1, ["readings[1].tiem", "readings[2].time_unit"],
    )  # fmt: skip
    assert "known are point, time, value, unit" in answer["rejected"][0]["reason"]


@pytest.mark.parametrize(
    "body",
    [
        {"point": ["a"], "tiem": [1], "value": [1]},
        {"point": "a", "value": 1, "quality": 2},
        {"readings": [{"point": "a", "value": 1}], "time_units": "ms"},
        {"readings": [{"point": "a", "value": 1}], "value": [1]},
    ],
)
def test_a_field_of_a_body_that_is_not_known_costs_the_body(
    door: Door, bearer: dict[str, str], body: dict[str, Any]
) -> None:
    answer = door.http.post(ROUTE, json=body, headers=bearer)
    assert answer.status_code == 400
    assert "is no field that is known here" in answer.json()["detail"]


def test_a_unit_is_turned_into_that_of_the_point(door: Door, bearer: dict[str, str]) -> None:
    door.points.declare(door.site, "meter", unit="Wh")
    rows = [
        {"point": "meter", "time": 1, "value": 1.5, "unit": "kWh"},
        {"point": "meter", "time": 2, "value": 7, "unit": "Wh"},
        {"point": "meter", "time": 3, "value": 8},
        {"point": "meter", "time": 4, "value": 1, "unit": "bananas"},
        {"point": "meter", "time": 5, "value": 1, "unit": "V"},
        {"point": "meter", "time": 6, "value": 1, "unit": 7},
        {"point": "plain", "time": 7, "value": 1},
        {"point": "fresh", "time": 8, "value": 2, "unit": "kW"},
        {"point": "fresh", "time": 9, "value": 2000, "unit": "W"},
    ]
    answer = door.http.post(ROUTE, json={"readings": rows}, headers=bearer).json()
    assert answer["accepted"] == 6
    assert {issue["place"]: issue["reason"].partition(";")[0] for issue in answer["rejected"]} == {
        "readings[3].unit": "unit 'bananas' is not known",
        "readings[4]": "unit 'V' (V) cannot become 'Wh' (Wh)",
        "readings[5].unit": "unit is int",
    }
    assert [(row.address, row.value) for row in door.stored()] == [
        ("meter", 1500.0), ("meter", 7.0), ("meter", 8.0), ("plain", 1.0), ("fresh", 2.0), ("fresh", 2.0),
    ]  # fmt: skip
    (issue,) = door.http.post(
        ROUTE, json={"point": "plain", "time": 8, "value": 1, "unit": "W"}, headers=bearer
    ).json()["rejected"]  # fmt: skip
    assert "its point has none yet" in issue["reason"]


def test_units_of_columns_and_of_arrow(door: Door, bearer: dict[str, str]) -> None:
    body = {"point": ["a", "a", "b"], "time": [1, 2, 3], "value": [1, 2, 3], "unit": ["kW", "W", "bananas"]}
    answer = door.http.post(ROUTE, json=body, headers=bearer).json()
    assert (answer["accepted"], [issue["place"] for issue in answer["rejected"]]) == (2, ["unit[2]"])
    assert [row.value for row in door.stored()] == [1.0, 0.002]
    one = {"point": ["a"] * 2, "time": [4, 5], "value": [1, 2], "unit": "MW"}
    assert door.http.post(ROUTE, json=one, headers=bearer).json()["accepted"] == 2
    head = bearer | {"Content-Type": "application/vnd.apache.arrow.stream"}
    columns = {"point": ["a", "a", "a"], "value": [9.0, 9.0, 9.0], "time": [6, 7, 8], "unit": ["W", "bananas", None]}
    answer = door.http.post(ROUTE, content=arrow(pa.table(columns)), headers=head).json()
    assert answer["accepted"] == 2 and "bananas" in answer["rejected"][0]["reason"]
    assert [row.value for row in door.stored()][-4:] == [1000.0, 2000.0, 0.009, 9.0]
    wrong = {"point": ["a"], "value": [9.0], "tiem": [6]}
    refused = door.http.post(ROUTE, content=arrow(pa.table(wrong)), headers=head)
    assert refused.status_code == 400 and "column tiem is not known" in refused.json()["detail"]
