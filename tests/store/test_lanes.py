"""Lanes under pressure: full queues, clients that leave, many questions at once, and answers that stay apart."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"


def running(store: Any, text: str) -> int:
    asked = f"SELECT count() FROM system.processes WHERE query LIKE '%{text}%' AND query NOT LIKE '%processes%'"
    return int(store.ask(asked, lane="slow"))


def until(happens: Callable[[], bool], patience_s: float = 60) -> None:
    end = time.monotonic() + patience_s
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def begin(store: Any, sql: str, lane: str = "") -> socket.socket:
    """Sends a request and leaves its answer to be fetched."""
    raw = socket.create_connection(("127.0.0.1", store.port), timeout=60)
    key = store.authorization()["Authorization"]
    lane_header = f"X-Wattstead-Lane: {lane}\r\n" if lane else ""
    head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n{lane_header}Content-Length: {len(sql)}\r\n\r\n"
    raw.sendall(head.encode() + sql.encode())
    return raw


def test_the_question_of_a_client_that_left_is_ended(start_store: Callable[..., Any]) -> None:
    store = start_store(limits={"readers": 1})
    raw = begin(store, ENDLESS + " /* left alone */")
    until(lambda: running(store, "left alone") == 1)
    raw.close()
    until(lambda: running(store, "left alone") == 0)
    assert store.ask("SELECT 1") == "1\n"
    until(lambda: store.health()["lanes"]["read"]["inside"] == 0)


def test_a_waiting_question_of_a_client_that_left_is_never_begun(start_store: Callable[..., Any]) -> None:
    store = start_store(limits={"readers": 1})
    first = begin(store, ENDLESS + " /* first */")
    until(lambda: running(store, "first") == 1)
    waiting = begin(store, ENDLESS + " /* second */")
    until(lambda: store.health()["lanes"]["read"]["waiting"] == 1)
    waiting.close()
    time.sleep(0.1)
    first.close()
    until(lambda: store.health()["lanes"]["read"]["inside"] == 0)
    assert running(store, "second") == 0
    assert store.ask("SELECT 1") == "1\n"


def test_what_writes_goes_on_without_its_client(start_store: Callable[..., Any]) -> None:
    store = start_store()
    store.ask("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    raw = begin(
        store, "INSERT INTO a SELECT number + sleepEachRow(0.01) FROM numbers(100) SETTINGS max_block_size = 10"
    )
    until(lambda: running(store, "INSERT INTO a") == 1)
    raw.close()
    until(lambda: store.health()["lanes"]["write"]["inside"] == 0)
    assert store.ask("SELECT count() FROM a") == "100\n"


def test_a_full_lane_answers_503_and_the_others_go_on(start_store: Callable[..., Any]) -> None:
    store = start_store(limits={"readers": 1, "read_queue": 2, "slow": 1, "slow_queue": 1})
    store.ask("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    held = [begin(store, ENDLESS) for _ in range(3)]
    until(lambda: store.health()["lanes"]["read"]["inside"] == 3)
    answer = store.send("SELECT 1")
    assert (answer.status, answer.code) == (503, "202")
    assert answer.headers["retry-after"] == "1"
    assert b"read lane" in answer.body
    assert store.ask("SELECT 1", lane="slow") == "1\n"
    store.ask("INSERT INTO a VALUES (1)")
    assert store.send("SELECT 1", headers={"X-Wattstead-Lane": "slow"}).body == b"1\n"
    for raw in held:
        raw.close()
    until(lambda: store.health()["lanes"]["read"]["inside"] == 0)
    assert store.ask("SELECT count() FROM a") == "1\n"


def test_lanes_a_caller_may_choose(shared_store: Any) -> None:
    assert shared_store.ask("SELECT getSetting('max_execution_time')") == "30\n"
    assert shared_store.ask("SELECT getSetting('max_execution_time')", lane="slow") == "1200\n"
    for sql, lane in (
        ("SELECT 1", "write"),
        ("SELECT 1", "admin"),
        ("SELECT 1", "nonsense"),
        ("INSERT INTO a VALUES (1)", "slow"),
    ):
        answer = shared_store.send(sql, {"lane": lane})
        assert (answer.status, answer.code) == (400, "62"), (sql, lane)
    assert shared_store.client().query("SELECT 1", transport_settings={"X-Wattstead-Lane": "slow"}).first_row == (1,)


@pytest.mark.parametrize("form", ["TabSeparated", "Native"])
def test_nothing_of_a_failed_answer_comes_with_the_next(start_store: Callable[..., Any], form: str) -> None:
    """The engine keeps what a failed statement had put out and gives it to the connection's next answer."""
    store = start_store(limits={"readers": 1, "slow": 1})
    store.ask("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    clean = store.send("SELECT 1 FORMAT Native").body
    for lane in ("read", "slow"):
        for _ in range(3):
            failed = store.send(
                f"SELECT throwIf(number = 3000000), number FROM numbers(9000000) FORMAT {form}", {"lane": lane}
            )
            assert failed.code == "395"
            assert store.send("SELECT 1 WHERE 0 FORMAT Native", {"lane": lane}).body == b""
            store.send(f"SELECT throwIf(number = 3000000), number FROM numbers(9000000) FORMAT {form}", {"lane": lane})
            assert store.send("SELECT 1 FORMAT Native", {"lane": lane}).body == clean


def test_many_questions_at_once_each_get_their_own_answer(shared_store: Any) -> None:
    def ask(n: int) -> bool:
        answer = shared_store.send(f"SELECT {{n:UInt32}}, sum(number) FROM numbers({n % 100})", {"param_n": str(n)})
        return answer.body == f"{n}\t{sum(range(n % 100))}\n".encode()

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(ask, range(600)))


def test_reading_and_writing_at_once(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    done = threading.Event()
    seen: list[int] = []

    def read() -> None:
        client = room.store.client(room.database)
        while not done.is_set():
            seen.append(int(client.command("SELECT count() FROM a")))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for first in range(0, 50_000, 1000):
        room.client.insert("a", [(n,) for n in range(first, first + 1000)], ["n"])
    done.set()
    for reader in readers:
        reader.join()
    assert all(count % 1000 == 0 for count in seen), "an insert of one part was seen in half"
    assert room.client.command("SELECT count() FROM a") == 50_000


def test_kill_and_system_statements(shared_store: Any) -> None:
    assert shared_store.send("KILL QUERY WHERE query LIKE '%no such question%' ASYNC").status == 200
    assert shared_store.send("SYSTEM DROP MARK CACHE").status == 200
    assert shared_store.send("SYSTEM RELOAD DICTIONARIES").status == 200
