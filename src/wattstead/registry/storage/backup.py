"""Copying the registry into a folder and filling an empty one from it; readings are the store's affair.

The folder holds ``registry.json``, which says what it is, and ``registry.db`` or one ``<table>.jsonl`` per table.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, MetaData, Table, create_engine, delete, func, insert, select, text

from wattstead.registry.errors import BackupError, SchemaMismatch
from wattstead.registry.storage.database import Database, sync_folder
from wattstead.registry.storage.migrate import VERSIONS, migrate, newest, revision_in, revisions

_NOTE, _FILE, _FORMAT = "registry.json", "registry.db", 1
_FIRST_ROW_IN = "dataset"
"""The one table in which a migration puts a row."""
_ROWS_AT_ONCE = 2_000


class BackupNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is, and how far it goes."""

    format: int
    identity: str
    """The data set it is of."""
    revision: str
    generation: int
    last_point_id: int
    """Must be at least the largest point id in the store that it is restored beside."""
    made: datetime
    rows: dict[str, int]
    """Rows per table; empty when the backup is a database file."""
    last_ids: dict[str, int]
    """The last id given per table that counts its own."""


def backup(database: Database, folder: Path, *, portable: bool = False) -> BackupNote:
    """Copy the registry as of one instant; the note is written last, so a folder without one is no backup."""
    folder.mkdir(parents=True, exist_ok=True)
    if any((folder / name).exists() for name in (_NOTE, _FILE)):
        raise BackupError(f"folder {folder} holds a backup of a registry already; give another one")
    if database.file is not None and not portable:
        note = _copy_file(database.file, folder / _FILE)
    else:
        note = _write_tables(database, folder)
    _write(folder / _NOTE, msgspec.json.format(msgspec.json.encode(note)))
    sync_folder(folder)
    return note


def restore(database: Database, folder: Path) -> BackupNote:
    """Fill an empty registry, all or nothing, and bring it to the newest revision."""
    note = read_note(folder)
    _make_empty(database, note.revision)
    if note.rows:
        _fill(database, folder, note)
    else:
        _overwrite(database, folder / _FILE)
    migrate(database)
    return note


def read_note(folder: Path) -> BackupNote:
    """What a folder holds; raises `BackupError`, `SchemaMismatch` when a newer program made it."""
    try:
        note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=BackupNote)
    except FileNotFoundError as error:
        raise BackupError(f"folder {folder} holds no backup of a registry; it has no {_NOTE}") from error
    except msgspec.MsgspecError as error:
        raise BackupError(f"{folder / _NOTE} cannot be read: {error}") from error
    if note.format != _FORMAT or note.revision not in revisions():
        raise SchemaMismatch(note.revision, newest())
    return note


def _copy_file(source: Path, target: Path) -> BackupNote:
    """SQLite's own copy of a database in use, folded into one file."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=2_000)
        copy.execute("PRAGMA journal_mode = DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())
    copied = create_engine(URL.create("sqlite", database=str(target)))
    with copied.connect() as connection:
        note = _note(connection, {})
    copied.dispose()
    return note


def _overwrite(database: Database, source: Path) -> None:
    if database.file is None:
        raise BackupError("a database file cannot be restored into PostgreSQL; make the backup with portable=True")
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        try:
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise BackupError(f"{source} is damaged ({verdict}); take another backup")
        database.close()
        with closing(sqlite3.connect(database.file, timeout=30)) as live:
            copy.backup(live)
    sync_folder(database.file.resolve().parent)


def _write_tables(database: Database, folder: Path) -> BackupNote:
    with database.snapshot() as connection:
        rows = {table.name: _write_table(connection, table, folder) for table in _tables(connection)}
        return _note(connection, rows)


def _write_table(connection: Connection, table: Table, folder: Path) -> int:
    """One row per line; of a tree, the parents before their children."""
    count = 0
    question = select(table).order_by(*((table.c.path,) if "parent_id" in table.c else table.primary_key.columns))
    with (folder / f"{table.name}.jsonl").open("wb") as file:
        for row in connection.execute(question, execution_options={"yield_per": _ROWS_AT_ONCE}).mappings():
            file.write(msgspec.json.encode({name: _portable(value) for name, value in row.items()}) + b"\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _fill(database: Database, folder: Path, note: BackupNote) -> None:
    with database.connected() as connection:
        for table in _tables(connection):
            if table.name == _FIRST_ROW_IN:
                connection.execute(delete(table))
            found = _read_table(connection, table, folder / f"{table.name}.jsonl")
            if found != note.rows.get(table.name):
                raise BackupError(f"{table.name}.jsonl has {found} rows, the note says {note.rows.get(table.name)}")
        _put_last_ids(connection, note.last_ids)


def _read_table(connection: Connection, table: Table, file: Path) -> int:
    count = 0
    rows: list[dict[str, Any]] = []
    if not file.exists():
        raise BackupError(f"{file} is missing; take another backup")
    with file.open("rb") as lines:
        for line in lines:
            try:
                rows.append(_typed(table, msgspec.json.decode(line)))
            except (msgspec.MsgspecError, ValueError, KeyError) as error:
                raise BackupError(f"{file}, line {count + len(rows) + 1} cannot be read: {error}") from error
            if len(rows) == _ROWS_AT_ONCE:
                connection.execute(insert(table), rows)
                count += len(rows)
                rows = []
    if rows:
        connection.execute(insert(table), rows)
    return count + len(rows)


def _make_empty(database: Database, revision: str) -> None:
    """The empty tables of a revision; raises `BackupError` when the registry has rows."""
    with database.connected() as connection:
        tables = _tables(connection)
        for table in tables:
            if table.name != _FIRST_ROW_IN and connection.scalar(select(func.count()).select_from(table)):
                raise BackupError(f"this registry has rows in {table.name}; restore into an empty one")
        if tables and revision_in(connection) != revision:
            for table in (*reversed(tables), Table(VERSIONS, MetaData())):
                table.drop(connection)
    migrate(database, revision)


def _tables(connection: Connection) -> list[Table]:
    """The tables as they stand in the database, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSIONS]


def _note(connection: Connection, rows: dict[str, int]) -> BackupNote:
    revision = revision_in(connection)
    if revision is None:
        raise SchemaMismatch(None, newest())
    dataset = connection.execute(text("SELECT identity, generation, last_point_id FROM dataset")).one()
    return BackupNote(
        format=_FORMAT,
        identity=dataset[0],
        revision=revision,
        generation=dataset[1],
        last_point_id=dataset[2],
        made=datetime.now(UTC),
        rows=rows,
        last_ids=_last_ids(connection),
    )


def _last_ids(connection: Connection) -> dict[str, int]:
    if connection.dialect.name == "sqlite":
        return dict(connection.execute(text("SELECT name, seq FROM sqlite_sequence")).all())
    counted = text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
    return {name.removesuffix("_id_seq"): last or 0 for name, last in connection.execute(counted)}


def _put_last_ids(connection: Connection, last_ids: Mapping[str, int]) -> None:
    for name, last in last_ids.items():
        if connection.dialect.name == "sqlite":
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {"name": name, "last": last}
            )
        elif last:
            moved = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
            connection.execute(moved, {"name": name, "last": last})


def _portable(value: object) -> object:
    if isinstance(value, datetime):  # SQLite knows no zone: what stands there is UTC
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name].type.python_type, value) for name, value in row.items()}


def _value(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if kind is datetime:
        return datetime.fromisoformat(value)
    return bytes.fromhex(value) if kind is bytes else kind(value)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
