"""Pages of people, organizations, sites and devices: where each role lands, and that all of them are sound."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.journeys.looking import As, go, sound, stands

FIRST = {
    "administrator": "organizations",
    "owner": "sites",
    "auditor": "sites",
    "partner": "sites",
    "operator": "sites",
    "manager": "home",
    "user": "home",
    "guest": "home",
}
PAGES = ["sites", "devices", "people", "organizations", "templates", "settings", "start", "more"]
THINGS = ["sites/1", "device", "person", "organization", "templates/eastron-sdm630/1", "templates/new"]
OPEN_PAGES = ["sign-in", "register", "recover", "recover?token=x", "invitation?token=x", "shared/x", "verify?token=x"]
DIALOGS = {
    "sites": ["New site", "Import", "Columns"],
    "devices": ["New device"],
    "sites/1": ["Give access", "Share", "New key", "Add", "Hand over", "Delete the site"],
    "device": ["Move to another site", "Delete the device"],
    "people": ["Invite"],
    "person": ["Give a role", "Change the e-mail address"],
    "people/3": ["Suspend here", "Delete the account"],
    "organizations": ["New organization"],
    "settings": ["Change the e-mail address", "Change the password", "Set up"],
}
"""Which button opens a dialog on which page of an owner."""


@pytest.mark.parametrize("role", FIRST)
def test_each_role_lands_on_its_own_first_page(as_role: As, product: Any, role: str) -> None:
    page = as_role(role)
    page.goto(f"{product.url}/")
    if role == "operator":
        expect(page.locator("h1")).to_have_text("Why do you look?")
        return
    page.wait_for_url(f"{product.url}/{FIRST[role]}")
    stands(page)
    assert page.locator("h1").count() == 1
    expect(page.locator("nav.places a.here")).to_have_count(1)


@pytest.mark.parametrize("path", ["sites?q=a&sort=city", "devices", "people", "settings", "organizations", "start"])
def test_a_stranger_signs_in_and_returns(as_role: As, product: Any, path: str) -> None:
    page = as_role(None)
    page.goto(f"{product.url}/{path}")
    page.fill("#email", product.email)
    page.fill("#password", product.password)
    page.click("button[type=submit]")
    expect(page).to_have_url(f"{product.url}/{path}")


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:x"])
def test_signing_in_leads_to_no_other_place(as_role: As, product: Any, target: str) -> None:
    page = as_role("user")
    page.goto(f"{product.url}/sign-in?to={target.replace(chr(92), '%5C')}")
    page.wait_for_url(f"{product.url}/home")


def test_every_page_is_sound(as_role: As, screen_of: Any, product: Any) -> None:
    """One window, as in `test_screens`: what all pages share is loaded once."""
    page = as_role("owner", reduced_motion="reduce")
    for path in [*PAGES, *THINGS]:
        go(page, product.url, path)
        sound(page, screen_of(page, f"{product.url}/"), path)
        assert page.locator("h1").count() == 1, path


def test_every_door_is_sound(as_role: As, screen_of: Any, product: Any) -> None:
    page = as_role(None, reduced_motion="reduce")
    for path in OPEN_PAGES:
        page.goto(f"{product.url}/{path}")
        stands(page)
        sound(page, screen_of(page, f"{product.url}/"), path)


def test_every_dialog_is_sound(as_role: As, screen_of: Any, product: Any) -> None:
    page = as_role("owner", reduced_motion="reduce")
    window = screen_of(page, f"{product.url}/")
    for path, buttons in DIALOGS.items():
        page.set_viewport_size({"width": 1280, "height": 900})
        go(page, product.url, path)
        for button in buttons:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.get_by_role("button", name=button, exact=True).last.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            stands(page)
            sound(page, window, f"{path}: {button}")
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("language", ["de", "fr", "pseudo"])
def test_other_languages_fit_on_a_phone(as_role: As, screen_of: Any, product: Any, language: str) -> None:
    page = as_role("owner", 360, 740, language=language)
    for path in [*PAGES, *THINGS]:
        go(page, product.url, path)
        assert screen_of(page, f"{product.url}/").overflow_px() == 0, path
