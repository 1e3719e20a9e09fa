"""Backup and restore of all tables, through the store; where the journal was then, the caller writes beside it."""

from __future__ import annotations

from pathlib import Path

from wattstead.series.connection import Connection
from wattstead.series.errors import SeriesError
from wattstead.series.schema import SCHEMA_VERSION, schema_version


class BackupTaken(SeriesError):
    """A backup goes into a folder of its own."""


def backup(connection: Connection, folder: Path) -> None:
    """Copies every table into ``folder``, which must not exist and must lie where the store may write backups."""
    if folder.exists():
        raise BackupTaken(f"the folder {folder} is there already; give a new one")
    connection.run(f"BACKUP DATABASE {connection.database} TO File('{_quoted(folder)}')", in_database=False)


def restore(connection: Connection, folder: Path) -> None:
    """Puts every table back as it was when ``folder`` was made; what is in the store now is dropped first.

    Raises `StoreRefused` when there is no backup in that folder; then nothing has been dropped.
    """
    fresh = f"{connection.database}_restored"
    connection.run(f"DROP DATABASE IF EXISTS {fresh} SYNC", in_database=False)
    connection.run(
        f"RESTORE DATABASE {connection.database} AS {fresh} FROM File('{_quoted(folder)}')", in_database=False
    )
    connection.run(f"DROP DATABASE IF EXISTS {connection.database} SYNC", in_database=False)
    connection.run(f"RENAME DATABASE {fresh} TO {connection.database}", in_database=False)
    if not 0 < schema_version(connection) <= SCHEMA_VERSION:
        raise SeriesError(f"the backup in {folder} is of tables of version {schema_version(connection)}")


def _quoted(folder: Path) -> str:
    return str(folder.absolute()).replace("\\", "\\\\").replace("'", "\\'")
