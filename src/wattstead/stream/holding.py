"""Whether the journal holds a batch already, byte for byte; for senders whose last answer may not have gone out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from wattstead.stream import files

_SEARCH = "SELECT 1 FROM batch WHERE length(body) = ? AND body = ? LIMIT 1"


def holds(journal: Path, body: bytes, since_us: int = 0) -> bool:
    """Whether some worker has written that encoded batch at or after an instant, or shortly before.

    Files that are gone were consumed, and are not looked into. Raises `JournalCorrupt` or `JournalBroken`.
    """
    for worker in files.workers(journal):
        starts = files.starts(journal, worker)
        before = [start for start in starts if start <= since_us]
        for start in [*before[-1:], *(start for start in starts if start > since_us)]:
            if _in_file(files.path_of(journal, worker, start), body):
                return True
    return False


def _in_file(path: Path, body: bytes) -> bool:
    try:
        connection = files.open_reader(path)
    except FileNotFoundError:
        return False
    with closing(connection):
        try:
            return connection.execute(_SEARCH, (len(body), body)).fetchone() is not None
        except sqlite3.Error as error:
            raise files.named(error, path, 0) from error
