"""The safe insert route: a block goes into a table in memory, and from there into its own; so each failure is heard.

It makes no table durable by itself: fsync is a matter of the engine's configuration.
"""

from __future__ import annotations

from wattstead.store.allowed import clause
from wattstead.store.engine import Connection, Result
from wattstead.store.errors import LOGICAL_ERROR, EngineFault
from wattstead.store.statement import InsertBlock

_KEPT_TABLES = 16


def insert_block(
    connection: Connection, insert: InsertBlock, mark: bytes, params: dict[str, str], database: str
) -> Result:
    """Stores the block's rows and returns what was written. On `EngineFault` nothing or whole parts are stored.

    The engine's own streaming insert into a table on disk reports success with no row stored when the disk is full,
    when a block has more than 100 partitions, when a constraint fails and when there are too many parts;
    INSERT … SELECT reports each.
    """
    temporary = _temporary(connection, insert, database)
    parsing = {name: value for name, value in insert.settings.items() if not name.startswith("insert_dedup")}
    into = b"INSERT INTO " + temporary + b" " + insert.columns + _settings(parsing)
    if insert.form == "Values":
        received = connection.ask(into + b" VALUES " + insert.block, params=params, database=database)
    else:
        received = connection.fill(into, insert.form, insert.block, database)
    if not received.written_rows:
        return Result()
    names = insert.columns[1:-1] if insert.columns else b"*"
    stored = connection.ask(
        mark + b"INSERT INTO " + insert.table + b" " + insert.columns + _settings(insert.settings)
        + b"\nSELECT " + names + b" FROM " + temporary,
        params=params,
        database=database,
    )  # fmt: skip
    connection.ask(b"TRUNCATE TABLE " + temporary, database=database)
    if stored.written_rows < received.written_rows:
        raise EngineFault(
            f"Code: {LOGICAL_ERROR}. DB::Exception: {received.written_rows} rows were received and "
            f"{stored.written_rows} stored, without an error from the engine; send the block again"
        )
    return Result(b"", received.written_rows, stored.read_bytes, received.written_rows, stored.written_bytes)


def _temporary(connection: Connection, insert: InsertBlock, database: str) -> bytes:
    """The connection's own table in memory with the types of those columns, empty."""
    key = (database.encode(), insert.table, insert.columns)
    known = connection.temporary.get(key)
    if known is not None:
        return known
    if len(connection.temporary) >= _KEPT_TABLES:
        forget_temporary(connection)
    name = f"wattstead_block_{len(connection.temporary)}".encode()
    names = insert.columns[1:-1] if insert.columns else b"*"
    connection.ask(
        b"CREATE TEMPORARY TABLE "
        + name
        + b" ENGINE = Memory AS SELECT "
        + names
        + b" FROM "
        + insert.table
        + b" LIMIT 0",
        database=database,
    )
    connection.temporary[key] = name
    return name


def forget_temporary(connection: Connection) -> None:
    """Drops the tables in memory; to be called when a statement may have changed the tables they were made after."""
    for name in connection.temporary.values():
        connection.ask(b"DROP TEMPORARY TABLE IF EXISTS " + name)
    connection.temporary.clear()


def _settings(settings: dict[str, str]) -> bytes:
    return b" SETTINGS " + clause(settings) + b" " if settings else b""
