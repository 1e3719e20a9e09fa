"""Pulses through the real product: taken over from another server's table, posted, read by that server's clients."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from tests.ingest.wires import Port

from wattstead.ingest.pulses.kept import rows_of_dump
from wattstead.registry.places.sources import Given
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal

if TYPE_CHECKING:
    from conftest import Running, Verb

START_MS = (time.time_ns() // 1_000_000_000 - 30 * 86_400) * 1_000
MANY = 1_500
ROWS = [
    (meter, START_MS + meter + 1_511 * row, 600 + (7919 * row * meter) % 90_000)
    for meter in (1, 2)
    for row in range(MANY)
]
ODD = [(3, START_MS, 0), (0, START_MS, 700), (3, 4_000_000_000_000_000, 800)]


@pytest.fixture(scope="module")
def kept(postgres: str) -> str:
    """A database of a blink-counting server; three of its rows are none that can be kept."""
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE powermeter")
    address = f"{postgres}/powermeter"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE readings (id int, stamp bigint, ms int NOT NULL, PRIMARY KEY (id, stamp))")
        with connection.cursor().copy("COPY readings FROM STDIN") as copy:
            for row in [*ROWS, *ODD]:
                copy.write_row(row)
    return address


def told(said: str) -> dict[str, int]:
    """The figures of an account."""
    names = ("accepted", "repeated", "corrected", "rejected")
    return {name: int(line.split()[1]) for line in said.splitlines() for name in names if line.strip().startswith(name)}


def account(accepted: int, repeated: int = 0, corrected: int = 0, rejected: int = 0) -> dict[str, int]:
    return {"accepted": accepted, "repeated": repeated, "corrected": corrected, "rejected": rejected}


def rows(found: list[list[int]]) -> str:
    """Rows as they are answered."""
    return json.dumps(found, separators=(",", ":"))


def keys(product: Running) -> list[str]:
    return ["--url", product.url, "--key", product.write_key, "--read-key", product.read_key]


def test_a_table_is_taken_over(product: Running, verb: Verb, kept: str, tmp_path: Path, eventually: Any) -> None:
    notes = tmp_path / "notes.json"
    command = ["import", "blip", kept, "--notes", notes, *keys(product)]
    said = verb(*command, expect=2)
    assert told(said) == account(len(ROWS), rejected=3)
    assert "0 ms since the last blink" in said and "id 0 lies outside" in said and "stamp 4000000000000000" in said
    assert not notes.exists()
    with product.signed_in() as person:

        def sites() -> list[int]:
            rows = person.get("/api/v1/points?limit=1000").json()
            return [row["site_id"] for row in rows if row["address"] == "pulse/1/ms"]

        (site,) = eventually(sites)
    client = httpx.Client(base_url=f"{product.url}/pulses/{site}", params={"key": product.read_key}, timeout=60)
    with client:
        meter = [list(row[1:]) for row in ROWS if row[0] == 2]
        assert eventually(lambda: client.get("/since/2/0").text, lambda text: text.count("[") > MANY) == rows(meter)
        count = f"/aggregate/2/{START_MS}/86400000/1000"
        eventually(lambda: client.get(count).text, lambda text: text == f"[[0,{MANY}]]")
        hours = json.loads(eventually(lambda: client.get(f"/hourly/2/0/{START_MS * 2}").text, lambda text: "]" in text))
    with psycopg.connect(kept) as connection:
        asked = (
            "SELECT stamp / 3600000 * 3600000, count(*), 3600000::double precision * count(*) / sum(ms), "
            "min(ms), max(ms) FROM readings WHERE id = 2 GROUP BY 1 ORDER BY 1"
        )
        assert hours == [list(row) for row in connection.execute(asked).fetchall()]


def test_going_on_where_it_was_interrupted(product: Running, verb: Verb, kept: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes.json"
    halfway = {"size": 0, "rows": MANY, "accepted": MANY - 1, "rejected": 1, "after": [1, ROWS[MANY - 2][1]]}
    notes.write_text(json.dumps(halfway))
    said = verb("import", "blip", kept, "--notes", notes, *keys(product), expect=2)
    assert f"going on after {MANY:,} rows" in said
    assert told(said) == account(MANY - 1, repeated=1 + MANY, rejected=3)


def test_a_dump_is_taken_over(product: Running, verb: Verb, kept: str, tmp_path: Path) -> None:
    dumper = shutil.which("pg_dump") or str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")))
    dump = tmp_path / "powermeter.dump"
    everything = sorted([*ROWS, *ODD])
    for options in (["--inserts"], ["--column-inserts"], ["--rows-per-insert=100"], []):
        subprocess.run([dumper, *options, "-f", str(dump), kept], check=True)
        found = [tuple(int(cell or 0) for cell in row[:3]) for row in rows_of_dump(dump)]
        assert sorted(found) == everything, options
    (packed := tmp_path / "powermeter.dump.gz").write_bytes(gzip.compress(dump.read_bytes()))
    said = verb("import", "blip", packed, *keys(product), expect=2)
    assert told(said) == account(0, repeated=len(ROWS), rejected=3)


def test_a_dump_with_another_value_and_one_in_another_form(product: Running, verb: Verb, tmp_path: Path) -> None:
    dump = tmp_path / "one.sql"
    rows = [f"{ROWS[0][1]}\t999", f"{START_MS - 5_000}\t1000", "x\t5"]
    dump.write_text("COPY public.readings (stamp, ms) FROM stdin;\n" + "\n".join(rows) + "\n\\.\n")
    said = verb("import", "blip", dump, *keys(product), expect=2)
    assert told(said) == account(1, corrected=1, rejected=1)
    (tmp_path / "custom.dump").write_bytes(b"PGDMP\x01\x0e")
    assert "pg_restore" in verb("import", "blip", tmp_path / "custom.dump", *keys(product), expect=1)
    assert "no rows of a table 'meters'" in verb("import", "blip", dump, "--table", "meters", *keys(product), expect=1)
    assert "is no file" in verb("import", "blip", tmp_path / "missing", *keys(product), expect=1)
    assert "cannot be asked" in verb("import", "blip", "postgresql://nobody@127.0.0.1:9/x", *keys(product), expect=1)


def test_a_table_of_readings_is_still_imported_by_its_name_alone(product: Running, verb: Verb, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("time,pulse-journey\n2026-01-01T00:00:00Z,5\n")
    assert told(verb("import", table, *keys(product)))["accepted"] == 1


def found(rows: list[dict[str, Any]], address: str) -> int:
    """The id of a point; 0 while it is not there."""
    return next((int(row["id"]) for row in rows if row["address"] == address), 0)


def test_a_client_hears_each_blink(product: Running, eventually: Any) -> None:
    """Pulses that any sender posts are a pulse meter as well; a blink is heard at once, and counted."""
    write = {"Authorization": f"Bearer {product.write_key}"}
    read = {"key": product.read_key}
    with httpx.Client(base_url=product.url, timeout=60) as client, product.signed_in() as person:

        def blink(ms: int) -> int:
            stamp = time.time_ns() // 1_000_000
            body = {"time_unit": "ms", "point": ["pulse/8/blinks", "pulse/8/ms"], "time": [stamp] * 2, "value": [1, ms]}
            client.post("/api/v1/readings", json=body, headers=write).raise_for_status()
            return stamp

        first = blink(4_000)
        point = eventually(lambda: found(person.get("/api/v1/points?limit=1000").json(), "pulse/8/blinks"))
        while client.get(f"/last/{point}", params=read).text != f"[{first},4000]":
            time.sleep(0.05)
        assert client.get(f"/since/{point}/0", params=read).text == f"[[{first},4000]]"
        assert client.get(f"/usage/{point}/600000", params=read).text == "[1]"
        blinks = [(first, 4_000)]
        with ThreadPoolExecutor(1) as waiting:
            heard = waiting.submit(client.get, f"/blip/{point}", params=read)
            while not heard.done():  # what comes before it is asked for is not waited for
                blinks.append((blink(2_000), 2_000))
                time.sleep(0.5)
            assert heard.result().text in [f"[{stamp},{ms}]" for stamp, ms in blinks[1:]]
        rows = ",".join(f"[{stamp},{ms}]" for stamp, ms in blinks)
        eventually(lambda: client.get(f"/last/{point}/600000", params=read).text == f"[{rows}]")
        hour = client.get(f"/hourly/{point}/0/{blinks[-1][0]}", params=read).json()
        assert sum(row[1] for row in hour) == len(blinks)
        if len(hour) == 1:
            mean_w = pytest.approx(3_600_000 * len(blinks) / sum(ms for _, ms in blinks), abs=1)
            assert hour == [[first // 3_600_000 * 3_600_000, len(blinks), mean_w, 2000, 4000]]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    """A board on a serial port."""
    opened = Port(tmp_path / "ttyUSB0")
    yield opened
    opened.unplug()


def test_a_board_on_a_serial_port_is_heard(product: Running, port: Port, eventually: Any) -> None:
    """From the blink to the answer: through the port, over a pulled plug, to a client that needs no key."""
    with product.signed_in() as person:
        site = person.get("/api/v1/sites").json()["rows"][0]["id"]
        given = Given(name="Blinks", settings={"port": str(port.link), "passed_over": 1})
        with Registry(f"sqlite:///{product.folder}/registry.db", seal=Seal.of_file(product.folder / "seal.key")) as own:
            own.create_source(site, "pulses", given)

        def blinked(meter: int) -> dict[str, Any]:
            port.say(b"7\n%d 1500\n" % meter)
            rows = person.get("/api/v1/points?limit=1000").json()
            return next((row for row in rows if row["address"] == f"pulse/{meter}/blinks"), {})

        point = eventually(lambda: blinked(41))
        answer = person.patch(
            f"/api/v1/points/{point['id']}",
            json={"kind": "delta", "unit": "pulse", "quantity": "electricity", "pulses_per_kwh": 600,
                  "open_to": "127.0.0.0/8"},
            headers={"If-Match": f'"{point["version"]}"'},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
    with httpx.Client(base_url=product.url, timeout=60) as client:
        eventually(lambda: client.get(f"/last/{point['id']}").text.endswith(",1500]"))
        port.unplug()
        port.plug()
        with ThreadPoolExecutor(1) as waiting:

            def heard() -> str:
                """The next blink that the client waits for; one from before the plug was pulled may still come in."""
                answer = waiting.submit(client.get, f"/pulses/{site}/blip/41")
                while not answer.done():
                    port.say(b"7\n41 2500\n")
                    time.sleep(0.3)
                return answer.result().text

            eventually(lambda: heard().endswith(",2500]"))
        counted = client.get(f"/usage/{point['id']}/600000").json()[0]
        assert counted == len(client.get(f"/last/{point['id']}/600000").json()) > 1
