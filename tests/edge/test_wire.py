"""What an edge says of itself is taken only where it can be stored and shown to people."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from wattstead.ingest.edge.wire import Sync

pytestmark = pytest.mark.unit
LAST_US = 253_402_300_799_000_000


def health(**told: int) -> Sync:
    return msgspec.json.decode(msgspec.json.encode({"health": told, "tag": ""}), type=Sync)


def test_the_last_instant_that_is_taken_is_a_date() -> None:
    found = health(last_error_us=LAST_US, clock_us=LAST_US).health
    assert datetime.fromtimestamp(found.last_error_us / 1e6, UTC).year == 9999


@pytest.mark.parametrize(
    "told", [{"last_error_us": LAST_US + 1}, {"clock_us": 2**62}, {"clock_us": -1}, {"applied": 2**31}, {"refused": -1}]
)
def test_what_would_break_a_list_of_edges_is_refused(told: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(told))):
        health(**told)
