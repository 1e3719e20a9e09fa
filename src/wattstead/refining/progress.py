"""Progress: how far rollups are, durable beside the journal position; it makes a restart cheap.

Without it a restart is as right, and slow: all rollups are computed again.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from wattstead.metering.errors import WattsteadError
from wattstead.stream.position import make_folder, sync_folder


class ProgressCorrupt(WattsteadError):
    """A progress file that cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"progress {path}: {reason}; remove the file to have all rollups computed again from raw")
        self.path, self.reason = path, reason


class Progress(msgspec.Struct, frozen=True):
    """Of everything before the saved journal position, all minutes before ``closed_us`` are rolled up.

    ``adopting``: points whose meaning changed and whose history is still being rolled up under the new rule.
    """

    closed_us: int = 0
    adopting: tuple[int, ...] = ()


class ProgressFile:
    """The durable progress of one refinery. Remove it together with the position whenever the store is restored."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Progress:
        """The progress last saved, or none at all: every minute is still to be rolled up. Raises `ProgressCorrupt`."""
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

    def forget(self) -> None:
        """Have all rollups computed again at the next start."""
        self.path.unlink(missing_ok=True)
