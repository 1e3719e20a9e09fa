"""What the tests of Modbus share beside their devices."""

from __future__ import annotations

import pytest
from tests.ingest.modbus.devices import unused_port


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on now."""
    return unused_port()
