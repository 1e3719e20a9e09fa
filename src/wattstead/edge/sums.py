"""Sums: on disk, the sums that left this edge and the amounts in each, so that one that comes again finds itself.

As many amounts as there is room for are remembered; what becomes of those that are forgotten is not decided here.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from wattstead.metering.batch import ReadingBatch

_log = structlog.get_logger("wattstead.edge")
MOST_BYTES = 50_000_000
"""Of sums that are remembered: ten meters that blink each second, in sums of a minute, are some 5 MB a day."""
_ROW_BYTES = 120
"""What a sum takes beside its amounts."""
_TABLES = """
CREATE TABLE IF NOT EXISTS sum (
    id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
    at_us INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, bytes INTEGER NOT NULL,
    amounts BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS sum_of_series ON sum (series, end_us);
"""


class Sum(msgspec.Struct, kw_only=True):
    """One sum: a reading of ``series`` at ``at_us``, which stays its instant whatever comes to it."""

    series: int
    start_us: int
    end_us: int
    at_us: int
    amounts: dict[int, float]
    """With their instants."""
    id: int | None = None
    """None: it is not on disk yet."""
    held_bytes: int = 0
    """What it takes on disk."""

    def total(self, quantum: float) -> float:
        """In whole steps, as the server counts each amount; one alone as it came."""
        if len(self.amounts) == 1 or not quantum:
            return sum(self.amounts.values())
        return sum(round(one / quantum) for one in self.amounts.values()) * quantum


class Forgotten(NamedTuple):
    """A sum whose amounts are remembered no longer."""

    id: int
    series: int
    first_us: int
    last_us: int
    bytes: int


class Sums:
    """The file of the sums; one thread at a time."""

    def __init__(self, file: Path, most_bytes: int = MOST_BYTES) -> None:
        """Raises `OSError` and `sqlite3.OperationalError` where it cannot be made."""
        self._most_bytes = most_bytes
        self._database = _opened(file)
        self._fresh: dict[tuple[int, int], Sum] = {}
        self._bytes: int = self._database.execute("SELECT coalesce(sum(bytes), 0) FROM sum").fetchone()[0]

    def close(self) -> None:
        """Close the file; what was not flushed is gone."""
        self._database.close()

    def newest(self) -> dict[int, int]:
        """The newest instant in a sum of each series."""
        return dict(self._database.execute("SELECT series, max(last_us) FROM sum GROUP BY series"))

    def near(self, series: int, first_us: int, last_us: int) -> list[Sum]:
        """The sums of a series whose buckets touch a stretch of time, both ends included."""
        rows = self._database.execute(
            "SELECT id, start_us, end_us, at_us, bytes, amounts FROM sum "
            "WHERE series = ? AND end_us > ? AND start_us <= ?",
            (series, first_us, last_us),
        )
        held = [
            Sum(id=one, series=series, start_us=start, end_us=end, at_us=at, held_bytes=size, amounts=_amounts(packed))
            for one, start, end, at, size, packed in rows
            if (series, at) not in self._fresh
        ]
        fresh = (one for one in self._fresh.values() if one.series == series)
        return held + [one for one in fresh if one.end_us > first_us and one.start_us <= last_us]

    def put(self, one: Sum) -> None:
        """Remember a sum as it is now; it is on disk after `flush`."""
        self._fresh[one.series, one.at_us] = one

    def flush(self) -> None:
        """Put on disk what is new; raises `OSError`, and then it is still known."""
        if not self._fresh:
            return
        rows, more_bytes = list[tuple[Any, ...]](), 0
        for one in self._fresh.values():
            packed = _packed(one)
            size = len(packed) + _ROW_BYTES
            first_us, last_us = min(one.amounts), max(one.amounts)
            rows.append((one.id, one.series, one.start_us, one.end_us, one.at_us, first_us, last_us, size, packed))
            more_bytes += size - one.held_bytes
        self._changed("INSERT OR REPLACE INTO sum VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._bytes, self._fresh = self._bytes + more_bytes, {}

    def beyond(self) -> list[Forgotten]:
        """The oldest, as many as are more than are remembered."""
        found, over = list[Forgotten](), self._bytes - self._most_bytes
        if over <= 0:
            return []
        for row in self._database.execute("SELECT id, series, first_us, last_us, bytes FROM sum ORDER BY id"):
            found.append(Forgotten(*row))
            over -= found[-1].bytes
            if over <= 0:
                break
        return found

    def forget(self, sums: Sequence[Forgotten]) -> None:
        """Remember those no longer; raises `OSError`."""
        self._changed("DELETE FROM sum WHERE id = ?", [(one.id,) for one in sums])
        self._bytes -= sum(one.bytes for one in sums)

    def _changed(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:
            raise OSError(f"the sums that left cannot be written: {error}") from error


def _packed(one: Sum) -> bytes:
    times = sorted(one.amounts)
    return zlib.compress(ReadingBatch.of([1] * len(times), times, [one.amounts[at] for at in times]).encode(), 6)


def _amounts(packed: bytes) -> dict[int, float]:
    batch = ReadingBatch.decode(zlib.decompress(packed))
    return dict(zip(batch.time_us.tolist(), batch.value.tolist(), strict=True))


def _opened(file: Path) -> sqlite3.Connection:
    """The database; one that is damaged is put aside, and what was in it is forgotten."""
    try:
        return _connected(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        aside = file.with_suffix(".damaged")
        _log.error("sums_damaged", file=str(aside), error=str(error))
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
    except sqlite3.Error:
        database.close()
        raise
    return database
