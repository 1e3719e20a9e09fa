"""The table of protocols: each row is documented, no two claim one path, and the application serves exactly those."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wattstead.ingest.http.routes import HttpProtocol
from wattstead.ingest.mqtt.formats.format_row import Format
from wattstead.ingest.mqtt.formats.table import FORMATS
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.protocols import PROTOCOLS

if TYPE_CHECKING:
    from conftest import Door

ROOT = Path(__file__).parent.parent.parent
PAYLOADS = ROOT / "tests" / "payloads"


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_each_protocol_is_documented(door: Door, protocol: object) -> None:
    page = (ROOT / protocol.page).read_text()  # type: ignore[attr-defined]
    for route in protocol.routes(door.app.reception):  # type: ignore[attr-defined]
        path = route.path.removeprefix("/emoncms").removesuffix(".json")
        assert path in page or path.removeprefix("/") in page or path in DOCUMENTED_AS, f"{path} is not on the page"


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_each_protocol_has_bytes_of_a_real_sender(door: Door, protocol: HttpProtocol) -> None:
    """A request to one of its paths, or bodies in a folder of its own."""
    paths = {route.path for route in protocol.routes(door.app.reception)}
    lines = [file.read_bytes().split(b"\r\n", 1)[0].decode() for file in (PAYLOADS / "http").glob("*.http")]
    requests = [line for line in lines if line.split()[1].split("?")[0] in paths]
    bodies = [file for file in (PAYLOADS / protocol.name).glob("*") if file.stat().st_size]
    assert requests or bodies


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_each_format_has_a_message_of_a_real_sender(form: Format) -> None:
    topics = [file.read_bytes().partition(b"\n")[0].decode() for file in (PAYLOADS / "mqtt").glob("*.mqtt")]
    assert any(form.claim(MqttSettings(host="broker"), topic) is not None for topic in topics)


DOCUMENTED_AS = {
    "/ping": "what clients ask by themselves",
    "/api/v2/ping": "the same",
    "/health": "the same",
    "/api/v2/buckets": "buckets that are asked for exist",
    "/api/v2/orgs": "any organization may be named",
}


def test_no_path_is_claimed_twice(door: Door) -> None:
    paths = [route.path for route in door.app.routes]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    "method, path, served",
    [
        ("POST", "/api/v1/readings", True), ("GET", "/api/v1/readings", False), ("POST", "/write", True),
        ("GET", "/write", True), ("POST", "/query", False), ("GET", "/input/post", True),
        ("POST", "/input/post/tx", True),
        ("OPTIONS", "/emoncms/input/bulk.json", True), ("GET", "/input/list.json", False), ("GET", "/input/get", False),
        ("GET", "/", False), ("GET", "/input/postman", False), ("GET", "/emoncms/input/post/a.json", True),
    ],
)  # fmt: skip
def test_what_is_served(door: Door, method: str, path: str, served: bool) -> None:
    assert door.app.serves(method, path) is served


def test_below_a_path_prefix(door: Door) -> None:
    assert door.http.get("/elsewhere/ping").status_code == 404
