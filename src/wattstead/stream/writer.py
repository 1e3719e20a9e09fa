"""Writer: appends groups of batches durably to one worker's files and rotates them; knows no requests."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from wattstead.stream import files
from wattstead.stream.errors import JournalBroken, JournalCorrupt
from wattstead.stream.files import FileEnd, Link
from wattstead.stream.limits import JournalLimits
from wattstead.stream.notes import ERROR, INFO, WARNING, note
from wattstead.stream.position import Mark

_INSERT = "INSERT INTO batch (version, end_bytes, checksum, body) VALUES "
_ROW = "(?,?,?,?)"
_ROWS_PER_STATEMENT = 128
"""Rows put into one statement: each gives up the interpreter lock once, and a busy loop is slow to return it."""

_ROW_BYTES = 32
"""What a batch takes in the file beside its body."""
_COMMIT_BYTES = 4 * (files.PAGE_BYTES + 24)
"""What a commit adds to the write-ahead log beside its batches: whole pages."""


class Writer:
    """The end of one worker's journal. Not thread-safe; a failed `append` has kept nothing that counts."""

    def __init__(self, journal: Path, worker: int, limits: JournalLimits) -> None:
        self._journal, self._worker, self._limits = journal, worker, limits
        self._connection: sqlite3.Connection | None = None
        files.tidy(journal, worker)
        self._start = 0
        self._last_id = 0
        self._end_bytes = 0
        self._unsettled_bytes = 0
        self._ends = self._survey()
        self.floor_us = self._floor_us()
        """Versions and files from now on must be later than this instant."""

    def append(self, group: Sequence[tuple[int, bytes]]) -> None:
        """Make (version, body) pairs durable, all or none; raises `JournalBroken`."""
        try:
            connection = self._ready()
            self._insert(connection, group)
        except (sqlite3.Error, OSError) as error:
            raise self._broken(error) from error
        self._ends[self._start] = self._end_bytes

    def settle(self) -> None:
        """Copy the write-ahead log into the file when much was added; failing is harmless, the log is as durable."""
        if self._connection is None or self._unsettled_bytes < self._limits.checkpoint_bytes:
            return
        self._unsettled_bytes = 0
        path = files.path_of(self._journal, self._worker, self._start)
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            note(WARNING, "journal_checkpoint_failed", path=str(path), error=str(error))

    def unconsumed_bytes(self, slowest: Mark | None) -> int:
        """Bytes of this worker's batches behind a mark; all of them when there is none."""
        if slowest is None:
            return sum(self._ends.values())
        rest = sum(end for start, end in self._ends.items() if start > slowest.file)
        return rest + max(0, self._ends.get(slowest.file, 0) - slowest.end_bytes)

    def forget(self, gone: Sequence[int]) -> None:
        """Count files that were removed no longer."""
        for start in gone:
            self._ends.pop(start, None)

    def close(self) -> None:
        """Give the present file up; the next append begins another."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _ready(self) -> sqlite3.Connection:
        age_s = time.time() - self._start / 1e6
        if self._end_bytes + _ROW_BYTES * self._last_id >= self._limits.rotate_bytes or age_s >= self._limits.rotate_s:
            self.close()
        if self._connection is None:
            self._connection = self._begin()
        return self._connection

    def _begin(self) -> sqlite3.Connection:
        start = max(time.time_ns() // 1000, self.floor_us + 1)
        path = files.path_of(self._journal, self._worker, start)
        files.create(path, self._link())
        connection = files.open_writer(path)
        self.floor_us = self._start = start
        self._last_id = self._end_bytes = self._unsettled_bytes = 0
        self._ends[start] = 0
        note(INFO, "journal_file_begun", path=str(path))
        return connection

    def _link(self) -> Link:
        if self._start:
            return Link(self._start, self._last_id)
        before = files.starts(self._journal, self._worker)
        if not before:
            return Link(0, 0)
        try:
            return Link(before[-1], files.read_end(files.path_of(self._journal, self._worker, before[-1])).id)
        except JournalCorrupt as error:
            note(ERROR, "journal_file_corrupt", path=str(error.path), reason=error.reason)
            return Link(before[-1])

    def _insert(self, connection: sqlite3.Connection, group: Sequence[tuple[int, bytes]]) -> None:
        end_bytes = self._end_bytes
        parameters: list[int | bytes] = []
        for version, body in group:
            end_bytes += len(body)
            parameters += (version, end_bytes, files.checksum(version, body), body)
        step = 4 * _ROWS_PER_STATEMENT
        if len(parameters) <= step:
            connection.execute(_INSERT + ",".join([_ROW] * len(group)), parameters)
        else:
            connection.execute("BEGIN IMMEDIATE")
            for at in range(0, len(parameters), step):
                part = parameters[at : at + step]
                connection.execute(_INSERT + ",".join([_ROW] * (len(part) // 4)), part)
            connection.execute("COMMIT")
        self._unsettled_bytes += end_bytes - self._end_bytes + _COMMIT_BYTES
        self._end_bytes = end_bytes
        self._last_id += len(group)

    def _broken(self, error: sqlite3.Error | OSError) -> JournalBroken:
        """Undo; unless the disk was only full begin a new file: after a failed sync the old one is unknown."""
        path = self._journal / str(self._worker)
        if self._connection is not None:
            path = files.path_of(self._journal, self._worker, self._start)
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        if self._connection is not None:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.rollback()
            if not full:
                self.close()
        name = getattr(error, "sqlite_errorname", "")
        return JournalBroken(path, f"{error} {name}".strip(), self._limits.retry_s)

    def _survey(self) -> dict[int, int]:
        """Bytes of batches in each file that is there already."""
        ends: dict[int, int] = {}
        for start in files.starts(self._journal, self._worker):
            ends[start] = self._end_of(start).end_bytes
        return ends

    def _floor_us(self) -> int:
        before = files.starts(self._journal, self._worker)
        return max(before[-1], self._end_of(before[-1]).version >> 8) if before else 0

    def _end_of(self, start: int) -> FileEnd:
        path = files.path_of(self._journal, self._worker, start)
        try:
            return files.read_end(path)
        except (JournalCorrupt, JournalBroken) as error:
            note(ERROR, "journal_file_unreadable", path=str(path), reason=error.reason)
            return FileEnd(end_bytes=files.disk_bytes(path))
