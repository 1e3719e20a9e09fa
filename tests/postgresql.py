"""A real PostgreSQL server on a free port, in a temporary folder, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


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


@contextmanager
def postgresql() -> Iterator[str]:
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
