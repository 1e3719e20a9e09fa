"""Every screen, both themes, phone and desk, four languages: nothing overflows, axe finds nothing, no page errs."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.journeys.looking import SIZES, THEMES

SCREENS = ["home", "history", "points", "settings", "nowhere"]


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_every_screen_is_sound(screen: Any, size: tuple[int, int]) -> None:
    """One window: the pages are loaded as often as somebody opens them, not once more for each look."""
    window = screen(*size, has_touch=size[0] < 900, is_mobile=size[0] < 900, reduced_motion="reduce")
    for path in SCREENS:
        page = window.open(path)
        settled(page, path)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            assert window.violations() == [], (path, theme)
            assert window.overflow_px() == 0, (path, theme)
        assert page.locator("h1").count() == 1, path
        assert page.title().endswith("· Wattstead"), path


@pytest.mark.parametrize("language", ["de", "fr", "pseudo"])
def test_other_languages_fit_on_a_phone(screen: Any, language: str) -> None:
    window = screen(360, 740, language=language)
    for path in SCREENS:
        page = window.open(path)
        settled(page, path)
        assert window.overflow_px() == 0, path
        if language == "pseudo":
            assert english_words(page) == [], path
        else:
            assert window.cut() == [], path


def test_at_320_pixels_nothing_scrolls_sideways(screen: Any) -> None:
    window = screen(320, 640)
    for path in SCREENS:
        settled(window.open(path), path)
        assert window.overflow_px() == 0, path


def test_signing_in_says_what_is_wrong_and_leads_back(browser: Any, product: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{product.url}/points?q=volt")
    page.wait_for_selector("#email")
    page.fill("#email", product.email)
    page.fill("#password", "not this one")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    page.fill("#password", product.password)
    page.click("button[type=submit]")
    expect(page).to_have_url(f"{product.url}/points?q=volt")
    expect(page.locator("h1")).to_have_text("Points")
    page.goto(f"{product.url}/settings")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#email")).to_be_visible()
    page.goto(f"{product.url}/history")
    expect(page.locator("#email")).to_be_visible()
    context.close()


def test_a_person_chooses_theme_and_language(screen: Any) -> None:
    page = screen().open("settings")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") == "rgb(15, 20, 25)"
    page.get_by_label("Language").select_option("de")
    expect(page.locator("h1")).to_have_text("Einstellungen")
    page.reload()
    expect(page.locator("h1")).to_have_text("Einstellungen")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.lang") == "de"


def test_the_keyboard_reaches_everything_from_the_top(screen: Any) -> None:
    page = screen().open("home")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="History").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("History")
    expect(page.locator("main")).to_be_focused()


def settled(page: Any, path: str) -> None:
    """Wait until the screen shows its readings."""
    if path == "home":
        page.wait_for_function("() => /[0-9]/.test(document.querySelector('[data-testid=using]')?.textContent ?? '')")
        page.wait_for_selector(".energy .amount")
    elif path == "history":
        page.wait_for_selector("[data-testid=panel][data-state=ready]")
        page.wait_for_function("() => /[0-9]/.test(document.querySelector('.headline')?.textContent ?? '')")
    elif path == "points":
        page.wait_for_selector(".row")
        page.wait_for_selector(".keys li")


def english_words(page: Any) -> list[str]:
    """Texts of the page itself (not names or figures) that the pseudo-language left as they are."""
    texts: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('h1, h2, button, label, nav span')]
          .filter(e => !e.closest('.others'))
          .flatMap(e => [...e.childNodes]).filter(n => n.nodeType === 3).map(n => n.textContent.trim())
          .filter(s => /[a-z]{3}/.test(s) && !/[áéîöûçñý·ô]/.test(s))"""
    )
    return [text for text in texts if not any(mark in text for mark in ("20", "Home near", "Second by", "English"))]
