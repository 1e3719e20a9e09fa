"""input/post and input/bulk through a real server: the answers byte for byte, the readings as they were sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st
from pyemoncms import EmoncmsClient

from wattstead.ingest.emoncms import post
from wattstead.ingest.emoncms.address import input_of
from wattstead.ingest.emoncms.values import NameMemory, PostRefused
from wattstead.metering.quantity import Quality

if TYPE_CHECKING:
    from conftest import Door

NOW_S = 1_700_000_000
NOW_US = NOW_S * 1_000_000
OK = (200, b"ok")
SUCCESS = (200, b'{"success": true}')


def told(answer: httpx.Response | requests.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content


def send(door: Door, path: str = "/input/post", **parameters: Any) -> httpx.Response:
    return door.http.get(path, params={"apikey": door.key, **parameters})


@pytest.mark.parametrize(
    "parameters, expected",
    [
        ({"node": "tx", "fulljson": '{"power1":100,"temp":-1.5}'}, {"emon/tx/power1": 100, "emon/tx/temp": -1.5}),
        ({"node": 10, "json": "{power1:100,power2:-1}"}, {"emon/10/power1": 100, "emon/10/power2": -1}),
        ({"node": 10, "json": '{"a.b_c-d":1e2}'}, {"emon/10/a.b_c-d": 100}),
        ({"csv": "100,200.5,300"}, {"emon/0/1": 100, "emon/0/2": 200.5, "emon/0/3": 300}),
        ({"node": "n", "data": "100,x:2,300"}, {"emon/n/1": 100, "emon/n/x": 2, "emon/n/2": 300}),
        ({"node": "", "csv": "5"}, {"emon/0/1": 5}),
        ({"node": "Küche 1", "fulljson": '{"sensor.power/kW":1}'}, {"emon/Küche 1/sensor.powerkW": 1}),
    ],
)  # fmt: skip
def test_each_form_of_post(door: Door, parameters: dict[str, Any], expected: dict[str, float]) -> None:
    good = SUCCESS if "fulljson" in parameters else OK
    assert told(send(door, **parameters)) == good
    assert told(door.http.post("/emoncms/input/post.json", data={"apikey": door.key, **parameters})) == good
    assert door.values() == expected and {row.time_us for row in door.stored()} == {NOW_US}


def test_the_node_in_the_path(door: Door) -> None:
    for path in ("/input/post/tx", "/input/post/tx.json", "/emoncms/input/post/tx"):
        assert told(send(door, path, csv="1", node="other")) == OK
    assert set(door.values()) == {"emon/tx/1"}


@pytest.mark.parametrize("where", ["query", "form", "bearer", "bare", "devicekey"])
def test_each_way_to_send_the_key(door: Door, where: str) -> None:
    key, url = door.key, "/input/post?csv=1"
    answers = {
        "query": lambda: door.http.post(f"{url}&apikey={key}"),
        "form": lambda: door.http.post(url, data={"apikey": key}),
        "bearer": lambda: door.http.get(url, headers={"Authorization": f"Bearer {key}"}),
        "bare": lambda: door.http.get(url, headers={"Authorization": key}),
        "devicekey": lambda: door.http.get(f"{url}&devicekey={key}"),
    }
    answer = answers[where]()
    assert told(answer) == OK
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_keys_that_may_not_write(door: Door) -> None:
    for answer in (door.http.get("/input/post?csv=1&apikey=nobody"), door.http.get("/input/post?csv=1")):
        assert told(answer) == (401, b"Invalid API key") and "invalid_apikey" in answer.headers["www-authenticate"]
    assert door.http.get(f"/input/post?csv=1&apikey={door.read_key}").status_code == 403
    assert not door.stored()


def test_preflight(door: Door) -> None:
    answer = door.http.options("/input/post", headers={"Origin": "http://a", "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "parameters, time_us",
    [
        ({"time": NOW_S - 5}, NOW_US - 5_000_000),
        ({"time": f"{NOW_S - 5}.25"}, NOW_US - 4_750_000),
        ({"time": "2023-11-14T22:13:15Z"}, NOW_US - 5_000_000),
        ({"fulljson": json.dumps({"a": 1, "time": NOW_S - 5})}, NOW_US - 5_000_000),
        ({"fulljson": json.dumps({"a": 1, "time": str(NOW_S - 5)})}, NOW_US - 5_000_000),
        ({"fulljson": json.dumps({"a": 1, "time": "2023-11-14T22:13:15+00:00"})}, NOW_US - 5_000_000),
    ],
)
def test_times(door: Door, parameters: dict[str, Any], time_us: int) -> None:
    assert send(door, **{"fulljson": '{"a":1}'} | parameters).status_code == 200
    assert [row[:3] for row in door.stored()] == [("emon/0/a", time_us, 1.0)]


@pytest.mark.parametrize(
    "parameters",
    [
        {"time": "yesterday"}, {"time": ""}, {"time": "2023-11-14 22:13:15"}, {"time": "nan"}, {"time": "1e400"},
        {"time": NOW_S + 90_000}, {"time": -1}, {"time": NOW_S * 1000}, {"fulljson": '{"a":1,"time":"noon"}'},
        {"fulljson": '{"a":1,"time":true}'},
    ],
)  # fmt: skip
def test_a_bad_time_is_an_error_and_never_now(door: Door, parameters: dict[str, Any]) -> None:
    answer = send(door, **{"fulljson": '{"a":1}'} | parameters)
    assert answer.status_code == 400 and answer.json()["success"] is False and "time" in answer.json()["message"]
    assert not door.stored()


def test_null_is_no_reading_and_a_text_is_named(door: Door) -> None:
    assert told(send(door, fulljson='{"a":null,"b":1,"c":""}')) == SUCCESS
    assert told(send(door, json="{a:null,b:2}")) == OK
    assert told(send(door, fulljson='{"a":null}')) == SUCCESS
    answer = send(door, fulljson='{"a":"open","b":"3.5","c":NaN,"d":true}')
    assert told(answer) == SUCCESS
    assert (
        answer.headers["x-emoncms-message"]
        == "a: value is 'open'; expected a number; c: value is nan; expected a finite number"
    )
    answer = send(door, fulljson='{"a":"open"}')
    assert told(answer) == (200, b'{"success": false, "message": "a: value is \'open\'; expected a number"}')
    assert [row[0][7:] + f"={row.value}" for row in door.stored()] == ["b=1.0", "b=2.0", "b=3.5", "d=1.0"]


@pytest.mark.parametrize(
    "parameters, expected, message",
    [
        ({"csv": "100,abc,200"}, {"1": 100, "3": 200}, "value 2: is 'abc'; Format error: csv value is not numeric"),
        ({"csv": "1,,2"}, {"1": 1, "3": 2}, "value 2: is ''"),
        ({"json": "{a:1,b:NaN,c:3}"}, {"a": 1, "c": 3}, "b: is 'NaN'; Format error, json value is not numeric"),
        ({"json": "{a:1,:2}"}, {"a": 1}, "value 2: Format error, json key missing"),
        ({"data": "5,x:on,7"}, {"1": 5, "2": 7}, "x: is 'on'"),
        ({"fulljson": '{"a":1,"b":{"x":1},"c":3}'}, {"a": 1, "c": 3}, "b: value is dict; expected a number"),
        ({"fulljson": '{"a":1,"b":[2],"c":"d"}'}, {"a": 1}, "b: value is list; expected a number; c: value is 'd'"),
    ],
)
def test_one_bad_value_costs_only_itself(
    door: Door, parameters: dict[str, str], expected: dict[str, float], message: str
) -> None:
    for _ in range(2):
        answer = send(door, **parameters)
        assert told(answer) == (SUCCESS if "fulljson" in parameters else OK)
        assert answer.headers["x-emoncms-message"].startswith(message)
    assert door.values() == {f"emon/0/{name}": value for name, value in expected.items()}
    assert door.app.reception.tally.rejected_readings >= 2


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({}, "Request contains no data via csv, json or data tag"),
        ({"fulljson": "[1"}, "Error decoding JSON string (invalid or too deeply nested)"),
        ({"fulljson": "7"}, "Input must be a JSON object"),
        ({"fulljson": '{"a":{"b":1}}'}, "a: value is dict; expected a number"),
        ({"json": "{:1}"}, "value 1: Format error, json key missing or invalid character"),
        ({"json": "{a:on}"}, "a: is 'on'; Format error, json value is not numeric"),
        ({"csv": "x,,y"}, "value 1: is 'x'; Format error: csv value is not numeric; value 2: is ''"),
    ],
)
def test_what_cannot_be_kept_at_all_is_refused_as_emoncms_does(
    door: Door, parameters: dict[str, str], message: str
) -> None:
    answer = send(door, **parameters)
    assert answer.status_code == 200 and answer.json()["success"] is False
    assert answer.json()["message"].startswith(message)
    assert answer.content.startswith(b'{"success": false, "message": "')
    assert not door.stored()


def test_names_that_cannot_be_kept_apart_are_named(door: Door) -> None:
    answer = send(door, fulljson='{"a+b":1,"ab":2,"+":3}')
    assert told(answer) == SUCCESS and "'ab': is the same as 'a+b'" in answer.headers["x-emoncms-message"]
    assert "no letter or digit" in answer.headers["x-emoncms-message"]
    answer = send(door, fulljson=json.dumps({"x" * 10_000: 1, "b": 2}))
    assert told(answer) == SUCCESS and "10007 characters" in answer.headers["x-emoncms-message"]
    assert door.values() == {"emon/0/ab": 1.0, "emon/0/b": 2.0}


def test_late_points_and_repeated_points_are_kept_as_sent(door: Door) -> None:
    for time_s in (NOW_S, NOW_S - 3600, NOW_S - 7200, NOW_S):
        assert told(send(door, csv="1", time=time_s)) == OK
    assert [row.time_us for row in door.stored()] == [NOW_US, NOW_US - 3_600_000_000, NOW_US - 7_200_000_000, NOW_US]


def test_a_delta_without_a_time_is_flagged(door: Door) -> None:
    door.declare("emon/meter/pulse", delta=True)
    for _ in range(2):
        assert told(send(door, node="meter", fulljson='{"pulse":3,"power":5}')) == SUCCESS
    assert told(send(door, node="meter", fulljson='{"pulse":3}', time=NOW_S)) == SUCCESS
    qualities = [(row.address, row.quality) for row in door.stored()]
    pulse, power = ("emon/meter/pulse", Quality.SUSPECT), ("emon/meter/power", Quality.RAW)
    assert qualities == [pulse, power, pulse, power, ("emon/meter/pulse", Quality.RAW)]


BULK = "[[0,16,1137],[2,17,1437,3164],[4,19,1412,3077]]"


@pytest.mark.parametrize(
    "parameters, first_s",
    [
        ({}, NOW_S - 4),
        ({"time": NOW_S - 100}, NOW_S - 100),
        ({"sentat": 10}, NOW_S - 10),
        ({"offset": 10}, NOW_S - 10),
        ({"sentat": 10, "offset": 20, "time": 5}, NOW_S - 10),
    ],
)
def test_bulk_with_each_reference(door: Door, parameters: dict[str, Any], first_s: int) -> None:
    assert told(send(door, "/input/bulk", data=BULK, **parameters)) == OK
    first_us = first_s * 1_000_000
    assert [row[:3] for row in door.stored()] == [
        ("emon/16/1", first_us, 1137),
        ("emon/17/1", first_us + 2_000_000, 1437), ("emon/17/2", first_us + 2_000_000, 3164),
        ("emon/19/1", first_us + 4_000_000, 1412), ("emon/19/2", first_us + 4_000_000, 3077),
    ]  # fmt: skip


def test_bulk_in_each_packing(door: Door) -> None:
    packed = zlib.compress(BULK.encode())
    key = {"apikey": door.key}
    for answer in (
        door.http.post("/input/bulk.json", data=key | {"data": BULK}),
        door.http.post("/input/bulk.json", data=key | {"data": packed.hex(), "c": "1"}),
        door.http.post("/emoncms/input/bulk", data=key | {"c": packed.hex()}),
        door.http.post(f"/input/bulk?cb=1&apikey={door.key}", content=packed),
        send(door, "/emoncms/input/bulk.json", data=BULK),
    ):
        assert told(answer) == OK
    assert len(door.stored()) == 25 and len(door.values()) == 5


def test_bulk_keeps_what_is_good_and_answers_ok_so_that_the_queue_moves(door: Door) -> None:
    packets = [
        [0, "hp", 1, None, 3, {"elec": 4, "heat": 5}], [1], [2, "hp"], ["soon", "hp", 1], [3, {"a": 1}, 1], 7,
        [4, "hp", "open", "6"], [5, "hp", -1], [10**9, "hp", 1], [5.5, 7.0, [1]],
    ]  # fmt: skip
    answer = send(door, "/input/bulk", data=json.dumps(packets), time=NOW_S)
    assert told(answer) == OK
    found = [(row.address[5:], row.time_us // 1_000_000 - NOW_S, row.value) for row in door.stored()]
    assert found == [
        ("hp/1", 0, 1), ("hp/3", 0, 3), ("hp/elec", 0, 4), ("hp/heat", 0, 5), ("hp/2", 4, 6), ("hp/1", 5, -1),
    ]  # fmt: skip
    message = answer.headers["x-emoncms-message"]
    for place in ("data[3][0]", "data[4][1]", "data[5]", "data[6][2]", "data[9][2]", "and 1 more"):
        assert place in message


@pytest.mark.parametrize(
    "parameters, status, message",
    [
        ({"data": "[[1,2"}, 200, "Format error, json string supplied is not valid"),
        ({"data": "[]"}, 200, "Format error, json string supplied is not valid"),
        ({}, 200, "Format error, json string supplied is not valid"),
        ({"data": "zz", "c": 1}, 200, "Format error, json string supplied is not valid"),
        ({"data": "[[0,1,2],7]"}, 200, "Format error, last item in bulk data does not contain any data"),
        ({"data": BULK, "sentat": "now"}, 400, "sentat: "),
        ({"data": BULK, "time": "noon"}, 400, "time: "),
    ],
)
def test_bulk_refused(door: Door, parameters: dict[str, Any], status: int, message: str) -> None:
    answer = send(door, "/input/bulk", **parameters)
    assert answer.status_code == status and answer.json()["success"] is False
    assert answer.json()["message"].startswith(message) and not door.stored()


def test_a_bulk_of_which_nothing_can_be_kept_leaves_the_queue(door: Door) -> None:
    """emonHub sends a buffer again until it hears ``ok``; what is wrong with it is counted and named."""
    tally = door.app.reception.tally
    before = tally.rejected_readings
    frames = [[0, "hub", "x", {"a": "open"}], [10**9, "hub", 1], "no packet"]
    answer = send(door, "/input/bulk", data=json.dumps(frames), time=NOW_S)
    assert told(answer) == OK and not door.stored()
    for place in ("data[0][2]: value is 'x'", "data[0][3]", "data[1][2]", "data[2]"):
        assert place in answer.headers["x-emoncms-message"]
    assert tally.rejected_readings == before + 4
    assert "data[0][2]: value is 'x'" in tally.last
    refused = tally.refused_requests
    assert send(door, "/input/bulk", data="[[1,2").json()["success"] is False
    assert tally.refused_requests == refused + 1


def test_emonhub(door: Door) -> None:
    """As its HTTP interfacer sends: the clock of the sender is ten minutes fast, which sentat cancels."""
    sent_s = NOW_S + 600
    frames = [[sent_s - 20, 5, 100, 200, None], [sent_s - 10, "emonpi", 1.5]]
    body = {"apikey": door.key, "data": json.dumps(frames, separators=(",", ":")), "sentat": str(sent_s)}
    reply = requests.post(f"http://127.0.0.1:{door.server.port}/emoncms/input/bulk.json?", body, timeout=60)
    reply.raise_for_status()
    assert reply.text == "ok"
    assert [(row.address, row.time_us // 1_000_000 - NOW_S) for row in door.stored()] == [
        ("emon/5/1", -20), ("emon/5/2", -20), ("emon/emonpi/1", -10),
    ]  # fmt: skip


def test_pyemoncms(door: Door) -> None:
    async def sent() -> bool:
        async with aiohttp.ClientSession() as session:
            client = EmoncmsClient(f"http://127.0.0.1:{door.server.port}", door.key, session=session)
            return bool(await client.async_input_post({"power": 230.5, "state": 1}, node="ha", time=NOW_S - 9))

    assert asyncio.run(sent())
    assert [row[:3] for row in door.stored()] == [
        ("emon/ha/power", NOW_US - 9_000_000, 230.5), ("emon/ha/state", NOW_US - 9_000_000, 1.0),
    ]  # fmt: skip


def test_esp_firmware(door: Door) -> None:
    """EmonESP and OpenEVSE: everything in one unescaped query, and a success they look for in the text."""
    text = f'/input/post?node=emonesp&apikey={door.key}&fulljson={{"amp":12.5,"temp1":-3,"srssi":-61}}'
    answer = requests.get(f"http://127.0.0.1:{door.server.port}/emoncms{text}", timeout=60)
    assert told(answer) == SUCCESS
    assert door.values() == {"emon/emonesp/amp": 12.5, "emon/emonesp/temp1": -3.0, "emon/emonesp/srssi": -61.0}


def sealed(key: str, plain: bytes) -> tuple[bytes, str, bytes]:
    """Body, HMAC and expected answer of an encrypted request."""
    secret, start = bytes.fromhex(key), b"0123456789abcdef"
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES128(secret), modes.CBC(start)).encryptor()
    packed = start + encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    code = hmac.new(secret, plain, "sha256").hexdigest()
    return base64.urlsafe_b64encode(packed).rstrip(b"="), code, base64.urlsafe_b64encode(hashlib.sha256(plain).digest())


@pytest.mark.parametrize("kind", ["aes128cbc", "aes128cbcgz"])
@pytest.mark.parametrize(
    "path, text", [("/input/post", "node=tx&data=100,200"), ("/emoncms/input/bulk.json", f"data={BULK}")]
)
def test_the_encrypted_form(door: Door, kind: str, path: str, text: str) -> None:
    plain = zlib.compress(text.encode()) if kind.endswith("gz") else text.encode()
    body, code, expected = sealed(door.small_key, plain)
    headers = {"Content-Type": kind, "Authorization": f"{door.small_id}:{code}"}
    answer = door.http.post(path, content=body, headers=headers)
    assert answer.status_code == 200 and answer.content == expected and answer.content.endswith(b"=")
    assert len(door.stored()) == (2 if "node" in text else 3)


def test_the_encrypted_form_refused(door: Door) -> None:
    body, code, _ = sealed(door.small_key, b"node=tx&data=100,200")
    plain_key_id = door.small_id - 3
    for authorization, content, message in (
        ("", body, "missing authorization header"),
        ("nonsense", body, "authorization header format should be userid:hmac"),
        (f"{plain_key_id}:{code}", body, "User not found"),
        (f"999999:{code}", body, "User not found"),
        (f"{door.small_id}:{code}", b"", "no content in post body"),
        (f"{door.small_id}:{'0' * 64}", body, "invalid data"),
        (f"{door.small_id}:{code}", body[:-8], "invalid data"),
        (f"{door.small_id}:{code}", b"x", "invalid data"),
        (f"{door.small_id}:{code}", b"\xff" * 64, "invalid data"),
    ):
        headers = {"Content-Type": "aes128cbc"} | ({"Authorization": authorization} if authorization else {})
        assert told(door.http.post("/input/post", content=content, headers=headers)) == (200, message.encode())
    assert not door.stored()


VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.lists(st.integers(), max_size=1)


@given(st.dictionaries(st.text(min_size=1, max_size=8).filter(lambda name: name != "time"), VALUES, max_size=5))
def test_any_object_is_kept_or_named(found: dict[str, Any]) -> None:
    try:
        few = post.decode({"fulljson": json.dumps(found)}, "", 0, NameMemory())
    except PostRefused as refused:  # nothing is left to keep: what is wrong with each is said
        few = post.decode({"fulljson": json.dumps(found | {"good": 1})}, "", 0, NameMemory())
        assert len(few.values) == 1 and few.rejected.count and str(refused)
        return
    nothing = [value for value in found.values() if value is None or str(value).strip().lower() in ("", "null")]
    assert len(few.values) + few.rejected.count + len(nothing) == len(found)
    assert len(set(few.names.addresses)) == len(few.values)
    assert all(input_of(address) is not None for address in few.names.addresses)
