"""What the journeys over pages of people share: opening a page of theirs, waiting until it stands, finding it sound."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

from playwright.sync_api import Page

SIZES = [(360, 740), (1280, 900)]
EVERY_LOOK = bool(os.environ.get("WATTSTEAD_EVERY_LOOK"))
"""As `make prove` has it."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
As = Callable[..., Page]
"""Opens a window in which somebody of a role is signed in."""


def stands(page: Page) -> None:
    """Wait until a page has its heading, and nothing in it is still being loaded."""
    page.wait_for_selector("main h1")
    page.wait_for_function("() => !document.querySelector('.waiting, [aria-busy=true]')")


def sound(page: Page, window: Any, what: str) -> None:
    """Nothing that axe finds and nothing sideways: the phone in the dark and the desk in the light, or both in both."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert window.overflow_px() == 0, (what, width)
        for theme in THEMES if EVERY_LOOK else ("dark" if width < 900 else "light",):
            page.emulate_media(color_scheme=theme)
            assert window.violations() == [], (what, width, theme)


def go(page: Page, url: str, path: str) -> None:
    """Open a page by its path, or the first of a list by the name of what it holds."""
    if path in ("device", "person", "organization"):
        page.goto(f"{url}/{'people' if path == 'person' else path + 's'}")
        stands(page)
        page.locator("tbody a").first.click()
        page.wait_for_selector("a.back")
    else:
        page.goto(f"{url}/{path}")
    stands(page)
