"""Migrations: the schema they make is the mapped one, data survives every step, concurrent starts are harmless."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, func, insert, select, text
from tests.migrated import migrated as of_no_rows

from wattstead.registry.errors import SchemaMismatch
from wattstead.registry.records import PointDeclaration
from wattstead.registry.registry import Registry
from wattstead.registry.storage.database import Database
from wattstead.registry.storage.migrate import configuration, migrate, newest, revisions, schema_revision
from wattstead.registry.tables import Base

ROWS = 3


def test_the_migrated_schema_is_the_mapped_one(registry: Registry, url: str) -> None:
    database = Database(url)
    with database.connected() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()


def test_files_of_revisions_are_named_in_their_order() -> None:
    scripts = ScriptDirectory.from_config(configuration())
    assert revisions() == [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert scripts.get_current_head() == newest()


def test_a_start_that_finds_the_newest_loads_nothing_to_bring_it_there(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom wattstead.registry.registry import Registry\n"
        "with Registry(sys.argv[1]) as registry:\n    registry.migrate()\n    print(registry.schema())\n"
        "assert 'alembic' not in sys.modules\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, of_no_rows(tmp_path)], capture_output=True, text=True)
    assert ran.stdout == f"{(newest(), newest())}\n", ran.stderr


def test_names_of_constraints_and_collations_are_the_mapped_ones(kind: str, new_database: Callable[[str], str]) -> None:
    """What alembic does not compare: two databases, one migrated, one created from the mappings, described alike."""
    migrated, created = Database(new_database(kind)), Database(new_database(kind))
    migrate(migrated)
    with created.connected() as connection:
        Base.metadata.create_all(connection)
    assert _description(migrated) == _description(created)
    migrated.close()
    created.close()


def _description(database: Database) -> list[tuple[Any, ...]]:
    with database.connected() as connection:
        if database.is_sqlite:
            rows = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'")
            ).all()
            return sorted((name, *_clauses(sql or "")) for name, sql in rows)
        columns = text(
            "SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        )
        constraints = text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'"
        )
        indexes = text(
            "SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes "
            "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        found = [connection.execute(question).all() for question in (columns, constraints, indexes)]
        return sorted(tuple(str(part) for part in row) for rows in found for row in rows)


def _clauses(sql: str) -> list[str]:
    """The statement's clauses in an order of their own: a column that came later stands elsewhere, and is the same."""
    plain = re.sub(r"\s+", " ", sql).replace('"', "").replace("( ", "(").replace(" )", ")")
    head, _, rest = plain.partition("(")
    body, _, tail = rest.rpartition(")")
    clauses, depth = [""], 0
    for letter in body:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            clauses.append("")
        else:
            clauses[-1] += letter
    return [head.strip(), *sorted(clause.strip() for clause in clauses), tail.strip()]


def test_data_survives_every_step(empty_url: str) -> None:
    database = Database(empty_url)
    before: dict[str, int] = {}
    for revision in revisions():
        migrate(database, revision)
        with database.connected() as connection:
            tables = _tables(connection)
            kept = {table.name: _count(connection, table) for table in tables if table.name in before}
            assert kept == {name: count for name, count in before.items() if name in kept}
            for table in tables:
                if _count(connection, table) < ROWS and table.name != "dataset":
                    connection.execute(insert(table), [_row(table, number) for number in range(1, ROWS + 1)])
            before = {table.name: _count(connection, table) for table in tables}
            assert all(count >= ROWS for name, count in before.items() if name != "dataset")
    assert schema_revision(database) == newest()
    database.close()


def test_addresses_lose_the_dot_at_their_end_unless_somebody_has_the_address(empty_url: str) -> None:
    stored = ["ada@example.org.", "bob@example.org.", "bob@example.org", "eve@example.org"]
    database = Database(empty_url)
    migrate(database, "r0005")
    with database.connected() as connection:
        tables = {table.name: table for table in _tables(connection)}
        organization, account, invitation = tables["organization"], tables["account"], tables["invitation"]
        connection.execute(insert(organization), [_row(organization, 1)])
        for number, email in enumerate(stored, 1):
            row = _row(account, number) | {"organization_id": 1, "email": email}
            connection.execute(insert(account), [row])
        asked = _row(invitation, 1) | {"organization_id": None, "site_id": None, "email": "kim@example.org."}
        connection.execute(insert(invitation), [asked])
    migrate(database)
    with database.connected() as connection:
        emails = connection.scalars(select(account.c.email).order_by(account.c.id)).all()
        assert emails == ["ada@example.org", *stored[1:]]
        assert connection.scalars(select(invitation.c.email)).all() == ["kim@example.org"]
    database.close()


def test_looks_of_addresses_and_makers_of_shares_are_found_out(empty_url: str) -> None:
    """The older of two that look alike keeps its look; who showed what is in the trail or in an answered invitation."""
    database = Database(empty_url)
    migrate(database, "r0009")
    with database.connected() as connection:
        tables = {table.name: table for table in _tables(connection)}
        connection.execute(insert(tables["organization"]), [_row(tables["organization"], 1)])
        connection.execute(insert(tables["site"]), [_row(tables["site"], 1) | {"organization_id": 1}])
        for number, email in enumerate(("bob@example.org", "вов@example.org", "eve@example.org", "kim@example.org"), 1):
            row = _row(tables["account"], number) | {"organization_id": 1, "email": email}
            connection.execute(insert(tables["account"]), [row])
        for number, account in enumerate((3, 4, 1), 1):
            role = "guest" if number < 3 else "user"
            place = {"account_id": account, "organization_id": None, "site_id": 1, "role": role}
            connection.execute(insert(tables["membership"]), [_row(tables["membership"], number) | place])
        deed = {"resource": "share", "action": "create", "resource_id": 1, "account_id": 1}
        connection.execute(insert(tables["trail"]), [_row(tables["trail"], 1) | deed])
        asked = {"organization_id": None, "site_id": 1, "email": "kim@example.org", "role": "guest", "inviter_id": 2}
        connection.execute(insert(tables["invitation"]), [_row(tables["invitation"], 1) | asked])
    migrate(database)
    with database.connected() as connection:
        tables = {table.name: table for table in _tables(connection)}
        account, member = tables["account"].c, tables["membership"].c
        looks = ["bob@example.org", None, "eve@example.org", "kim@example.org"]
        assert connection.scalars(select(account.look).order_by(account.id)).all() == looks
        assert connection.scalars(select(member.giver_id).order_by(member.id)).all() == [1, 2, None]
    database.close()


def _tables(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _row(table: Table, number: int) -> dict[str, Any]:
    """A row that fits: references lead to row ``number`` of the other table."""
    made: dict[type, Any] = {
        int: number,
        str: f"{table.name} {number}",
        bytes: bytes([number]),
        float: 1.5,
        bool: True,
        datetime: datetime(2026, 1, number, tzinfo=UTC),
        date: date(2026, 1, number),
    }
    return {column.name: made[column.type.python_type] for column in table.columns}


def test_migrating_again_changes_nothing(registry: Registry, url: str) -> None:
    owner = registry.first_owner("a@b.example", "long enough")
    assert owner is not None
    site = registry.create_site(owner.account.organization_id, "Mill", "UTC")
    registry.create_points(site.id, [PointDeclaration(address="a", name="a")])
    before = registry.points(), registry.sites(), registry.generation()
    registry.migrate()
    assert (registry.points(), registry.sites(), registry.generation()) == before


_MIGRATE = """
import sys
from wattstead.registry.registry import Registry
with Registry(sys.argv[1]) as registry:
    registry.migrate()
    print(registry.identity())
"""


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", _MIGRATE, empty_url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1
    assert [process.returncode for process in started] == [0, 0, 0]


def test_a_newer_schema_is_refused(registry: Registry, url: str) -> None:
    database = Database(url)
    with database.connected() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(SchemaMismatch) as raised:
        registry.migrate()
    assert raised.value.found == "r9999" and "newer Wattstead" in str(raised.value)
    database.close()


@pytest.mark.unit
def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    with Registry(f"sqlite:///{tmp_path / 'new' / 'registry.db'}") as registry:
        registry.migrate()
        for file in (tmp_path / "new").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


@pytest.mark.unit
def test_revisions_are_named_in_order() -> None:
    assert revisions() == sorted(revisions()) and revisions()[-1] == newest()
