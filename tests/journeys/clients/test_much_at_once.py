"""A meter's whole history played at once to a broker, while its source is away: all of it arrives, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import mosquitto

from wattstead.registry.places.sources import Given
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal


@pytest.mark.parametrize("count", [2_000, pytest.param(45_000, marks=pytest.mark.prove)])
def test_a_history_played_at_once_arrives_once(
    product: Any, eyes: Any, verb: Callable[..., str], eventually: Any, tmp_path: Path, count: int
) -> None:
    start_s = int(time.time()) // 86_400 * 86_400 - 2 * 86_400
    device = f"played{count}"
    table = tmp_path / "meter.csv"
    table.write_text("time,kW\n" + "".join(f"{start_s + at},{at}\n" for at in range(count)))
    site = eyes.http.get("/api/v1/points").json()[0]["site_id"]
    registry = Registry(f"sqlite:///{product.folder / 'registry.db'}", seal=Seal.of_file(product.folder / "seal.key"))

    def sight(made: Any) -> dict[str, Any]:
        answer = eyes.http.get(f"/api/v1/sources/{made.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["sight"]
        return found

    try:
        with mosquitto(tmp_path / "broker", "autosave_on_changes false") as broker:  # else all is saved at each message
            given = Given(name="much at once", settings={"host": "127.0.0.1", "port": broker.port})
            made = registry.create_source(site, "mqtt", given)
            eventually(lambda: sight(made)["state"], lambda state: state == "connected")
            registry.change_source(made.id, Given(enabled=False))
            eventually(lambda: sight(made)["state"], lambda state: state == "off")
            to = f"mqtt://127.0.0.1:{broker.port}"
            told = verb("simulate", "device", "--csv", table, "--device", device, "--pace", "0", "--to", to)
            assert f"{count:,} readings" in told or f"{count} readings" in told, told
            registry.change_source(made.id, Given(enabled=True))
            address = f"device_consumption/{device}/power"
            eventually(lambda: (sight(made), address in eyes.rows("device_consumption/"))[1], bool)
            query = {
                "points": eyes.point(address), "start": start_s * 1000, "end": (start_s + 86_400) * 1000, "step": "1h",
            }  # fmt: skip

            def stored() -> list[tuple[int, float]]:
                sight(made)
                told = eyes.http.get("/api/v1/series", params=query).json().get("points", [{}])[0]
                columns = zip(told.get("count", ()), told.get("mean", ()), strict=True)
                return [(number, mean) for number, mean in columns if number]

            found = eventually(stored, lambda rows: sum(number for number, _ in rows) >= count, 600.0)
            assert sum(number for number, _ in found) == count, "none twice"
            assert sum(number * mean for number, mean in found) == pytest.approx(sum(range(count)))
            assert sight(made)["refused"] == 0 and sight(made)["letters"] == 0
            registry.delete_source(made.id)
    finally:
        registry.close()
