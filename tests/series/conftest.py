"""A store process for the tests of this room, and a database of its own for each test."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wattstead.series import Series

KEY = "0123456789abcdef0123456789abcdef"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a store process, without a database."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "key").write_text(KEY)
    command = [sys.executable, "-m", "wattstead.store", "--data", str(folder / "data"), "--key-file", str(folder / "key")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["ready"]
        try:
            yield f"http://wattstead:{KEY}@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def address(store: str) -> str:
    """An address with a database that nobody else has."""
    return f"{store}/test_{next(_numbers)}"


@pytest.fixture
def series(address: str) -> Iterator[Series]:
    """Empty tables."""
    found = Series(address)
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def backups(store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the store may write backups."""
    return next(tmp_path_factory.getbasetemp().glob("store*")) / "data" / "backups"
