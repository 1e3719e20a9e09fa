"""The own MQTT port through the whole product: what is acknowledged survives a kill, and the page tells it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.brokers import free_port
from tests.journeys.test_buses import _values
from tests.journeys.test_mqtt import _points
from tests.journeys.test_sources import EMAIL, PASSWORD, Serving, _sight

if TYPE_CHECKING:
    from playwright.sync_api import Browser

YEARS_S = 3_650 * 86_400


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the server listens to devices."""
    found = free_port()
    monkeypatch.setenv("WATTSTEAD_MQTT_PORT", str(found))
    return found


@pytest.fixture
def serving(tmp_path: Path, port: int) -> Iterator[Serving]:
    made = Serving(tmp_path / "data")
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def _publish(port: int, secret: str, topic: str, *payloads: object) -> None:
    """Returns when all of them are acknowledged."""
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in payloads)
    words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-u", "any", "-P", secret, "-q", "1", "-t", topic]
    subprocess.run([*words, "-l"], input=lines.encode(), check=True, timeout=60)


def _key(client: httpx.Client, site: int) -> str:
    body = {"site_id": site, "name": "device", "scope": "write"}
    return str(client.post("/keys", json=body).raise_for_status().json()["secret"])


def test_what_was_acknowledged_is_there_after_a_kill_and_on_the_page(
    serving: Serving,
    port: int,
    browser: Browser,
    enter: Callable[..., None],
    screen_of: Any,
    eventually: Callable[..., Any],
) -> None:
    client, now_s = serving.client(), int(time.time()) - 30
    secret = _key(client, serving.site)
    off = {"level": 9.5, "ts": now_s - YEARS_S}
    _publish(port, secret, "cellar", {"level": 2.5, "ts": now_s}, off, "P=12;")
    serving.kill()
    serving.start()
    client = serving.client()
    (row,) = client.get("/sources").raise_for_status().json()
    assert (row["protocol"], row["title"], row["entrance"], row["site_id"]) == (
        "mqtt-port", "MQTT port", True, serving.site,
    )  # fmt: skip
    letters = client.get(f"/sources/{row['id']}/letters").raise_for_status().json()["rows"]
    reasons = {one["text"]: one["reason"] for one in letters}
    assert reasons.keys() == {"P=12;", json.dumps(off)} and "lies before" in reasons[json.dumps(off)]
    point = eventually(lambda: _points(client).get("cellar/level"))["id"]
    assert eventually(lambda: _values(client, point)) == [(now_s * 1000, 2.5)]
    eventually(lambda: _sight(client, row["id"])["state"], lambda state: state == "connected")
    _on_the_page(serving, browser, enter, screen_of)
    readings = eventually(lambda: _values(client, point), lambda found: len(found) == 2)
    assert readings == [((now_s - YEARS_S) * 1000, 9.5), (now_s * 1000, 2.5)]
    _not_another_source(client, row["id"], serving.site)
    assert secret not in (serving.folder.parent / "log").read_text()
    serving.stop()


def _on_the_page(serving: Serving, browser: Browser, enter: Callable[..., None], screen_of: Any) -> None:
    """Its row says what it is; the oldest reading is let in, and its letter read again."""
    context = browser.new_context(viewport={"width": 390, "height": 900}, locale="en-GB")
    page = context.new_page()
    window = screen_of(page, serving.url)
    page.on("pageerror", lambda error: window.faults.append(str(error)))
    enter(page, serving.url, EMAIL, PASSWORD)
    window.open("sources")
    row = page.locator("[data-testid=source]")
    row.get_by_text("Open to devices").wait_for()
    row.get_by_text("this server's own MQTT port").wait_for()
    assert window.violations() == [] and window.overflow_px() == 0
    page.get_by_role("button", name="Connect").click()
    page.get_by_label("Protocol", exact=True).wait_for()
    options = page.get_by_label("Protocol", exact=True).locator("option").all_inner_texts()
    assert "MQTT" in options and "MQTT port" not in options
    page.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Change MQTT port").click()
    page.get_by_text("Limits").click()
    page.get_by_label("Oldest reading, in days").fill("0")
    assert window.violations() == [] and window.overflow_px() == 0
    page.get_by_role("button", name="Save").click()
    row.get_by_role("button", name="2 dead letters").click()
    page.locator(".reason", has_text="expected a number").wait_for()
    page.locator(".reason", has_text="lies before").wait_for()
    page.get_by_role("button", name="Replay all").click()
    page.get_by_text(re.compile("1 is still wrong")).wait_for()
    assert window.violations() == [] and window.overflow_px() == 0
    assert window.faults == []
    context.close()


def _not_another_source(client: httpx.Client, row: int, site: int) -> None:
    """Nobody makes one, and it becomes no machine's and no device's."""
    made = client.post("/sources", json={"site_id": site, "name": "x", "protocol": "mqtt-port", "settings": {}})
    assert made.status_code == 400 and "the server makes its row" in made.text
    version = {"If-Match": client.get(f"/sources/{row}").headers["ETag"]}
    device = client.post("/devices", json={"site_id": site, "name": "Meter"}).raise_for_status().json()["id"]
    for change in ({"device_id": device}, {"edge_id": 1}, {"settings": {"host": "10.0.0.1"}}):
        assert client.patch(f"/sources/{row}", json=change, headers=version).status_code == 400, change
    assert client.patch(f"/sources/{row}", json={"name": "Port"}, headers=version).status_code == 200
