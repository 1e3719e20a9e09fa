"""A server's door and a machine on site, in folders of the test's own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_house import Agent, Home, Way

from wattstead.registry.registry import Registry


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated registry without rows, to copy."""
    file = tmp_path_factory.mktemp("registry") / "registry.db"
    with Registry(f"sqlite:///{file}") as made:
        made.migrate()
    return file


@pytest.fixture
async def home(tmp_path: Path, empty_registry: Path) -> AsyncIterator[Home]:
    """A server; its door is opened by the test."""
    (tmp_path / "server").mkdir()
    shutil.copy(empty_registry, tmp_path / "server" / "registry.db")
    made = Home(tmp_path / "server")
    yield made
    await made.leave()
    made.close()


@pytest.fixture
async def way(home: Home) -> AsyncIterator[Way]:
    """A way to it."""
    made = Way(home.port)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """A machine that is not an edge yet."""
    made = Agent(tmp_path / "edge")
    yield made
    made.kill()
