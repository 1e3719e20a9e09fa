"""Schema: makes the tables and brings older ones up to date; knows their text only from the files in ``tables``.

A new database gets the tables as they are described today. A later change of a table is made twice: in its file, and
as ``migrations/0002_what.sql`` for databases that exist; statements in a migration end with ``;`` at a line's end and
can be run twice.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from wattstead.series.connection import Connection
from wattstead.series.errors import SchemaMismatch
from wattstead.series.rows import filled

SCHEMA_VERSION = 2
TABLES = ("reading", "reading_replaced", "minute", "quarter", "day", "rule", "mark")
_DURABLE = (
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
    "min_compressed_bytes_to_fsync_after_merge = 1, max_suspicious_broken_parts = 10000, "
    "max_bytes_to_merge_at_max_space_in_pool = 10737418240, old_parts_lifetime = 10"
)
"""Of every table: on disk before it is said to be, merged in the background up to 10 GiB, gone ten seconds after."""


@cache
def table_sql(table: str) -> str:
    """The statement that makes a table."""
    text = files("wattstead.series").joinpath("tables", f"{table}.sql").read_text("utf-8")
    return text.replace("{durable}", _DURABLE)


def migrate(connection: Connection) -> int:
    """Makes database and tables, or brings them up to date; the version they then have. Can be called at every start.

    Raises `SchemaMismatch` when the tables are of a newer program.
    """
    connection.run(f"CREATE DATABASE IF NOT EXISTS {connection.database} ENGINE = Atomic", in_database=False)
    connection.run(table_sql("schema_version"))
    found = schema_version(connection)
    if found > SCHEMA_VERSION:
        raise SchemaMismatch(found, SCHEMA_VERSION)
    if found == SCHEMA_VERSION:
        return found
    for table in TABLES:
        connection.run(table_sql(table))
    for version, text in _migrations():
        if 0 < found < version:
            for statement in _statements(text):
                connection.run(statement)
    connection.run(f"INSERT INTO schema_version SELECT {SCHEMA_VERSION}, now('UTC')")
    return SCHEMA_VERSION


def schema_version(connection: Connection) -> int:
    """The version of the tables; 0 before the first `migrate`."""
    there = filled("has_table", database=connection.database, table="schema_version")
    if not connection.value(there, in_database=False):
        return 0
    return int(connection.value("SELECT max(version) FROM schema_version"))


def _migrations() -> list[tuple[int, str]]:
    """All migrations by number, in order."""
    folder: Traversable = files("wattstead.series").joinpath("migrations")
    if not folder.is_dir():
        return []
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name.partition("_")[0]), entry.read_text("utf-8")) for entry in found)


def _statements(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in (text + "\n").split(";\n")) if part]
