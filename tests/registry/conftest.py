"""Registries to test on: SQLite in a file, and a real PostgreSQL started once; the same tests run on both."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
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


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[4]))
    if not found:
        pytest.fail("PostgreSQL is missing: apt-get install postgresql", pytrace=False)
    return found[-1].parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged() -> str | None:
    """Whom to run PostgreSQL as: it refuses root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(600):
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server, without the name of a database."""
    binaries, user = _binaries(), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="wattstead-postgres-"))
    if user:
        shutil.chown(folder, user)
    run_as = {"user": user, "extra_groups": []} if user else {}
    made = subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-U", "wattstead", "-A", "trust", "--no-sync", "-E", "UTF8"],
        **run_as,
        cwd=folder,
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr.decode()
    port, log = _free_port(), folder / "log"
    with log.open("wb") as output:
        settings = ["-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]
        server = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, "-h", "127.0.0.1", "-p", str(port), *settings],
            **run_as,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"postgresql://wattstead@127.0.0.1:{port}"
        _until_ready(server, f"{url}/postgres", log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


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


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = ", ".join(f'"{name}"' for (name,) in rows if name not in ("dataset", "alembic_version"))
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY".encode())
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
