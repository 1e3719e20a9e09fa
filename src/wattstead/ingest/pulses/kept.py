"""Pulses that another server has kept in PostgreSQL, ``readings(id, stamp, ms)``: from the table or from its dump.

Rows only; what becomes of them is the importer's affair.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import psycopg
from psycopg import sql

from wattstead.metering.errors import WattsteadError

TABLE = "readings"
_AT_ONCE = 5_000
_COPY = re.compile(r'COPY (?:"?\w+"?\.)?"?(\w+)"? \(([^)]*)\) FROM stdin;')
_INSERT = re.compile(r'INSERT INTO (?:"?\w+"?\.)?"?(\w+)"?(?: \(([^)]*)\))? VALUES\s*(.*)', re.DOTALL)
_TUPLE = re.compile(r"\(([^()]*)\)")
_COLUMNS = ("id", "stamp", "ms")


class PulsesUnreadable(WattsteadError):
    """A dump or a table without the pulses that are looked for."""


class Kept(NamedTuple):
    """A row as it stands there: texts or numbers, and where it stood."""

    meter: str | int | None
    stamp: str | int
    ms: str | int
    place: str


def rows_of_dump(file: Path, table: str = TABLE) -> Iterator[Kept]:
    """The rows of a table in a plain dump (COPY or INSERT), packed or not; a table without ids has ``meter`` None.

    Raises `PulsesUnreadable` for another kind of dump, and for one without that table.
    """
    with file.open("rb") as raw:
        head = raw.read(5)
    if head == b"PGDMP":
        raise PulsesUnreadable(f"{file.name} is a dump in PostgreSQL's own format; run pg_restore -f plain.sql {file}")
    opening = gzip.open if head[:2] == b"\x1f\x8b" else open
    with opening(file, "rt", encoding="utf-8", errors="replace") as lines:
        found = False
        for number, line in _numbered(lines):
            copy = _COPY.match(line)
            if copy is not None and copy[1] == table:
                found = True
                yield from _copied(lines, number, _order(copy[2], file.name))
                continue
            if line.startswith("INSERT INTO"):
                insert = _INSERT.match(line)
                if insert is not None and insert[1] == table:
                    found = True
                    yield from _inserted(insert[3], number, insert[2], lines, file.name)
    if not found:
        raise PulsesUnreadable(f"{file.name} has no rows of a table {table!r}; name another one with --table")


def _numbered(lines: TextIO) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a COPY's rows are taken out of them by whoever reads on."""
    return enumerate(iter(lines.readline, ""), 1)


def _copied(lines: TextIO, number: int, order: Sequence[int | None]) -> Iterator[Kept]:
    for row, line in enumerate(iter(lines.readline, ""), 1):
        text = line.rstrip("\n")
        if text == "\\.":
            return
        yield _row(text.split("\t"), order, f"row {row}")
    raise PulsesUnreadable(f"the rows that begin in line {number} have no end: the dump is not whole")


def _inserted(text: str, number: int, columns: str | None, lines: TextIO, name: str) -> Iterator[Kept]:
    while not text.rstrip().endswith(";"):
        more = lines.readline()
        if not more:
            raise PulsesUnreadable(f"the INSERT of line {number} has no end: the dump is not whole")
        text += more
    found = [one.split(",") for one in _TUPLE.findall(text)]
    order = _order(columns, name) if columns else _order("id, stamp, ms" if len(found[0]) > 2 else "stamp, ms", name)
    for cells in found:
        yield _row([cell.strip().strip("'") for cell in cells], order, f"line {number}")


def _order(columns: str, name: str) -> list[int | None]:
    """Where id, stamp and ms stand among columns."""
    names = [one.strip().strip('"') for one in columns.split(",")]
    if not {"stamp", "ms"} <= set(names):
        raise PulsesUnreadable(f"the table in {name} has the columns {', '.join(names)}; expected id, stamp, ms")
    return [names.index(one) if one in names else None for one in _COLUMNS]


def _row(cells: Sequence[str], order: Sequence[int | None], place: str) -> Kept:
    meter, stamp, ms = ("" if at is not None and at >= len(cells) else at if at is None else cells[at] for at in order)
    return Kept(meter, stamp or "", ms or "", place)


class PulseTable:
    """The table itself, by connection."""

    def __init__(self, address: str, table: str = TABLE) -> None:
        """``address`` is what libpq takes, such as ``postgresql://powermeter@localhost/powermeter``.

        Raises `PulsesUnreadable` when there is no such database or table.
        """
        try:
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=15)
            asked = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            self._names = {str(name) for (name,) in self._connection.execute(asked, (table,))}
        except psycopg.Error as error:
            raise PulsesUnreadable(f"the database cannot be asked: {str(error).strip()}") from None
        self._table = table
        if not {"stamp", "ms"} <= self._names:
            self.close()
            raise PulsesUnreadable(
                f"there is no table {table!r} with columns stamp and ms; name another one with --table"
            )

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def count(self) -> int:
        """How many rows there are."""
        found = self._connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(self._table)))
        row = found.fetchone()
        return int(row[0]) if row else 0

    def rows(self, after: Sequence[int] = ()) -> Iterator[list[Kept]]:
        """All rows after that (id, stamp), in this order, some thousand at a time."""
        key = [*after] or [-(2**31), -(2**62)]
        meter = sql.SQL("id" if "id" in self._names else "0")
        question = sql.SQL(
            "SELECT {meter}, stamp, ms FROM {table} WHERE ({meter}, stamp) > (%s::bigint, %s::bigint) "
            "ORDER BY 1, 2 LIMIT {most}"
        ).format(meter=meter, table=sql.Identifier(self._table), most=sql.Literal(_AT_ONCE))
        while True:
            found = self._connection.execute(question, key).fetchall()
            if not found:
                return
            own = "id" in self._names
            yield [Kept(m if own else None, s, ms, f"id {m}, stamp {s}" if own else f"stamp {s}") for m, s, ms in found]
            key = [int(found[-1][0]), int(found[-1][1])]
