"""A new installation: whoever starts it signs in with what it says, and ends with the first reading on screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, expect
from tests.conftest import serving


def test_a_new_installation_ends_with_its_first_reading(browser: Browser, enter: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as said:
        url, email, password = (
            re.findall(pattern, said)[0] for pattern in (r"runs at (\S+)/", r"e-mail +(\S+)", r"password +(\S+)")
        )
        page = browser.new_context(locale="en-GB", viewport={"width": 360, "height": 740}).new_page()
        enter(page, f"{url}/", email, password)
        expect(page.locator("h1")).to_have_text("First steps")
        page.get_by_label("Name of the place").fill("My house")
        page.get_by_role("button", name="Next").click()
        page.get_by_role("radio", name="Something of my own").check()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Waiting for the first reading")).to_be_visible()
        key = re.findall(r"Bearer (\w+)", page.get_by_test_id("curl").locator("code").inner_text())[0]
        reading = {"readings": [{"point": "test/first-reading", "value": 1234}]}
        sent = httpx.post(f"{url}/api/v1/readings", headers={"Authorization": f"Bearer {key}"}, json=reading)
        assert sent.status_code == 200, sent.text
        expect(page.get_by_test_id("first")).to_contain_text("1,234")
        page.get_by_role("button", name="To Home").click()
        expect(page.locator("h1")).to_have_text("Home")
        page.context.close()
