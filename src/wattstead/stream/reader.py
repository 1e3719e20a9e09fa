"""JournalReader: all workers' batches in order, from a position on; changes nothing and remembers nothing on disk."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from wattstead.metering.batch import BatchError, ReadingBatch
from wattstead.stream import files
from wattstead.stream.errors import JournalBroken, JournalCorrupt, JournalGap
from wattstead.stream.notes import WARNING, note
from wattstead.stream.position import Mark, Position

_SELECT = "SELECT id, version, end_bytes, checksum, body FROM batch WHERE id > ? ORDER BY id"
_ROW_BYTES = 100
"""What an entry weighs in memory beside its columns; counted so that many tiny batches stay within bounds too."""


class Entry(msgspec.Struct, frozen=True):
    """One batch of the journal and where it stands."""

    worker: int
    file: int
    id: int
    version: int
    batch: ReadingBatch


class JournalReader:
    """Reads on from a position; new workers and files are found by themselves. One thread at a time.

    Within a worker batches come in the order of their versions; between workers the order is nobody's promise.
    """

    def __init__(self, folder: Path, position: Position | None = None) -> None:
        self._folder = folder
        self._tails: dict[int, _Tail] = {}
        self._position = position or Position()
        self._failed: JournalCorrupt | JournalGap | None = None
        self._turn = 0

    @property
    def position(self) -> Position:
        """Behind the last entry that was handed out; save it when those entries are safe elsewhere."""
        return self._position

    def read(self, max_bytes: int) -> list[Entry]:
        """The next entries, at most ``max_bytes`` of encoded batches, but always one if there is one; [] at the end.

        Raises `JournalCorrupt` or `JournalGap`, again at each call, or `JournalBroken` (retryable) when the disk
        fails; each after what was good before it has been handed out.
        """
        if self._failed is not None:
            raise self._failed
        entries: list[Entry] = []
        order = files.workers(self._folder)
        order = order[self._turn % len(order) :] + order[: self._turn % len(order)] if order else []
        self._turn += 1
        left = max_bytes
        try:
            for behind, worker in enumerate(order):
                left -= self._read_worker(worker, max(0, left) // (len(order) - behind), left, entries)
        except (JournalCorrupt, JournalGap) as error:
            self._failed = error
            if not entries:
                raise
        except JournalBroken:
            if not entries:
                raise
        return entries

    def close(self) -> None:
        """Close all files."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    def _read_worker(self, worker: int, share: int, left: int, entries: list[Entry]) -> int:
        tail = self._tails.get(worker)
        if tail is None:
            tail = self._tails[worker] = _Tail(self._folder, worker, self._position.marks.get(worker))
        try:
            return tail.read(share, left, entries)
        finally:
            if tail.mark is not None:
                self._position = self._position.moved(worker, tail.mark)


class _Tail:
    """The place in one worker's files where reading goes on, with its file open."""

    def __init__(self, folder: Path, worker: int, mark: Mark | None) -> None:
        self._folder, self._worker = folder, worker
        self._connection: sqlite3.Connection | None = None
        self._path = folder
        self.mark = mark

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def read(self, share: int, left: int, entries: list[Entry]) -> int:
        """Add entries of at most ``share`` bytes; one of up to ``left``, or of any size when it is the first of all."""
        starts = files.starts(self._folder, self._worker)
        taken = 0
        try:
            while self._stand(starts):
                more, full = self._rows(share - taken, left if not taken else 0, entries)
                taken += more
                if full or not self._step(starts):
                    break
        except sqlite3.Error as error:
            self.close()
            raise files.named(error, self._path, self.mark.id + 1 if self.mark else 0) from error
        return taken

    def _stand(self, starts: list[int]) -> bool:
        """Have the mark's file open; False when there is nothing to read (yet)."""
        if self._connection is not None:
            return True
        if self.mark is None:
            return self._enter(starts[0], None) if starts else False
        if self.mark.file in starts:
            return self._enter(self.mark.file, None)
        return self._step(starts)

    def _step(self, starts: list[int]) -> bool:
        """Go on to the file after the mark's, if there is one that was there before the mark's was read to its end."""
        if self.mark is None:
            return False
        later = [start for start in starts if start > self.mark.file]
        return self._enter(later[0], self.mark) if later else False

    def _enter(self, start: int, before: Mark | None) -> bool:
        path = files.path_of(self._folder, self._worker, start)
        try:
            connection = files.open_reader(path)
        except FileNotFoundError:  # removed between the listing and now: look again at the next read
            return False
        try:
            link = files.read_link(connection, path)
            if before is not None:
                self._check(link, before, start)
        except Exception:
            connection.close()
            raise
        self.close()
        self._connection, self._path = connection, path
        if self.mark is None or self.mark.file != start:
            self.mark = Mark(start, 0, 0)
        return True

    def _check(self, link: files.Link, before: Mark, start: int) -> None:
        """Refuse to go from one file to the next when batches are missing between them."""
        if link.file == 0:
            note(WARNING, "journal_begins_anew", worker=self._worker, file=start, position_file=before.file)
        elif link.file != before.file:
            raise JournalGap(self._worker, before.file, before.id, start)
        elif link.last > before.id:
            if self._connection is None:
                raise JournalGap(self._worker, before.file, before.id, start)
            reason = f"file ends here, but batches up to {link.last} were written"
            raise JournalCorrupt(self._path, before.id + 1, reason)

    def _rows(self, share: int, left: int, entries: list[Entry]) -> tuple[int, bool]:
        """Add entries of the open file; answers their bytes, and True when more would be too many."""
        if self._connection is None or self.mark is None:
            return 0, False
        taken, start = 0, self.mark.file
        cursor = self._connection.execute(_SELECT, (self.mark.id,))
        try:
            for id, version, end_bytes, checksum, body in cursor:
                size = len(body) + _ROW_BYTES
                if taken + size > share and entries and (taken or size > left):
                    return taken, True
                entries.append(Entry(self._worker, start, id, version, self._batch(id, version, checksum, body)))
                self.mark = Mark(start, id, end_bytes)
                taken += size
        finally:
            cursor.close()
        return taken, False

    def _batch(self, id: int, version: int, checksum: int, body: bytes) -> ReadingBatch:
        if self.mark is not None and id != self.mark.id + 1:
            raise JournalCorrupt(self._path, self.mark.id + 1, f"batch is missing, the next one is {id}")
        try:
            if files.checksum(version, body) != checksum:
                raise JournalCorrupt(self._path, id, "checksum does not fit the batch")
            return ReadingBatch.decode(body, version)
        except (BatchError, TypeError) as error:
            raise JournalCorrupt(self._path, id, str(error)) from error
