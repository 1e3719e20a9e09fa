"""A source through the whole product: from a meter's gateway to the answer and the page, over every kind of trouble."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.migrated import migrated

from wattstead.ingest.sources.p1.telegram import crc16
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal

EMAIL, PASSWORD = "owner@localhost.localdomain", "a password for the owner of a test"
ZONE_S = 3_600


class Meter:
    """A meter behind a TCP gateway: a telegram for each second of its own time, which is faster than ours."""

    def __init__(self, first_s: int) -> None:
        self.second, self.port, self.checksum = first_s, 0, True
        self._clients: list[socket.socket] = []
        self._socket: socket.socket | None = None
        self.open()

    def open(self) -> None:
        listener = self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """The gateway dies, and everybody is cut off."""
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None
        for client in self._clients:
            client.close()
        self._clients = []

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._clients.append(listener.accept()[0])

    @property
    def heard(self) -> bool:
        """Whether somebody is connected who gets what is said."""
        return bool(self._clients)

    def tick(self) -> None:
        """The next telegram: the counter has grown by 1 Wh."""
        self.second += 1
        local = datetime.fromtimestamp(self.second + ZONE_S, UTC)
        head = f"/TST5\\METER\r\n\r\n0-0:1.0.0({local:%y%m%d%H%M%S}W)\r\n"
        text = f"{head}1-0:1.8.1({self.second % 1_000_000 / 1000:010.3f}*kWh)\r\n1-0:1.7.0(03.600*kW)\r\n!"
        self.say(f"{text}{crc16(text.encode()):04X}\r\n".encode() if self.checksum else f"{text}\r\n".encode())

    def say(self, raw: bytes) -> None:
        for client in list(self._clients):
            try:
                client.sendall(raw)
            except OSError:
                self._clients.remove(client)


class Serving:
    """`wattstead serve` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, ""
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        with Registry(migrated(folder), seal=Seal.of_file(folder / "seal.key")) as registry:
            owner = registry.first_owner(EMAIL, PASSWORD)
            assert owner is not None
            self.site = registry.create_site(owner.account.organization_id, "Home", "Europe/Amsterdam").id

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wattstead", "serve", "--port", "0", "--data", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=(self.folder.parent / "log").open("ab"),
            env={**os.environ, "PYTHONUNBUFFERED": "1", "WATTSTEAD_STORE_EVERY_S": "0.2"},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(rb"runs at (http\S+)", line):
                self.url = found.group(1).decode()
                return
        raise AssertionError((self.folder.parent / "log").read_text()[-3000:])

    def kill(self) -> None:
        """kill -9, the store too."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(60) == 0

    def client(self) -> httpx.Client:
        client = httpx.Client(base_url=f"{self.url}api/v1", headers={"X-Wattstead": "1"}, timeout=60)
        client.post("/session", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        return client


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter(int(time.time()) - 3_000)
    yield made
    made.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path / "data")
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        os.killpg(made.process.pid, signal.SIGKILL)


def _sight(client: httpx.Client, source: int) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/sources/{source}").raise_for_status().json()
    return {**told["sight"], "new_points": told["new_points"]}


def _seconds(client: httpx.Client, point: int) -> list[int]:
    """The seconds of which the point has a reading, from the API's own answer."""
    answer = client.get("/readings", params={"point": point, "start": 0, "end": 4_000_000_000_000, "limit": 10_000})
    return [row // 1000 for row in answer.raise_for_status().json()["time"]]


def _pushed(meter: Meter, client: httpx.Client, source: int, more: int, eventually: Callable[..., Any]) -> None:
    """Let the meter tick until so many more of its telegrams are durable."""
    wanted = _sight(client, source)["readings"] + 2 * more

    def told() -> int:
        meter.tick()
        return int(_sight(client, source)["readings"])

    eventually(told, lambda found: found >= wanted)


def test_from_the_meter_to_the_answer_over_every_kind_of_trouble(
    serving: Serving, meter: Meter, eventually: Callable[..., Any]
) -> None:
    first_s = meter.second + 1
    client = serving.client()
    settings = {"host": "127.0.0.1", "port": meter.port}
    made = client.post(
        "/sources", json={"site_id": serving.site, "name": "Meter", "protocol": "p1", "settings": settings}
    )
    source = made.raise_for_status().json()["id"]
    eventually(lambda: _sight(client, source)["state"] == "connected" and meter.heard)

    _pushed(meter, client, source, 20, eventually)
    points = {row["address"]: row["id"] for row in client.get("/points").json()}
    point = points["p1/import T1"]
    assert _sight(client, source)["new_points"] == 2

    meter.say(b"this is no meter\r\n/half a telegram\r\n")
    meter.tick()
    eventually(lambda: _sight(client, source)["letters"], lambda count: count >= 2)

    meter.close()
    eventually(lambda: _sight(client, source)["state"], lambda state: state == "waiting")
    status = {part["name"]: part for part in client.get("/status").json()["parts"]}
    assert not status["sources"]["ok"] and "Meter" in status["sources"]["text"]
    meter.open()
    eventually(lambda: _sight(client, source)["state"] == "connected" and meter.heard)
    client.delete(f"/sources/{source}/letters").raise_for_status()

    meter.checksum = False
    for _ in range(5):
        meter.tick()
    eventually(lambda: _sight(client, source)["letters"], lambda count: count == 5)
    unread = list(range(meter.second - 4, meter.second + 1))
    assert not set(unread) & set(_seconds(client, point))

    meter.checksum = True
    _pushed(meter, client, source, 10, eventually)
    durable = {first_s + at for at in range(20)}  # what the server had counted as kept
    serving.kill()
    serving.start()
    client = serving.client()
    eventually(lambda: _sight(client, source)["state"], lambda state: state == "connected")
    assert eventually(lambda: set(_seconds(client, point)), lambda found: durable <= found)
    assert _sight(client, source)["letters"] == 5, "letters outlive the kill"

    told = client.get(f"/sources/{source}")
    changed = {"settings": {**settings, "checksum": False}}
    client.patch(f"/sources/{source}", json=changed, headers={"If-Match": told.headers["ETag"]}).raise_for_status()
    again = client.post(f"/sources/{source}/letters/replay", json={}).raise_for_status().json()
    assert again == {"gone": 5, "left": 0, "readings": 10}
    found = eventually(lambda: _seconds(client, point), lambda found: set(unread) <= set(found))
    assert len(found) == len(set(found)), "nothing is there twice"
    serving.stop()


SIZES = [(360, 740), (1280, 900)]


def _looks(page: Any, window: Any) -> None:
    """Every language and theme, on a phone and on a desk."""
    for language in ("de", "fr", "pseudo"):
        page.evaluate("language => localStorage.setItem('wattstead.language', language)", language)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            window.open("sources")
            page.locator("[data-testid=source]").wait_for()
            assert window.overflow_px() == 0, (language, width)
    page.evaluate("localStorage.setItem('wattstead.language', 'en')")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            window.open("sources")
            page.locator("[data-testid=source]").wait_for()
            assert window.violations() == [] and window.overflow_px() == 0, (theme, width)
            if folder := os.environ.get("WATTSTEAD_SCREENSHOTS"):
                page.screenshot(path=f"{folder}/sources-{width}-{theme}.png")


def test_the_page(
    serving: Serving,
    meter: Meter,
    browser: Any,
    enter: Callable[..., None],
    screen_of: Any,
    eventually: Callable[..., Any],
) -> None:
    """A source is made by its form, looked around with, switched off and on; its letters are read and replayed."""
    client = serving.client()
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    page = context.new_page()
    window = screen_of(page, serving.url)
    page.on("pageerror", lambda error: window.faults.append(str(error)))
    enter(page, serving.url, EMAIL, PASSWORD)
    window.open("sources")
    page.get_by_text("No source yet").wait_for()
    assert window.violations() == [] and window.overflow_px() == 0
    page.get_by_role("button", name="Connect").click()
    page.get_by_label("Protocol", exact=True).select_option("p1")
    page.get_by_label("Name", exact=True).fill("Meter cupboard")
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(meter.port))
    page.get_by_role("button", name="Look around").click()
    found = page.get_by_text(re.compile(r"\d+ things? found"))

    def looked() -> bool:
        meter.tick()
        return bool(found.count())

    eventually(looked)
    assert page.get_by_text("import T1").count() == 1
    assert window.violations() == [] and window.overflow_px() == 0
    page.get_by_role("button", name="Open the connection").click()
    page.locator("[data-testid=source] .state.ok").wait_for()
    source = client.get("/sources").json()[0]["id"]
    _pushed(meter, client, source, 3, eventually)
    meter.say(b"/rubbish <b>\r\n!0000\r\n")
    page.get_by_role("button", name="1 dead letter").click()
    page.locator(".reason", has_text="some were changed or lost on the way").wait_for()
    assert page.locator("pre").first.inner_text().startswith("/rubbish <b>")
    assert window.violations() == [] and window.overflow_px() == 0
    page.get_by_role("button", name="Replay all").click()
    page.get_by_text("1 is still wrong").wait_for()
    page.get_by_role("button", name="Throw all away").click()
    page.get_by_text("the readings in it are lost").wait_for()
    page.get_by_role("button", name="Throw all away").last.click()
    page.get_by_text("0 dead letters").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("switch").click()
    page.get_by_text("Off", exact=True).wait_for()
    _looks(page, window)
    page.get_by_role("button", name="1 new point").or_(page.get_by_role("button", name="2 new points")).click()
    page.wait_for_url(re.compile("/points"))
    assert window.faults == []
    context.close()
    serving.stop()
