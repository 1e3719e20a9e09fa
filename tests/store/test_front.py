"""The front against raw HTTP: authorisation, bad requests, limits, and what is outside the subset."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BAD_KEY = {"Authorization": "Basic d2F0dHN0ZWFkOndyb25n"}


def test_without_a_key_and_with_a_wrong_one(shared_store: Any) -> None:
    for path, method in (("/", "POST"), ("/health", "GET"), ("/", "GET"), ("/anything", "POST")):
        none = shared_store.send("SELECT 1", method=method, path=path, authorized=False)
        assert (none.status, none.code) == (401, "516")
        assert none.headers["www-authenticate"].startswith("Basic")
        for wrong in (BAD_KEY, {"Authorization": "Bearer " + shared_store.key}, {"Authorization": ""}):
            answer = shared_store.send("SELECT 1", method=method, path=path, headers=wrong, authorized=False)
            assert (answer.status, answer.code) == (403, "516")
            assert answer.body != b"1\n"
    in_address = shared_store.send("SELECT 1", {"user": "wattstead", "password": shared_store.key}, authorized=False)
    assert in_address.status == 401


def test_ping_needs_no_key(shared_store: Any) -> None:
    answer = shared_store.send(method="GET", path="/ping", authorized=False)
    assert (answer.status, answer.body) == (200, b"Ok.\n")


def test_health_has_the_figures(shared_store: Any) -> None:
    health = shared_store.health()
    assert health["engine"]["broken_parts"] == 0
    assert health["disk_free_bytes"] > 0
    assert health["resident_bytes"] > 50 << 20
    assert set(health["lanes"]) == {"read", "slow", "write", "admin"}
    assert health["lanes"]["write"]["width"] == 1


def test_it_listens_on_loopback_alone(shared_store: Any) -> None:
    tables = [Path(f"/proc/{shared_store.process.pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    port = f"{shared_store.port:04X}"
    local = [line.split()[1] for table in tables for line in table.splitlines()[1:]]
    listening = {address for address in local if address.endswith(":" + port)}
    assert listening == {f"0100007F:{port}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/?query=SELECT+1"), ("PUT", "/"), ("DELETE", "/"), ("POST", "/ping"), ("OPTIONS", "/")],
)
def test_other_methods_and_paths_are_not_served(shared_store: Any, method: str, path: str) -> None:
    answer = shared_store.send("SELECT 1" if method != "GET" else b"", method=method, path=path)
    assert (answer.status, answer.code) == (501, "48")


@pytest.mark.parametrize(
    "sql",
    [
        "SET max_threads = 8",
        "USE system",
        "GRANT ALL ON *.* TO x",
        "CREATE USER x",
        "DROP ROLE x",
        "CREATE FUNCTION f AS x -> x",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "CREATE OR REPLACE FUNCTION f AS x -> x",
        "ATTACH TABLE x",
        "DETACH TABLE x",
        "BEGIN TRANSACTION",
        "SYSTEM SHUTDOWN",
        "SYSTEM KILL",
        "SYSTEM FLUSH LOGS",
        "SELECT 1 INTO OUTFILE '/tmp/wattstead-must-not-exist'",
        "INSERT INTO FUNCTION file('x.csv') VALUES (1)",
        "INSERT INTO TABLE FUNCTION file('x.csv') SELECT 1",
        "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
        "INSERT INTO t (a",
        "INSERT t",
        "/* SELECT */ SET max_threads = 8",
        "-- SELECT\nUSE system",
    ],
)
def test_statements_outside_the_subset_are_not_served(shared_store: Any, sql: str) -> None:
    answer = shared_store.send(sql)
    assert (answer.status, answer.code) == (501, "48"), answer


@pytest.mark.parametrize(
    "params",
    [
        {"session_id": "x"},
        {"session_timeout": "10"},
        {"role": "admin"},
        {"compress": "1"},
        {"decompress": "1"},
        {"readonly": "0"},
        {"async_insert": "1"},
        {"allow_experimental_anything": "1"},
        {"max_threads=1; DROP TABLE x": "1"},
        {"output_format_x; DROP": "1"},
    ],
)
def test_parameters_outside_the_subset_are_not_served(shared_store: Any, params: dict[str, str]) -> None:
    answer = shared_store.send("SELECT 1", params)
    assert (answer.status, answer.code) == (501, "48"), answer


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "deflate", "br", "nonsense"])
def test_compressed_bodies_are_not_served(shared_store: Any, encoding: str) -> None:
    answer = shared_store.send(b"\x1f\x8b\x08", headers={"Content-Encoding": encoding})
    assert (answer.status, answer.code) == (501, "48")


@pytest.mark.parametrize("form", ["Nonsense", "Template", "MySQLWire", "Protobuf"])
def test_formats_outside_the_subset_are_not_served(shared_store: Any, form: str) -> None:
    for sql, params in ((f"SELECT 1 FORMAT {form}", {}), ("SELECT 1", {"default_format": form})):
        answer = shared_store.send(sql, params)
        assert (answer.status, answer.code) == (501, "73"), answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b";",
        b"\x00\x01\x02\xff",
        b"'",
        b"(((((",
        b"/* never closed",
        b"--",
        b"\xf0\x9f\x92\xa9",
        b"42",
        b"{}",
    ],
)
def test_garbage_is_a_bad_request(shared_store: Any, body: bytes) -> None:
    answer = shared_store.send(body)
    assert answer.status in {400, 501}, answer
    assert answer.code in {"62", "48"}


@pytest.mark.parametrize(
    "body",
    [
        b"SELECT '",
        b"SELECT \xff\xfe",
        b"SELECT (",
        b"WITH",
        b"SELECT `",
        b"SELECT 1 FROM",
        b"SELECT {x",
        b"CREATE",
        b"ALTER TABLE",
    ],
)
def test_statements_that_do_not_parse_are_the_engines_errors(shared_store: Any, body: bytes) -> None:
    answer = shared_store.send(body)
    assert 400 <= answer.status < 500, answer
    assert answer.body.startswith(b"Code: "), answer


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP DATABASE default",
        "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b",
        "SELECT 1;;;SELECT 2",
        "DROP TABLE IF EXISTS a; nonsense here",
    ],
)
def test_several_statements_are_refused(shared_store: Any, sql: str) -> None:
    answer = shared_store.send(sql)
    assert (answer.status, answer.code) == (400, "62"), answer


@pytest.mark.parametrize(
    "sql", ["SELECT ';'", "SELECT 1;", "SELECT 1 ; \n", "SELECT 1 -- ; SELECT 2", "/* ; */ SELECT 1"]
)
def test_semicolons_that_separate_nothing_are_fine(shared_store: Any, sql: str) -> None:
    assert shared_store.ask(sql) in {";\n", "1\n"}


def test_a_reading_statement_cannot_write(shared_store: Any) -> None:
    shared_store.ask("CREATE TABLE IF NOT EXISTS default.guard (n UInt8) ENGINE = Memory")
    for sql in ("WITH 1 AS x INSERT INTO default.guard SELECT x", "EXPLAIN INSERT INTO default.guard SELECT 1"):
        shared_store.send(sql)
    assert shared_store.ask("SELECT count() FROM default.guard") == "0\n"
    shared_store.ask("DROP TABLE default.guard SYNC")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nSELECT 1\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
    ],
)  # fmt: skip
def test_broken_forms_are_bad_requests(shared_store: Any, kind: str, body: bytes) -> None:
    answer = shared_store.send(body, headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (400, "62")


def test_files_in_forms_are_not_served(shared_store: Any) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--b--\r\n'
    answer = shared_store.send(body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status, answer.code) == (501, "48")


def test_broken_addresses_are_bad_requests(shared_store: Any) -> None:
    for query in ("?param_x=%ff", "?" + "&".join(f"a{n}=1" for n in range(3000))):
        answer = shared_store.send("SELECT 1", path="/" + query)
        assert answer.status in {400, 501}, answer


def test_requests_that_are_not_http(shared_store: Any) -> None:
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SELECT 1\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\x00" * 100,
    ):
        with socket.create_connection(("127.0.0.1", shared_store.port), timeout=10) as raw:
            raw.sendall(noise)
            raw.shutdown(socket.SHUT_WR)
            assert not raw.recv(4096).startswith(b"HTTP/1.1 200")
    assert shared_store.ask("SELECT 1") == "1\n"


def test_answers_say_format_zone_and_counts(shared_store: Any) -> None:
    answer = shared_store.send("SELECT number FROM numbers(5) FORMAT JSONCompact", {"query_id": "my-question"})
    assert answer.headers["x-clickhouse-format"] == "JSONCompact"
    assert answer.headers["x-clickhouse-timezone"] == "UTC"
    assert answer.headers["x-clickhouse-query-id"] == "my-question"
    assert json.loads(answer.headers["x-clickhouse-summary"])["read_rows"] == "5"
    assert [row[0] for row in json.loads(answer.body)["data"]] == [0, 1, 2, 3, 4]


def test_bodies_and_answers_have_a_limit(start_store: Callable[..., Any]) -> None:
    store = start_store(limits={"body_bytes": 100_000, "answer_bytes": 100_000, "readers": 1})
    assert store.send(b"SELECT 1 -- " + b"x" * 99_000).status == 200
    large = store.send(b"SELECT 1 -- " + b"x" * 100_000)
    assert (large.status, large.code) == (413, "307")
    with socket.create_connection(("127.0.0.1", store.port), timeout=10) as raw:
        key = store.authorization()["Authorization"]
        raw.sendall(
            f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        raw.sendall(b"186A1\r\n" + b"x" * 100_001 + b"\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    assert len(store.send("SELECT number FROM numbers(10000)").body) == 48_890
    for rows in (30_000, 10_000_000):
        answer = store.send(f"SELECT number FROM numbers({rows})")
        assert (answer.status, answer.code) == (500, "396"), rows
    assert store.ask("SELECT 1") == "1\n"


def test_time_and_memory_of_a_question_are_bounded(start_store: Callable[..., Any]) -> None:
    store = start_store(limits={"read_time_s": 1, "read_memory_bytes": 50 << 20})
    slow = store.send("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
    assert (slow.status, slow.code) == (408, "159")
    large = store.send("SELECT length(groupArray(number)) FROM numbers(100000000)")
    assert (large.status, large.code) == (507, "241")
    assert store.ask("SELECT 1") == "1\n"
