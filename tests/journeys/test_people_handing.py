"""Whose a new site is, and giving one away: to its user, and to another organization."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import expect
from tests.journeys.looking import As

PASSWORD = "a long walk at night"


def partner_of(client: httpx.Client, url: str, email: str, organization_id: int) -> int:
    """Invite somebody as a partner and accept; the id of the person."""
    invited = {"email": email, "role": "partner", "organization_id": organization_id}
    token = client.post("/api/v1/invitations", json=invited).json()["link"].partition("?token=")[2]
    with httpx.Client(base_url=url, headers={"X-Wattstead": "1"}, verify=False) as door:
        answer = {"token": token, "password": PASSWORD}
        door.post("/api/v1/invitations/accept", json=answer).raise_for_status()
    found: int = client.get("/api/v1/people", params={"q": email}).json()["rows"][0]["id"]
    return found


def organization(client: httpx.Client, name: str, parent_id: int = 1) -> int:
    made: int = client.post("/api/v1/organizations", json={"name": name, "parent_id": parent_id}).json()["id"]
    return made


def test_a_site_is_handed_over_to_its_user_and_to_an_organization(as_role: As, enter: Any, product: Any) -> None:
    with product.signed_in() as client:
        own = organization(client, "Hill Solar")
        organization(client, "Hill Solar West", own)
        body = {"name": "House on the hill", "zone": "Europe/Paris", "organization_id": own}
        site = client.post("/api/v1/sites", json=body).json()["site"]["id"]
        partner_of(client, product.url, "hill@example.org", own)
    page = as_role(None, 360, 740)
    enter(page, f"{product.url}/", "hill@example.org", PASSWORD)
    page.goto(f"{product.url}/sites/{site}")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Hand over").click()
    dialog.get_by_label("E-mail").fill("lives@hill.example")
    dialog.get_by_role("button", name="Hand over").click()
    expect(dialog.locator("pre")).to_contain_text("/invitation?token=")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Hand over").click()
    dialog.get_by_role("button", name="Organization").click()
    dialog.get_by_label("To which organization").fill("hill")
    expect(dialog.locator("ul button")).to_have_text(["Hill Solar West"])
    dialog.get_by_role("button", name="Hill Solar West").click()
    dialog.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("status").filter(has_text="Handed over to Hill Solar West.")).to_be_visible()
    expect(page.locator("h1")).to_have_text("House on the hill")
    page.goto(f"{product.url}/sites/999999")
    expect(page.get_by_text("The address leads nowhere")).to_be_visible()


def test_a_partner_of_partners_says_whose_a_new_site_is(as_role: As, enter: Any, product: Any) -> None:
    with product.signed_in() as client:
        own = organization(client, "Ridge Solar")
        organization(client, "Ridge Solar East", own)
        partner_of(client, product.url, "ridge@example.org", own)
    page = as_role(None)
    enter(page, f"{product.url}/", "ridge@example.org", PASSWORD)
    page.goto(f"{product.url}/sites")
    page.get_by_role("button", name="New site").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("#site-name").fill("House on the ridge")
    dialog.get_by_label("Organization").fill("East")
    dialog.get_by_role("button", name="Ridge Solar East").click()
    dialog.get_by_role("button", name="Create the site").click()
    dialog.get_by_role("link", name="Open the site").click()
    expect(page.locator("h1")).to_have_text("House on the ridge")
    with product.signed_in() as client:
        (row,) = client.get("/api/v1/sites", params={"name": "House on the ridge"}).json()["rows"]
        assert row["organization"] == "Ridge Solar East"
