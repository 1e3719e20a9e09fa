"""One memory of compiled statements for all registries of a worker.

Each test has a database of its own, and SQLAlchemy would compile each statement anew for each of them: a quarter of
what the tests of registry and web cost. Compiled text depends on the kind of database alone, which a dialect is that
has once been connected.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import CompiledCacheType, Dialect

from wattstead.registry.storage import database

_MOST = 2_000
"""Statements; the product itself knows some hundreds."""


def remember() -> None:
    """From now on what was compiled for one engine is used by the next of its kind."""
    make, known = database.create_engine, dict[str, tuple[Dialect, CompiledCacheType]]()

    def made(*words: Any, **options: Any) -> Engine:
        engine = make(*words, **options, query_cache_size=_MOST)
        if engine.driver in known:
            engine.dialect, engine._compiled_cache = known[engine.driver]
        else:

            def connected(connection: Connection) -> None:
                if engine._compiled_cache is not None:
                    known.setdefault(engine.driver, (engine.dialect, engine._compiled_cache))

            event.listen(engine, "engine_connect", connected)
        return engine

    database.create_engine = made  # type: ignore[attr-defined]
