"""Dead letters: messages of which something could not be kept, as they came, with the reason; bounded for each source.

One SQLite file. Decoding them again is `wattstead.ingest.sources.replaying`'s affair.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import structlog

from wattstead.ingest.sources.source_protocol import Message

_log = structlog.get_logger("wattstead.sources")
_LONGEST_REASON = 2_000
_LONGEST_WHERE = 500
_AGAIN_S = 0.5
_MOST_WAITING = 5_000
_MOST_WAITING_BYTES = 16_000_000
_TABLES = """
CREATE TABLE IF NOT EXISTS letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, received_us INTEGER NOT NULL, place TEXT NOT NULL,
    raw BLOB NOT NULL, whole INTEGER NOT NULL, reason TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    retained INTEGER NOT NULL DEFAULT 0, sender INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS letter_of_source ON letter (source, id);
CREATE TABLE IF NOT EXISTS lost (source INTEGER PRIMARY KEY, count INTEGER NOT NULL);
"""
_LATER = ("retained", "sender")
"""Columns that files from before have not."""


class LetterLimits(NamedTuple):
    """How much is kept for each source; beyond it a new letter takes the place of the oldest."""

    letters: int = 1_000
    size_bytes: int = 5_000_000
    longest_bytes: int = 1_000_000
    """Of a longer message only the beginning is kept, and it cannot be decoded again."""


class Letter(NamedTuple):
    """A dead letter."""

    id: int
    message: Message
    whole: bool
    """Whether the message is all there."""
    reason: str
    tries: int
    """How often it was decoded again without success."""


class Held(NamedTuple):
    """How many letters of a source there are."""

    letters: int = 0
    size_bytes: int = 0
    lost: int = 0
    """How many were replaced by newer ones, or could not be written."""


_NOTHING = Held()


class _Waiting(NamedTuple):
    """A letter on its way into the file."""

    source_id: int
    message: Message
    reason: str
    future: Future[bool]
    insists: bool
    """Whoever brings it comes again until it is in the file."""


class Letters:
    """The file of all sources' letters; any thread may use it, and one of its own writes."""

    def __init__(self, file: Path, limits: LetterLimits = LetterLimits()) -> None:  # noqa: B008 - it never changes
        self._file, self.limits = file, limits
        self._database = _opened(file)
        self._access = threading.Lock()
        """Of the connection."""
        self._gate = threading.Condition()
        """Of what waits to be written."""
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._lost: dict[int, int] = {}
        self._closing = False
        self._held = self._counted()
        self._thread = threading.Thread(target=self._run, name="letters", daemon=True)
        self._thread.start()

    def put(self, source_id: int, message: Message, reason: str, insists: bool = False) -> Future[bool]:
        """Keep a letter; the future says whether it is in the file, which is so within some milliseconds.

        One that is not counts as lost, unless who brings it ``insists``, and comes again.
        """
        future: Future[bool] = Future()
        with self._gate:
            full = len(self._waiting) >= _MOST_WAITING or self._waiting_bytes > _MOST_WAITING_BYTES or self._closing
            if not full:
                self._waiting.append(_Waiting(source_id, message, reason[:_LONGEST_REASON], future, insists))
                self._waiting_bytes += len(message.raw)
            elif not insists:
                self._lost[source_id] = self._lost.get(source_id, 0) + 1
            self._gate.notify()
        if full:
            future.set_result(False)
        return future

    def held(self, source_id: int) -> Held:
        """How many there are of a source."""
        return self._held.get(source_id, _NOTHING)

    def page(self, source_id: int, before_id: int | None = None, limit: int = 50) -> list[Letter]:
        """Letters of a source, newest first; ``before_id`` continues a listing."""
        last = 2**62 if before_id is None else before_id
        question = f"SELECT {_COLUMNS} FROM letter WHERE source = ? AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
        with self._access:
            return [_letter(row) for row in self._database.execute(question, (source_id, last, limit))]

    def all_ids(self, source_id: int) -> list[int]:
        """The ids of all letters of a source, oldest first."""
        with self._access:
            rows = self._database.execute("SELECT id FROM letter WHERE source = ? ORDER BY id", (source_id,))
            return [row[0] for row in rows]

    def one(self, source_id: int, letter_id: int) -> Letter | None:
        """A letter of a source."""
        question = f"SELECT {_COLUMNS} FROM letter WHERE source = ? AND id = ?"  # noqa: S608
        with self._access:
            row = self._database.execute(question, (source_id, letter_id)).fetchone()
        return None if row is None else _letter(row)

    def still(self, letter_id: int, reason: str) -> None:
        """It was decoded again, and something is still wrong with it."""
        with self._access, self._database:
            told = (reason[:_LONGEST_REASON], letter_id)
            self._database.execute("UPDATE letter SET reason = ?, tries = tries + 1 WHERE id = ?", told)

    def remove(self, source_id: int, letter_ids: Iterable[int] | None = None) -> int:
        """Throw letters of a source away, None for all and the count of lost ones; how many there were."""
        with self._access, self._database:
            if letter_ids is None:
                found = self._database.execute("DELETE FROM letter WHERE source = ?", (source_id,)).rowcount
                self._database.execute("DELETE FROM lost WHERE source = ?", (source_id,))
            else:
                pairs = [(source_id, one) for one in letter_ids]
                gone = self._database.executemany("DELETE FROM letter WHERE source = ? AND id = ?", pairs)
                found = gone.rowcount
            self._count(source_id)
        return max(0, found)

    def sources(self) -> set[int]:
        """The sources of which there are letters."""
        return set(self._held)

    def close(self) -> None:
        """Write what waits, then end."""
        with self._gate:
            self._closing = True
            self._gate.notify()
        self._thread.join()
        with self._access:
            self._database.close()

    def _run(self) -> None:
        while True:
            with self._gate:
                while not self._waiting and not self._lost and not self._closing:
                    self._gate.wait()
                waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
                lost, self._lost = self._lost, {}
                closing = self._closing
            if waiting or lost:
                self._write(waiting, lost)
            if closing:
                return

    def _write(self, waiting: Sequence[_Waiting], lost: dict[int, int]) -> None:
        written = True
        try:
            with self._access, self._database:
                self._insert(waiting, lost)
        except sqlite3.Error as error:
            written = False
            _log.error("dead letters cannot be written", file=str(self._file), error=str(error), letters=len(waiting))
            gone = Counter(lost) + Counter(one.source_id for one in waiting if not one.insists)
            with self._gate:
                self._lost = dict(gone + Counter(self._lost))
            time.sleep(_AGAIN_S)
        for one in waiting:
            with contextlib.suppress(Exception):
                one.future.set_result(written)

    def _insert(self, waiting: Sequence[_Waiting], lost: dict[int, int]) -> None:
        longest = self.limits.longest_bytes
        rows = [
            (source_id, message.received_us, message.where[:_LONGEST_WHERE], message.raw[:longest],
             len(message.raw) <= longest, reason, message.retained, message.sender)
            for source_id, message, reason, *_ in waiting
        ]  # fmt: skip
        self._database.executemany(
            "INSERT INTO letter (source, received_us, place, raw, whole, reason, retained, sender) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        for source_id in {row[0] for row in rows} | set(lost):
            count = lost.get(source_id, 0) + self._make_room(source_id)
            if count:
                self._database.execute(
                    "INSERT INTO lost VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET count = count + excluded.count",
                    (source_id, count),
                )
            self._count(source_id)

    def _make_room(self, source_id: int) -> int:
        """Remove the oldest letters beyond the limits; how many."""
        sizes = self._database.execute(
            "SELECT id, length(raw) FROM letter WHERE source = ? ORDER BY id DESC", (source_id,)
        ).fetchall()
        size = count = 0
        for letter_id, length in sizes:
            size, count = size + length, count + 1
            if count > self.limits.letters or (size > self.limits.size_bytes and count > 1):
                gone = self._database.execute("DELETE FROM letter WHERE source = ? AND id <= ?", (source_id, letter_id))
                return gone.rowcount
        return 0

    def _count(self, source_id: int) -> None:
        """To be called inside a transaction that changed something; what is held is told from memory."""
        count, size = self._database.execute(
            "SELECT count(*), coalesce(sum(length(raw)), 0) FROM letter WHERE source = ?", (source_id,)
        ).fetchone()
        lost = self._database.execute("SELECT count FROM lost WHERE source = ?", (source_id,)).fetchone()
        held = Held(count, size, lost[0] if lost else 0)
        if held == _NOTHING:
            self._held.pop(source_id, None)
        else:
            self._held[source_id] = held

    def _counted(self) -> dict[int, Held]:
        rows = self._database.execute("SELECT source, count(*), sum(length(raw)) FROM letter GROUP BY source")
        found = {source: Held(count, size) for source, count, size in rows}
        for source, lost in self._database.execute("SELECT source, count FROM lost"):
            found[source] = found.get(source, _NOTHING)._replace(lost=lost)
        return found


_COLUMNS = "id, raw, place, received_us, whole, reason, tries, retained, sender"


def _letter(row: tuple[int, bytes, str, int, int, str, int, int, int]) -> Letter:
    identity, raw, place, received_us, whole, reason, tries, retained, sender = row
    return Letter(identity, Message(raw, place, received_us, bool(retained), sender), bool(whole), reason, tries)


def copied(file: Path, target: Path) -> None:
    """A copy as of one instant of a file that may be in use; nothing where there is none. Raises `sqlite3.Error`."""
    if not file.exists():
        return
    target.touch(0o600)
    with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _opened(file: Path) -> sqlite3.Connection:
    """The database, made where there is none; one that is damaged is put aside, since readings must go on."""
    try:
        return _connected(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        aside = file.with_suffix(".damaged")
        _log.error("dead letters are damaged and were put aside", file=str(aside), error=str(error))
        file.replace(aside)
        for rest in ("-wal", "-shm"):
            file.with_name(file.name + rest).unlink(missing_ok=True)
        return _connected(file)


def _connected(file: Path) -> sqlite3.Connection:
    file.touch(0o600)
    database = sqlite3.connect(file, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_TABLES)
        there = {row[1] for row in database.execute("PRAGMA table_info(letter)")}
        for column in _LATER:
            if column not in there:
                database.execute(f"ALTER TABLE letter ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
    except sqlite3.Error:
        database.close()
        raise
    return database
