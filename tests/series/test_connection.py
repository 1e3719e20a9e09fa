"""Errors of the store as ours: what passes can be tried again, what is wrong says so, keys are in no message."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from wattstead.series import AnswerTooLarge, SchemaMismatch, Series, SeriesError, StoreRefused, StoreUnavailable, native
from wattstead.series.connection import Connection, Limits
from wattstead.series.schema import SCHEMA_VERSION

KEY = "0123456789abcdef0123456789abcdef"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_nobody_there_can_be_tried_again() -> None:
    series = Series(f"http://wattstead:{KEY}@127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailable) as caught:
        series.latest()
    assert caught.value.retryable and caught.value.code is None
    assert KEY not in str(caught.value)


def test_a_wrong_key_is_refused(store: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        Series(store.replace(KEY, "f" * 32)).migrate()
    assert caught.value.code == 516 and not caught.value.retryable
    assert "f" * 32 not in str(caught.value)


def test_an_address_that_is_none_is_said_without_its_key() -> None:
    user = f"http://wattstead:{KEY}"
    for address in (f"wattstead:{KEY}@127.0.0.1", f"ftp://wattstead:{KEY}@host", "", f"{user}@h:99999", f"{user}@[::1"):
        with pytest.raises(SeriesError) as caught:
            Connection(address)
        assert KEY not in str(caught.value)


def test_before_migrate_the_missing_table_is_named(address: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        Series(address).latest([1])
    assert caught.value.code in {60, 81}


def test_too_much_memory_can_be_tried_again(address: str) -> None:
    connection = Connection(address, Limits(read_memory_bytes=1 << 20))
    Series(address).migrate()
    with pytest.raises(StoreUnavailable) as caught:
        connection.columns(
            "SELECT sum(a) FROM (SELECT number % 1000000 AS a, count() FROM numbers(1000000) GROUP BY a)"
        )
    assert caught.value.code == 241


def test_columns_of_all_types_and_none(address: str) -> None:
    connection = Connection(address)
    Series(address).migrate()
    found = connection.columns(
        "SELECT 'é' AS s, toInt64(-5) AS i, 0.5 AS f, toDateTime64('1970-01-01 00:00:01', 6, 'UTC') AS t"
    )
    assert {name: column.tolist() for name, column in found.items()} == {
        "s": ["é"],
        "i": [-5],
        "f": [0.5],
        "t": [10**6],
    }
    assert connection.columns("SELECT 1 AS a WHERE 0") == {}
    assert connection.value("SELECT 'x'") == "x"
    assert connection.value("SELECT 1 WHERE 0") is None


def test_an_insert_of_another_shape_is_refused_whole(series: Series, address: str) -> None:
    with pytest.raises(StoreRefused):
        Connection(address).insert(
            "mark", {"name": ("String", np.array(["a"], object)), "none": ("UInt8", np.array([1]))}
        )
    assert series.reach.minute_us == 0


def test_a_block_larger_than_what_is_sent_at_once_arrives_whole(series: Series, address: str) -> None:
    rows = 100_000
    columns = {
        "point": ("UInt32", np.arange(rows, dtype=np.int64)), "time": ("DateTime64(6, 'UTC')", np.full(rows, 7)),
        "value": ("Float64", np.arange(2 * rows, dtype=np.float64)[::2]), "quality": ("UInt8", np.ones(rows, np.uint8)),
        "version": ("UInt64", np.arange(rows)),
    }  # fmt: skip
    connection = Connection(address)
    for _ in range(2):
        assert connection.insert("reading", columns, "once") == rows
    assert connection.value("SELECT count() FROM reading") == rows
    assert connection.value("SELECT sum(value) = 2 * sum(point) FROM reading") == 1
    connection.close()


def test_tables_of_a_newer_program_are_left_alone(series: Series, address: str) -> None:
    assert series.migrate() == series.migrate() == SCHEMA_VERSION
    Connection(address).run("INSERT INTO schema_version SELECT 99, now()")
    with pytest.raises(SchemaMismatch) as caught:
        series.migrate()
    assert (caught.value.found, caught.value.expected) == (99, SCHEMA_VERSION)


def test_tables_of_an_older_program_become_those_of_a_new_one(series: Series, address: str) -> None:
    connection = Connection(address)
    connection.run("ALTER TABLE day RESET SETTING merge_selector_base, min_parts_to_merge_at_once")
    connection.run("TRUNCATE TABLE schema_version")
    connection.run("INSERT INTO schema_version SELECT 1, now()")
    assert series.migrate() == SCHEMA_VERSION
    for table in ("day", "quarter"):
        made = connection.value(f"SELECT create_table_query FROM system.tables WHERE name = '{table}'")
        assert "merge_selector_base = 2" in made and "min_parts_to_merge_at_once = 2" in made


def test_a_connection_that_was_closed_meanwhile_is_no_reason_to_fail() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_closes_once, args=(listener,), daemon=True).start()
        connection = Connection(f"http://wattstead:{KEY}@127.0.0.1:{listener.getsockname()[1]}")
        assert connection.value("SELECT 1") == 1


def test_kept_connections_that_were_all_closed_are_no_reason_to_fail() -> None:
    both, ended = threading.Barrier(2), threading.Barrier(3)

    def serve(listener: socket.socket, number: int) -> None:
        here, _ = listener.accept()
        here.recv(65536)
        if number < 2:
            both.wait(60)
        here.sendall(_whole(native.encode({"1": ("UInt8", np.array([1]))})))
        here.close()
        if number < 2:
            ended.wait(60)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        servers = [threading.Thread(target=serve, args=(listener, number), daemon=True) for number in range(3)]
        connection = Connection(f"http://wattstead:{KEY}@127.0.0.1:{listener.getsockname()[1]}")
        for one in servers[:2]:
            one.start()
        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(connection.value, ["SELECT 1"] * 2)) == [1, 1]
        ended.wait(60)
        servers[2].start()
        assert connection.value("SELECT 1") == 1
        connection.close()


def test_an_answer_in_pieces_is_one() -> None:
    block = native.encode({"a": ("UInt64", np.arange(1000))})
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (block[:7], block[7:5000], block[5000:]))
    found = _found_in(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")
    assert found["a"].tolist() == list(range(1000))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", "before the answer's end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0123456789", "is no HTTP"),
    ],
)
def test_what_is_no_whole_answer_can_be_tried_again(answer: bytes, told: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        _found_in(answer)
    assert told in str(caught.value) and caught.value.code is None


def test_an_address_by_ip6_is_one() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Connection(f"http://wattstead:{KEY}@[::1]:{free_port()}").columns("SELECT 1")
    assert "establish" in str(caught.value)


def test_an_answer_without_a_word_is_told_by_its_status() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_refuses, args=(listener,), daemon=True).start()
        with pytest.raises(StoreUnavailable) as caught:
            Connection(f"http://wattstead:{KEY}@127.0.0.1:{listener.getsockname()[1]}").columns("SELECT 1")
    assert "502" in str(caught.value)


def test_an_error_behind_the_answer_that_was_begun_is_told() -> None:
    """As ClickHouse servers do it, of old and with the frame of newer ones."""
    begun = native.encode({"a": ("UInt64", np.arange(1000))})[:900]
    late = b"Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"
    for code, end in ((241, late), (241, b"\r\n__exception__\r\nabc\r\n%s\r\n80 abc\r\n__exception__\r\n" % late)):
        with pytest.raises(StoreUnavailable, match=r"memory limit exceeded\. \(MEMORY_LIMIT_EXCEEDED\);") as caught:
            _columns_of(begun + end)
        assert caught.value.code == code
    with pytest.raises(StoreRefused, match="ask for a shorter time") as refused:
        _columns_of(begun + b"Code: 396. DB::Exception: Limit for result exceeded")
    assert isinstance(refused.value, AnswerTooLarge)
    with pytest.raises(native.NativeError, match="breaks off"):
        _columns_of(begun)


def _columns_of(body: bytes) -> native.Columns:
    """What is read of an answer with that body."""
    return _found_in(_whole(body))


def _found_in(answer: bytes) -> native.Columns:
    """What is read of those bytes, after which the connection ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_answers, args=(listener, answer), daemon=True).start()
        return Connection(f"http://wattstead:{KEY}@127.0.0.1:{listener.getsockname()[1]}").columns("SELECT 1")


def _answers(listener: socket.socket, answer: bytes) -> None:
    only, _ = listener.accept()
    only.recv(65536)
    only.sendall(answer)
    only.close()


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _refuses(listener: socket.socket) -> None:
    """Answers as a proxy does that finds nobody behind it."""
    only, _ = listener.accept()
    only.recv(65536)
    only.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    only.close()


def _closes_once(listener: socket.socket) -> None:
    """Closes the first connection as soon as something was asked, and answers the second with a byte."""
    first, _ = listener.accept()
    first.recv(65536)
    first.close()
    second, _ = listener.accept()
    second.recv(65536)
    block = native.encode({"1": ("UInt8", np.array([1]))})
    second.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(block), block))
    second.close()


def test_check_before_and_after(address: str) -> None:
    series = Series(address)
    empty = series.check()
    assert empty.schema == 0 and "reading" in empty.missing and empty.engine
    series.migrate()
    series.put_rules([])
    state = series.check()
    assert state.missing == [] and state.schema == state.expected_schema
    assert {t.name: t.broken_parts for t in state.tables}["reading"] == 0
    series.close()
