"""An edge through the whole product: made by the API, joined and run by the command line, its meter read here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from test_sources import Meter

if TYPE_CHECKING:
    from tests.conftest import Running


@pytest.fixture
def meter() -> Any:
    made = Meter(int(time.time()) - 3_600)
    yield made
    made.close()


def test_a_meter_behind_an_edge(
    product: Running, verb: Callable[..., str], eventually: Callable[..., Any], meter: Meter, tmp_path: Path
) -> None:
    folder = tmp_path / "edge"
    with product.signed_in() as owner:
        site = owner.get("/api/v1/sites").json()["rows"][0]["id"]
        told = {"site_id": site, "name": "Cellar", "settings": {"send_every_s": 0.1}}
        made = owner.post("/api/v1/edges", json=told)
        assert made.status_code == 201, made.text
        edge = made.json()["id"]
        said = verb("edge", "join", product.url, made.json()["code"], "--folder", folder)
        assert f"edge {edge} (Cellar)" in said
        settings = {"host": "127.0.0.1", "port": meter.port, "prefix": "cellar/"}
        source = {"site_id": site, "edge_id": edge, "name": "Cupboard", "protocol": "p1", "settings": settings}
        source = owner.post("/api/v1/sources", json=source).raise_for_status().json()
        command = [sys.executable, "-m", "wattstead", "edge", "run", "--folder", str(folder)]
        agent = subprocess.Popen(command, env=dict(os.environ))
        try:

            def address(name: str) -> int | None:
                meter.tick()
                points = owner.get("/api/v1/points", params={"site": site}).json()
                rows = points["rows"] if isinstance(points, dict) else points
                return next((row["id"] for row in rows if row["address"] == name), None)

            point = eventually(lambda: address("cellar/import T1"))
            rows = eventually(lambda: owner.get("/api/v1/readings", params={"point": point}).json()["value"])
            assert rows
            seen = owner.get(f"/api/v1/edges/{edge}").json()
            assert seen["joined"] and not seen["silent"] and seen["sight"]["memory_mb"] < 120
            assert owner.get(f"/api/v1/sources/{source['id']}").json()["sight"]["state"] == "elsewhere"
            part = next(one for one in owner.get("/api/v1/status").json()["parts"] if one["name"] == "edges")
            assert part["figures"]["edges"] >= 1
        finally:
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(60) == 0
        version = {"If-Match": owner.get(f"/api/v1/edges/{edge}").headers["ETag"]}
        assert owner.delete(f"/api/v1/edges/{edge}", headers=version).status_code == 204
        assert owner.get(f"/api/v1/sources/{source['id']}").json()["enabled"] is False
    assert "readings sent" in verb("edge", "status", "--folder", folder)
