"""``wattstead backup``: everything into one folder, through the running server or, when none runs, directly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from wattstead.app import product
from wattstead.backup import BackupUnusable, back_up
from wattstead.control import NotRunning, ask
from wattstead.settings import Settings, settings_of


def run(target: Path, folder: Path) -> int:
    """Make a backup in ``target``."""
    try:
        ask(folder, "backup", target=str(target.absolute()))
    except NotRunning:
        settings = settings_of(folder=folder)
        if not settings.registry_url and not (folder / "registry.db").exists():
            raise BackupUnusable(f"{folder} holds no data to back up; say with --data where it is") from None
        asyncio.run(_directly(target, settings))
    typer.echo(f"backup complete in {target}")
    return 0


async def _directly(target: Path, settings: Settings) -> None:
    async with product(settings) as opened:
        await asyncio.to_thread(
            back_up, target, settings.folder.absolute(), opened.store_folder, opened.registry, opened.series
        )
