"""InfluxDB's clients, Telegraf's outputs and Grafana's source against the running product, unchanged."""

from __future__ import annotations

import base64
import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import influxdb
import pytest
import requests
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions

MINUTE_S = 60


@pytest.fixture
def start_s() -> int:
    """A whole five minutes that are over."""
    return (int(time.time()) // 300 - 2) * 300


@pytest.fixture
def version_1(product: Any) -> Iterator[Callable[[str], influxdb.InfluxDBClient]]:
    """Clients of version 1, with the key as password."""
    opened: list[influxdb.InfluxDBClient] = []

    def client(key: str) -> influxdb.InfluxDBClient:
        host, _, port = product.url.removeprefix("http://").partition(":")
        opened.append(influxdb.InfluxDBClient(host, int(port), "anybody", key, "energy", gzip=True))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def test_version_2_client(product: Any, eyes: Any, start_s: int) -> None:
    sent = [(start_s + 10.0 * n, 100.0 + n) for n in range(30)]
    points = [
        Point("v2meter").tag("phase", "L 1").field("power", value).time(datetime.fromtimestamp(at_s, UTC))
        for at_s, value in sent
    ]
    with InfluxDBClient(product.url, token=product.write_key, org="home", enable_gzip=True) as client:
        assert client.ping()
        assert client.buckets_api().find_bucket_by_name("energy") is not None
        client.write_api(write_options=SYNCHRONOUS).write("energy", record=points[:20])
        with client.write_api(write_options=WriteOptions(batch_size=7, flush_interval=200)) as batching:
            batching.write("energy", record=points[10:])  # ten of them for the second time
    eyes.stored("influx/v2meter,phase=L 1/power", sent)
    with eyes.live("influx/v2meter,phase=L 1/power") as stream:
        assert next(stream)[2] == 129.0


def test_version_1_client_writes_and_asks(
    product: Any,
    eyes: Any,
    eventually: Callable[..., Any],
    start_s: int,
    version_1: Callable[[str], influxdb.InfluxDBClient],
) -> None:
    writer, reader = version_1(product.write_key), version_1(product.read_key)
    assert writer.ping()
    writer.create_database("energy")
    rows = [
        {"measurement": "v1meter", "tags": {"room": room}, "time": start_s + 30 * n, "fields": {"power": base + n}}
        for room, base in (("kitchen", 100.0), ("cellar", 200.0))
        for n in range(10)
    ]
    for _ in range(2):
        assert writer.write_points(rows, time_precision="s", batch_size=7)
    eyes.stored("influx/v1meter,room=cellar/power", [(start_s + 30.0 * n, 200.0 + n) for n in range(10)])
    eyes.stored("influx/v1meter,room=kitchen/power", [(start_s + 30.0 * n, 100.0 + n) for n in range(10)])
    span = f"time >= {start_s}s AND time < {start_s + 300}s"
    asked = f"SELECT mean(power), count(power) FROM v1meter WHERE {span} GROUP BY time(1m), room"
    kitchen = eventually(  # minutes are computed a moment after their readings have come
        lambda: list(reader.query(asked, epoch="s").get_points(tags={"room": "kitchen"})),
        lambda rows: [row["count"] for row in rows] == [2] * 5,
    )
    assert kitchen[0] == {"time": start_s, "mean": 100.5, "count": 2}
    (last,) = reader.query("SELECT last(power) FROM v1meter WHERE room = 'cellar'", epoch="s").get_points()
    assert last == {"time": start_s + 270, "last": 209.0}
    assert {"name": "v1meter"} in reader.get_list_measurements()
    with pytest.raises(influxdb.exceptions.InfluxDBClientError) as refused:
        writer.query("SELECT mean(power) FROM v1meter")
    assert refused.value.code == 401


def lines(measurement: str, start_s: int) -> bytes:
    """As Telegraf serialises: tags sorted, integers with i, nanoseconds."""
    text = (
        f'{measurement},cpu=cpu-total,host=pi\\ 4 usage_idle=9{n}.5,count={n}i,up=true,note="all \\"well\\"" '
        f"{(start_s + 10 * n) * 10**9}\n"
        for n in range(6)
    )
    return "".join(text).encode()


def is_telegrafs(eyes: Any, measurement: str, start_s: int) -> None:
    series = f"influx/{measurement},cpu=cpu-total,host=pi 4"
    eyes.stored(f"{series}/usage_idle", [(start_s + 10.0 * n, 90.5 + n) for n in range(6)])
    eyes.stored(f"{series}/count", [(start_s + 10.0 * n, float(n)) for n in range(6)])
    eyes.stored(f"{series}/up", [(start_s + 10.0 * n, 1.0) for n in range(6)])
    assert f"{series}/note" not in eyes.rows(series)


def pieces(body: bytes) -> Iterator[bytes]:
    """Telegraf packs while it sends: chunks, no length."""
    yield from (body[at : at + 64] for at in range(0, len(body), 64))


def test_telegraf_version_1(product: Any, eyes: Any, start_s: int) -> None:
    basic = base64.b64encode(f"telegraf:{product.write_key}".encode()).decode()
    headers = {"User-Agent": "Telegraf/1.34.0 Go/1.24.1", "Authorization": f"Basic {basic}"}
    form = headers | {"Content-Type": "application/x-www-form-urlencoded"}
    made = requests.post(f"{product.url}/query", "q=CREATE+DATABASE+%22telegraf%22", headers=form, timeout=30)
    assert made.status_code == 200
    assert "error" not in made.json()["results"][0]
    plain = headers | {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
    body = gzip.compress(lines("telegraf1", start_s))
    for _ in range(2):  # it repeats what was not answered
        wrote = requests.post(f"{product.url}/write?db=telegraf", pieces(body), headers=plain, timeout=30)
        assert (wrote.status_code, wrote.content) == (204, b"")
    is_telegrafs(eyes, "telegraf1", start_s)


def test_telegraf_version_2(product: Any, eyes: Any, start_s: int) -> None:
    headers = {
        "User-Agent": "Telegraf/1.34.0 Go/1.24.1",
        "Authorization": f"Token {product.write_key}",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Encoding": "gzip",
    }
    url = f"{product.url}/api/v2/write?bucket=energy&org=home"
    for _ in range(2):
        wrote = requests.post(url, gzip.compress(lines("telegraf2", start_s)), headers=headers, timeout=30)
        assert (wrote.status_code, wrote.content) == (204, b"")
    is_telegrafs(eyes, "telegraf2", start_s)
    bad = requests.post(url, gzip.compress(b"telegraf2 usage= 1\n"), headers=headers, timeout=30)
    assert bad.status_code == 400  # rejected by Telegraf, not kept for ever
    assert bad.json()["code"] == "invalid"


def test_grafana(product: Any, eyes: Any, start_s: int, eventually: Callable[..., Any]) -> None:
    """The questions of its InfluxDB source: health, editor, a variable, a panel."""
    body = "".join(
        f"grafana,room={room},floor={floor} temp={base + n} {start_s + 60 * n}\n"
        for room, floor, base in (("kitchen", 0, 20), ("cellar", -1, 10))
        for n in range(5)
        if (room, n) != ("cellar", 3)
    )
    url = f"{product.url}/api/v2/write?precision=s"
    wrote = requests.post(url, body.encode(), headers={"Authorization": f"Token {product.write_key}"}, timeout=30)
    assert wrote.status_code == 204
    eyes.stored("influx/grafana,floor=-1,room=cellar/temp", [(start_s + 60.0 * n, 10.0 + n) for n in (0, 1, 2, 4)])

    def ask(q: str, **more: str) -> list[dict[str, Any]]:
        query = {"db": "wattstead", "q": q, "epoch": "ms"} | more
        answer = requests.get(f"{product.url}/query", query, auth=("grafana", product.read_key), timeout=30)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        assert "error" not in result, result
        return result.get("series", [])

    assert ask('SHOW RETENTION POLICIES on "wattstead"')
    assert ["grafana"] in ask("SHOW MEASUREMENTS LIMIT 100")[0]["values"]
    assert ask('SHOW FIELD KEYS FROM "grafana"')[0]["values"] == [["temp", "float"]]
    assert ask('SHOW TAG KEYS FROM "grafana"')[0]["values"] == [["floor"], ["room"]]
    rooms = ask('SHOW TAG VALUES FROM "grafana" WITH KEY = "room"')[0]["values"]
    assert rooms == [["room", "cellar"], ["room", "kitchen"]]
    variable = ask('SHOW TAG VALUES FROM "grafana" WITH KEY = "room" WHERE "floor" =~ /^(-1)$/')[0]["values"]
    assert variable == [["room", "cellar"]]
    first_ms, last_ms = start_s * 1000, (start_s + 299) * 1000
    where = f"time >= {first_ms}ms and time <= {last_ms}ms"
    question = f'SELECT mean("temp") FROM "grafana" WHERE {where} GROUP BY time(1m), "room"::tag fill(null)'
    panel = eventually(
        lambda: ask(question), lambda found: sum(v is None for table in found for _, v in table["values"]) == 1
    )
    assert {table["tags"]["room"]: [value for _, value in table["values"]] for table in panel} == {
        "cellar": [10, 11, 12, None, 14], "kitchen": [20, 21, 22, 23, 24],
    }  # fmt: skip
    assert panel[0]["values"][0][0] == first_ms
    older = ask(
        f'SELECT mean("temp") FROM "grafana" WHERE ("room"::tag = \'kitchen\') AND {where} '
        "GROUP BY time(1m) fill(null) ORDER BY time ASC"
    )
    assert [value for _, value in older[0]["values"]] == [20, 21, 22, 23, 24]
    regular = ask(
        f'SELECT max("temp") FROM "grafana" WHERE "room" =~ /^(kitchen|cellar)$/ AND {where} '
        'GROUP BY time(5m), "room" fill(none)'
    )
    assert [table["values"][0][1] for table in regular] == [14, 24]
    eventually(lambda: ask('SELECT last("temp") FROM "grafana" WHERE "room" = \'kitchen\'')[0]["values"][0][1] == 24)
