"""Trouble inside the store while the journal is well: senders notice nothing, the consumer waits, says so, goes on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

WEEK_US = 7 * 86_400_000_000
PAUSE_S = 0.2
"""A store is in trouble for half a minute before the status says so: what is sent meanwhile has to be compared."""


@pytest.fixture
def plant(plant_in: Callable[..., Any], tmp_path: Path) -> Any:
    """A plant under load, some of which has reached the store."""
    plant = plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2", store_silence_s="900")
    plant.start()
    plant.send(pause_s=PAUSE_S)
    plant.until_acknowledged(60)
    return plant


def ask_store(plant: Any, sql: str) -> str:
    """A statement to the store process, past the product."""
    pairs = dict(pair.partition("=")[::2] for pair in Path(f"/proc/{plant.store_pid}/environ").read_text().split("\0"))
    port = re.findall(r'event="store ready" .*port=(\d+)', plant.said())[-1]
    login = ("wattstead", pairs["WATTSTEAD_STORE_KEY"])
    answer = httpx.post(f"http://127.0.0.1:{port}/?database=wattstead", content=sql, auth=login, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def stands_still(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> str:
    """Wait until the status says that readings wait; meanwhile and afterwards senders are answered as ever."""
    refused = plant.ledger.refused
    said = eventually(lambda: plant.part(http, "refining"), lambda part: not part["ok"], patience_s=180)
    stored = said["figures"]["stored_readings"]
    plant.until_acknowledged(60)
    assert plant.ledger.refused == refused
    later = plant.part(http, "refining")
    assert not later["ok"]
    assert later["figures"]["stored_readings"] == stored
    assert later["figures"]["lag_bytes"] > 0
    return str(said["text"])


def works(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> None:
    """Wait until readings are stored again."""
    eventually(lambda: plant.part(http, "refining"), lambda part: part["ok"], patience_s=180)


def goes_on(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> None:
    """Nothing is skipped: everything acknowledged arrives, with nobody's help."""
    works(plant, http, eventually)
    plant.finish_sending()
    plant.check(eventually)
    assert plant.ledger.refused == 0
    plant.stop()


def test_the_store_killed_again_and_again(plant: Any, eventually: Callable[..., Any]) -> None:
    with closing(plant.signed_in()) as http:
        for death in range(1, 4):
            os.kill(eventually(lambda: plant.store_pid), signal.SIGKILL)
            plant.until_acknowledged(40)
            eventually(
                lambda: plant.part(http, "store"),
                lambda part, death=death: part["ok"] and part["figures"]["restarts"] >= death,
                patience_s=180,
            )
        goes_on(plant, http, eventually)
    assert "refinery_stands_still" in plant.said()
    assert "refinery_goes_on" in plant.said()


def hang(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> None:
    """Until it is ended for it, which takes longer here, the status says what is the matter."""
    stopped = plant.store_pid
    os.kill(stopped, signal.SIGSTOP)
    try:
        assert "behind the senders" in stands_still(plant, http, eventually)
    finally:
        os.kill(stopped, signal.SIGCONT)
    works(plant, http, eventually)


def too_many_parts(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> None:
    limits = "parts_to_delay_insert = {}, parts_to_throw_insert = {}"
    ask_store(plant, "ALTER TABLE reading MODIFY SETTING " + limits.format(1, 1))
    assert "code 252" in stands_still(plant, http, eventually)
    ask_store(plant, "ALTER TABLE reading MODIFY SETTING " + limits.format(1000, 3000))
    works(plant, http, eventually)


def more_weeks_than_one_insert_may_touch(plant: Any, http: httpx.Client, eventually: Callable[..., Any]) -> None:
    """Over 100 partitions in one block are an error of the engine; a request of 400 weeks is stored nevertheless."""
    times = [1_400_000_000_000_000 + n * WEEK_US for n in range(400)]
    body = {"time_unit": "us", "point": ["weeks"] * 400, "time": times, "value": list(range(400))}
    headers = {"Authorization": f"Bearer {plant.write_key}"}
    httpx.post(f"{plant.url}/api/v1/readings", json=body, headers=headers, timeout=60).raise_for_status()

    def stored() -> list[float]:
        found = [row["id"] for row in http.get("/api/v1/points").json() if row["address"] == "weeks"]
        query = {"point": found[0], "start": "2014-01-01T00:00Z"} if found else {}
        answer = http.get("/api/v1/readings", params=query) if found else None
        return answer.json()["value"] if answer is not None and answer.status_code == 200 else []

    eventually(stored, lambda values: values == list(range(400)))


def test_trouble_after_trouble(plant: Any, eventually: Callable[..., Any]) -> None:
    """A store that hangs, that has too many parts, and that gets more weeks than it takes, one after the other."""
    with closing(plant.signed_in()) as http:
        for trouble in (hang, too_many_parts, more_weeks_than_one_insert_may_touch):
            trouble(plant, http, eventually)
        goes_on(plant, http, eventually)


def test_a_store_that_hangs_is_ended_and_nothing_is_lost(
    plant_in: Callable[..., Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    plant = plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2", store_silence_s="6")
    plant.start()
    plant.send(pause_s=PAUSE_S)
    plant.until_acknowledged(60)
    with closing(plant.signed_in()) as http:
        os.kill(plant.store_pid, signal.SIGSTOP)
        plant.until_acknowledged(60)
        eventually(
            lambda: plant.part(http, "store"),
            lambda part: part["ok"] and part["figures"]["restarts"] == 1,
            patience_s=180,
        )
        goes_on(plant, http, eventually)
    assert "it is ended" in plant.said()


@pytest.mark.prove
def test_a_full_disk_of_the_store(
    plant_in: Callable[..., Any], small_disk: Callable[..., Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    with small_disk(tmp_path / "data" / "store", "300m") as full:
        plant = plant_in(tmp_path / "data", tmp_path / "log", store_every_s="0.2")
        plant.start()
        plant.send(pause_s=PAUSE_S)
        plant.until_acknowledged(60)
        with closing(plant.signed_in()) as http:
            left = os.statvfs(full).f_bavail * os.statvfs(full).f_frsize
            with (full / "ballast").open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, left)
            said = stands_still(plant, http, eventually)
            assert "No space left" in said or "space" in said, said
            (full / "ballast").unlink()
            goes_on(plant, http, eventually)
