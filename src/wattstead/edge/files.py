"""Small files that are whole after a power cut: the old content stands or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from wattstead.stream.position import make_folder, sync_folder


def put(path: Path, content: bytes) -> None:
    """Replace a file that only its owner reads; raises `OSError`, and then the old one stands."""
    make_folder(path.parent)
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def got(path: Path) -> bytes | None:
    """What a file holds; None when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
