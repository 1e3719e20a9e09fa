"""Marks: how far rollups and retention have come; kept in the store, remembered here for a moment.

An old mark is harmless: the newest part is then answered from finer rows, which are still there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from wattstead.series.connection import Connection
from wattstead.series.rows import text

ROLLED_MINUTE = "rolled minute"
ROLLED_QUARTER = "rolled quarter"
EXPIRY = "expiry"
"""How often anything has expired: who remembers what expired looks again when it changes."""
ERA = "era"
"""How often readings have been removed: a batch that comes again after that is stored again."""
GENERATION = "generation"
"""How many processes have computed rollups, one after another; what the last one computed stands."""
_REMEMBERED_S = 2.0


class Reach(msgspec.Struct, frozen=True):
    """The instants (µs) before which all minutes, and all quarter hours, are rolled up; 0 while none are.

    Local days are rolled up to the last of their midnights before ``quarter_us``.
    """

    minute_us: int = 0
    quarter_us: int = 0


class Marks:
    """The marks of one store, for any thread."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._clock = connection, clock
        self._lock = threading.Lock()
        self._known: dict[str, int] = {}
        self._until_s = 0.0

    def reach(self) -> Reach:
        """How far rollups have come."""
        known = self._all()
        return Reach(known.get(ROLLED_MINUTE, 0), known.get(ROLLED_QUARTER, 0))

    def value(self, name: str) -> int:
        """The mark; 0 when it was never set."""
        return self._all().get(name, 0)

    def set(self, name: str, value: int) -> None:
        """Moves a mark forward; backward it does not go."""
        self._connection.run(f"INSERT INTO mark SELECT '{name}', {value}")
        with self._lock:
            self._known[name] = max(value, self._known.get(name, 0))

    def next(self, name: str) -> int:
        """Moves a counting mark on by one and answers where it then is. For one process at a time."""
        self.forget()
        value = self.value(name) + 1
        self.set(name, value)
        return value

    def forget(self) -> None:
        """Has the store asked again next time."""
        with self._lock:
            self._until_s = 0.0

    def _all(self) -> dict[str, int]:
        with self._lock:
            if self._clock() < self._until_s:
                return self._known
        found = self._connection.columns(text("marks"))
        with self._lock:
            if found:
                self._known = dict(zip(found["name"].tolist(), found["value"].tolist(), strict=True))
            self._until_s = self._clock() + _REMEMBERED_S
            return self._known
