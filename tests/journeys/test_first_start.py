"""A new installation: whoever starts it signs in with what it says, and ends with the first reading on screen."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect
from tests.conftest import serving


def test_a_new_installation_ends_with_its_first_reading(browser: Browser, enter: Any, tmp_path: Path) -> None:
    """As in a home: on all addresses, with a certificate of its own; the line is pasted as it stands."""
    with serving(tmp_path, "--host", "0.0.0.0", "--http-port", "0") as said:
        port, email, password = (
            re.findall(pattern, said)[0]
            for pattern in (r"runs at https://\S+:(\d+)/", r"e-mail +(\S+)", r"password +(\S+)")
        )
        window: dict[str, Any] = {"locale": "en-GB", "viewport": {"width": 360, "height": 740}}
        page = browser.new_context(ignore_https_errors=True, **window).new_page()
        enter(page, f"https://localhost:{port}/", email, password)
        expect(page.locator("h1")).to_have_text("First steps")
        page.get_by_label("Name of the place").fill("My house")
        page.get_by_role("button", name="Next").click()
        page.get_by_role("radio", name="Something of my own").check()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Waiting for the first reading")).to_be_visible()
        line = page.get_by_test_id("curl").locator("code")
        expect(line).to_contain_text("--cacert")
        sent = subprocess.run(
            ["sh", "-c", line.inner_text()], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert (sent.returncode, sent.stdout) == (0, '{"accepted":1,"rejected":[]}'), sent.stderr
        expect(page.get_by_test_id("first")).to_contain_text("1,234")
        page.get_by_role("button", name="To Home").click()
        expect(page.locator("h1")).to_have_text("Home")
        page.context.close()
