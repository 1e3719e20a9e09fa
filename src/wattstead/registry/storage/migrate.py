"""Bring the schema to the newest revision, with data in it; the revisions themselves are in `migrations/versions`.

What carries them out is loaded where there is something to carry out: most starts find the newest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from wattstead.registry.errors import SchemaMismatch
from wattstead.registry.storage.database import Database, sync_folder

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = "alembic_version"
"""The table of one row in which the schema's revision stands."""
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_220_137_001
"""Number of the PostgreSQL lock under which one process at a time migrates."""


def newest() -> str:
    """The revision that this program expects."""
    return revisions()[-1]


def revisions() -> list[str]:
    """All revisions, oldest first; the names of their files begin with them."""
    found = sorted(file.stem.partition("_")[0] for file in (_SCRIPTS / "versions").glob("r*.py"))
    if not found:
        raise RuntimeError("the package holds no migration; install it again")
    return found


def migrate(database: Database, revision: str | None = None) -> None:
    """Upgrade to a revision, the newest if none is given, in one transaction; concurrent callers wait for each other.

    Raises `SchemaMismatch` when a newer program made the schema.
    """
    if database.file is not None and not database.file.exists():
        os.close(os.open(database.file, os.O_CREAT, 0o600))  # hashes of passwords are nobody else's to read
    with database.migrating() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found, wanted = revision_in(connection), revision or newest()
        if found is not None and found not in revisions():
            raise SchemaMismatch(found, newest())
        if found != wanted:
            from alembic import command  # noqa: PLC0415 - a tenth of what a start loads

            command.upgrade(configuration(connection), wanted)
    if database.file is not None:
        sync_folder(database.file.resolve().parent)


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file; ``connection`` is the one that `migrations/env.py` uses."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def schema_revision(database: Database) -> str | None:
    """The revision of the database as it stands; None before the first migration."""
    with database.connected() as connection:
        return revision_in(connection)


def revision_in(connection: Connection) -> str | None:
    """The revision of the database behind a connection; None before the first migration."""
    if not inspect(connection).has_table(VERSIONS):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar()  # noqa: S608
    return found
