"""What is acknowledged stays: kill -9 while inserting, clean stops, broken parts, backup and restore."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

TABLE = """
CREATE TABLE kept (batch UInt32, n UInt32, time DateTime64(6, 'UTC')) ENGINE = MergeTree
PARTITION BY toMonday(time) ORDER BY (batch, n)
"""
ROWS = 2_000
WEEK_US = 7 * 86_400 * 1_000_000


def batch(number: int) -> pa.Table:
    """A block of three weeks, so that it is stored as three parts."""
    n = np.arange(ROWS, dtype="u4")
    time = pa.array((n % 3).astype("i8") * WEEK_US + 1_700_000_000_000_000, pa.timestamp("us", "UTC"))
    return pa.table({"batch": np.full(ROWS, number, "u4"), "n": n, "time": time})


def test_kill_9_while_inserting(start_store: Callable[..., Any], tmp_path: Path) -> None:
    random.seed(7)
    store = start_store()
    store.ask(TABLE)
    acknowledged: list[int] = []
    number = 0
    for _ in range(6):
        died = threading.Event()

        def send(store: Any = store, died: threading.Event = died) -> None:
            nonlocal number
            try:
                client = store.client()
                while True:
                    number += 1
                    assert client.insert_arrow("kept", batch(number)).written_rows == ROWS
                    acknowledged.append(number)
            except Exception:
                died.set()

        before = len(acknowledged)
        sender = threading.Thread(target=send)
        sender.start()
        while len(acknowledged) < before + random.randrange(2, 12):
            assert not died.is_set()
        store.kill()
        sender.join()
        store.start()
        stored = store.ask("SELECT batch, count(), uniqExact(n) FROM kept GROUP BY batch")
        counts = {int(line.split("\t")[0]): line.split("\t")[1:] for line in stored.splitlines()}
        for known in acknowledged:
            assert counts[known] == [str(ROWS), str(ROWS)], f"batch {known} was acknowledged"
        assert store.health()["engine"]["broken_parts"] == 0
    assert len(acknowledged) >= 12


def test_a_clean_stop_keeps_everything(start_store: Callable[..., Any]) -> None:
    store = start_store()
    store.ask(TABLE)
    store.client().insert_arrow("kept", batch(1))
    assert store.stop() == 0
    store.start()
    assert store.ask("SELECT count() FROM kept") == f"{ROWS}\n"


def test_a_broken_part_is_set_aside_and_told(start_store: Callable[..., Any]) -> None:
    store = start_store()
    store.ask(
        "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n "
        "SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1"
    )
    for n in range(3):
        store.ask(f"INSERT INTO kept VALUES ({n})")
    part = Path(
        store.ask("SELECT path FROM system.parts WHERE active AND table = 'kept' ORDER BY name LIMIT 1").strip()
    )
    store.kill()
    (part / "data.bin").write_bytes(b"no data")
    store.start()
    assert store.ask("SELECT count() FROM kept") == "2\n"
    assert store.health()["engine"]["broken_parts"] == 1


def test_backup_and_restore(start_store: Callable[..., Any]) -> None:
    store = start_store()
    store.ask("CREATE DATABASE house ENGINE = Atomic")
    client = store.client("house")
    client.command(TABLE)
    client.insert_arrow("kept", batch(1))
    target = store.folder / "backups" / "first"
    assert client.command(f"BACKUP DATABASE house TO File('{target}')")[1] == "BACKUP_CREATED"
    client.insert_arrow("kept", batch(2))
    client.command("DROP TABLE kept SYNC")
    assert client.command(f"RESTORE TABLE house.kept FROM File('{target}')")[1] == "RESTORED"
    assert client.command("SELECT count(), max(batch) FROM kept") == [str(ROWS), "1"]
    client.insert_arrow("kept", batch(3))
    with pytest.raises(DatabaseError, match="not allowed for backups"):
        client.command(f"BACKUP DATABASE house TO File('{store.folder / 'elsewhere'}')")


def test_memory_stays_small(start_store: Callable[..., Any]) -> None:
    store = start_store()
    assert store.health()["resident_bytes"] < 330 << 20
    store.ask("CREATE TABLE a (n UInt32, v Float64) ENGINE = MergeTree ORDER BY n")
    client = store.client()
    rows = 240_000
    block = pa.table({"n": np.arange(rows, dtype="u4"), "v": np.random.rand(rows)})
    for _ in range(12):
        client.insert_arrow("a", block)
        client.query("SELECT n, avg(v) FROM a GROUP BY n ORDER BY n LIMIT 10")
        assert store.health()["resident_bytes"] < 550 << 20


def test_files_do_not_grow_by_questions(start_store: Callable[..., Any]) -> None:
    """The engine keeps no log of its questions on disk."""
    store = start_store()
    for _ in range(300):
        store.ask("SELECT count() FROM numbers(1000)")
    size = sum(file.stat().st_size for file in store.folder.rglob("*") if file.is_file())
    assert size < 1 << 20
    assert (
        store.ask("SELECT count() FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'") == "0\n"
    )


def test_new_tables_are_durable_without_asking(start_store: Callable[..., Any]) -> None:
    store = start_store()
    asked = "SELECT name, value FROM system.merge_tree_settings WHERE name LIKE '%fsync%' AND value = '1' ORDER BY name"
    assert [line.split("\t")[0] for line in store.ask(asked).splitlines()] == [
        "fsync_after_insert",
        "fsync_part_directory",
        "min_compressed_bytes_to_fsync_after_merge",
        "min_rows_to_fsync_after_merge",
    ]
    assert store.ask("SELECT toUInt8(getSetting('async_insert'))") == "0\n"
