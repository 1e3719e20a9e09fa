"""Stamp: whether a SQLite file has changed since the last look, far cheaper than a question to it; reads no row."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class Stamp:
    """Changes with every commit of anybody; ``file`` None: there is no such thing (PostgreSQL)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = self._opened = 0

    def look(self) -> tuple[int, int] | None:
        """What is the same only as long as nothing has been committed; None where that cannot be told.

        From any thread. To be taken before the rows are read that are kept with it.
        """
        if self._file is None:
            return None
        with self._lock:
            try:
                inode = self._file.stat().st_ino
                if self._connection is None or inode != self._inode:
                    self._open(inode)
                assert self._connection is not None
                return self._opened, int(self._connection.execute("PRAGMA data_version").fetchone()[0])
            except (OSError, sqlite3.Error):  # whoever asks the database itself hears what is wrong with it
                self._close()
                return None

    def close(self) -> None:
        """Give the connection up; the next look opens another."""
        with self._lock:
            self._close()

    def _open(self, inode: int) -> None:
        """Versions are those of one connection: a new one begins with a stamp that is no earlier one's."""
        self._close()
        address = f"{self._file.absolute().as_uri()}?mode=rw" if self._file is not None else ""
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        self._inode = inode
        self._opened += 1

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
