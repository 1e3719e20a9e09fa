"""SIGKILL at random moments under load, again and again: nothing acknowledged is lost, nothing is counted twice."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KILLS = 25
PROOF = int(os.environ.get("WATTSTEAD_KILLS", "1000"))
STRANGE = ("Traceback", "corrupt", "unreadable", "refinery_stands_still")
"""What no log may hold when processes were merely killed."""


def survive(plant: Any, kills: int, eventually: Callable[..., Any]) -> None:
    """Kill so often, one time in five while it starts and one in five the main process only; then compare."""
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    sys.stderr.write(f"seed {seed}\n")
    plant.send(seed)
    for _ in range(kills):
        fate = chance.random()
        if fate < 0.2:
            plant.launch()
            time.sleep(chance.uniform(0, 3))
        else:
            plant.start()
            plant.until_acknowledged(chance.randrange(1, 100))
        plant.kill(everything=fate < 0.8)
    plant.start()
    plant.until_acknowledged(20)
    plant.finish_sending()
    plant.check(eventually)
    said = plant.said()
    assert [line for line in said.splitlines() if any(word in line for word in STRANGE)] == []
    ledger = plant.ledger
    sys.stderr.write(f"{kills} kills, {ledger.acknowledged} requests and {ledger.readings} readings acknowledged, "
          f"{ledger.repeated} requests repeated, {ledger.corrected} corrections\n")  # fmt: skip
    assert min(ledger.repeated, ledger.corrected) > 0
    plant.stop()


def test_nothing_acknowledged_is_lost_or_counted_twice(
    plant_in: Callable[..., Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    survive(plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2"), KILLS, eventually)


@pytest.mark.prove
def test_a_thousand_kills(plant_in: Callable[..., Any], eventually: Callable[..., Any], tmp_path: Path) -> None:
    survive(plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2"), PROOF, eventually)
