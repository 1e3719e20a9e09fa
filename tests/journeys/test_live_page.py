"""Home moves: the number, the picture, its states when the stream or the server is away."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

INK = """() => { const c = document.querySelector('.live canvas');
  return c ? c.toDataURL().length + ':' + c.toDataURL().slice(-400, -200) : ''; }"""


def test_home_shows_the_present_and_moves(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.open("home")
    page.get_by_label("Site").select_option(str(sites["second"]))
    expect(page.get_by_test_id("using")).to_contain_text("W")
    expect(page.get_by_text("Last five minutes")).to_be_visible()
    expect(page.locator(".age")).to_contain_text("ago")
    before = page.evaluate(INK)
    page.wait_for_function(f"before => ({INK})() !== before", arg=before, timeout=10_000)
    expect(page.get_by_text("Replayed:")).to_be_visible()
    cards = page.locator(".energy")
    expect(cards.first).to_contain_text("Energy today")
    expect(cards.first.locator(".amount")).to_contain_text("Wh")
    expect(cards.nth(1).locator(".amount")).to_contain_text("Wh")


def test_a_load_is_added_to_the_picture(screen: Any, sites: dict[str, int]) -> None:
    page = screen().open("home")
    page.get_by_label("Site").select_option(str(sites["second"]))
    expect(page.get_by_text("Replayed: fourteen appliances")).to_be_visible()
    switch = page.locator(".loads").get_by_role("switch").first
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.locator(".parts li")).to_have_count(2)


def test_without_a_connection_the_page_says_so_and_comes_back(browser: Any, product: Any, signed_in: Any) -> None:
    context = browser.new_context(storage_state=signed_in, locale="en-GB")
    page = context.new_page()
    page.goto(f"{product.url}/home")
    expect(page.get_by_test_id("using")).to_contain_text("W")
    context.set_offline(True)
    expect(page.get_by_text("No connection. Showing what was known at")).to_be_visible()
    expect(page.get_by_test_id("using")).to_contain_text("W")
    context.set_offline(False)
    expect(page.get_by_text("No connection.")).to_have_count(0, timeout=15_000)
    context.close()


def test_an_answer_that_fails_can_be_asked_for_again(browser: Any, product: Any, signed_in: Any) -> None:
    context = browser.new_context(storage_state=signed_in, locale="en-GB")
    page = context.new_page()
    problem = '{"title": "Not available right now", "status": 503, "detail": "the store is busy", "request": "ab12"}'
    page.route("**/api/v1/series*", lambda route: route.fulfill(status=503, body=problem))
    page.goto(f"{product.url}/history")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The readings could not be loaded")
    expect(alert).to_contain_text("the store is busy")
    expect(alert).to_contain_text("ab12")
    page.unroute("**/api/v1/series*")
    page.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
    expect(page.locator(".headline")).to_contain_text("Used")
    context.close()


def test_with_reduced_motion_only_readings_move_the_picture(screen: Any) -> None:
    page = screen(reduced_motion="reduce").open("home")
    expect(page.get_by_test_id("using")).to_contain_text("W")
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
