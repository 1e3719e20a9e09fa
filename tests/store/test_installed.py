"""What a server's installation holds: the engine's extension without dataframe libraries, and not too much of it."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 1_000_000_000
"""Of what the packages bring, their bytecode included."""
UNWANTED = {"pandas", "chdb"}
"""What the engine's own package asks for, and a package around it; a gigabyte has no room for what nothing loads."""
EXCLUDED = set(re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements" / "excludes.in").read_text(), re.MULTILINE))
"""What others ask for, and a server has no use for."""
MODULES = {"markdown-it-py": "markdown_it", "rich-click": "rich_click"}


def locked(name: str) -> set[str]:
    """The packages of a lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["server", "dev"])
def test_nothing_that_nobody_loads_is_locked(name: str) -> None:
    assert "chdb-core" in locked(name)
    assert not locked(name) & UNWANTED


def test_a_server_has_none_of_what_is_excluded() -> None:
    assert EXCLUDED and not locked("server") & EXCLUDED


def test_the_server_and_its_document_need_none_of_it() -> None:
    script = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(MODULES.get(name, name) for name in EXCLUDED)!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Without())
import wattstead.app, wattstead.cli, wattstead.web.app
from wattstead.web import openapi
print(len(openapi.text()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and int(done.stdout) > 0, done.stderr[-2000:]


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
