"""A registry without any rows to begin with: a copy, since bringing one up to date takes longer than most tests.

What brings a registry up to date is tested where that is the matter, and each product that is started does it.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from wattstead.registry.registry import Registry


@functools.cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wattstead-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Registry(f"sqlite:///{folder}/registry.db") as made:
        made.migrate()
    return folder / "registry.db"


def migrated(folder: Path) -> str:
    """The address of a new SQLite registry in a folder: migrated, without rows."""
    shutil.copy(_made(), folder / "registry.db")
    return f"sqlite:///{folder / 'registry.db'}"
