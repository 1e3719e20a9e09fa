"""Sums: on disk, the sums that left this edge and the amounts in each, so that one that comes again finds itself.

As many amounts as there is room for are remembered; what becomes of those that are forgotten is not decided here.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

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


@dataclass(slots=True)
class Sum:
    """One sum: a reading of ``series`` at ``at_us``, which stays its instant whatever comes to it."""

    series: int
    start_us: int
    end_us: int
    at_us: int
    time_us: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Of its amounts, in order, each instant once …"""
    value: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0, np.float64))
    """… and what they are."""
    id: int | None = None
    """None: it is not on disk yet."""
    held_bytes: int = 0
    """What it takes on disk."""

    def take(self, time_us: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        """Amounts come to it, or in the place of those of the same instants."""
        stays = ~np.isin(self.time_us, time_us)
        times, values = np.append(self.time_us[stays], time_us), np.append(self.value[stays], value)
        order = np.argsort(times)
        self.time_us, self.value = times[order], values[order]

    def total(self, quantum: float) -> float:
        """In whole steps, as the server counts each amount; one alone as it came."""
        if len(self.value) == 1 or not quantum:
            return float(self.value.sum())
        return float(np.rint(self.value / quantum).sum() * quantum)


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
            Sum(series, start, end, at, *_unpacked(packed), one, size)
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
            first_us, last_us = int(one.time_us[0]), int(one.time_us[-1])
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
    return zlib.compress(ReadingBatch.of(np.ones(len(one.value), np.uint32), one.time_us, one.value).encode(), 6)


def _unpacked(packed: bytes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    batch = ReadingBatch.decode(zlib.decompress(packed))
    return batch.time_us, batch.value


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
