"""Power cuts under load: the product on an ext4 file system shut down without flushing, again and again.

Needs root, a loop device and mkfs.ext4. What the file system had not been made to write is lost, as with the power.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.prove
CUTS = int(os.environ.get("WATTSTEAD_POWER_CUTS", "20"))


def test_nothing_acknowledged_is_lost_or_counted_twice(
    disk: Any, plant_in: Callable[..., Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    sys.stderr.write(f"seed {seed}\n")
    plant = plant_in(disk.at / "data", tmp_path / "log", store_every_s="0.2")
    os.sync()
    plant.send(seed)
    for _ in range(CUTS):
        plant.start()
        plant.until_acknowledged(chance.randrange(1, 200))
        disk.cut_power()
        plant.kill()
        eventually(disk.power_back)
    plant.start()
    plant.until_acknowledged(20)
    plant.finish_sending()
    plant.check(eventually)
    assert "corrupt" not in plant.said()
    ledger = plant.ledger
    sys.stderr.write(f"{CUTS} power cuts, {ledger.acknowledged} requests, {ledger.readings} readings acknowledged\n")
    plant.stop()
