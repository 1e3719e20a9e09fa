"""Door: what every group of questions stands on: the database, the clock, the seal; it asks nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from wattstead.registry.errors import KeyInvalid
from wattstead.registry.people.proofs import passwords
from wattstead.registry.seal import Seal
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import Database


def utc_now() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)


class Door:
    """An open registry; its questions are in the classes built on it."""

    def __init__(self, url: str, clock: Callable[[], datetime] = utc_now, seal: Seal | None = None) -> None:
        """Opens nothing yet; ``clock`` gives aware instants, ``seal`` keeps secrets of sealed keys.

        Without a seal a SQLite registry keeps the secret of its installation in ``seal.key`` beside the database.
        """
        self._db = Database(url)
        self._clock = clock
        self._seal = seal
        self._passwords = passwords.PasswordPool()
        self._counters = dataset.Watched(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections and threads."""
        self._passwords.close()
        self._db.close()

    def _opened_seal(self) -> Seal:
        if self._seal is None:
            file = self._db.file
            if file is None:
                raise KeyInvalid(
                    "this installation has no seal, so it keeps no readable secrets; make a key that is not sealed"
                )
            self._seal = Seal.of_file(file.with_name("seal.key"))
        return self._seal
