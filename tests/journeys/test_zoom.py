"""From a month to single readings and back: mouse, touch, keyboard; the address is the view."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect


def hours(span: str) -> float:
    """Length of a span in hours."""
    start, end = (datetime.fromisoformat(part) for part in span.split(" "))
    return (end - start).total_seconds() / 3600


def test_the_mouse_zooms_from_a_month_to_single_readings(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.history(f"site={sites['minute']}&{four_weeks()}")
    assert hours(window.span()) == 28 * 24
    note = page.locator(".note").first
    expect(note).to_contain_text("one bar is a day")
    seen = []
    while "each drawn as it came" not in note.inner_text():
        seen.append(window.zoomed(lambda: window.drag(0.05, 0.3)))
        assert len(seen) < 10, f"still no single readings: {seen}"
    assert hours(window.span()) < 12
    assert page.locator("canvas").first.is_visible()
    for earlier in reversed(seen[:-1]):
        assert window.zoomed(page.go_back) == earlier


def test_double_click_goes_one_step_back(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.history(f"site={sites['minute']}&p=day&d={yesterday()}")
    whole = window.span()
    window.zoomed(lambda: window.drag(0.2, 0.6))
    assert window.zoomed(page.locator(".area").first.dblclick) == whole


def test_the_keyboard_does_all_of_it(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.history(f"site={sites['second']}&p=day&d={yesterday()}")
    whole = window.span()
    chart = page.locator(".chart").first
    chart.focus()
    said = page.locator(".chart [role=status]").first
    page.keyboard.press("Home")
    expect(said).to_contain_text("Home")
    first = said.inner_text()
    page.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(first)
    assert "Home" in said.inner_text()
    page.keyboard.press("Shift+ArrowRight")
    nearer = window.zoomed(lambda: page.keyboard.press("+"))
    assert hours(nearer) == pytest.approx(hours(whole) / 2.5, rel=0.01)
    nearest = window.zoomed(lambda: page.keyboard.press("+"))
    assert hours(nearest) < hours(nearer)
    assert window.zoomed(lambda: page.keyboard.press("Escape")) == nearer
    assert hours(window.zoomed(lambda: page.keyboard.press("-"))) >= hours(nearer)
    page.keyboard.press("End")
    expect(said).to_contain_text(":")
    expect(chart).to_be_focused()


def test_two_fingers_zoom_and_one_moves_the_cursor(screen: Any, sites: dict[str, int]) -> None:
    window = screen(360, 740, has_touch=True, is_mobile=True)
    page = window.history(f"site={sites['minute']}&p=day&d={yesterday()}")
    page.locator(".area").first.scroll_into_view_if_needed()
    box = page.locator(".area").first.bounding_box()
    assert box
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *shares: float) -> None:
        points = [{"x": box["x"] + box["width"] * s, "y": box["y"] + 80, "id": i} for i, s in enumerate(shares)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 0.3)
    fingers("touchMove", 0.5)
    fingers("touchEnd")
    expect(page.locator(".tip")).to_contain_text("Home")

    def spread() -> None:
        fingers("touchStart", 0.4, 0.6)
        for step in range(1, 6):
            fingers("touchMove", 0.4 - 0.04 * step, 0.6 + 0.04 * step)
        fingers("touchEnd")

    whole = hours(window.span())
    assert hours(window.zoomed(spread)) == pytest.approx(whole / 3, rel=0.1)
    assert window.overflow_px() == 0


def test_the_address_gives_the_same_view_to_anybody(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    window.history(f"site={sites['minute']}&p=week")
    window.zoomed(lambda: window.drag(0.3, 0.45))
    window.page.get_by_role("button", name="Period before").click()
    window.ready()
    window.page.get_by_role("switch", name="Kitchen").click()
    window.ready()
    headline, span = window.page.locator(".headline").first.inner_text(), window.span()
    other = screen(1280, 900, locale="en-US", timezone_id="America/New_York")
    other.page.goto(window.page.url)
    other.ready()
    assert other.span() == span
    expect(other.page.locator(".headline").first).to_have_text(headline)
    expect(other.page.get_by_role("button", name="Period before")).to_have_attribute("aria-pressed", "true")
    expect(other.page.get_by_role("switch", name="Kitchen")).to_have_attribute("aria-checked", "true")


def test_what_is_drawn_can_be_read_and_taken_home(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.history(f"site={sites['minute']}&p=week&d={weeks_ago(2)}")
    page.get_by_role("button", name="Show as table").click()
    expect(page.locator("tbody tr")).to_have_count(7)
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "time,Home [Wh]"
    assert len(lines) == 8
    assert lines[1].split(",")[0].endswith("T00:00:00+01:00")
    total_kwh = sum(float(line.split(",")[1]) for line in lines[1:]) / 1000
    assert f"{total_kwh:.0f}" in page.locator(".headline").inner_text()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Excel").click()
    assert taken.value.suggested_filename.endswith(".xlsx")
    with taken.value.path().open("rb") as file:
        book = openpyxl.load_workbook(file)
    rows = list(book.active.iter_rows())
    assert [cell.value for cell in rows[0]] == ["time", "Home [Wh]"]
    assert [cells[1].value for cells in rows[1:]] == [float(line.split(",")[1]) for line in lines[1:]]
    assert [str(cells[0].value) for cells in rows[1:]] == [line[:10] + " 00:00:00" for line in lines[1:]]
    assert all(cells[0].is_date for cells in rows[1:])
    label = page.locator(".chart [role=img]").get_attribute("aria-label") or ""
    assert "Used" in label and "kWh" in label


def test_an_answer_that_is_not_there_yet_is_waited_for(screen: Any, sites: dict[str, int]) -> None:
    """The server says twice that readings are still being stored: the page goes on loading and then draws."""
    window = screen()
    refusals = iter(range(2))

    def not_yet(route: Any) -> None:
        if next(refusals, None) is None:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "2"}, json={"title": "Not available", "detail": "soon"})

    window.page.route("**/api/v1/series?*", not_yet)
    page = window.open(f"history?site={sites['minute']}&p=week")
    panel = page.get_by_test_id("panel").first
    expect(panel).to_have_attribute("data-state", "busy")
    expect(page.get_by_text("No readings in")).to_have_count(0)
    window.ready()
    expect(page.locator(".headline")).to_contain_text("Used")
    window.faults[:] = [fault for fault in window.faults if "503" not in fault]


def test_a_period_without_readings_says_so_and_leads_to_some(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    page = window.history(f"site={sites['minute']}&p=day&d=2019-03-04")
    expect(page.get_by_text("No readings in")).to_be_visible()
    window.zoomed(lambda: page.get_by_role("button", name="To the last readings").click())
    expect(page.get_by_text("No readings in")).to_have_count(0)


@pytest.mark.prove
def test_a_zoom_step_is_drawn_within_300_ms(screen: Any, sites: dict[str, int]) -> None:
    window = screen()
    window.history(f"site={sites['minute']}&{four_weeks()}")
    took_ms = []
    for _ in range(12):
        if hours(window.span()) < 0.2:
            window.history(f"site={sites['minute']}&{four_weeks()}")
        start = time.perf_counter()
        window.zoomed(lambda: window.drag(0.1, 0.35))
        took_ms.append((time.perf_counter() - start) * 1000)
    assert sorted(took_ms)[len(took_ms) // 2] < 300, [round(ms) for ms in took_ms]


def four_weeks() -> str:
    """The last 28 days, all of them with readings, whatever day of the month it is."""
    today = datetime.now(UTC).date()
    return f"p=month&from={today - timedelta(days=28)}T00:00:00Z&to={today}T00:00:00Z"


def yesterday() -> str:
    """The day before today, in UTC."""
    return datetime.fromtimestamp(time.time() - 86_400, UTC).strftime("%Y-%m-%d")


def weeks_ago(weeks: int) -> str:
    """The Monday that many weeks before this one."""
    now = datetime.now(UTC)
    return datetime.fromtimestamp(now.timestamp() - (now.weekday() + 7 * weeks) * 86_400, UTC).strftime("%Y-%m-%d")
