"""A copy of everything in one folder, and back: the journal's position first, then the store, then the registry.

In this order a copy taken while readings arrive is whole: what the store lacks stands behind the position in the
journal, and every point the store knows is in the registry.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import msgspec

from wattstead import __version__
from wattstead.certificates.authority import FOLDER
from wattstead.ingest.sources.letters import copied
from wattstead.metering.errors import WattsteadError
from wattstead.refining.bookkeeping.progress import ProgressFile
from wattstead.refining.refinery import CONSUMER
from wattstead.registry.registry import Registry
from wattstead.series import Series
from wattstead.stream import Position, PositionFile

_NOTE = "backup.json"
_FORMAT = 1
PROGRESS = "refining.json"
"""The refinery's progress, in the product's folder and in a backup."""

PHOTOS, LETTERS, SEAL = "photos", "letters.db", "seal.key"
"""Pictures, dead letters, and the secret that seals others, in the product's folder and in a backup."""
_FOLDERS = (PHOTOS, "templates", "opcua", FOLDER)
"""Copied as they are: what stands in them never changes, or is replaced by files of one moment."""


class BackupUnusable(WattsteadError):
    """A folder that cannot take a backup, or that holds none that can be used."""


class BackupNote(msgspec.Struct, frozen=True):
    """What a backup says of itself; written last, so that a folder without it is no backup."""

    format: int
    version: str
    taken_s: float
    position: Position
    """Everything before this position of the journal is in the store of the backup."""


def back_up(target: Path, folder: Path, store_folder: Path | None, registry: Registry, series: Series) -> BackupNote:
    """Copy registry, store, journal position, dead letters, keys and pictures into ``target``, empty or missing.

    ``store_folder`` is where the embedded store may put its copy; None for a store elsewhere. Raises `BackupUnusable`
    and what the rooms raise; a ``target`` that was begun and has no note is no backup.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupUnusable(f"{target} is not empty; name a folder that is empty or does not exist yet")
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    position = PositionFile(folder / "journal", CONSUMER).load()
    ProgressFile(target / PROGRESS).save(ProgressFile(folder / PROGRESS).load())
    inside = store_folder / "backups" / f"backup-{time.time_ns()}" if store_folder is not None else target / "store"
    series.backup(inside)
    if store_folder is not None:
        shutil.move(inside, target / "store")
    registry.backup(target / "registry")
    _copy_files(folder, target)
    note = BackupNote(_FORMAT, __version__, time.time(), position)
    with (target / _NOTE).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(note)))
        file.flush()
        os.fsync(file.fileno())
    return note


def _copy_files(source: Path, target: Path) -> None:
    """What stands beside registry and store, from the product's folder into a backup, or back."""
    for name in _FOLDERS:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    copied(source / LETTERS, target / LETTERS)
    if (source / SEAL).exists() and not (target / SEAL).exists():
        (target / SEAL).touch(0o600)
        (target / SEAL).write_bytes((source / SEAL).read_bytes())


def _refuse_other_seal(source: Path, folder: Path) -> None:
    mine, theirs = folder / SEAL, source / SEAL
    if mine.exists() and theirs.exists() and mine.read_bytes() != theirs.read_bytes():
        raise BackupUnusable(f"{mine} is another one than the backup's, whose secrets it does not open; move it away")


def read_note(source: Path) -> BackupNote:
    """What a folder holds; raises `BackupUnusable`."""
    try:
        note = msgspec.json.decode((source / _NOTE).read_bytes(), type=BackupNote)
    except FileNotFoundError:
        raise BackupUnusable(f"{source} holds no complete backup: it has no {_NOTE}") from None
    except msgspec.MsgspecError as error:
        raise BackupUnusable(f"{source / _NOTE} cannot be read: {error}") from error
    if note.format != _FORMAT:
        raise BackupUnusable(f"{source} has format {note.format}, this version reads {_FORMAT}: use a newer version")
    return note


def restore(source: Path, folder: Path, store_folder: Path | None, registry: Registry, series: Series) -> BackupNote:
    """Fill an empty registry and store from a backup; a journal in ``folder`` is read on from its position."""
    note = read_note(source)
    _refuse_other_seal(source, folder)
    registry.restore(source / "registry")
    _copy_files(source, folder)
    inside = source / "store"
    if store_folder is not None:
        inside = store_folder / "backups" / f"restore-{time.time_ns()}"
        shutil.copytree(source / "store", inside)
    try:
        series.restore(inside)
    finally:
        if store_folder is not None:
            shutil.rmtree(inside, ignore_errors=True)
    PositionFile(folder / "journal", CONSUMER).save(note.position)
    ProgressFile(folder / PROGRESS).save(ProgressFile(source / PROGRESS).load())
    return note
