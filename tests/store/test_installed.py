"""What a server's installation holds: the engine's extension without dataframe libraries, and not too much of it."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 1_000_000_000
"""Of what the packages bring, their bytecode included."""
UNWANTED = {"pandas", "chdb"}
"""What the engine's own package asks for, and a package around it; a gigabyte has no room for what nothing loads."""


def locked(name: str) -> set[str]:
    """The packages of a lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["server", "dev"])
def test_nothing_that_nobody_loads_is_locked(name: str) -> None:
    assert "chdb-core" in locked(name)
    assert not locked(name) & UNWANTED


def test_the_locked_packages_are_small_enough() -> None:
    sizes: dict[str, int] = {}
    for name in locked("server"):
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        files = [Path(str(file.locate())) for file in found.files or ()]
        sizes[name] = sum(file.stat().st_blocks * 512 for file in files if file.is_file())
    assert {"chdb-core", "numpy", "litestar"} <= sizes.keys()
    shown = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in sorted(sizes.items(), key=lambda one: -one[1])[:6])
    assert sum(sizes.values()) <= LIMIT_BYTES, f"{sum(sizes.values()) / 1e6:.0f} MB: {shown}"
