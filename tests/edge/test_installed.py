"""What is installed on site is enough: nothing else than the edge's packages is loaded, and little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import importlib.metadata, re, sys
locked = set(re.findall(r"^([a-z0-9._-]+)==", open(sys.argv[1]).read(), re.MULTILINE))
owners = importlib.metadata.packages_distributions()
allowed = {top for top, names in owners.items() if {name.lower().replace("_", "-") for name in names} & locked}

class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in owners and top not in allowed and top != "wattstead":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from wattstead.edge.commands import main
import wattstead.edge.running as running
assert running.memory_mb() < 120, running.memory_mb()
sys.exit(main(["status", "--folder", sys.argv[2]]))
"""


@pytest.mark.unit
def test_the_packages_of_an_edge_are_enough(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(ROOT / "requirements" / "edge.txt"), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and "belongs to no edge yet" in ran.stderr, ran.stderr


@pytest.mark.prove
def test_a_clean_environment_runs_it(tmp_path: Path) -> None:
    """With pip, into an environment that has nothing yet."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "edge.txt"], check=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [python, "-m", "wattstead", "edge", "status", "--folder", tmp_path / "none"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert ran.returncode == 1 and "belongs to no edge yet" in ran.stderr, ran.stderr
    told = subprocess.run([python, "-m", "wattstead"], capture_output=True, text=True, timeout=60, env=environment)
    assert told.returncode == 1 and "verb `edge` alone" in told.stderr
