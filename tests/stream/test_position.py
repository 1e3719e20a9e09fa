"""Positions on disk: durable, whole, several consumers."""

from __future__ import annotations

from pathlib import Path

import pytest

from wattstead.stream import Mark, Position, PositionCorrupt, PositionFile
from wattstead.stream.position import registered, slowest

pytestmark = pytest.mark.unit


def test_a_position_survives_being_saved_and_json(tmp_path: Path) -> None:
    position = Position({0: Mark(10, 5, 100), 200: Mark(11, 6, 200)})
    file = PositionFile(tmp_path / "new" / "journal", "refinery")
    assert file.load() == Position()
    file.save(position)
    assert file.load() == position
    assert Position.from_json(position.to_json()) == position
    assert [path.name for path in file.path.parent.iterdir()] == ["refinery.json"]


def test_a_new_consumer_holds_everything_and_a_forgotten_one_nothing(tmp_path: Path) -> None:
    fast, slow = PositionFile(tmp_path, "fast"), PositionFile(tmp_path, "slow")
    assert slowest(tmp_path, 0) is None
    fast.save(Position({0: Mark(10, 5)}))
    assert slowest(tmp_path, 0) == Mark(10, 5)
    assert slow.register() == Position()
    assert slowest(tmp_path, 0) is None
    slow.save(Position({0: Mark(9, 50)}))
    assert slow.register() == Position({0: Mark(9, 50)})
    assert slowest(tmp_path, 0) == Mark(9, 50)
    assert set(registered(tmp_path)) == {"fast", "slow"}
    slow.forget()
    assert slowest(tmp_path, 0) == Mark(10, 5)


def test_moving_a_position_leaves_the_old_one_alone() -> None:
    old = Position({0: Mark(1, 1)})
    assert old.moved(1, Mark(2, 2)).moved(0, Mark(3, 3)) == Position({0: Mark(3, 3), 1: Mark(2, 2)})
    assert old == Position({0: Mark(1, 1)})


@pytest.mark.parametrize("content", [b"", b"{", b'{"marks":{"a":1}}', b'{"marks":{"0":{"file":"x","id":1}}}'])
def test_a_damaged_position_is_named_and_never_taken_for_none(tmp_path: Path, content: bytes) -> None:
    file = PositionFile(tmp_path, "refinery")
    file.save(Position())
    file.path.write_bytes(content)
    for call in (file.load, file.register, lambda: registered(tmp_path)):
        with pytest.raises(PositionCorrupt) as error:
            call()
        assert error.value.path == file.path


@pytest.mark.parametrize("name", ["", "../x", "A", "a" * 65, "a.b"])
def test_names_of_consumers_are_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="consumer name"):
        PositionFile(tmp_path, name)
