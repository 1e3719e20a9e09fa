"""The table of protocols: each row is documented, no two claim one path, and the application serves exactly those."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wattstead.ingest.protocols import PROTOCOLS

if TYPE_CHECKING:
    from conftest import Door

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_each_protocol_is_documented(door: Door, protocol: object) -> None:
    page = (ROOT / protocol.page).read_text()  # type: ignore[attr-defined]
    for route in protocol.routes(door.app.reception):  # type: ignore[attr-defined]
        path = route.path.removeprefix("/emoncms").removesuffix(".json")
        assert path in page or path.removeprefix("/") in page or path in DOCUMENTED_AS, f"{path} is not on the page"


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
