"""NameBook: the numbers by which readings wait on this disk, and the source, address and unit behind each, for ever.

They are this machine's own: which point of the server an address is, is found out when its readings arrive there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wattstead.ingest.edge.wire import Name
from wattstead.metering.errors import WattsteadError

MOST = 200_000


class TooManyNames(WattsteadError):
    """More addresses than this machine takes: somebody sends a new one each time."""

    def __init__(self) -> None:
        super().__init__(f"{MOST:,} addresses are known here already; a source that invents new ones has to be mended")


class NameBook:
    """An append-only file, a line a name, and what it says in memory."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.names: list[Name] = []
        self._ids: dict[tuple[int, str], int] = {}
        self._load()

    def __len__(self) -> int:
        return len(self.names)

    def find(self, source_id: int, address: str) -> int | None:
        """The number of an address of a source."""
        return self._ids.get((source_id, address))

    def name(self, number: int) -> Name:
        """What a number stands for."""
        return self.names[number - 1]

    def add(self, new: Sequence[Name]) -> list[int]:
        """Numbers for names that have none, on disk when this returns; raises `TooManyNames`, `OSError`."""
        if len(self.names) + len(new) > MOST:
            raise TooManyNames
        with self._file.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(name) + b"\n" for name in new))
            file.flush()
            os.fsync(file.fileno())
        return [self._take(name) for name in new]

    def _take(self, name: Name) -> int:
        self.names.append(name)
        self._ids[name.source_id, name.address] = len(self.names)
        return len(self.names)

    def _load(self) -> None:
        """A last line that a power cut has torn was never used, and goes."""
        self._file.touch(mode=0o600)
        text = self._file.read_bytes()
        whole = text.rfind(b"\n") + 1
        for line in text[:whole].splitlines():
            self._take(msgspec.json.decode(line, type=Name))
        if whole != len(text):
            os.truncate(self._file, whole)
