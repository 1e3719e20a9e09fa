"""Bring the schema to the newest revision, with data in it; the revisions themselves are in `migrations/versions`."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from wattstead.registry.errors import SchemaMismatch
from wattstead.registry.storage.database import Database, sync_folder

_LOCK = 7_220_137_001
"""Number of the PostgreSQL lock under which one process at a time migrates."""


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file; ``connection`` is the one that `migrations/env.py` uses."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision that this program expects."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migration; install it again")
    return head


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(configuration()).walk_revisions()))]


def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to a revision in one transaction; concurrent callers wait for each other.

    Raises `SchemaMismatch` when a newer program made the schema.
    """
    if database.file is not None and not database.file.exists():
        os.close(os.open(database.file, os.O_CREAT, 0o600))  # hashes of passwords are nobody else's to read
    with database.migrating() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in revisions():
            raise SchemaMismatch(found, newest())
        command.upgrade(configuration(connection), revision)
    if database.file is not None:
        sync_folder(database.file.resolve().parent)


def schema_revision(database: Database) -> str | None:
    """The revision of the database as it stands; None before the first migration."""
    with database.connected() as connection:
        return MigrationContext.configure(connection).get_current_revision()
