"""EmonCMS's reading interface, byte for byte where its clients compare, and its real Python client unchanged."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import numpy as np
import pytest
from pyemoncms import EmoncmsClient

from wattstead.metering.batch import ReadingBatch
from wattstead.registry.policy import Role
from wattstead.registry.records import NewAddress
from wattstead.registry.trail import Actor

pytestmark = pytest.mark.parametrize("prefix", ["", "/emoncms"])


def get(client: httpx.Client, house: Any, path: str, **query: Any) -> httpx.Response:
    asked = {"apikey": house.read} | query
    return client.get(path, params={name: value for name, value in asked.items() if value is not None})


async def test_pyemoncms_unchanged(house: Any, prefix: str) -> None:
    power = house.points["power"]
    house.publish(power, 812.5)
    async with EmoncmsClient(house.url + prefix, house.read) as client:
        identity = await client.async_get_uuid()
        assert identity is not None
        assert len(identity) == 36
        assert await client.async_get_uuid() == identity
        feeds = await client.async_list_feeds()
        assert feeds is not None
        by_id = {feed["id"]: feed for feed in feeds}
        assert by_id[str(power)]["value"] == 812.5
        told = await client.async_get_feed_fields(power)
        assert told is not None
        assert (told["tag"], told["name"], told["unit"]) == ("emontx", "House power", "W")
        assert await client.async_get_feed_fields(999_999) == {"success": False, "message": "Feed does not exist"}
        assert await client.async_request("/feed/basket.json") == {
            "success": False, "message": "error 406 URI not acceptable",
        }  # fmt: skip
    async with EmoncmsClient(house.url + prefix, "0" * 32) as stranger:
        assert await stranger.async_list_feeds() is None


def test_home_assistants_calls(house: Any, nobody: httpx.Client, prefix: str) -> None:
    feeds = get(nobody, house, f"{prefix}/feed/list.json").json()
    for feed in feeds:
        assert {"id", "userid", "name", "tag", "unit", "value", "time"} <= set(feed)
        assert feed["id"] == str(int(feed["id"]))
    told = get(nobody, house, f"{prefix}/user/getuuid.json")
    assert told.text.startswith('{"success":true,"message":"')
    assert told.headers["content-type"] == "application/json"


def test_a_key_may_come_in_query_body_or_header(house: Any, nobody: httpx.Client, prefix: str) -> None:
    path, power = f"{prefix}/feed/value.json", house.points["power"]
    house.publish(power, 7.0)
    assert nobody.get(path, params={"id": power, "apikey": house.read}).text == "7"
    assert nobody.post(path, params={"id": power}, data={"apikey": house.read}).text == "7"
    assert nobody.post(path, data={"id": power, "apikey": house.read}).text == "7"
    assert nobody.get(path, params={"id": power}, headers={"Authorization": f"Bearer {house.read}"}).text == "7"


def test_keys_that_do_not_read(house: Any, nobody: httpx.Client, prefix: str) -> None:
    bad = nobody.get(f"{prefix}/feed/list.json?apikey={'0' * 32}")
    assert (bad.status_code, bad.text) == (401, "Invalid API key")
    assert bad.headers["www-authenticate"].startswith('Bearer realm="API KEY"')
    write = nobody.get(f"{prefix}/feed/list.json?apikey={house.write}")
    assert (write.status_code, write.json()["success"]) == (401, False)
    assert nobody.get(f"{prefix}/feed/list.json").text == "false"
    assert nobody.get(f"{prefix}/input/list.json").text == "[]"
    assert nobody.get(f"{prefix}/feed/data.json?id=1&start=0&end=1").text == "[]"


def test_unknown_routes(house: Any, nobody: httpx.Client, prefix: str) -> None:
    answer = get(nobody, house, f"{prefix}/feed/dance.json")
    assert answer.status_code == 406
    assert answer.text == '{"success":false,"message":"406 Not Acceptable. Route not found"}'


def test_browsers_may_ask_first(nobody: httpx.Client, prefix: str) -> None:
    answer = nobody.options(f"{prefix}/feed/list.json")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_inputs(house: Any, nobody: httpx.Client, prefix: str) -> None:
    time_s = house.publish(house.points["power"], 1234.0)
    rows = {row["nodeid"] + "/" + row["name"]: row for row in get(nobody, house, f"{prefix}/input/list").json()}
    assert rows["emontx/power1"] == {
        "id": str(house.points["power"]), "nodeid": "emontx", "name": "power1", "description": "House power",
        "processList": "", "time": time_s, "value": 1234,
    }  # fmt: skip
    one = f'{{"time":{time_s},"value":1234,"processList":""}}'
    assert get(nobody, house, f"{prefix}/input/get/emontx/power1").text == one
    assert get(nobody, house, f"{prefix}/input/get", node="emontx", name="power1").text == one
    assert get(nobody, house, f"{prefix}/input/get/emontx").text == f'{{"power1":{one}}}'
    assert get(nobody, house, f"{prefix}/input/get", node="nobody").text == '"Node does not exist"'
    assert get(nobody, house, f"{prefix}/input/get/emontx/x").text == '"Node variable does not exist"'
    ids = get(nobody, house, f"{prefix}/input/getinputs").json()
    assert ids["emontx"]["power1"] == {"id": str(house.points["power"]), "processList": ""}


def test_feed_values(house: Any, nobody: httpx.Client, prefix: str) -> None:
    power, kwh = house.points["power"], house.points["kwh"]
    time_s = house.publish(power, 0.5)
    house.publish(kwh, 1000.0)
    assert get(nobody, house, f"{prefix}/feed/timevalue.json", id=power).text == f'{{"time":{time_s},"value":0.5}}'
    assert get(nobody, house, f"{prefix}/feed/fetch.json", ids=f"{power},999999,{kwh}").text == "[0.5,false,1000]"
    assert get(nobody, house, f"{prefix}/feed/value.json", id=power, time=house.start_s + 62).text == "1"
    assert get(nobody, house, f"{prefix}/feed/get.json", id=power, field="name").text == '"House power"'
    assert get(nobody, house, f"{prefix}/feed/get.json", id=power).json()["message"] == "Missing field parameter"
    found = get(nobody, house, f"{prefix}/feed/getid.json", tag="emontx", name="House power")
    assert (found.text, found.headers["content-type"]) == (str(power), "text/plain; charset=utf-8")
    assert get(nobody, house, f"{prefix}/feed/getid.json", name="nothing").text == ""


def test_the_value_at_a_time_is_the_nearest(house: Any, nobody: httpx.Client, put: Any, prefix: str) -> None:
    first_s = 1_600_000_000
    fast = put("fast", first_s + np.arange(6_000) / 10, np.arange(6_000))
    path = f"{prefix}/feed/value.json"
    for at, told in (
        (first_s + 550, "5500"), (first_s + 300.06, "3001"), (f"{first_s + 550}000", "5500"), (first_s - 200, "0"),
        (first_s + 800, "5999"), (first_s + 1_000, "null"), ("2020-09-13 14:33:20", "4000"),
    ):  # fmt: skip
        assert get(nobody, house, path, id=fast, time=at).text == told, at
    for bad in ("abc", "1e300"):
        wrong = get(nobody, house, path, id=fast, time=bad)
        assert (wrong.status_code, wrong.json()["success"]) == (200, False)
        assert wrong.json()["message"].startswith(f"Invalid time '{bad}'")


def test_feed_extent(house: Any, nobody: httpx.Client, prefix: str) -> None:
    extent = {"interval": 60, "start_time": house.start_s, "npoints": 2880, "end_time": house.start_s + 2 * 86_400 - 60}
    told = get(nobody, house, f"{prefix}/feed/getmeta.json", id=house.points["power"])
    assert told.text == json.dumps(extent, separators=(",", ":"))
    feeds = get(nobody, house, f"{prefix}/feed/list.json", meta=1).json()
    power = next(feed for feed in feeds if feed["id"] == str(house.points["power"]))
    assert {name: power[name] for name in extent} == extent


def feed_data(client: httpx.Client, house: Any, prefix: str, feed: str = "power", **query: Any) -> str:
    asked = {"id": house.points[feed], "start": house.start_s, "end": house.start_s + 240} | query
    return get(client, house, f"{prefix}/feed/data.json", **asked).text


def test_feed_history_in_every_form(house: Any, nobody: httpx.Client, prefix: str) -> None:
    s = house.start_s
    assert feed_data(nobody, house, prefix, interval=120) == f"[[{s}000,0],[{s + 120}000,2],[{s + 240}000,4]]"
    in_ms = {"start": s * 1000, "end": (s + 240) * 1000}
    assert feed_data(nobody, house, prefix, interval=120, timeformat="unix", **in_ms) == (
        f"[[{s},0],[{s + 120},2],[{s + 240},4]]"
    )
    assert feed_data(nobody, house, prefix, interval=120, average=1, timeformat="notime") == "[0.5,2.5,4.5]"
    assert feed_data(nobody, house, prefix, interval=120, delta=1, timeformat="notime") == "[2,2,2]"
    assert feed_data(nobody, house, prefix, interval=240, timeformat="iso8601") == (
        '[["2026-03-01T01:00:00+01:00",0],["2026-03-01T01:04:00+01:00",4]]'
    )
    assert feed_data(nobody, house, prefix, interval=240, timeformat="excel", timezone="UTC") == (
        '[["01\\/03\\/2026 00:00:00",0],["01\\/03\\/2026 00:04:00",4]]'
    )
    assert feed_data(nobody, house, prefix, interval="original", end=s + 60) == f"[[{s}000,0],[{s + 60}000,1]]"
    assert (
        feed_data(nobody, house, prefix, interval=30, end=s + 60) == f"[[{s}000,0],[{s + 30}000,null],[{s + 60}000,1]]"
    )
    assert feed_data(nobody, house, prefix, interval=30, end=s + 60, skipmissing=1) == f"[[{s}000,0],[{s + 60}000,1]]"
    assert feed_data(nobody, house, prefix, interval=7, end=s + 60, limitinterval=1) == f"[[{s}000,0],[{s + 60}000,1]]"


def test_days_of_the_site(house: Any, nobody: httpx.Client, prefix: str) -> None:
    query = {"start": "2026-03-01", "end": "2026-03-02 12:00:00", "interval": "daily"}
    days = json.loads(feed_data(nobody, house, prefix, average=1, dp=1, **query))
    assert [t for t, _ in days] == [(house.start_s - 3600) * 1000, (house.start_s + 82_800) * 1000]
    energy = json.loads(feed_data(nobody, house, prefix, feed="kwh", delta=1, **query))
    assert energy[1][1] == pytest.approx(719.5 * 24 / 1000, abs=0.1)


def test_csv(house: Any, nobody: httpx.Client, prefix: str) -> None:
    s = house.start_s
    query = {"id": house.points["power"], "start": s - 60, "end": s + 60, "interval": 60, "csv": 1}
    one = get(nobody, house, f"{prefix}/feed/data.json", **query)
    assert one.text == f"{s - 60},null\n{s},0.00\n{s + 60},1.00\n"
    assert one.headers["content-type"] == "application/octet-stream"
    assert one.headers["content-disposition"] == f"attachment; filename={house.points['power']}.csv"
    ids = f"{house.points['power']},{house.points['kwh']}"
    two = get(nobody, house, f"{prefix}/feed/data.json", **(query | {"ids": ids, "id": None}))
    assert two.text.splitlines()[1] == f"{s}000,0.00,1000.00"


@pytest.fixture(scope="module")
def put(house: Any) -> Any:
    """Stores readings of a new input, times in seconds, and waits until its feed is seen; answers the feed's id."""

    def stored(name: str, time_s: Any, value: Any) -> int:
        grant, path = house.registry.key(house.write), f"emon/made/{name}"
        point: int = house.registry.resolve(grant, [NewAddress(path)])[path]
        house.series.put_rules([row.point for row in house.registry.points(point_ids=[point])])
        time_us = np.round(np.asarray(time_s) * 1e6).astype(np.int64)
        house.series.append([ReadingBatch.of(np.full(len(time_us), point), time_us, value, version=1)])
        house.series.roll_spans(np.array([point], np.uint32), time_us[:1], time_us[-1:] + 1)
        with house.client() as client:
            for _ in range(1_200):
                if "not exist" not in get(client, house, "/feed/aget.json", id=point).text:
                    return point
                time.sleep(0.05)
        raise AssertionError(f"feed {point} is not seen")

    return stored


def test_csv_of_several_feeds_is_joined_by_time(house: Any, nobody: httpx.Client, put: Any, prefix: str) -> None:
    s = 1_600_000_020
    one, two = put("m1", [s, s + 60, s + 120], [1, 2, 3]), put("m2", [s + 60, s + 180], [20, 40])
    query = {"ids": f"{one},{two}", "start": s, "end": s + 180, "csv": 1, "timeformat": "unix"}
    joined = f"{s},1.00,\n{s + 60},2.00,20.00\n{s + 120},3.00,\n{s + 180},,40.00\n"
    for more in ({"interval": 60, "skipmissing": 1}, {"interval": "original"}):
        assert get(nobody, house, f"{prefix}/feed/data.json", **query, **more).text == joined
    assert get(nobody, house, f"{prefix}/feed/data.json", **query, interval=60).text == (
        f"{s},1.00,null\n{s + 60},2.00,20.00\n{s + 120},3.00,null\n{s + 180},null,40.00\n"
    )


def test_several_feeds(house: Any, nobody: httpx.Client, prefix: str) -> None:
    ids = [house.points["power"], house.points["kwh"]]
    query = {"start": house.start_s, "end": house.start_s + 60, "interval": 60, "timeformat": "notime"}
    told = get(nobody, house, f"{prefix}/feed/data.json", ids=",".join(map(str, ids)), **query).json()
    assert told == [{"feedid": str(ids[0]), "data": [0, 1]}, {"feedid": str(ids[1]), "data": [1000, 1000]}]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"start": None}, "missing start parameter"),
        ({"end": None}, "missing end parameter"),
        ({"id": 999_999}, '{"success":false,"message":"feed 999999 does not exist","feeds":[999999]}'),
        ({"id": None}, '{"success":false,"message":"no ids given"}'),
        ({"end": 5}, '{"success":false,"message":"Request end time before start time"}'),
        ({"interval": 1, "end": 1_800_000_000}, "request datapoint limit reached (20000)"),
        ({"timeformat": "stardate"}, '{"success":false,"message":"Invalid time format"}'),
        ({"start": "soon"}, "Invalid time 'soon'"),
        ({"timezone": "Mars/Base"}, "Mars"),
        (
            {"start": "1e300", "end": "1e301", "interval": 60},
            '{"success":false,"message":"Invalid time \'1e300\', it lies',
        ),
        ({"start": "-1e300", "end": "now", "interval": "daily"}, "Invalid time '-1e300', it lies outside"),
        ({"start": "0001-01-01", "end": "now", "interval": "daily"}, "Invalid time '0001-01-01'"),
        ({"start": 5_000_000_000, "end": 6_000_000_000}, "Request end time before start time"),
    ],
)
def test_history_that_cannot_be_given(
    house: Any, nobody: httpx.Client, prefix: str, query: dict[str, Any], answer: str
) -> None:
    assert answer in feed_data(nobody, house, prefix, **query)


def test_a_point_of_another_site_does_not_exist(house: Any, nobody: httpx.Client, prefix: str) -> None:
    secret = house.points["secret"]
    for action in ("aget", "value", "timevalue", "getmeta"):
        told = get(nobody, house, f"{prefix}/feed/{action}.json", id=secret).text
        assert told == '{"success":false,"message":"Feed does not exist"}'
    assert get(nobody, house, f"{prefix}/feed/fetch.json", ids=secret).text == "[false]"
    assert f"feed {secret} does not exist" in feed_data(nobody, house, prefix, feed="secret")


def test_creating_a_feed(house: Any, nobody: httpx.Client, prefix: str) -> None:
    query = {"apikey": house.write, "tag": f"node{prefix[1:]}", "name": "flow", "engine": 5, "unit": "kW"}
    query["options"] = '{"interval":10}'
    made = nobody.get(f"{prefix}/feed/create.json", params=query).json()
    assert made == {"success": True, "feedid": made["feedid"], "result": True}
    assert nobody.get(f"{prefix}/feed/create.json", params=query).json()["message"] == "feed already exists"
    assert get(nobody, house, f"{prefix}/feed/aget.json", id=made["feedid"]).json()["tag"] == query["tag"]
    for change, word in (
        ({"name": "a<b"}, "feed name"),
        ({"name": ""}, "feed name is empty"),
        ({"name": "  "}, "feed name is empty"),
        ({"tag": "a/b"}, "feed tag"),
        ({"engine": 99}, "Engine id 99"),
    ):
        assert word in nobody.get(f"{prefix}/feed/create.json", params=query | change).json()["message"]
    assert get(nobody, house, f"{prefix}/feed/create.json", tag="x", name="y").text == "false"


def test_signing_in_for_keys(house: Any, nobody: httpx.Client, prefix: str) -> None:
    body = {"username": house.owner, "password": house.password}
    told = nobody.post(f"{prefix}/user/auth.json", data=body).json()
    assert told["success"] is True
    assert nobody.get(f"{prefix}/feed/list.json?apikey={told['apikey_read']}").status_code == 200
    assert nobody.get(f"{prefix}/user/session.json?apikey={told['apikey_write']}").json()["type"] == "write"
    assert nobody.get(f"{prefix}/user/session.json?apikey={told['apikey_read']}").json()["type"] == "read"
    wrong = nobody.post(f"{prefix}/user/auth.json", data=body | {"password": "wrong password"})
    assert wrong.text == '{"success":false,"message":"Incorrect authentication"}'
    empty = nobody.post(f"{prefix}/user/auth.json", data={"username": "x"})
    assert empty.text == '{"success":false,"message":"Username or password empty"}'


def test_signing_in_without_the_right_to_make_keys(house: Any, nobody: httpx.Client, prefix: str) -> None:
    email = f"lodger{len(prefix)}@test.example"
    boss = house.registry.signed(house.registry.login(house.owner, house.password))
    made = house.registry.invite(Actor(boss.account.id), boss.authority, email, Role.USER, site_id=house.home)
    house.registry.accept_invitation(made.token, "lodger", house.password)
    keys = len(house.registry.keys(house.home))
    told = nobody.post(f"{prefix}/user/auth.json", data={"username": email, "password": house.password})
    assert (told.status_code, told.json()["success"]) == (200, False)
    assert "may not make keys" in told.json()["message"]
    wrong = nobody.post(f"{prefix}/user/auth.json", data={"username": email, "password": "wrong password"})
    assert wrong.json()["message"] == "Incorrect authentication"
    assert len(house.registry.keys(house.home)) == keys


def test_time_zone(house: Any, nobody: httpx.Client, prefix: str) -> None:
    assert get(nobody, house, f"{prefix}/user/gettimezone.json").text == '"Europe\\/Berlin"'
    assert get(nobody, house, f"{prefix}/user/timezone.json").text in ("3600", "7200")


def test_letters_of_every_script(house: Any, nobody: httpx.Client, prefix: str) -> None:
    grant = house.registry.key(house.write)
    house.registry.resolve(grant, [NewAddress("emon/Küche/Öl 1")])
    told = ""
    while told in ("", '"Node does not exist"'):  # a new address is seen within a moment
        told = get(nobody, house, f"{prefix}/input/get/Küche").text
    assert told == '{"\\u00d6l 1":{"time":null,"value":null,"processList":""}}'


@pytest.mark.parametrize(
    "path", ["/feed/data.json", "/feed/aget.json", "/input/get", "/feed/fetch.json", "/user/auth.json"]
)
@pytest.mark.parametrize("text", ["'\"<script>", "\x00\x07", "9" * 400, "x" * 10_000, "-1", "1e308", "NaN", "[]"])
def test_nonsense_is_answered_calmly(house: Any, nobody: httpx.Client, prefix: str, path: str, text: str) -> None:
    names = ("id", "ids", "start", "end", "interval", "node", "name", "dp", "delta", "average", "limitinterval")
    answer = nobody.post(prefix + path, params={"apikey": house.read}, data=dict.fromkeys(names, text))
    assert answer.status_code == 200
