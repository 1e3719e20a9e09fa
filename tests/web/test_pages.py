"""The front end's files: packed, marked, cached; the page's base follows the prefix."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from wattstead.web.http.front_door import forwarded, policy, prefix_of, without_prefix
from wattstead.web.pages import based, load
from wattstead.web.settings import WebSettings

pytestmark = pytest.mark.unit


def test_files_are_packed_and_hashed_ones_kept_for_ever(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-B4x_9aZq.js").write_text("let a = 1;" * 100)
    (tmp_path / "mark.svg").write_text("<svg/>")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    pages = load(tmp_path)
    script = pages["assets/index-B4x_9aZq.js"]
    assert script.cache == "public, max-age=31536000, immutable"
    assert gzip.decompress(script.packed) == script.plain
    assert script.media_type == "text/javascript"
    assert pages["mark.svg"].cache == "no-cache"
    assert pages["photo.png"].packed == b""


def test_no_folder_is_no_pages(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == {}


def test_the_base_is_put_in() -> None:
    assert based(b"<head>x</head>", "/a") == b'<head><base href="/a/">x</head>'
    assert based(b'<base href="/" />', "") == b'<base href="/">'


@pytest.mark.parametrize(
    ("path", "inner"), [("/energy/api", "/api"), ("/energy", "/"), ("/energyx", "/energyx"), ("/api", "/api")]
)
def test_the_prefix_may_be_cut_off_by_the_proxy_or_not(path: str, inner: str) -> None:
    scope = without_prefix({"path": path, "headers": []}, "/energy")
    assert (scope["path"], scope["wattstead_prefix"]) == (inner, "/energy")


def test_a_forwarded_prefix_counts_only_where_it_is_trusted() -> None:
    scope = {"headers": [(b"x-forwarded-prefix", b"/told/")], "root_path": ""}
    assert prefix_of(scope, WebSettings()) == ""
    assert prefix_of(scope, WebSettings(trust_forwarded=True)) == "/told"
    evil = {"headers": [(b"x-forwarded-prefix", b'/"><script>')], "root_path": ""}
    assert prefix_of(evil, WebSettings(trust_forwarded=True, base_path="/safe")) == "/safe"


def test_scheme_and_client_as_a_proxy_tells_them() -> None:
    scope = {"headers": [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"evil, 192.0.2.7")]}
    assert forwarded(scope) == {"scheme": "https", "client": ("192.0.2.7", 0)}
    assert forwarded({"headers": [(b"x-forwarded-proto", b"gopher")]}) == {}


def test_of_forwarded_headers_on_several_lines_the_last_entry_counts() -> None:
    own, proxy = (b"x-forwarded-for", b"198.51.100.9"), (b"x-forwarded-for", b"203.0.113.1, 192.0.2.7")
    lines = [own, (b"x-forwarded-proto", b"https"), proxy, (b"x-forwarded-proto", b"http")]
    assert forwarded({"headers": lines}) == {"scheme": "http", "client": ("192.0.2.7", 0)}
    prefixes = {"headers": [(b"x-forwarded-prefix", b"/own"), (b"x-forwarded-prefix", b"/told")], "root_path": ""}
    assert prefix_of(prefixes, WebSettings(trust_forwarded=True)) == "/told"


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in policy("'none'")
    assert "default-src 'none'" in policy("'none'")
