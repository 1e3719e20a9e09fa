"""Pages of people, organizations, sites and devices: what each role does with them."""

from __future__ import annotations

import csv
import re
import time
from typing import Any

import httpx
import pyotp
from playwright.sync_api import Browser, Page, expect
from tests.journeys.looking import As, sound, stands


def test_the_list_is_searched_filtered_and_kept_in_the_address(as_role: As, product: Any) -> None:
    page = as_role("owner")
    page.goto(f"{product.url}/sites")
    stands(page)
    page.get_by_role("searchbox", name="Search").fill("Home near")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=Home"))
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Filter", exact=True).click()
    filtered(page, "State", "", "disabled")
    expect(page.get_by_text("Nothing fits the search.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("link", name="Home near Paris")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Time zone").check()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("columnheader", name="Time zone")).to_be_visible()


def filtered(page: Page, what: str, how: str, value: str) -> None:
    """Add a condition in the form above a list."""
    page.get_by_label("Attribute").select_option(label=what)
    if how:
        page.get_by_label("Condition").select_option(label=how)
    given = page.get_by_label("Value")
    if given.count() and given.evaluate("e => e.tagName") == "SELECT":
        given.select_option(value)
    elif value:
        given.fill(value)
    page.get_by_role("button", name="Add the filter").click()


def test_conditions_beyond_equality_are_chips_of_the_address_and_of_the_export(as_role: As, product: Any) -> None:
    page = as_role("owner", 360, 740)
    page.goto(f"{product.url}/sites?device.template.prefix=shelly")
    stands(page)
    expect(page.get_by_role("button", name="Remove the filter “Devices, Template begins with shelly”")).to_be_visible()
    page.get_by_role("button", name="Filter").first.click()
    filtered(page, "Customer number", "begins with", "C0000")
    filtered(page, "Solar peak power", "is at least", "0,5")
    filtered(page, "City", "is", "Nürnberg")
    filtered(page, "City", "is", "Freiburg")
    filtered(page, "Cluster", "is not empty", "")
    expect(page.get_by_role("button", name="City: Nürnberg or Freiburg")).to_be_visible()
    expect(page.get_by_role("button", name="Solar peak power from 500 Wp")).to_be_visible()
    expect(page).to_have_url(
        re.compile(r"city=N%C3%BCrnberg&city=Freiburg.*peak|peak_power_w.from=500.*city=N%C3%BCrnberg")
    )
    stands(page)
    shown = page.locator("tbody tr").count()
    assert shown > 0
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(taken.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == shown
    assert {row["city"] for row in rows} <= {"Nürnberg", "Freiburg"}
    page.reload()
    stands(page)
    expect(page.locator("tbody tr")).to_have_count(shown)
    page.get_by_role("button", name="Remove the filter “City: Nürnberg or Freiburg”").click()
    expect(page).not_to_have_url(re.compile("city"))


def test_an_own_template_is_written_mended_and_rolled_over(as_role: As, screen_of: Any, product: Any) -> None:
    page = as_role("partner", reduced_motion="reduce")
    page.goto(f"{product.url}/sites")
    site = page.locator("tbody a").first.inner_text()
    page.goto(f"{product.url}/templates/new")
    text = page.get_by_label("Template", exact=True)
    good = text.input_value().replace("my-meter", "mill-meter").replace("My meter", "Meter of the mill")
    text.fill(good.replace("unit: kWh", "unit: kWhh"))
    page.get_by_role("button", name="Keep the template").click()
    fault = page.get_by_role("alert")
    expect(fault).to_be_focused()
    expect(fault).to_contain_text("Line 17: points[1].unit")
    sound(page, screen_of(page, f"{product.url}/"), "a template with a fault")
    fault.get_by_role("button").click()
    expect(text).to_be_focused()
    text.fill(good)
    page.get_by_role("button", name="Keep the template").click()
    expect(page.locator("h1")).to_have_text("Meter of the mill")
    expect(page.locator("tbody tr")).to_have_count(2)

    page.goto(f"{product.url}/devices")
    page.get_by_role("button", name="New device").click()
    page.get_by_role("radio", name="Meter of the mill").check()
    page.get_by_label("Name", exact=True).fill("Meter in the mill")
    page.get_by_role("combobox", name="Site").or_(page.get_by_role("searchbox", name="Site")).fill(site)
    page.get_by_role("button", name=site).click()
    page.get_by_role("button", name="Create the device").click()
    expect(page.locator("h1")).to_have_text("Meter in the mill")
    page.get_by_role("link", name="Meter of the mill, revision 1").click()
    page.get_by_role("link", name="New revision").click()
    expect(text).to_have_value(re.compile("revision: 2"))
    text.fill(text.input_value().replace("name: Bought", "name: Bought at night"))
    page.get_by_role("button", name="Keep the template").click()
    expect(page.get_by_text("1 follows an earlier revision.")).to_be_visible()
    page.get_by_role("button", name="What would change?").click()
    expect(page.get_by_role("dialog")).to_contain_text("Name: Bought → Bought at night")
    page.get_by_role("button", name="Take over for 1 device").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 device now follows this revision.")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("1 follows an earlier revision.")).to_have_count(0)
    page.get_by_role("button", name="Remove this revision").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove this revision").click()
    expect(page.get_by_text("Revision 1", exact=True).first).to_be_visible()


def test_a_site_is_granted_to_another_organization_and_taken_back(as_role: As, product: Any) -> None:
    page, partner = as_role("owner", 360, 740), as_role("partner")
    page.goto(f"{product.url}/sites?q=Second by second")
    page.get_by_role("link", name="Second by second").click()
    page.get_by_role("button", name="Give access").click()
    page.get_by_role("dialog").get_by_label("Organization").fill("Lindner")
    page.get_by_role("dialog").get_by_role("button", name="Lindner Solar").click()
    page.get_by_role("dialog").get_by_role("button", name="Give access").click()
    panel = page.get_by_role("region", name="Who has access")
    expect(panel).to_contain_text("By a grant · May look")
    path = re.sub(r".*/sites", "sites", page.url)
    partner.goto(f"{product.url}/{path}")
    expect(partner.locator("h1")).to_have_text("Second by second")
    page.get_by_role("button", name="Take back: Lindner Solar").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(panel.get_by_text("Lindner Solar")).to_have_count(0)
    partner.reload()
    expect(partner.locator("h1")).to_have_text("There is nothing here")


def test_a_manager_divides_a_site_and_puts_its_meters_in(as_role: As, product: Any) -> None:
    page = as_role("manager", 360, 740)
    page.goto(f"{product.url}/sites")
    page.locator("tbody a").first.click()
    spaces = page.get_by_role("region", name="Spaces")
    spaces.get_by_role("button", name="Add").click()
    page.get_by_label("Name", exact=True).fill("Hall of the journey")
    page.get_by_label("Kind").select_option(label="Building")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(spaces).to_contain_text("Building")
    for press, line in (("check", "Building · 1 point"), ("uncheck", "Building")):
        spaces.get_by_role("button", name="Points in “Hall of the journey”").click()
        getattr(page.get_by_role("dialog").get_by_role("checkbox", name="Produced today"), press)()
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(spaces.locator("small").first).to_have_text(line)
    spaces.get_by_role("button", name="Remove “Hall of the journey”").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(spaces.get_by_text("Hall of the journey")).to_have_count(0)


def test_a_list_says_when_it_fails_and_when_there_is_no_right(as_role: As, product: Any) -> None:
    page = as_role("owner")
    page.goto(f"{product.url}/sites?cursor=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("The list could not be loaded")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    resident = as_role("user")
    resident.goto(f"{product.url}/people")
    expect(resident.get_by_role("alert")).to_contain_text("You may not see or change this")
    resident.goto(f"{product.url}/sites/999999")
    expect(resident.locator("h1")).to_have_text("There is nothing here")


def test_a_site_is_changed_and_a_change_by_others_is_explained(as_role: As, product: Any) -> None:
    page, other = as_role("owner"), as_role("owner")
    for one in (page, other):
        one.goto(f"{product.url}/sites/1")
        one.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("City").fill("Sceaux")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("dd", has_text="Sceaux")).to_be_visible()
    other.get_by_label("Heating").fill("gas")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(other.get_by_text("City is now: Sceaux")).to_be_visible()
    other.get_by_role("button", name="Save mine all the same").click()
    expect(other.locator("dd", has_text="gas")).to_be_visible()
    expect(other.locator("dd", has_text="Sceaux")).to_be_visible()
    expect(other.get_by_text("Changed").first).to_be_visible()


def test_an_installer_makes_a_site_with_its_user_in_one_step(as_role: As, product: Any) -> None:
    page = as_role("partner")
    page.goto(f"{product.url}/sites")
    page.get_by_role("button", name="New site").click()
    page.locator("#site-name").fill("House of Noor")
    page.get_by_label("E-mail").fill("noor@example.org")
    page.get_by_role("button", name="Create the site").click()
    lines = page.locator("dialog pre")
    expect(lines).to_have_count(2)
    assert re.fullmatch("[0-9a-f]{32}", lines.nth(0).inner_text().strip())
    link = lines.nth(1).inner_text().strip()
    page.get_by_role("link", name="Open the site").click()
    expect(page.locator("h1")).to_have_text("House of Noor")

    noor = as_role(None, 360, 740)
    noor.goto(f"{product.url}/invitation?" + link.partition("?")[2])
    expect(noor.get_by_text("House of Noor")).to_be_visible()
    noor.get_by_label("Your name").fill("Noor")
    noor.locator("#password").fill("a long walk at night")
    noor.get_by_role("button", name="Accept").click()
    noor.wait_for_url(f"{product.url}/home")


def test_a_first_start_ends_with_the_first_reading_on_screen(
    as_role: As, screen_of: Any, product: Any, logins: Any
) -> None:
    with product.signed_in() as client:
        organization = client.post("/api/v1/organizations", json={"name": "The Okoros", "kind": "home", "parent_id": 1})
        body = {"email": "okoro@example.org", "role": "owner", "organization_id": organization.json()["id"]}
        invited = client.post("/api/v1/invitations", json=body).json()["link"]
    page = as_role(None, 360, 740, reduced_motion="reduce")
    page.goto(f"{product.url}/invitation?" + invited.partition("?")[2])
    page.get_by_label("Your name").fill("Ada Okoro")
    page.locator("#password").fill("a long walk at night")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_have_text("First steps")
    page.get_by_label("Name of the place").fill("Okoro's house")
    sound(page, screen_of(page, f"{product.url}/"), "the place")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="Something of my own").check()
    sound(page, screen_of(page, f"{product.url}/"), "how readings come")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Waiting for the first reading")).to_be_visible()
    sound(page, screen_of(page, f"{product.url}/"), "waiting")
    line = page.get_by_test_id("curl").locator("code").inner_text()
    key = re.findall(r"Bearer (\w+)", line)[0]
    reading = {"point": "test/first-reading", "time": time.time(), "value": 1234}
    sent = httpx.post(
        f"{product.url}/api/v1/readings", headers={"Authorization": f"Bearer {key}"}, json={"readings": [reading]}
    )
    assert sent.status_code == 200, sent.text
    expect(page.get_by_test_id("first")).to_contain_text("1,234")
    sound(page, screen_of(page, f"{product.url}/"), "the first reading")
    page.get_by_role("button", name="To Home").click()
    expect(page.locator("h1")).to_have_text("Home")


def test_a_device_is_made_from_a_template_and_its_posting_switched(as_role: As, product: Any) -> None:
    page = as_role("partner", 360, 740)
    page.goto(f"{product.url}/sites")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="New device").click()
    page.get_by_role("searchbox", name="What is it?").fill("sdm630")
    page.get_by_role("radio", name="Eastron SDM630").check()
    page.get_by_label("Name", exact=True).fill("Meter of the heat pump")
    page.get_by_label("Serial number").fill("630-0815")
    page.get_by_role("button", name="Create the device").click()
    expect(page.locator("h1")).to_have_text("Meter of the heat pump")
    expect(page.locator(".panel li .value").first).to_contain_text("no reading yet")
    switch = page.get_by_role("switch")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_text("Readings are refused")).to_be_visible()
    page.get_by_role("button", name="Delete the device").click()
    page.locator("dialog").get_by_role("button", name="Delete the device").click()
    expect(page.locator("h1")).to_have_text("Devices")


def test_a_resident_shares_by_a_link_and_takes_it_back(as_role: As, product: Any) -> None:
    page = as_role("user")
    page.goto(f"{product.url}/sites")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_label("For whom").fill("Grandma")
    page.locator("dialog").get_by_role("button", name="Share", exact=True).click()
    link = page.locator("dialog pre").inner_text().strip()
    page.get_by_role("button", name="Close").click()

    guest = as_role(None, 360, 740)
    guest.goto(f"{product.url}/shared/" + link.rpartition("/")[2])
    guest.wait_for_url(f"{product.url}/home")
    expect(guest.get_by_test_id("using")).to_contain_text("W")

    page.get_by_role("button", name="Take back: Grandma").click()
    page.locator("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Grandma")).to_have_count(0)
    late = as_role(None)
    late.goto(f"{product.url}/shared/" + link.rpartition("/")[2])
    expect(late.get_by_role("alert")).to_contain_text("has ended")


def test_an_operator_tells_a_reason_first(
    browser: Browser, screen_of: Any, product: Any, logins: Any, enter: Any
) -> None:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    enter(page, f"{product.url}/", logins["operator"]["email"], logins["operator"]["password"])
    expect(page.locator("h1")).to_have_text("Why do you look?")
    sound(page, screen_of(page, f"{product.url}/"), "the reason")
    page.get_by_label("Reason").fill("ticket 4711")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("h1")).to_have_text("Sites")
    expect(page.locator("tbody tr").first).to_be_visible()
    context.close()


def test_an_administrator_looks_through_somebodys_eyes_visibly(
    browser: Browser, screen_of: Any, product: Any, logins: Any, enter: Any
) -> None:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    enter(page, f"{product.url}/", logins["administrator"]["email"], logins["administrator"]["password"])
    page.goto(f"{product.url}/people?q={logins['user']['email']}")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="See what they see").click()
    page.get_by_label("Reason").fill("asked by phone")
    page.locator("dialog").get_by_role("button", name="See what they see").click()
    banner = page.get_by_role("complementary")
    expect(banner).to_contain_text(logins["administrator"]["email"])
    expect(page.locator("h1")).to_have_text("Home")
    sound(page, screen_of(page, f"{product.url}/"), "another person's eyes")
    banner.get_by_role("button", name="Stop").click()
    expect(banner).to_have_count(0)
    expect(page.locator("h1")).to_have_text("People")
    context.close()


def test_a_second_factor_is_set_up_and_asked_for(
    browser: Browser, screen_of: Any, product: Any, logins: Any, enter: Any
) -> None:
    login = logins["auditor"]
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    enter(page, f"{product.url}/", login["email"], login["password"])
    page.goto(f"{product.url}/settings")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("img", name="QR code for the app")).to_be_visible()
    app = pyotp.TOTP(page.locator("dialog pre").inner_text().strip())
    page.locator("#totp-code").fill(app.now())
    page.get_by_role("button", name="Confirm").click()
    codes = page.get_by_role("dialog", name="Recovery codes").locator("pre").inner_text().split()
    assert len(codes) >= 8
    window = screen_of(page, f"{product.url}/")
    sound(page, window, "recovery codes")
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    page.fill("#email", login["email"])
    page.fill("#password", login["password"])
    page.click("button[type=submit]")
    expect(page.get_by_label("Code")).to_be_visible()
    sound(page, window, "the second factor")
    page.get_by_label("Code").fill(codes[0])
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("Sites")
    page.goto(f"{product.url}/settings")
    page.get_by_role("button", name="Switch off").click()
    page.locator("#drop-password").fill(login["password"])
    page.locator("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Set up")).to_be_visible()
    context.close()
