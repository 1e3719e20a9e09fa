"""What an import finds on the server already, and what it asks for that."""

from __future__ import annotations

from typing import Any, cast

import pytest

from wattstead.cli.client import Client
from wattstead.cli.known import KnownReadings
from wattstead.ingest.decoding.table_file import TableReadings

pytestmark = pytest.mark.unit
NOW_US = 1_700_000_000_000_000
YEAR_9999_US = 253_370_764_800_000_000


class Server:
    """Two readings of one point; remembers what it was asked."""

    read_key = "key"

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def points(self) -> list[dict[str, Any]]:
        return [{"address": "a", "id": 1, "unit": "W"}]

    def get(self, path: str, **asked: Any) -> dict[str, list[float]]:
        self.asked.append((asked["start"], asked["end"]))
        return {"time": [NOW_US / 1000, NOW_US / 1000 + 1], "value": [1.0, 2.0]}


def test_instants_that_cannot_be_stored_are_not_asked_for() -> None:
    server = Server()
    times = [NOW_US, YEAR_9999_US, NOW_US + 1000, -YEAR_9999_US]
    found = TableReadings(["a"] * 4, times, [1.0, 5.0, 3.0, 6.0], [1, 2, 3, 4])
    sifted = KnownReadings(cast(Client, server)).sift(found)
    assert server.asked == [(NOW_US / 1000, (NOW_US + 1001) / 1000)]
    assert (sifted.post, sifted.repeated, sifted.corrected) == ([1, 2, 3], 1, 1), (
        "the server says what is wrong with 1 and 3"
    )
