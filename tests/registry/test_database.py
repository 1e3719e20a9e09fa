"""The database beneath: durable, strict, and named when it fails."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from wattstead.registry.errors import RegistryDamaged, RegistryUnavailable, shown
from wattstead.registry.records import Account, KeyGrant, NewAddress, Site
from wattstead.registry.registry import Registry
from wattstead.registry.storage.database import Database

pytestmark = pytest.mark.unit


@pytest.fixture
def kind() -> str:
    return "sqlite"


def test_every_connection_is_durable_and_strict(url: str) -> None:
    database = Database(url)
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with database.connected() as first, database.engine.connect() as second:
        for connection in (first, second):
            assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in expected} == expected
    database.close()


def test_a_writer_waits_for_another(registry: Registry, grant: KeyGrant, url: str) -> None:
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer: list[int] = []
    waiting = threading.Thread(target=lambda: answer.append(registry.resolve(grant, [NewAddress("a")])["a"]))
    waiting.start()
    assert registry.points() == []  # readers do not wait
    other.execute("COMMIT")
    waiting.join()
    other.close()
    assert answer == [1]


def test_a_full_disk_is_named_and_passes(registry: Registry, grant: KeyGrant, url: str) -> None:
    """SQLite's own limit of pages stands for the disk: the error it raises is the same."""
    registry.resolve(grant, [NewAddress("before")])
    database = registry._db
    pages = _pragma(database, "page_count")
    for _ in range(5):
        _pragma(database, f"max_page_count = {pages}")
    with pytest.raises(RegistryUnavailable) as raised:
        registry.resolve(grant, [NewAddress(f"{n} " + "x" * 150) for n in range(2_000)])
    assert raised.value.retryable and raised.value.retry_after_s > 0 and "full" in str(raised.value)
    assert [row.address for row in registry.points()] == ["before"]
    database.close()  # new connections know no limit
    assert len(registry.resolve(grant, [NewAddress(f"p{n}") for n in range(2_000)]).ids) == 2_000


def _pragma(database: Database, pragma: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(text(f"PRAGMA {pragma}")).scalar() or 0)


def test_a_database_that_is_away_is_named() -> None:
    with Registry("postgresql://nobody@127.0.0.1:1/none") as registry, pytest.raises(RegistryUnavailable) as raised:
        registry.generation()
    assert raised.value.retryable


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database " * 1_000)
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as registry, pytest.raises(RegistryDamaged) as raised:
        registry.migrate()
    assert not raised.value.retryable


def test_a_registry_needs_a_file() -> None:
    for address in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="needs a file"):
            Registry(address)


def test_times_come_back_as_aware_utc(registry: Registry, owner: Account, site: Site) -> None:
    for found in (owner.created, site.created, registry.sites()[0].created, registry.accounts()[0].created):
        assert found == datetime(2026, 3, 1, 12, tzinfo=UTC) and found.utcoffset() == timedelta(0)


def test_a_time_of_another_zone_is_the_same_instant(registry: Registry, grant: KeyGrant) -> None:
    used = datetime(2026, 3, 29, 2, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    registry.mark_keys_used({grant.id: used})
    assert registry.keys()[0].last_used == used
    with pytest.raises(Exception, match="has no zone"):
        registry.mark_keys_used({grant.id: datetime(2026, 3, 1)})


def test_names_in_messages_are_short_and_printable() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 10_000)) < 100
