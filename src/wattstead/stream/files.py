"""The journal's files on disk: names, schema, creation and opening; decides neither when to rotate nor what to remove.

A worker's files are ``<journal>/<worker>/<start>.db``, ``start`` in microseconds. Each knows the file before it and
that file's last batch, so that a reader can tell a complete journal from one with a hole.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from zlib import crc32

import msgspec

from wattstead.stream.errors import JournalBroken, JournalCorrupt
from wattstead.stream.position import sync_folder

_UNKNOWN = -1
_SCHEMA = """
CREATE TABLE link (format INTEGER NOT NULL, previous INTEGER NOT NULL, previous_last INTEGER NOT NULL);
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    end_bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
);
"""
FORMAT = 1
PAGE_BYTES = 4096


class Link(msgspec.Struct, frozen=True):
    """What a file knows of the one before it: ``file`` 0: there was none; ``last`` -1: its last batch is not known."""

    file: int = 0
    last: int = _UNKNOWN


class FileEnd(msgspec.Struct, frozen=True):
    """The last batch of a file; all 0 when the file is empty."""

    id: int = 0
    version: int = 0
    end_bytes: int = 0


def checksum(version: int, body: bytes) -> int:
    """CRC-32 of a batch and its version."""
    return crc32(body, version & 0xFFFF_FFFF)


def path_of(journal: Path, worker: int, start: int) -> Path:
    """Where a file of a worker lies."""
    return journal / str(worker) / f"{start}.db"


def workers(journal: Path) -> list[int]:
    """The numbers of all workers that ever wrote, ascending."""
    try:
        return sorted(int(found.name) for found in os.scandir(journal) if found.name.isdecimal())
    except FileNotFoundError:
        return []


def starts(journal: Path, worker: int) -> list[int]:
    """The files of a worker, oldest first."""
    try:
        names = [found.name for found in os.scandir(journal / str(worker))]
    except FileNotFoundError:
        return []
    return sorted(int(name[:-3]) for name in names if name.endswith(".db") and name[:-3].isdecimal())


def create(path: Path, link: Link) -> None:
    """Make an empty file, complete and durable before its name appears; raises `sqlite3.Error` or `OSError`."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    connection = sqlite3.connect(fresh, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO link VALUES (?, ?, ?)", (FORMAT, link.file, link.last))
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    handle = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(path)
    sync_folder(path.parent)


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that appends durably; the caller checkpoints. It may be used from one thread at a time."""
    connection = _connect(path, cached_statements=256)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cache_size=-4000")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads; raises FileNotFoundError when the file is gone, else `JournalCorrupt` and so on."""
    if not path.exists():
        raise FileNotFoundError(path)
    connection = _connect(path, cached_statements=16)
    try:
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA cache_size=-1000")
    except sqlite3.Error as error:
        connection.close()
        raise named(error, path, 0) from error
    return connection


def read_link(connection: sqlite3.Connection, path: Path) -> Link:
    """What a file says of the one before it; raises `JournalCorrupt` for a format that is not ours."""
    try:
        row = connection.execute("SELECT format, previous, previous_last FROM link").fetchone()
    except sqlite3.Error as error:
        raise named(error, path, 0) from error
    if row is None or row[0] != FORMAT:
        raise JournalCorrupt(path, 0, f"file of format {row and row[0]}, this version reads format {FORMAT}")
    return Link(row[1], row[2])


def read_end(path: Path) -> FileEnd:
    """The last batch of a file; raises `JournalCorrupt` or `JournalBroken`."""
    connection = open_reader(path)
    try:
        row = connection.execute("SELECT id, version, end_bytes FROM batch ORDER BY id DESC LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise named(error, path, 0) from error
    finally:
        connection.close()
    return FileEnd(*row) if row else FileEnd()


def named(error: sqlite3.Error, path: Path, id: int) -> JournalCorrupt | JournalBroken:
    """The error of ours for one of SQLite's: corrupt for good, or broken for now."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return JournalCorrupt(path, id, f"{error} ({name})")
    return JournalBroken(path, f"{error} ({name})")


def wal_bytes(path: Path) -> int:
    """Size of a file's write-ahead log."""
    return _size(path.with_name(path.name + "-wal"))


def disk_bytes(path: Path) -> int:
    """Size of a file with its write-ahead log."""
    return _size(path) + wal_bytes(path)


def tidy(journal: Path, worker: int) -> None:
    """Remove what a killed process left half made or half removed; only the worker itself may call this."""
    names = {found.name for found in os.scandir(journal / str(worker))}
    for name in names:
        whole, _, rest = name.partition(".")
        if whole.isdecimal() and (rest.startswith("new") or (rest.startswith("db-") and f"{whole}.db" not in names)):
            (journal / str(worker) / name).unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a whole file; readers that have it open keep what they see."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _connect(path: Path, cached_statements: int) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=10.0,
        check_same_thread=False,
        cached_statements=cached_statements,
    )
