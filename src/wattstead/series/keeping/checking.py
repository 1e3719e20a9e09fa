"""What `wattstead check` wants to know of the store's tables: versions, parts, sizes, how far rollups are."""

from __future__ import annotations

import msgspec

from wattstead.series.connection import Connection
from wattstead.series.marks import Marks, Reach
from wattstead.series.rows import text
from wattstead.series.schema import SCHEMA_VERSION, TABLES, schema_version


class TableState(msgspec.Struct, frozen=True):
    """One table."""

    name: str
    rows: int
    bytes: int
    parts: int
    most_parts: int
    """Parts of its fullest partition; the store refuses inserts at 3,000."""
    broken_parts: int
    """Parts the store set aside when it started because they could not be read."""


class SeriesState(msgspec.Struct, frozen=True):
    """The tables as they are."""

    engine: str
    """Version of the engine."""
    schema: int
    expected_schema: int
    tables: list[TableState]
    mutations: int
    """Removals still under way."""
    reach: Reach

    @property
    def missing(self) -> list[str]:
        """Tables that are not there."""
        return sorted(set(TABLES) - {table.name for table in self.tables})


def check(connection: Connection, marks: Marks) -> SeriesState:
    """The state of all tables; works before `migrate` too."""
    engine = str(connection.value("SELECT version()", in_database=False))
    schema = schema_version(connection)
    if not schema:
        return SeriesState(engine, schema, SCHEMA_VERSION, [], 0, Reach())
    found = connection.columns(text("table_states"))
    broken = connection.columns(text("broken_parts"))
    broken_of = dict(zip(broken["table"], broken["parts"].tolist(), strict=True)) if broken else {}
    rows = zip(*(column.tolist() for column in found.values()), strict=True) if found else ()
    tables = [
        TableState(name, rows_, bytes_, parts, most_parts, broken_of.get(name, 0))
        for name, rows_, bytes_, parts, most_parts in rows
        if name in TABLES
    ]
    return SeriesState(
        engine=engine,
        schema=schema,
        expected_schema=SCHEMA_VERSION,
        tables=tables,
        mutations=int(connection.columns(text("open_mutations"))["open"][0]),
        reach=marks.reach(),
    )
