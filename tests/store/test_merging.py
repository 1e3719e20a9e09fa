"""How often the engine writes anew what it has: a small part beside a large one waits for others of its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.store.conftest import Room

INSERTS = 30
AT_ONCE = 10
"""Parts that are merged at once, as `folder.configuration` says."""


def test_an_insert_does_not_have_a_week_rewritten(room: Room, eventually: Callable[..., object]) -> None:
    """A merge of one small part with the large one each time is as many levels as inserts."""
    ask = room.store.ask
    ask(f"CREATE TABLE {room.database}.a (n UInt64, v UInt8) ENGINE = ReplacingMergeTree ORDER BY n")
    ask(f"INSERT INTO {room.database}.a SELECT number, 0 FROM numbers(200000)")
    parts = f"FROM system.parts WHERE active AND database = '{room.database}'"
    for number in range(INSERTS):
        ask(f"INSERT INTO {room.database}.a VALUES ({number + 1_000_000}, 0)")
        eventually(lambda: int(ask(f"SELECT count() {parts}")), lambda count: count < AT_ONCE)
    levels = int(ask(f"SELECT max(level) {parts}"))
    assert 1 < levels <= 2 + INSERTS // (AT_ONCE - 1), levels
