"""A person copies the line from the page, pastes it, and sees the reading; names the point; makes and revokes keys."""

from __future__ import annotations

import math
import subprocess
import time
from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("promised_s", [math.inf, pytest.param(2.0, marks=pytest.mark.prove)])
def test_the_line_from_the_page_shows_its_reading(screen: Any, promised_s: float) -> None:
    window = screen(permissions=["clipboard-read", "clipboard-write"])
    page = window.open("points")
    name = f"journey/kettle_power-{time.time_ns()}"
    page.get_by_label("Address of the point").fill(name)
    make_key(page)
    page.get_by_role("button", name="Copy").click()
    line = page.evaluate("navigator.clipboard.readText()").replace("1234", "1870")
    assert name in line
    expect(page.get_by_text("Waiting for the reading")).to_be_visible()
    subprocess.run(["/bin/sh", "-c", line], check=True, capture_output=True, timeout=60)
    sent = time.monotonic()
    expect(page.locator(".send .arrived strong")).to_contain_text("1,870")
    assert time.monotonic() - sent < promised_s
    expect(page.locator(".send canvas")).to_be_visible()
    expect(page.get_by_text("New here")).to_be_visible()
    adopt(page, name)


def make_key(page: Any) -> None:
    """The line needs a key; where the demo does not lend its own, one is made."""
    page.wait_for_selector(".keys li")
    button = page.get_by_role("button", name="Make a write key")
    if button.is_visible():
        button.click()
    expect(button).to_have_count(0)


def adopt(page: Any, name: str) -> None:
    """Say what the new point measures; its energy and its place in the list follow."""
    page.get_by_role("button", name=f"Say what it is {name}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Filled in from its name")).to_be_visible()
    dialog.get_by_label("Name").fill("Kettle of the journey")
    dialog.get_by_label("Measures").select_option("electricity")
    dialog.get_by_label("Unit of its readings").select_option("W")
    dialog.get_by_label("Part of the home").select_option("appliance")
    dialog.get_by_role("button", name="Adopt").click()
    expect(dialog).to_have_count(0)
    row = page.locator(".row", has_text="Kettle of the journey")
    expect(row).to_contain_text("1.87\u202fkW")
    row.get_by_role("link", name="History of Kettle of the journey").click()
    expect(page.locator("h1")).to_have_text("History")
    expect(page.locator(".headline")).to_contain_text("Kettle of the journey")


def test_keys_are_shown_once_and_revoked(screen: Any, product: Any) -> None:
    page = screen().open("points")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Key of the journey")
    dialog.get_by_role("button", name="Read", exact=True).click()
    dialog.get_by_role("button", name="Make the key").click()
    shown = page.get_by_role("dialog", name="Your new key")
    secret = shown.locator("code").inner_text()
    assert len(secret) == 32
    with product.signed_in() as client:
        asked = {"headers": {"Authorization": f"Bearer {secret}", "Cookie": ""}}
        assert client.get("/api/v1/points", **asked).status_code == 200
        shown.get_by_role("button", name="I have kept it").click()
        assert secret not in page.content()
        row = page.locator(".keys li", has_text="Key of the journey")
        expect(row).to_contain_text(secret[:6])
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row).to_have_count(0)
        until = time.monotonic() + 60
        while client.get("/api/v1/points", **asked).status_code != 401:
            assert time.monotonic() < until, "the revoked key still reads"
            time.sleep(0.2)


def test_points_are_found_and_renamed(screen: Any) -> None:
    page = screen(360, 740).open("points")
    page.get_by_label("Search by name or address").fill("volt")
    expect(page.locator(".row")).to_have_count(1)
    assert "q=volt" in page.url
    page.get_by_role("button", name="Change Voltage").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Voltage at the meter")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".row")).to_contain_text("Voltage at the meter")
    page.get_by_role("button", name="Change Voltage at the meter").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Voltage")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Change Voltage", exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dialogs_are_sound(screen: Any, theme: str) -> None:
    window = screen(360, 740, color_scheme=theme)
    page = window.open("points")
    page.get_by_role("button", name="Change Home").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert window.violations() == []
    assert window.overflow_px() == 0
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert window.violations() == []
