"""A web server for what is fetched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.ingest.fetched.web_server import WebServer, web_server


@pytest.fixture
def server() -> Iterator[WebServer]:
    """A server that answers as it is told."""
    with web_server() as made:
        yield made
