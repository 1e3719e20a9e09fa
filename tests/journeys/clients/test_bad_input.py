"""Bad input through the whole product: errors name the place, the good rest is seen, memory is bounded."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow as pa
import pytest

OWN, V1, V2, BULK, POST = (
    "/api/v1/readings",
    "/write?precision=s",
    "/api/v2/write?precision=s",
    "/input/bulk",
    "/input/post",
)
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}
MB = 1_000_000
LONG = "n" * 10_000
DAY_S = 86_400


@pytest.fixture
def http(product: Any) -> Iterator[httpx.Client]:
    """A device that has a write key."""
    with httpx.Client(
        base_url=product.url, headers={"Authorization": f"Bearer {product.write_key}"}, timeout=60
    ) as one:
        yield one


@pytest.fixture(scope="module")
def now_s() -> int:
    """A whole second, a minute ago."""
    return int(time.time()) - 60


def arrow(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def places(answer: httpx.Response) -> dict[str, str]:
    return {issue["place"]: issue["reason"] for issue in answer.json()["rejected"]}


def test_own_json(http: httpx.Client, eyes: Any, now_s: int) -> None:
    good = [f'{{"point":"bad/json","time":{now_s + n},"value":{n}}}' for n in range(2)]
    bad = {
        '{"point":"bad/json","time":1,"value":NaN}': "readings[1].value",
        '{"point":"bad/json","time":1,"value":-Infinity}': "readings[2].value",
        '{"point":"bad/json","time":1,"value":"231.5"}': "readings[3].value",
        '{"point":"bad/json","time":"yesterday","value":1}': "readings[4].time",
        f'{{"point":"bad/json","time":{now_s + 400 * DAY_S},"value":1}}': "readings[5]",
        '{"point":"bad/json","time":-1,"value":1}': "readings[6]",
        '{"point":"bad/json","time":1e300,"value":1}': "readings[7].time",
        '{"point":"bad/js\\u0000n","time":1,"value":1}': "readings[8]",
        f'{{"point":"bad/{LONG}","time":1,"value":1}}': "readings[9]",
        '{"point":99999999,"time":1,"value":1}': "readings[10]",
        '"a reading"': "readings[11]",
    }
    body = f'{{"readings":[{good[0]},{",".join(bad)},{good[1]}]}}'
    answer = http.post(OWN, content=body)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    assert set(places(answer)) == set(bad.values())
    assert all(20 < len(reason) < 400 for reason in places(answer).values()), places(answer)
    eyes.stored("bad/json", [(now_s, 0.0), (now_s + 1.0, 1.0)])
    broken = http.post(OWN, content=body[:-3])
    assert broken.status_code == 400
    assert "line 1, column" in broken.json()["detail"]


def test_line_protocol(http: httpx.Client, eyes: Any, now_s: int) -> None:
    bad = [
        "badline power=", "badline power=nan 5", "badline power=1e999 5", "badline", "=,= =",
        f"badline power=2 {now_s + 400 * DAY_S}", "badline power=2 99999999999999999999", "badline power=2 noon",
        f"badline,id={LONG} power=2 5", "badline,id=a\x01b power=2 5", 'badline note="open 5',
    ]  # fmt: skip
    body = "\n".join([f"badline power=1 {now_s}", *bad[:-1], f"badline power=3 {now_s + 1}", bad[-1]]).encode()
    named = [*range(2, len(bad) + 1), len(bad) + 2]
    for route in (V1, V2):
        answer = http.post(route, content=body)
        assert answer.status_code == 400
        told = answer.json().get("error") or answer.json()["message"]
        assert told.startswith("partial write: ")
        assert told.endswith(f"dropped={len(bad)}")
        assert all(f"(line {n})" in told for n in named), told
        assert len(told) < 5_000
    eyes.stored("influx/badline/power", [(now_s, 1.0), (now_s + 1.0, 3.0)])


def test_emoncms(http: httpx.Client, eyes: Any, now_s: int) -> None:
    packets = [
        [0, "bad", 1],
        ["soon", "bad", 1],
        [1, "bad", "open"],
        [10**9, "bad", 1],
        7,
        [2, "bad", {LONG: 1}],
        [3, "bad", 2],
    ]
    answer = http.post(BULK, data={"data": json.dumps(packets), "time": str(now_s)})
    assert (answer.status_code, answer.text) == (200, "ok")
    message = answer.headers["x-emoncms-message"]
    assert all(place in message for place in ("data[1][0]", "data[2][2]", "data[3]", "data[4]", "data[5]")), message
    eyes.stored("emon/bad/1", [(now_s, 1.0), (now_s + 3.0, 2.0)])
    for parameters in ({"fulljson": '{"a":1'}, {"fulljson": '{"a":1}', "time": "noon"}, {"csv": "x"}):
        answer = http.get(POST, params={"node": "bad"} | parameters)
        assert answer.json()["success"] is False
        assert answer.json()["message"]
    answer = http.get(POST, params={"node": "bad/csv", "time": now_s, "csv": "1,x,3"})
    assert answer.text == "ok" and "2" in answer.headers["x-emoncms-message"]
    answer = http.get(POST, params={"node": "bad", "time": now_s, "fulljson": '{"ok":5,"nan":NaN,"text":"on"}'})
    assert answer.text == '{"success": true}'
    assert "nan: " in answer.headers["x-emoncms-message"]
    eyes.stored("emon/bad/ok", [(now_s, 5.0)])


def test_arrow(http: httpx.Client, eyes: Any, now_s: int) -> None:
    seconds = [now_s, now_s, None, now_s + 1, now_s + 400 * DAY_S, now_s + 2]
    names = ["bad/arrow", "bad/arrow", "bad/arrow", None, "bad/arrow", "bad/arrow"]
    table = pa.table(
        {
            "point": names,
            "time": pa.array([None if s is None else s * 1000 for s in seconds], pa.timestamp("ms", "UTC")),
            "value": [1.0, float("nan"), 1.0, 1.0, 1.0, 2.0],
        }
    )
    answer = http.post(OWN, content=arrow(table), headers=ARROW)
    assert answer.json()["accepted"] == 2
    assert set(places(answer)) == {"row 1", "row 2", "row 3", "row 4"}
    eyes.stored("bad/arrow", [(now_s, 1.0), (now_s + 2.0, 2.0)])
    whole = arrow(table)
    for body in (
        b"",
        b"ARROW1",
        whole[: len(whole) // 2],
        whole[:-40] + b"\xff" * 40,
        b"\xff\xff\xff\xff\x7f" + b"\0" * 99,
    ):
        answer = http.post(OWN, content=body, headers=ARROW)
        assert answer.status_code in (200, 400)
        assert answer.status_code == 200 or answer.json()["detail"]


def test_a_csv_file(product: Any, verb: Callable[..., str], eyes: Any, now_s: int, tmp_path: Path) -> None:
    rows = [
        f"{now_s},1", f"{now_s + 1},nan", f"{now_s + 2},inf", f"{now_s + 3},12 kW", f"{now_s + 400 * DAY_S},1",
        "0000-00-00,1", f"{now_s + 4},1,5", f"{now_s + 5},\x00\x07", '"2024,1', f"{now_s + 6},2", f'"{now_s + 7}","3"',
    ]  # fmt: skip
    file = tmp_path / "bad.csv"
    file.write_text("time,bad/csv\n" + "\n".join(rows) + "\n")
    said = verb("import", file, "--data", product.folder, expect=2)
    assert all(f"    row {n}" in said for n in range(3, 11)), said
    eyes.stored("bad/csv", [(now_s, 1.0), (now_s + 6.0, 2.0), (now_s + 7.0, 3.0)])
    file.write_bytes(os.urandom(20_000))
    assert "Traceback" not in verb("import", file, "--data", product.folder, expect=1)
    file.write_text("time," + LONG + "\n" + rows[0] + "\n")
    said = verb("import", file, "--data", product.folder, expect=2)
    assert "characters" in said
    assert len(said) < 5_000


def test_an_excel_file(product: Any, verb: Callable[..., str], eyes: Any, now_s: int, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["time", "bad/excel"],
        [now_s, 1],
        [now_s + 1, "broken"],
        [now_s + 2, "#DIV/0!"],
        ["noon", 4],
        [now_s + 3, 5],
    ):
        book.active.append(row)
    file = tmp_path / "bad.xlsx"
    book.save(file)
    said = verb("import", file, "--data", product.folder, expect=2)
    assert all(f"row {n}" in said for n in (3, 4, 5)), said
    eyes.stored("bad/excel", [(now_s, 1.0), (now_s + 3.0, 5.0)])
    whole = file.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "no workbook")
    for body in (whole[: len(whole) // 2], packed.getvalue()):
        file.write_bytes(body)
        said = verb("import", file, "--data", product.folder, expect=1)
        assert "bad.xlsx" in said
        assert "Traceback" not in said


def test_keys(product: Any, eyes: Any, now_s: int) -> None:
    """Unknown, of another site, a read key that writes, a write key that reads."""
    sites = json.loads((product.folder / "demo.json").read_text())["senders"]
    (other,) = (key for key in sites.values() if key != product.write_key)
    mine = eyes.rows("")["power"]["id"]

    def post(key: str, body: object) -> httpx.Response:
        return httpx.post(product.url + OWN, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=60)

    reading = {"time": now_s, "value": 1}
    assert post("f" * 32, {"point": "bad/key", **reading}).status_code == 401
    assert post(product.read_key, {"point": "bad/key", **reading}).status_code == 403
    answer = post(other, {"readings": [{"point": mine, **reading}, {"point": "bad/theirs", **reading}]})
    assert answer.json()["accepted"] == 1
    assert list(places(answer)) == ["readings[0]"]
    eyes.stored("bad/theirs", [(now_s, 1.0)])
    for key in ("f" * 32, product.write_key):
        for path in ("/api/v1/points", f"/api/v1/series?points={mine}", f"/api/v1/live?points={mine}"):
            assert httpx.get(product.url + path, headers={"Authorization": f"Bearer {key}"}).status_code in (401, 403)
        assert httpx.get(f"{product.url}/feed/value.json?id={mine}&apikey={key}").status_code == 401
        assert httpx.get(f"{product.url}/query?q=SHOW MEASUREMENTS&p={key}").status_code == 401
    assert "bad/key" not in eyes.rows("bad/")


def test_names_and_units(product: Any, http: httpx.Client, eyes: Any, now_s: int) -> None:
    names = ['bad/it\'s "quoted" \\ ; -- <b>&amp;', "bad/Küche ☀ 家", "bad/'); DROP TABLE reading; --"]
    body = {"point": [*names, f"bad/{LONG}", "bad/\x1b[31m"], "time": [now_s] * 5, "value": [1, 2, 3, 4, 5]}
    answer = http.post(OWN, json=body)
    assert answer.json()["accepted"] == 3
    assert set(places(answer)) == {"row 3", "row 4"}
    for value, name in enumerate(names):
        eyes.stored(name, [(now_s, value + 1.0)])
    point = eyes.point(names[0])
    for change in ({"unit": "furlong"}, {"quantity": "temperature", "unit": "kWh"}, {"kind": "gas"}, {"name": LONG}):
        version = {"If-Match": eyes.http.get(f"/api/v1/points/{point}").headers["ETag"]}
        refused = eyes.http.patch(f"/api/v1/points/{point}", json=change, headers=version)
        assert refused.status_code in (400, 422), (change, refused.text)
        assert next(iter(change)) in refused.text or "unit" in refused.text
    assert http.post(OWN, json=body | {"time_unit": "fortnight"}).status_code == 400


def memory_peak_bytes(product: Any) -> int:
    """The most that the receiving process has held at once since the peak was last forgotten."""
    status = Path(f"/proc/{product.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(product: Any) -> int:
    Path(f"/proc/{product.process.pid}/clear_refs").write_text("5")
    return memory_peak_bytes(product)


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // MB):
        yield b"1" * MB


def test_masses_cost_no_more_than_their_limits(product: Any, http: httpx.Client, eyes: Any, now_s: int) -> None:
    before = forget_peak(product)
    for route, announced in ((OWN, False), (V1, True), (V2, False), (BULK, True), (POST, False)):
        try:
            answer = http.post(route, content=b"1" * 100 * MB if announced else pieces(100 * MB))
        except (httpx.WriteError, httpx.RemoteProtocolError):  # closed before all was sent, which is fair
            continue
        assert answer.status_code == 413, (route, answer.text[:200])
        assert "bytes" in answer.text
    zeros = b"0" * 100 * MB
    packed = {
        "gzip": gzip.compress(zeros, 1),
        "deflate": zlib.compress(zeros, 1),
        "zstd": pa.compress(zeros, codec="zstd", asbytes=True),
    }
    for route, encoding in itertools.product((OWN, V1, V2), packed):
        answer = http.post(route, content=packed[encoding], headers={"Content-Encoding": encoding})
        assert answer.status_code == 413, (route, encoding, answer.text[:200])
    assert http.post(f"{BULK}?cb=1", content=packed["deflate"]).status_code == 413
    table = pa.table({"point": ["bad/bomb"] * 2_000_000, "value": pa.array([0.0] * 2_000_000)})
    bomb = arrow(table, "zstd")
    answer = http.post(OWN, content=bomb, headers=ARROW)
    assert answer.status_code == 413 or answer.json()["accepted"] == 2_000_000
    deep = http.post(OWN, content=b'{"readings":' + b"[" * 5 * MB)
    assert deep.status_code == 400
    grown = memory_peak_bytes(product) - before
    assert grown < 300 * MB, f"{grown / MB:.0f} MB"
    answer = http.post(OWN, json={"point": "bad/after", "time": now_s, "value": 1})
    assert answer.json() == {"accepted": 1, "rejected": []}
    eyes.stored("bad/after", [(now_s, 1.0)])
