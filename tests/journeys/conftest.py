"""A browser for the journeys: the real Chromium, signed in by hand once, watched for errors on every page."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright
from tests.chromium import FLAGS, for_pages

_AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
_SETTLED = """Promise.all(document.getAnimations().filter(one => one.effect.getComputedTiming().endTime !== Infinity)
  .map(one => one.finished.catch(() => undefined))).then(() => undefined)"""
_PATIENCE_MS = 120_000  # how busy the machine is decides no test
expect.set_options(timeout=_PATIENCE_MS)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Screen:
    """One browser window at one size, with what went wrong in it."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> Page:
        """Go to a screen below the application's address, and wait until it stands."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector("main h1")
        return self.page

    def ready(self) -> Page:
        """Wait until every chart of the history has drawn what was asked for."""
        self.page.wait_for_selector("[data-testid=panel][data-state=ready] .note:not(:empty)")
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('[data-testid=panel]')].every(p => p.dataset.state === 'ready')"
        )
        return self.page

    def history(self, query: str) -> Page:
        """Open the history with a view and wait for its picture."""
        self.open(f"history?{query}")
        return self.ready()

    def span(self) -> str:
        """The span that the history shows, as two instants."""
        return self.page.locator("[data-span]").get_attribute("data-span") or ""

    def zoomed(self, act: Callable[[], object]) -> str:
        """Do something that changes the span; the new one, once it is drawn."""
        before = self.span()
        act()
        self.page.wait_for_function("b => document.querySelector('[data-span]').dataset.span !== b", arg=before)
        self.ready()
        return self.span()

    def drag(self, start: float, end: float) -> None:
        """Draw a range on the first chart with the mouse, in shares of its width."""
        box = self.page.locator(".area").first.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * start, y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y)
        self.page.mouse.move(box["x"] + box["width"] * end, y)
        self.page.mouse.up()

    def overflow_px(self) -> int:
        """By how much the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def cut(self) -> list[str]:
        """Texts that end in an ellipsis because there is no room for them."""
        return list(
            self.page.evaluate(
                """() => [...document.querySelectorAll('body *')]
                .filter(e => getComputedStyle(e).textOverflow === 'ellipsis' && e.scrollWidth > e.clientWidth)
                .map(e => `${e.className}: ${e.textContent.trim()}`)"""
            )
        )

    def violations(self) -> list[str]:
        """What axe finds on the screen as it is."""
        assert _AXE.is_file(), f"{_AXE} is missing; install the front end's packages: cd frontend && npm ci"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE.read_text() + ";undefined")
        self.page.evaluate(_SETTLED)  # a colour on its way from one theme to the other is neither
        found: list[dict[str, Any]] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(r => r.violations)", _RULES
        )
        return [f"{v['id']}: {v['help']} at {[n['target'] for n in v['nodes']][:4]}" for v in found]


OpenScreen = Callable[..., Screen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; one a module, since while it is open no asynchronous test can have an event loop."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=for_pages(), headless=True, args=FLAGS)
        made = chromium.new_context

        def patient(**options: Any) -> BrowserContext:
            context = made(**options)
            context.set_default_timeout(_PATIENCE_MS)
            return context

        chromium.new_context = patient  # type: ignore[method-assign]
        yield chromium
        chromium.close()


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    """Sign in as a person does."""
    page.goto(base + "sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector("nav")


@pytest.fixture(scope="session")
def screen_of() -> type[Screen]:
    """`Screen`, for tests that open pages of other products."""
    return Screen


@pytest.fixture(scope="session")
def enter() -> Callable[[Page, str, str, str], None]:
    """`sign_in`, for tests of other addresses."""
    return sign_in


def cookie_of(url: str, email: str, password: str) -> StorageState:
    """What a browser keeps once somebody has signed in; doing that in the page is for tests of signing in."""
    with httpx.Client(base_url=url, headers={"X-Wattstead": "1"}, timeout=120, verify=False) as client:
        answer = client.post("/api/v1/session", json={"email": email, "password": password}).raise_for_status()
        ((name, value),) = answer.cookies.items()
    return {"cookies": [{"name": name, "value": value, "url": url, "httpOnly": True}]}  # type: ignore[typeddict-item]


@pytest.fixture(scope="session")
def signed_in(product: Any) -> StorageState:
    """The cookie of the demo's owner."""
    return cookie_of(product.url, product.email, product.password)


@pytest.fixture
def screen(browser: Browser, product: Any, signed_in: StorageState) -> Iterator[OpenScreen]:
    """Opens windows; at the end no page may have had an error."""
    contexts: list[BrowserContext] = []
    screens: list[Screen] = []

    def open_screen(width: int = 1280, height: int = 900, **options: Any) -> Screen:
        language = options.pop("language", None)
        given = {"storage_state": signed_in, "locale": "en-GB", "timezone_id": "Europe/Berlin"} | options
        context = browser.new_context(viewport={"width": width, "height": height}, **given)
        if language:
            context.add_init_script(f"localStorage.setItem('wattstead.language', {json.dumps(language)})")
        contexts.append(context)
        found = Screen(context.new_page(), f"{product.url}/")
        found.page.on("pageerror", lambda error: found.faults.append(str(error)))
        found.page.on("console", lambda said: found.faults.append(said.text) if said.type == "error" else None)
        screens.append(found)
        return found

    yield open_screen
    for context in contexts:
        context.close()
    assert [fault for one in screens for fault in one.faults] == []


@pytest.fixture(scope="session")
def sites(product: Any, eventually: Callable[..., Any]) -> dict[str, int]:
    """The demo's sites, their history filled in: ``minute`` by the minute, ``second`` by the second."""
    with product.signed_in() as client:
        found = {row["name"]: row["id"] for row in client.get("/api/v1/sites?sort=id").json()["rows"]}
        named = {"minute": found["Home near Paris"], "second": found["Second by second"]}
        now_ms = time.time() * 1000

        def filled(name: str, days: int) -> bool:
            points = client.get("/api/v1/points", params={"site": named[name]}).json()
            home = next(point["id"] for point in points if point["role"] == "home")
            span = {"points": home, "start": now_ms - days * 86_400_000, "end": now_ms, "step": "1h"}
            answer = client.get("/api/v1/series", params=span)
            if answer.status_code == 503:  # readings are still being stored
                return False
            return sum(1 for n in answer.json()["points"][0]["count"] if n) >= 24 * days - 1

        eventually(lambda: filled("minute", 30) and filled("second", 2))
    return named


@pytest.fixture(scope="session")
def logins(product: Any) -> dict[str, dict[str, str]]:
    """How one person of each role gets in."""
    note = json.loads((product.folder / "demo.json").read_text())
    return {login["role"]: login for login in note["logins"]}


@pytest.fixture(scope="session")
def states(product: Any, logins: dict[str, dict[str, str]]) -> Callable[[str], StorageState]:
    """The cookie of each role that was asked for, made once."""
    return functools.cache(lambda role: cookie_of(product.url, logins[role]["email"], logins[role]["password"]))


@pytest.fixture
def as_role(browser: Browser, states: Callable[[str], StorageState]) -> Iterator[Callable[..., Page]]:
    """A window in which somebody of a role (None: nobody) is signed in; no page of it may err."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(role: str | None, width: int = 1280, height: int = 900, **options: Any) -> Page:
        language = options.pop("language", None)
        if role:
            options["storage_state"] = states(role)
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        if language:
            context.add_init_script(f"localStorage.setItem('wattstead.language', {json.dumps(language)})")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
