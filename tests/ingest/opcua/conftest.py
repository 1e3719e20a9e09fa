"""What the tests of OPC UA share: one server, and a folder for our certificate."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.ingest.opcua.servers import SERVER_URI, Meters, meters, pair

from wattstead.ingest.opcua import identity


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Meters]:
    """The server; each test adds the nodes that it reads."""
    folder = tmp_path_factory.mktemp("server")
    certificate, key = folder / "server.pem", folder / "server-key.pem"
    coded = pair("Meters", SERVER_URI)
    certificate.write_bytes(coded[0])
    key.write_bytes(coded[1])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with meters(port, certificate, key) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def our_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where our certificate is kept."""
    folder = tmp_path_factory.mktemp("data") / "opcua"
    identity.keep_in(folder)
    yield folder
