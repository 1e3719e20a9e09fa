"""Whoever registers on the page is told that a role is missing, and comes back when the password is lost."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect
from tests.journeys.looking import As, stands


def test_a_person_registers_waits_for_a_role_and_loses_the_password(
    as_role: As, enter: Any, product: Any, eventually: Any
) -> None:
    with product.signed_in() as client:
        for name in ("Open to all", "Open too"):
            made = client.post("/api/v1/organizations", json={"name": name, "kind": "fleet"})
            path, version = f"/api/v1/organizations/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
            client.patch(path, json={"registration": True}, headers=version).raise_for_status()
    page = as_role(None, 360, 740)
    page.goto(f"{product.url}/register")
    page.get_by_label("Your name").fill("Rosa")
    page.get_by_label("E-mail").fill("rosa@example.org")
    page.get_by_label("Organization").select_option(label="Open to all")
    page.locator("#password").fill("a long walk at night")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url(f"{product.url}/home")
    expect(page.get_by_role("alert")).to_contain_text("You have no role here yet")

    page = as_role(None, 360, 740)
    page.goto(f"{product.url}/sign-in")
    page.get_by_role("link", name="Forgot the password?").click()
    expect(page.locator("h1")).to_have_text("New password")
    page.get_by_label("E-mail").fill("rosa@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("a link is on its way")).to_be_visible()
    log = product.folder.parent / f"{product.folder.name}.log"
    (link, *_) = eventually(lambda: re.findall(r"rosa@example.org.*?(/recover\?token=[\w-]+)", log.read_text()))
    page.goto(f"{product.url}{link}")
    stands(page)
    page.locator("#password").fill("another walk at noon")
    page.locator("button[type=submit]").click()
    page.wait_for_url(f"{product.url}/sign-in")
    enter(page, f"{product.url}/", "rosa@example.org", "another walk at noon")
