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

from wattstead.registry.records import Account, KeyGrant, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal

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
        server.send_signal(signal.SIGINT)
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
def url(kind: str, new_database: Callable[[str], str]) -> str:
    """The address of an empty database."""
    return new_database(kind)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(url: str, clock: Clock) -> Iterator[Registry]:
    """A migrated registry without any rows."""
    with Registry(url, clock, Seal(b"s" * 32)) as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def owner(registry: Registry) -> Account:
    made = registry.first_owner("Ada@Example.org", PASSWORD)
    assert made is not None
    return made.account


@pytest.fixture
def site(registry: Registry, owner: Account) -> Site:
    return registry.create_site(owner.organization_id, "Mill", "Europe/Paris")


@pytest.fixture
def grant(registry: Registry, site: Site) -> KeyGrant:
    """A write key of the site."""
    found = registry.key(registry.create_key(site.id, Scope.WRITE).secret)
    assert found is not None
    return found
