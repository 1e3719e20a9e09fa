"""Dead letters: kept as they came, bounded for each source, and what was lost for room is counted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wattstead.ingest.sources.letters import Held, LetterLimits, Letters
from wattstead.ingest.sources.source_protocol import Message

pytestmark = pytest.mark.unit


def put(letters: Letters, source: int, *raws: bytes) -> None:
    for future in [letters.put(source, Message(raw, "topic", 5), f"reason {raw[:5]!r}") for raw in raws]:
        assert future.result(30)


def test_they_are_there_after_a_restart(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db")
    put(letters, 7, b"\0\xffbytes", b"second")
    put(letters, 8, b"others")
    letters.close()
    letters = Letters(tmp_path / "letters.db")
    second, first = letters.page(7)
    assert (first.message, first.whole, first.tries) == (Message(b"\0\xffbytes", "topic", 5), True, 0)
    assert letters.page(7, before_id=second.id) == [first] and letters.all_ids(7) == [first.id, second.id]
    assert letters.held(7) == Held(2, 13, 0) and letters.sources() == {7, 8}
    assert (tmp_path / "letters.db").stat().st_mode & 0o077 == 0
    letters.close()


def test_a_file_from_before_messages_were_told_to_be_retained(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db")
    put(letters, 7, b"old")
    letters.close()
    with closing(sqlite3.connect(tmp_path / "letters.db")) as file:
        file.execute("ALTER TABLE letter DROP COLUMN retained")
    for _ in range(2):
        letters = Letters(tmp_path / "letters.db")
        assert letters.put(7, Message(b"new", "topic", 5, True), "wrong").result(30)
        assert [letter.message.retained for letter in letters.page(7)][-2:] == [True, False]
        letters.close()


def test_the_oldest_make_room_and_are_counted(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db", LetterLimits(letters=3, size_bytes=100))
    put(letters, 7, *(f"{number}".encode() for number in range(5)))
    put(letters, 8, b"x")
    assert [letter.message.raw for letter in letters.page(7)] == [b"4", b"3", b"2"]
    assert letters.held(7) == Held(3, 3, 2) and letters.held(8) == Held(1, 1, 0)
    put(letters, 7, b"y" * 99)
    assert letters.held(7) == Held(2, 100, 4)
    letters.close()
    letters = Letters(tmp_path / "letters.db")
    assert letters.held(7).lost == 4
    assert letters.remove(7) == 2 and letters.held(7) == Held()
    letters.close()


def test_what_is_brought_again_until_it_is_there_is_not_lost(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db")
    with closing(sqlite3.connect(tmp_path / "letters.db")) as other:
        other.execute("ALTER TABLE letter RENAME TO elsewhere")
        tries = [letters.put(7, Message(b"x", "here", 1), "wrong", insists) for insists in (True, True, False)]
        assert [one.result(60) for one in tries] == [False] * 3
        other.execute("ALTER TABLE elsewhere RENAME TO letter")
    assert letters.put(7, Message(b"x", "here", 1), "wrong", True).result(60)
    letters.close()
    letters = Letters(tmp_path / "letters.db")
    assert letters.held(7) == Held(1, 1, 1), "the one that nobody brought again"
    letters.close()


def test_of_a_huge_message_the_beginning_is_kept(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db", LetterLimits(longest_bytes=10))
    put(letters, 7, b"z" * 11, b"z" * 10)
    assert [(len(one.message.raw), one.whole) for one in letters.page(7)] == [(10, True), (10, False)]
    letters.close()


def test_a_letter_of_another_source_is_not_found(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db")
    put(letters, 7, b"mine")
    (identity,) = letters.all_ids(7)
    assert letters.one(8, identity) is None and letters.remove(8, [identity]) == 0
    assert letters.remove(7, [identity]) == 1 and letters.page(7) == []
    letters.close()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "letters.db"
    file.write_bytes(b"this is no database" * 1000)
    letters = Letters(file)
    put(letters, 7, b"new")
    assert letters.held(7).letters == 1 and file.with_suffix(".damaged").exists()
    letters.close()


def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    letters = Letters(tmp_path / "letters.db")
    letters.close()
    assert letters.put(7, Message(b"late", "", 0), "late").result(30) is False
