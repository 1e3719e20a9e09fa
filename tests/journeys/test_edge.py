"""An edge through the whole product: made by the API, joined and run by the command line, its meter read here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from wattstead.edge.identity import Identity
from wattstead.ingest.edge import trust
from wattstead.ingest.edge.wire import SYNC, Document, Sync, Synced
from wattstead.registry.records import EdgeHealth

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


def seen(window: Any, what: str) -> None:
    """Nothing that axe finds and nothing sideways, on a phone and on a desk, light and dark."""
    for width, theme in ((360, "dark"), (1280, "light"), (360, "light"), (1280, "dark")):
        window.page.set_viewport_size({"width": width, "height": 900})
        window.page.emulate_media(color_scheme=theme)
        assert window.overflow_px() == 0, (what, width)
        if folder := os.environ.get("WATTSTEAD_SCREENSHOTS"):
            window.page.screenshot(path=f"{folder}/{what}-{width}-{theme}.png")
        if (width, theme) in ((360, "dark"), (1280, "light")):
            assert window.violations() == [], (what, width, theme)


def told(url: str, folder: Path, health: EdgeHealth) -> int:
    """Say how one is, as the edge of a folder would; the number of the configuration that it is told."""
    identity, body = Identity.load(folder), msgspec.json.encode(Sync(health, ""))
    signed = trust.authorization(identity.edge_id, identity.signing_key, SYNC, body)
    answer = httpx.post(url + SYNC, content=body, headers={"authorization": signed}).raise_for_status()
    synced = msgspec.json.decode(answer.content, type=Synced)
    return msgspec.json.decode(synced.document, type=Document).number


def joined(window: Any, product: Running, verb: Callable[..., str], folder: Path) -> None:
    """Make the edge Attic on the page, and become it by what the page says."""
    page = window.page
    page.get_by_role("button", name="Add an edge").click()
    page.get_by_label("Name", exact=True).fill("Attic")
    page.get_by_label("Site", exact=True).fill("Home near")
    page.get_by_role("button", name="Home near Paris").click()
    page.get_by_role("button", name="Make the code").click()
    lines = page.get_by_role("region", name="Commands for the machine").inner_text()
    assert f"wattstead edge join {product.url} " in lines
    seen(window, "edges-join")
    code = re.search(r"[A-Z2-9]{5}(-[A-Z2-9]{5}){3}", lines)
    page.get_by_role("button", name="Close").click()
    page.locator("[data-testid=edge]", has_text="Attic").get_by_text("No machine has joined").wait_for()
    assert code is not None
    verb("edge", "join", product.url, code.group(), "--folder", folder)


def changed(window: Any) -> None:
    """Average something, let only aggregates leave the site, give it less disk."""
    page = window.page
    page.get_by_role("button", name="Change Attic").click()
    page.get_by_role("button", name="Add a line").click()
    page.get_by_label("Addresses").fill("boiler/*")
    page.get_by_label("Every, in seconds").fill("300")
    page.get_by_label("What may leave the site").select_option("900")
    page.get_by_label("Disk for readings").fill("500")
    seen(window, "edges-change")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").wait_for(state="detached")


def speaks(window: Any, row: Any) -> None:
    """No language is too long."""
    for language in ("de", "fr", "pseudo", "en"):
        window.page.evaluate("language => localStorage.setItem('wattstead.language', language)", language)
        for width in (360, 1280):
            window.page.set_viewport_size({"width": width, "height": 900})
            window.open("sources")
            row.wait_for()
            assert window.overflow_px() == 0, (language, width)


def test_the_page(product: Running, screen: Any, verb: Callable[..., str], tmp_path: Path) -> None:
    """Joined by the code that the page shows, changed, taken back to what it was, ended."""
    folder, window = tmp_path / "edge", screen(360, 900)
    page = window.open("sources")
    joined(window, product, verb, folder)
    row = page.locator("[data-testid=edge]", has_text="Attic")
    waits = EdgeHealth(program="0.1.0", clock_us=time.time_ns() // 1000 + 400_000_000, waiting_bytes=1_200_000,
                       waiting_readings=60_000, behind_s=7_300, memory_mb=88.0, disk_free_mb=21_000, rate_per_s=50.0,
                       thinned=1_200, thinned_why="the budget is 2,000,000,000 bytes", last_error="cannot be reached",
                       last_error_us=time.time_ns() // 1000)  # fmt: skip
    first = told(product.url, folder, waits)
    works = msgspec.structs.replace(waits, applied=first)
    told(product.url, folder, works)
    for words in ("About 60,000 readings wait there", "Its clock is", "became aggregates", f"ration {first} runs"):
        row.get_by_text(words).wait_for()
    changed(window)
    second = told(product.url, folder, works)
    assert second == first + 1
    told(product.url, folder, msgspec.structs.replace(works, refused=second, refused_why="a source failed under it"))
    row.get_by_text(f"Configuration {second} was taken back, {first} runs: a source failed under it").wait_for()
    seen(window, "edges")
    speaks(window, row)
    row.get_by_role("button", name="History").click()
    page.get_by_text("taken back: a source failed under it").wait_for()
    seen(window, "edges-history")
    page.get_by_role("button", name=f"Take these settings again {first}").click()
    page.get_by_role("button", name="Take these settings again", exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")
    with product.signed_in() as owner:
        edge = next(one for one in owner.get("/api/v1/edges").json() if one["name"] == "Attic")
        assert edge["settings"]["rules"] == [] and edge["settings"]["aggregate_s"] == 0
    page.get_by_role("button", name="End Attic").click()
    page.get_by_role("button", name="End the edge").click()
    row.wait_for(state="detached")
