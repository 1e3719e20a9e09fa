"""Ten generated years of a solar home: adopted without losing history, looked at whole, zoomed to single readings."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

ADOPTED: dict[str, dict[str, str]] = {
    "simulated/home power W": {"name": "House", "unit": "W", "kind": "gauge", "role": "home"},
    "simulated/solar power W": {"name": "Roof", "unit": "W", "kind": "gauge", "role": "solar"},
    "simulated/export kWh": {
        "name": "Sold",
        "unit": "kWh",
        "kind": "register",
        "role": "export",
        "direction": "export",
    },
}


def simulated(running: Any, verb: Callable[..., str], eventually: Callable[..., Any], every_s: int) -> dict[str, int]:
    """Generate the years, say what the points are, and wait until their sums are computed; their ids by name."""
    verb("simulate", "--data", running.folder, "--years", "10", "--every", str(every_s))
    with running.signed_in() as client:
        rows = {row["address"]: row for row in client.get("/api/v1/points").json()}
        for address, change in ADOPTED.items():
            direction = "export" if change["role"] == "export" else "none"
            patch = {"quantity": "electricity", "direction": direction, **change}
            version = {"If-Match": f'"{rows[address]["version"]}"'}
            client.patch(f"/api/v1/points/{rows[address]['id']}", json=patch, headers=version).raise_for_status()
        ids = {change["name"]: rows[address]["id"] for address, change in ADOPTED.items()}

        def known_years() -> int:
            now = time.time() * 1000
            span = {"points": ",".join(map(str, ids.values())), "start": now - 3652 * 86_400_000, "end": now}
            answer = client.get("/api/v1/series", params={**span, "step": "month"})
            if answer.status_code == 503:  # readings are still being stored
                return 0
            return min(sum(1 for amount in point["amount"] if amount) for point in answer.json()["points"])

        eventually(known_years, lambda months: months >= 119, 180.0)
        return ids


def site_of(running: Any, point: int) -> int:
    """The site of a point."""
    with running.signed_in() as client:
        return int(client.get(f"/api/v1/points/{point}").json()["site_id"])


def look(browser: Any, enter: Any, screen_of: Any, running: Any) -> Any:
    """A signed-in window on another product than the common one."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    enter(page, f"{running.url}/", running.email, running.password)
    return screen_of(page, f"{running.url}/")


@pytest.mark.prove
def test_from_ten_years_to_single_readings(
    browser: Any, enter: Any, screen_of: Any, product_at: Any, verb: Any, eventually: Any, tmp_path: Path
) -> None:
    with product_at(tmp_path / "data") as running:
        ids = simulated(running, verb, eventually, 1800)
        window = look(browser, enter, screen_of, running)
        points = ",".join(str(ids[name]) for name in ("House", "Roof", "Sold"))
        page = window.history(f"site={site_of(running, ids['House'])}&p=decade&points={points}")
        expect(page.locator(".note").first).to_contain_text("one bar is a year")
        expect(page.locator(".headline").first).to_contain_text("Wh")
        steps = 0
        while "one bar is a" in page.locator(".note").first.inner_text():
            window.zoomed(lambda: window.drag(0.4, 0.55))
            steps += 1
            assert steps < 10
        page.get_by_role("switch", name="Sold").click()
        window.ready()
        for _ in range(3):
            window.zoomed(lambda: window.drag(0.3, 0.7))
        expect(page.locator(".note").first).to_contain_text("each drawn as it came")
        shared, span = page.url, window.span()
        for _ in range(3):
            window.zoomed(page.go_back)
        page.goto(shared)
        window.ready()
        assert window.span() == span
        page.context.close()


@pytest.mark.prove
def test_a_million_readings_are_drawn_at_once(
    browser: Any, enter: Any, screen_of: Any, product_at: Any, verb: Any, eventually: Any, tmp_path: Path
) -> None:
    with product_at(tmp_path / "data") as running:
        ids = simulated(running, verb, eventually, 300)
        window = look(browser, enter, screen_of, running)
        site = site_of(running, ids["House"])
        window.history(f"site={site}&p=day&points={ids['House']}")
        start = time.perf_counter()
        page = window.history(f"site={site}&p=decade&points={ids['House']}")
        assert "1,0" in page.locator(".note").first.inner_text()
        assert time.perf_counter() - start < 1.0
        took_ms = []
        while "each drawn as it came" not in page.locator(".note").first.inner_text():
            start = time.perf_counter()
            window.zoomed(lambda: window.drag(0.4, 0.6))
            took_ms.append((time.perf_counter() - start) * 1000)
        assert sorted(took_ms)[len(took_ms) // 2] < 300, [round(ms) for ms in took_ms]
        page.context.close()
