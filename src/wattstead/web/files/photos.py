"""Pictures of sites and devices: JPEG and PNG, kept in one folder under their digest; it never shows them to anybody.

A file's name is its digest and kind alone, so that no name given by anybody ever becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from wattstead.web.problem import Refused

LARGEST = 5_000_000
_NAME = re.compile(r"[0-9a-f]{64}\.(jpg|png)")
_KINDS = {"jpg": "image/jpeg", "png": "image/png"}


def kind_of(content: bytes) -> str:
    """``jpg`` or ``png``, by what a file begins and ends with; raises `Refused` for anything else."""
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-64:]:
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and b"IEND" in content[-16:]:
        return "png"
    raise Refused(400, "this is neither a JPEG nor a PNG picture", code="picture.kind")


def keep(folder: Path, content: bytes) -> str:
    """Store a picture and give the name by which `load` finds it; raises `Refused`."""
    if len(content) > LARGEST:
        sentence = f"the picture has {len(content):,} bytes; at most {LARGEST:,} are taken"
        raise Refused(413, sentence, code="picture.large", bytes=len(content), most=LARGEST)
    name = f"{hashlib.sha256(content).hexdigest()}.{kind_of(content)}"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{secrets.token_hex(8)}"
    try:
        with fresh.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / name)
    finally:
        fresh.unlink(missing_ok=True)
    return name


def load(folder: Path, name: str) -> tuple[bytes, str] | None:
    """A picture and its media type; None when there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return (folder / name).read_bytes(), _KINDS[name.rpartition(".")[2]]
    except FileNotFoundError:
        return None
