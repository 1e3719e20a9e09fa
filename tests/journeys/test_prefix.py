"""Below a path prefix behind a proxy everything works: screens, stream, deep addresses, the line to paste."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect
from tests.conftest import PREFIX, Running


@pytest.fixture
def behind_a_proxy(prefixed: Running) -> Iterator[Any]:
    """A demo told of its prefix, and a proxy that passes only what lies below it."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler(prefixed.url))
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield prefixed, f"http://127.0.0.1:{proxy.server_port}{PREFIX}/"
    proxy.shutdown()
    proxy.server_close()


def handler(target: str) -> type[BaseHTTPRequestHandler]:
    """Passes requests on, piece by piece, as a proxy for a stream must."""
    origin = f"http://{urlsplit(target).netloc}"

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.startswith(PREFIX + "/"):
                self.send_error(404, "outside the prefix")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "accept-encoding")}
            with httpx.stream(self.command, origin + self.path, headers=headers, content=body, timeout=60) as answer:
                self.send_response(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                for piece in answer.iter_raw():
                    self.wfile.write(piece)
                    self.wfile.flush()
            self.close_connection = True

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of the library

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    return Proxy


def test_everything_works_below_a_prefix(browser: Any, behind_a_proxy: Any, enter: Any) -> None:
    running, base = behind_a_proxy
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    lost: list[str] = []
    page.on("response", lambda answer: lost.append(answer.url) if answer.status == 404 else None)
    enter(page, base, running.email, running.password)
    page.wait_for_url(f"{base}sites")
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_test_id("using")).to_contain_text("W")
    page.get_by_role("link", name="History").click()
    page.wait_for_selector("[data-testid=panel][data-state=ready]")
    assert urlsplit(page.url).path == f"{PREFIX}/history"
    deep = page.url
    page.goto(deep)
    expect(page.locator(".headline")).to_contain_text("Used")
    page.goto(base + "points")
    expect(page.get_by_test_id("curl")).to_contain_text(f"{base}api/v1/readings")
    assert lost == []
    context.close()
