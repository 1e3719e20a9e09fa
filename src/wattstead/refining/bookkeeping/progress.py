"""Progress: what the refinery still owes that neither store nor journal remembers, in a durable file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from wattstead.metering.errors import WattsteadError
from wattstead.stream.position import make_folder, sync_folder


class ProgressCorrupt(WattsteadError):
    """A progress file that cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"progress {path}: {reason}; remove the file, and change a point again that was changed last")
        self.path, self.reason = path, reason


class Progress(msgspec.Struct, frozen=True):
    """``adopting``: points whose meaning changed and whose history is not all rolled up under the new rule yet."""

    adopting: tuple[int, ...] = ()


class ProgressFile:
    """The durable progress of one refinery."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Progress:
        """The progress last saved; nothing is owed when there is none. Raises `ProgressCorrupt`."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return Progress()
        except msgspec.MsgspecError as error:
            raise ProgressCorrupt(self.path, str(error)) from error

    def save(self, progress: Progress) -> None:
        """Replace it durably: after a crash or power cut the old one stands or the new one."""
        make_folder(self.path.parent)
        fresh = self.path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(progress))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        sync_folder(self.path.parent)
