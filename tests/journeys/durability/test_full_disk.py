"""A full disk under the journal, alone and with all else: senders are told, people still see, it goes on by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


def fill(ballast: Path) -> None:
    """Write until not one byte more fits."""
    handle = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    os.write(handle, bytes(size))
            except OSError:
                continue
    finally:
        os.close(handle)


@pytest.mark.parametrize(("folder", "size"), [("data/journal", "24m"), ("data", "400m")])
def test_senders_are_refused_and_history_is_answered(
    folder: str,
    size: str,
    small_disk: Callable[..., Any],
    plant_in: Callable[..., Any],
    eventually: Callable[..., Any],
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / folder, size) as full:
        plant = plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2")
        plant.start()
        plant.send(pause_s=0.1)
        plant.until_acknowledged(60)
        ballast = full / "ballast"
        with closing(plant.signed_in()) as http:
            eventually(lambda: plant.part(http, "refining")["figures"]["stored_readings"] > 100)
            for _ in range(2):
                before = plant.ledger.refused

                def refused(before: int = before) -> bool:
                    fill(ballast)
                    return plant.ledger.refused >= before + 10

                eventually(refused)
                said = plant.part(http, "journal")
                assert not said["ok"], said
                assert "503" in said["text"]
                assert http.get("/api/v1/status").json()["ok"] is False
                points = http.get("/api/v1/points").raise_for_status().json()
                meter = next(row["id"] for row in points if row["address"] == "main/meter")
                query = {"points": meter, "step": "day", "start": "2026-01-01T00:00Z"}
                assert http.get("/api/v1/series", params=query).raise_for_status().json()["points"][0]["readings"] > 0
                readings = http.get("/api/v1/readings", params={"point": meter, "start": "2026-01-01T00:00Z"})
                assert len(readings.raise_for_status().json()["value"]) > 0
                ballast.unlink()
                plant.until_acknowledged(40)
            eventually(lambda: plant.part(http, "journal")["ok"])
        plant.finish_sending()
        plant.check(eventually)
        plant.stop()
