"""Connection: statements to the store's address and columns back, errors made ours; holds no SQL of its own.

The address is a store process or a ClickHouse server. Questions and blocks go over `wire`; other statements that change
something by `clickhouse_connect`, which is imported in this file only.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import msgspec
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.summary import QuerySummary
from numpy.typing import NDArray

from wattstead.series import native
from wattstead.series.errors import AnswerTooLarge, NotAllWritten, SeriesError, StoreRefused, StoreUnavailable
from wattstead.series.native import Columns
from wattstead.series.wire import NoAnswer, Refusal, Wire

_LATER = frozenset({
    *(3, 32, 49, 74, 75, 76, 159, 160, 201, 202, 203, 209, 210, 216, 236, 241, 242, 243, 252, 279, 290, 373),
    *(394, 425, 439, 499, 1000, 1001, 1002),
})  # fmt: skip
"""ClickHouse's numbers for what passes: times out, is full, is busy, is cut off, is read-only for now."""
_TOO_LARGE = 396
_LATE = re.compile(rb"Code: (\d{1,6})\. DB::Exception: [^\r\n]*")
"""What a ClickHouse server puts behind an answer that it had begun when something went wrong."""
_LATE_WITHIN = 20_000
"""Bytes at the end of an answer among which that is."""
_SLOW_LANE = {"X-Wattstead-Lane": "slow"}
"""Asks the store process for its lane of long questions; a ClickHouse server does not mind."""
LONG_STATEMENTS = {"max_query_size": 16 << 20, "max_ast_elements": 1_000_000, "max_expanded_ast_elements": 2_000_000}
"""What a statement about very many points needs."""
_EACH_PARTITION = {"do_not_merge_across_partitions_select_final": 1}
"""Versions of a row lie in one partition, which all tables make of the row's time: others need not be looked at."""
_ANY_MONTHS = {"max_partitions_per_insert_block": 2_000}
"""What is written may be of any months that can be kept, as when readings of many years come, or go, at once."""
_AS_THEY_COME = {"async_insert": 0, "optimize_on_insert": 0}
"""An answer says that a block is stored; repetitions within it are left to merges, as those between blocks are, which
saves a sixth of each insert."""
_CONNECT_S, _BEYOND_S = 5.0, 5
"""To connect; and how much longer than the store has for a statement its answer is waited for."""
_KEY = re.compile(r"[^\s/'\"]+@")


class _Kind(Enum):
    """How statements go over the wire: questions, those that may take long, and blocks to be stored."""

    QUICK, SLOW, BLOCK = range(3)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one question may take of the store. Sizes in bytes, spans in seconds."""

    read_s: int = 30
    write_s: int = 1200
    read_memory_bytes: int = 256 << 20
    slow_memory_bytes: int = 400 << 20
    threads: int = 1
    few_rows: int = 20_000
    """Up to so many rows are merged here rather than in the store, which needs 15 ms to understand how."""
    connections: int = 16


class Connection:
    """One address, from any thread. Nothing is opened before the first statement.

    ``address`` is ``http://user:key@host:port/database`` (or https); without a database it is ``wattstead``.
    """

    def __init__(self, address: str, limits: Limits | None = None) -> None:
        try:
            parts = urlsplit(address)
            right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            right = False
        if not right:
            raise SeriesError(f"the store's address {_without_key(address)!r}; expected http://user:key@host:port")
        self._parts = parts
        self.database = parts.path.strip("/") or "wattstead"
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._wires: dict[tuple[_Kind, bool], Wire] = {}
        self._driver: Client | None = None

    def columns(self, sql: str, slow: bool = False, in_database: bool = True) -> Columns:
        """The answer to a question as numpy columns by name; empty when it has no rows. ``slow``: it may take long."""
        try:
            raw = self._wire(_Kind.SLOW if slow else _Kind.QUICK, in_database).ask(sql)
        except (Refusal, NoAnswer) as error:
            raise _ours(error) from error
        try:
            return native.decode(raw)
        except native.NativeError as error:
            raise _said_late(raw) or error from error

    def value(self, sql: str, in_database: bool = True) -> Any:
        """The one value of an answer of one row and one column; None when there is no row."""
        for values in self.columns(sql, in_database=in_database).values():
            return values[0].item() if values.dtype != object else values[0]
        return None

    def run(self, sql: str, settings: Mapping[str, Any] | None = None, in_database: bool = True) -> int:
        """Runs a statement that changes something; the number of rows written, where it says so."""
        client = self._client()
        try:
            answer = client.command(sql, settings=dict(settings or {}), use_database=in_database)
        except (ClickHouseError, urllib3.exceptions.HTTPError) as error:
            raise _ours(error) from error
        return int(answer.written_rows) if isinstance(answer, QuerySummary) else 0

    def compute(self, insert_select: str) -> int:
        """Runs INSERT … SELECT within the limits of slow questions; the number of rows written."""
        return self.run(
            insert_select,
            {
                "max_threads": self.limits.threads,
                "max_insert_threads": 1,
                "max_execution_time": self.limits.write_s,
                "max_memory_usage": self.limits.slow_memory_bytes,
                **LONG_STATEMENTS,
                **_ANY_MONTHS,
            },
        )

    def insert(self, table: str, columns: Mapping[str, tuple[str, NDArray[Any]]], token: str = "") -> int:
        """Stores a block and answers how many rows; a block of the same ``token`` is stored once.

        Raises `StoreUnavailable`, `StoreRefused`, `NotAllWritten`.
        """
        settings = {"insert_deduplication_token": token} if token else {}
        rows = len(next(iter(columns.values()))[1])
        insert = f"INSERT INTO {table} ({', '.join(columns)})"
        try:
            written = self._wire(_Kind.BLOCK).give(insert, native.pieces(columns), settings)
        except (Refusal, NoAnswer) as error:
            raise _ours(error) from error
        if written != rows:
            raise NotAllWritten(table, rows, written)
        return rows

    def close(self) -> None:
        """Gives up the connections; the next statement opens new ones."""
        with self._lock:
            for wire in self._wires.values():
                wire.close()
            self._wires.clear()
            if self._driver is not None:
                self._driver.close()
                self._driver = None

    def _wire(self, kind: _Kind, in_database: bool = True) -> Wire:
        with self._lock:
            found = self._wires.get((kind, in_database))
            if found is None:
                found = self._wires[kind, in_database] = self._wired(kind, in_database)
            return found

    def _wired(self, kind: _Kind, in_database: bool) -> Wire:
        limits = self.limits
        time_s = limits.read_s if kind is _Kind.QUICK else limits.write_s
        if kind is _Kind.BLOCK:
            settings: dict[str, Any] = _ANY_MONTHS | _AS_THEY_COME
        else:
            settings = {
                "max_threads": limits.threads,
                "max_execution_time": time_s,
                "max_memory_usage": limits.read_memory_bytes if kind is _Kind.QUICK else limits.slow_memory_bytes,
                **LONG_STATEMENTS,
                **_EACH_PARTITION,
            }
        settings |= {"database": self.database} if in_database else {}
        headers = _SLOW_LANE if kind is _Kind.SLOW else {}
        return Wire(self._parts, settings, headers, limits.connections, _CONNECT_S, time_s + _BEYOND_S)

    def _client(self) -> Client:
        with self._lock:
            if self._driver is None:
                try:
                    self._driver = self._open(self.limits.write_s)
                except (ClickHouseError, urllib3.exceptions.HTTPError) as error:
                    raise _ours(error) from error
            return self._driver

    def _open(self, timeout_s: int) -> Client:
        pool = urllib3.PoolManager(maxsize=self.limits.connections, retries=False)
        client = clickhouse_connect.get_client(
            host=self._parts.hostname,
            port=self._parts.port or (8443 if self._parts.scheme == "https" else 8123),
            interface=self._parts.scheme,
            username=unquote(self._parts.username or "default"),
            password=unquote(self._parts.password or ""),
            compress=False,
            autogenerate_session_id=False,
            connect_timeout=_CONNECT_S,
            send_receive_timeout=timeout_s + _BEYOND_S,
            query_retries=1,
            pool_mgr=pool,
        )
        client.database = self.database
        return client


def _said_late(raw: bytes) -> SeriesError | None:
    """The error that an answer ends with; None where it ends with none."""
    said = _LATE.search(raw, max(0, len(raw) - _LATE_WITHIN))
    return _ours(Refusal(said.group().decode("utf-8", "replace"), int(said.group(1)))) if said else None


def _ours(error: Exception) -> SeriesError:
    """The error as this room says it: by ClickHouse's number, and without a number as not answering."""
    code = getattr(error, "code", None)
    reason = str(error).partition(" (for url ")[0].strip()[:2000] or type(error).__name__
    if code is None or code in _LATER:
        return StoreUnavailable(_without_key(reason), code)
    return (AnswerTooLarge if code == _TOO_LARGE else StoreRefused)(reason, int(code))


def _without_key(text: str) -> str:
    """The text without what stands before an @, which may be a key."""
    return _KEY.sub("…@", text)
