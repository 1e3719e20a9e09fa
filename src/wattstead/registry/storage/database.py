"""The connection to SQLite or PostgreSQL: pragmas, transactions, errors; knows no table.

A writing transaction takes SQLite's write lock when it begins, so that what it reads stays true until it commits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import DatabaseError as SqliteDatabaseError
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    String,
    Table,
    any_,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    insert,
    literal,
    make_url,
    select,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeEngine, UserDefinedType

from wattstead.registry.errors import RegistryDamaged, RegistryError, RegistryUnavailable, SchemaMismatch, Unknown
from wattstead.registry.storage.stamp import Stamp

_T = TypeVar("_T", str, int)
_OUT_OF_RANGE, _NO_TABLE = "22003", "42P01"
"""PostgreSQL's states of a number that does not fit its column, and of a table that is not there."""
_FIRST_SURROGATE = 0xD800
_BUSY_TIMEOUT_MS = 30_000
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an id acknowledged and then lost in a power cut would be given to another point
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
)


class _Json(UserDefinedType[str]):
    """PostgreSQL's json, given as text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "json"


class Database:
    """An engine with a way to read and a way to write; safe to share between threads, not across a fork."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._write_engine = self.engine.execution_options(writes=True)
        self.stamp = Stamp(self.file)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The database file, when there is one."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only asks; raises `RegistryUnavailable` when the database fails."""
        with _named_errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, all or none."""
        with _named_errors(), Session(self._write_engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """One writing transaction as a bare connection."""
        with _named_errors(), self._write_engine.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """`connected` for migrations: SQLite lets a table be made anew while others refer to it only when it looks at
        references at the end, and it takes that word only outside of a transaction.
        """
        with _named_errors(), self._write_engine.connect() as connection:
            plain = connection.connection.driver_connection if self.is_sqlite else None
            if plain is not None:
                plain.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    if plain is not None and (broken := plain.execute("PRAGMA foreign_key_check").fetchall()):
                        raise RegistryDamaged(f"{len(broken)} references name what is not there")
            finally:
                if plain is not None:
                    plain.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection to which the database stands still, while others write."""
        engine = self.engine  # SQLite's reading transactions are snapshots anyway
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with _named_errors(), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self.stamp.close()
        self.engine.dispose()


def _engine(url: str) -> Engine:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if not address.database or address.database == ":memory:":
            raise ValueError("the registry needs a file: sqlite:////path/registry.db")
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(address, pool_size=5, max_overflow=20)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    return create_engine(address, pool_size=5, max_overflow=20, pool_pre_ping=True, connect_args={"connect_timeout": 5})


def _prepare(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except OverflowError as error:
        raise Unknown("id", "beyond all numbers") from error
    except NoConnectionInTime as error:
        raise RegistryUnavailable("all connections are in use") from error
    except DBAPIError as error:
        named = _named(error)
        if named is None:
            raise
        raise named from error


def _named(error: DBAPIError) -> RegistryError | None:
    reason, state = str(error.orig).strip() or type(error.orig).__name__, getattr(error.orig, "sqlstate", None)
    if state == _OUT_OF_RANGE:
        return Unknown("id", "beyond all numbers")
    if state == _NO_TABLE or "no such table" in reason:
        return SchemaMismatch(None, "its own tables")
    if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
        return RegistryUnavailable(reason)
    return RegistryDamaged(reason) if type(error.orig) is SqliteDatabaseError else None


def starts_with(column: InstrumentedAttribute[str], prefix: str) -> ColumnElement[bool]:
    """The condition that a text compared byte by byte begins with another: a range of its index."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return column >= prefix
    after = ord(stem[-1]) + 1
    return (column >= prefix) & (column < stem[:-1] + chr(0xE000 if after == _FIRST_SURROGATE else after))


def possible(ids: Iterable[int]) -> list[int]:
    """Those ids that can exist at all; a number beyond them, from whomever it came, is just not found."""
    return [one for one in ids if 0 < one < 2**31]


def among(
    session: Session, held: ColumnElement[str] | InstrumentedAttribute[str], values: Sequence[str]
) -> ColumnElement[bool]:
    """Whether a column holds one of any number of texts, in one parameter.

    PostgreSQL looks an array up by its hash; a list of rows it would walk once for each row of a table of which it
    knows only how small it was an hour ago.
    """
    if session.get_bind().dialect.name == "sqlite":
        return held.in_(select(_column(session, values, String)))
    return held == any_(bindparam(None, list(values), ARRAY(String)))


def integers(session: Session, values: Sequence[int]) -> Select[int]:
    """Any number of integers, in one parameter, to stand at the right of ``in_``."""
    return select(_column(session, values, Integer))


def pairs(session: Session, values: Sequence[tuple[int, str]]) -> Select[int, str]:
    """Any number of pairs, to stand at the right of a ``tuple_(…).in_``."""
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(msgspec.json.encode(values).decode()).table_valued("value").c.value
        return select(func.json_extract(each, "$[0]"), func.json_extract(each, "$[1]"))
    numbers, texts_ = ([pair[0] for pair in values], [pair[1] for pair in values])
    given = func.unnest(bindparam(None, numbers, ARRAY(Integer)), bindparam(None, texts_, ARRAY(String)))
    both = given.table_valued("number", "text").render_derived()
    return select(both.c.number, both.c.text)


def _column(session: Session, values: Sequence[_T], kind: type[TypeEngine[_T]]) -> ColumnElement[_T]:
    if session.get_bind().dialect.name == "sqlite":
        column: ColumnElement[_T] = (
            func.json_each(msgspec.json.encode(list(values)).decode()).table_valued("value").c.value
        )
        return column
    given = bindparam(None, list(values), ARRAY(kind))
    unnested: ColumnElement[_T] = func.unnest(given).table_valued("value").render_derived().c.value
    return unnested


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows in one statement; every row has the same columns. Row by row takes six times as long."""
    if not rows:
        return
    if session.get_bind().dialect.name == "sqlite":
        session.execute(insert(table), rows)
        return
    columns = [column(name, table.c[name].type) for name in rows[0]]
    given = func.json_to_recordset(cast(literal(msgspec.json.encode(rows).decode(), String), _Json))
    taken = select(*given.table_valued(*columns).render_derived(with_types=True).c)
    session.execute(insert(table).from_select([c.name for c in columns], taken))


def sync_folder(folder: Path) -> None:
    """Make the names of files just created in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
