"""The safe insert route under each failure that the engine's own streaming insert keeps quiet about."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError

KEPT = "CREATE TABLE kept (n UInt64, s String) ENGINE = MergeTree ORDER BY n"


def refused(client: Any, code: int, *insert: Any, **options: Any) -> str:
    with pytest.raises(DatabaseError) as caught:
        client.insert(*insert, **options)
    assert caught.value.code == code
    return str(caught.value)


def test_more_than_a_hundred_partitions(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt32) ENGINE = MergeTree PARTITION BY n ORDER BY n")
    text = refused(room.client, 252, "a", [(n,) for n in range(101)], ["n"])
    assert "Too many partitions" in text
    assert room.client.command("SELECT count() FROM a") == 0
    assert room.client.insert("a", [(n,) for n in range(100)], ["n"]).written_rows == 100
    assert room.client.command("SELECT count() FROM a") == 100


def test_a_failed_constraint(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt32, CONSTRAINT small CHECK n < 10) ENGINE = MergeTree ORDER BY n")
    refused(room.client, 469, "a", [(n,) for n in range(11)], ["n"])
    assert room.client.command("SELECT count() FROM a") == 0
    room.client.insert("a", [(n,) for n in range(10)], ["n"])
    assert room.client.command("SELECT count() FROM a") == 10


def test_too_many_parts(room: Any) -> None:
    room.client.command(
        "CREATE TABLE a (n UInt32) ENGINE = MergeTree ORDER BY n "
        "SETTINGS parts_to_throw_insert = 3, parts_to_delay_insert = 2, max_bytes_to_merge_at_max_space_in_pool = 1"
    )
    for n in range(3):
        room.client.insert("a", [(n,)], ["n"])
    refused(room.client, 252, "a", [(9,)], ["n"])
    assert room.client.command("SELECT count() FROM a") == 3
    room.client.command("ALTER TABLE a RESET SETTING max_bytes_to_merge_at_max_space_in_pool")
    room.client.command("OPTIMIZE TABLE a FINAL")
    room.client.insert("a", [(9,)], ["n"])
    assert room.client.command("SELECT count() FROM a") == 4


def test_a_full_disk(start_store: Callable[..., Any], tmp_path: Any) -> None:
    """The store's folder is a file system of 96 MB in a mount namespace of its own."""
    assert shutil.which("unshare"), "this test needs unshare, from the package util-linux"
    folder = tmp_path / "small"
    folder.mkdir()
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mounting = f'mount -t tmpfs -o size=96m tmpfs {folder} && exec "$@"'
    store = start_store("small", wrap=("unshare", "--mount", *user, "sh", "-c", mounting, "sh"))
    client = store.client()
    client.command(KEPT)
    chunk = 40_000
    stored = 0
    with pytest.raises(DatabaseError) as caught:
        for first in range(0, 200 * chunk, chunk):
            noise = [os.urandom(16).hex() for _ in range(chunk)]
            block = pa.table({"n": np.arange(first, first + chunk, dtype="u8"), "s": noise})
            assert client.insert_arrow("kept", block).written_rows == chunk
            stored += chunk
    assert caught.value.code in {243, 74, 75}, caught.value
    assert stored >= chunk
    assert client.command("SELECT count() FROM kept") == stored
    assert client.command("SELECT count() FROM kept WHERE n >= {n:UInt64}", parameters={"n": stored}) == 0
    assert store.health()["disk_free_bytes"] < 96 << 20
    client.command("DROP TABLE kept SYNC")
    client.command(KEPT)
    assert client.insert_arrow("kept", pa.table({"n": [1], "s": ["room again"]})).written_rows == 1


@pytest.mark.parametrize(
    ("form", "block", "code"),
    [
        ("TabSeparated", b"1\tx\nnot a number\tx\n", 27),
        ("CSV", b"1,x\n2\n", 27),
        ("JSONEachRow", b'{"n":1,"s":"x"}\n{"n":', None),
        ("JSONEachRow", b"[]]", None),
        ("Native", b"\xff\xff\xff\xff garbage", None),
        ("Native", b"\x02\x01\x01n\x06UInt64\x01\x00\x00\x00", 33),
        ("Native", b"\x02\xff\xff\xff\xff\xff\xff\xff\x7f\x01n\x06UInt64", None),
        ("ArrowStream", b"garbage that is no stream", None),
        ("Arrow", b"ARROW1\x00\x00garbage", None),
        ("Parquet", b"PAR1garbagePAR1", None),
        ("RowBinary", b"\x01\x00\x00", 33),
        ("Values", b"(1, 'x'), (2", None),
        ("Values", b"(1, 'x')) DROP TABLE kept", None),
    ],
)
def test_garbage_stores_nothing_and_names_its_error(room: Any, form: str, block: bytes, code: int | None) -> None:
    room.client.command(KEPT)
    answer = room.store.send(
        b"INSERT INTO kept (n, s) FORMAT " + form.encode() + b"\n" + block, {"database": room.database}
    )
    assert answer.status >= 400, answer
    assert int(answer.code or 0) == code if code else answer.code, answer
    assert answer.body.startswith(b"Code: ")
    assert room.client.command("SELECT count() FROM kept") == 0
    room.client.insert("kept", [(1, "after")], ["n", "s"])
    assert room.client.command("SELECT count() FROM kept") == 1


def test_a_half_sent_block_stores_nothing(room: Any) -> None:
    """The client's own failure while it makes the block must not store the part it had made."""
    room.client.command(KEPT)
    with pytest.raises(DataError):
        room.client.insert("kept", [(1, "x"), ("two", "y")], ["n", "s"])
    assert room.client.command("SELECT count() FROM kept") == 0


def test_missing_tables_and_columns(room: Any) -> None:
    room.client.command(KEPT)
    answer = room.store.send("INSERT INTO absent FORMAT TSV\n1\n", {"database": room.database})
    assert (answer.status, answer.code) == (404, "60")
    answer = room.store.send("INSERT INTO kept (absent) FORMAT TSV\n1\n", {"database": room.database})
    assert (answer.status, answer.code) == (400, "47")


def test_names_with_everything_in_them(room: Any) -> None:
    room.client.command(r"CREATE TABLE `a b;\`'\"(` (`x y,)\`` UInt8, `ä.b` UInt8) ENGINE = MergeTree ORDER BY tuple()")
    room.client.insert(r"`a b;\`'\"(`", [(1, 2)], ["x y,)`", "ä.b"])
    assert room.client.command(r"SELECT `x y,)\``, `ä.b` FROM `a b;\`'\"(`") == ["1", "2"]


def test_a_large_block_is_one_part(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    rows = 500_000
    summary = room.client.insert_arrow("a", pa.table({"n": np.arange(rows, dtype="u8")[::-1]}))
    assert summary.written_rows == rows
    assert room.client.command("SELECT sum(n) FROM a") == sum(range(rows))
    made = f"SELECT max(level) FROM system.parts WHERE active AND database = '{room.database}'"
    assert room.client.command(made) == 0


def test_many_writers_at_once_lose_nothing(room: Any) -> None:
    room.client.command(KEPT)
    failed: list[Exception] = []

    def write(writer: int) -> None:
        try:
            client = room.store.client(room.database)
            for n in range(20):
                client.insert("kept", [(writer * 100 + n, "x")] * 5, ["n", "s"])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert room.client.command("SELECT count(), uniqExact(n) FROM kept") == ["600", "120"]
