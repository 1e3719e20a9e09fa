"""The embedded engine: loading it, opening connections, asking one statement; knows nothing of HTTP or of lanes.

One process owns the folder, and after a fork the engine hangs: the store is always a freshly spawned process.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wattstead.store.errors import EngineFault, EngineMissing, EngineRefused
from wattstead.store.folder import CONFIG, ENGINE, StoreFolder

_PIECE = 1 << 20
_MEMORY_RETURN = "dirty_decay_ms:1000,muzzy_decay_ms:0"
"""The engine's allocator gives freed memory back after a second , not ten: 150 MB less at the peak of large inserts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine answered: the bytes in the format asked for, and its counts."""

    body: bytes = b""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0


def load() -> Any:
    """The engine's extension module, without the package around it.

    The package's own ``__init__`` opens an engine in memory and imports dataframe libraries: half a second and 100 MB
    that this process has no use for. Raises `EngineMissing`.
    """
    if "chdb._chdb" in sys.modules:
        return sys.modules["chdb._chdb"]
    found = importlib.util.find_spec("chdb")
    if found is None or found.submodule_search_locations is None:
        raise EngineMissing("the store needs the package chdb-core, which is not installed; install wattstead[server]")
    os.environ.setdefault("JE_MALLOC_CONF", _MEMORY_RETURN)
    package = types.ModuleType("chdb")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["chdb"] = package
    return importlib.import_module("chdb._chdb")


class Connection:
    """One connection to the engine, for one thread.

    Its settings are given when it opens; ``database`` follows each call. After any error the connection is replaced:
    a failed statement can leave part of its output behind, which the engine would put before the next answer.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._database = "default"
        self._temporary: dict[tuple[bytes, ...], bytes] = {}
        self._raw: Any = self._open()

    @property
    def temporary(self) -> dict[tuple[bytes, ...], bytes]:
        """Temporary tables of this connection, by what they were made for; empty again once it was replaced."""
        return self._temporary

    def ask(
        self, sql: bytes, form: str = "TabSeparated", params: Mapping[str, str] | None = None, database: str = "default"
    ) -> Result:
        """Runs one statement. Raises `EngineFault`."""
        with self._fresh_after_error():
            answer = self._in(database).query(sql, form, params=dict(params or {}))
            if answer.has_error():
                raise EngineFault(answer.error_message())
            return _result(answer)

    def fill(self, into: bytes, form: str, block: memoryview, database: str) -> Result:
        """Puts a block into a table in memory: ``into`` is ``INSERT INTO t (a, b)``. Raises `EngineFault`.

        Never for a table on disk: there the engine reports success on a full disk or a failed constraint.
        """
        with self._fresh_after_error():
            raw = self._in(database)
            handle = raw.send_insert(into, form)
            for at in range(0, len(block), _PIECE):
                raw.insert_append(handle, bytes(block[at : at + _PIECE]))
            return _result(raw.insert_done(handle))

    def statements(self, sql: bytes) -> int:
        """How many statements the text holds; 0 when it does not parse."""
        return int(self._in(self._database).classify_query(sql)["statement_count"])

    def close(self) -> None:
        """Gives the connection back to the engine; the engine stops with its last connection."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def _open(self) -> Any:
        try:
            return load().connect(self._address)
        except RuntimeError as error:
            raise EngineRefused(str(error)) from error

    def _in(self, database: str) -> Any:
        """The raw connection, opened again where an error ended the last one, with that current database."""
        if self._raw is None:
            self._raw = self._open()
        if database != self._database:
            self._raw.query(b"USE `" + database.encode().replace(b"\\", b"\\\\").replace(b"`", b"\\`") + b"`")
            self._database = database
        return self._raw

    @contextmanager
    def _fresh_after_error(self) -> Iterator[None]:
        try:
            yield
        except EngineFault:
            self._drop()
            raise
        except UnicodeDecodeError as error:  # the engine's message quotes bytes that are no text
            self._drop()
            raise EngineFault(bytes(error.object).decode("utf-8", "replace")) from None
        except RuntimeError as error:
            self._drop()
            raise EngineFault(str(error)) from error

    def _drop(self) -> None:
        self.close()
        self._database = "default"
        self._temporary.clear()


class Engine:
    """The engine on one folder. Changes the process's working directory to it, so that the path needs no escaping.

    Raises `EngineRefused` with the reason, which the engine writes to standard error only.
    """

    def __init__(self, folder: StoreFolder) -> None:
        os.chdir(folder.path)
        with _standard_error_kept() as said:
            try:
                self._keep = self.connect({})
                """Keeps the engine up while every other connection is being replaced."""
            except EngineRefused as refused:
                raise EngineRefused(f"the engine cannot open {folder.path}: {said()} ({refused})") from refused

    def connect(self, settings: Mapping[str, object], read_only: bool = False) -> Connection:
        """A connection with those settings for all its statements; to be used by one thread. Raises `EngineRefused`."""
        options = {"config-file": CONFIG, **settings, **({"readonly": 2} if read_only else {})}
        return Connection(f"{ENGINE}?" + "&".join(f"{name}={value}" for name, value in options.items()))

    def close(self) -> None:
        """Stops the engine once the lanes' connections are closed too."""
        self._keep.close()


@contextmanager
def _standard_error_kept() -> Iterator[Callable[[], str]]:
    """Keeps what libraries write to standard error in a file, to be asked for; puts it out at the end."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)

        def said() -> str:
            kept.seek(0)
            return " ".join(kept.read().decode(errors="replace").split())

        try:
            yield said
        finally:
            os.dup2(real, 2)
            os.close(real)
            kept.seek(0)
            sys.stderr.write(kept.read().decode(errors="replace"))


def _result(answer: Any) -> Result:
    return Result(
        answer.bytes() or b"", answer.rows_read(), answer.bytes_read(), answer.rows_written(), answer.bytes_written()
    )
