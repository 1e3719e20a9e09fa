"""Registries to test on: SQLite in a file, and a real PostgreSQL started once; the same tests run on both."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from wattstead.registry.people import accounts
from wattstead.registry.people.proofs import passwords
from wattstead.registry.records import Account, KeyGrant, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.registry.storage.migrate import newest

PASSWORD = "correct horse battery"
DATABASES = [pytest.param("sqlite", marks=pytest.mark.unit), "postgresql"]


class Clock:
    """The time as a test wants it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Gives the address of an empty database of a kind."""

    def make(kind: str) -> str:
        name = f"t{uuid.uuid4().hex[:12]}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.db"
        server: str = request.getfixturevalue("postgres")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{server}/{name}"

    return make


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database: every test that uses it runs on each."""
    found: str = request.param
    return found


@pytest.fixture
def empty_url(kind: str, new_database: Callable[[str], str]) -> str:
    """The address of an empty database: not even migrated."""
    return new_database(kind)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite registry without any rows, to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "registry.db"
    with Registry(f"sqlite:///{file}") as made:
        made.migrate()
    return file


@pytest.fixture(scope="session")
def migrated_database(postgres: str) -> str:
    """The address of a PostgreSQL registry, emptied for each test: making another takes longer than most tests."""
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    with Registry(f"{postgres}/migrated") as made:
        made.migrate()
    return f"{postgres}/migrated"


_EMPTYING = """DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;  -- in whatever order, and past what guards the trail
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('dataset', 'alembic_version')
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', name); END LOOP;
END $$"""
"""TRUNCATE makes a new file for each table and index, which takes longer than most tests."""


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTYING)
        connection.execute("UPDATE dataset SET generation = 1, last_point_id = 0")
        connection.execute("UPDATE alembic_version SET version_num = %s", [newest()])


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated registry without any rows."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "registry.db")
        return f"sqlite:///{tmp_path / 'registry.db'}"
    address: str = request.getfixturevalue("migrated_database")
    _empty(address)
    return address


@pytest.fixture
def registry(url: str, clock: Clock) -> Iterator[Registry]:
    """That registry, opened."""
    with Registry(url, clock, Seal(b"s" * 32)) as opened:
        yield opened


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Made once: making it is slow, as it should be."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def owner(registry: Registry, clock: Clock, password_hash: str) -> Account:
    """The first owner, whose password is `PASSWORD`."""
    with registry._db.writing() as session:
        made = accounts.first_owner(session, "Ada@Example.org", password_hash, clock())
    assert made is not None
    return made


@pytest.fixture
def site(registry: Registry, owner: Account) -> Site:
    return registry.create_site(owner.organization_id, "Mill", "Europe/Paris")


@pytest.fixture
def grant(registry: Registry, site: Site) -> KeyGrant:
    """A write key of the site."""
    found = registry.key(registry.create_key(site.id, Scope.WRITE).secret)
    assert found is not None
    return found
