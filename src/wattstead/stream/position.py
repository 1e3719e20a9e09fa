"""Positions: how far a consumer has read, and the files that remember it; knows nothing of what a consumer does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from wattstead.stream.errors import PositionCorrupt

_FOLDER = "positions"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Mark(msgspec.Struct, frozen=True):
    """The last batch read of one worker: its file, its number there, and the bytes in that file up to its end."""

    file: int
    id: int
    end_bytes: int = 0


class Position(msgspec.Struct, frozen=True):
    """How far all workers' files have been read; never changes, a reader hands out a new one.

    >>> Position({3: Mark(1700000000000000, 12, 4096)}).to_json()
    b'{"marks":{"3":{"file":1700000000000000,"id":12,"end_bytes":4096}}}'
    """

    marks: dict[int, Mark] = {}

    def moved(self, worker: int, mark: Mark) -> Position:
        """This position with one worker's mark replaced."""
        return Position({**self.marks, worker: mark})

    def to_json(self) -> bytes:
        """The position as JSON, for a backup."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(text: bytes | str) -> Position:
        """The position of that JSON; raises `msgspec.MsgspecError` when it is none."""
        return msgspec.json.decode(text, type=Position)


def sync_folder(folder: Path) -> None:
    """Make names created, renamed or removed in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents so that their names survive a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


class PositionFile:
    """The durable position of one named consumer of one journal.

    A consumer is registered from its first `save` (or `register`) to `forget`: while it is registered no file that it
    has not passed is removed, and what it has not passed counts as unconsumed. One process per name.
    """

    def __init__(self, journal: Path, name: str) -> None:
        """``journal`` is the journal's folder; ``name`` 1–64 of a–z, 0–9, ``_``, ``-``."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"consumer name {name!r}; expected 1 to 64 of a-z, 0-9, _ and -")
        self.path = journal / _FOLDER / f"{name}.json"

    def load(self) -> Position:
        """The position last saved; an empty one (read from the oldest batch) when there is none."""
        return _load(self.path) or Position()

    def register(self) -> Position:
        """The position last saved; registers the consumer at the oldest batch when it is new."""
        found = _load(self.path)
        if found is None:
            found = Position()
            self.save(found)
        return found

    def save(self, position: Position) -> None:
        """Replace the position: after a crash or power cut the old one stands or the new one, whole."""
        make_folder(self.path.parent)
        fresh = self.path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(position.to_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        sync_folder(self.path.parent)

    def forget(self) -> None:
        """Unregister the consumer: the journal waits for it no longer."""
        self.path.unlink(missing_ok=True)


def registered(journal: Path) -> dict[str, Position]:
    """The position of each registered consumer of a journal, by name.

    Raises `PositionCorrupt` when one cannot be read: nothing may be removed then.
    """
    found: dict[str, Position] = {}
    for path in sorted((journal / _FOLDER).glob("*.json")):
        position = _load(path)
        if position is not None:
            found[path.stem] = position
    return found


def slowest(journal: Path, worker: int) -> Mark | None:
    """The earliest mark of one worker among all registered consumers; None when some consumer (or all) has none yet."""
    marks = [position.marks.get(worker) for position in registered(journal).values()]
    known = [mark for mark in marks if mark is not None]
    if not known or len(known) < len(marks):
        return None
    return min(known, key=lambda mark: (mark.file, mark.id))


def _load(path: Path) -> Position | None:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return Position.from_json(text)
    except msgspec.MsgspecError as error:
        raise PositionCorrupt(path, str(error)) from error
