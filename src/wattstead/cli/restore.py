"""``wattstead restore``: a backup into a folder that has no registry and no store; the server must not run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import typer

from wattstead.app import open_store
from wattstead.backup import BackupNote, BackupUnusable, read_note, restore
from wattstead.registry.registry import Registry
from wattstead.series import Series
from wattstead.settings import Settings, settings_of


def run(source: Path, folder: Path) -> int:
    """Restore the backup in ``source`` into ``folder``."""
    read_note(source)
    there = [name for name in ("registry.db", "store") if (folder / name).exists()]
    if there:
        raise BackupUnusable(f"{folder} holds {' and '.join(there)} already; restore into a folder without them")
    note = asyncio.run(_restore(source, settings_of(folder=folder)))
    taken = datetime.fromtimestamp(note.taken_s, UTC).isoformat(timespec="seconds")
    typer.echo(f"restored the backup of {taken} into {folder}; start the server on it")
    return 0


async def _restore(source: Path, settings: Settings) -> BackupNote:
    folder = settings.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with open_store(settings) as (address, store_folder):
        with Registry(settings.registry_address) as registry:
            series = Series(address)
            try:
                return await asyncio.to_thread(restore, source, folder, store_folder, registry, series)
            finally:
                series.close()
