"""What every answer has, the pages, the prefix, the reference: over HTTP."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import msgspec
import pytest

from wattstead.web import openapi


@pytest.mark.parametrize("path", ["/", "/history", "/api/v1/docs", "/api/v1/nothing", "/feed/list.json", "/query"])
def test_every_answer_is_guarded(nobody: httpx.Client, path: str) -> None:
    answer = nobody.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert len(answer.headers["x-request-id"]) == 12
    assert "cache-control" in answer.headers


def test_every_screen_is_the_one_page(nobody: httpx.Client) -> None:
    for path in ("/", "/history", "/points/7", "/index.html"):
        answer = nobody.get(path)
        assert answer.text == '<!doctype html><head><base href="/"><title>W</title></head>'
        assert answer.headers["cache-control"] == "no-cache"
    for path in ("/assets/gone-AbCdEf12.js", "/favicon.ico", "/api/v2/thing"):
        assert nobody.get(path).status_code == 404


def test_the_page_follows_the_prefix(nobody: httpx.Client) -> None:
    told = nobody.get("/energy/history", headers={"X-Forwarded-Prefix": "/energy"})
    assert '<base href="/energy/">' in told.text
    cut = nobody.get("/api/v1/nothing", headers={"X-Forwarded-Prefix": "/energy"})
    assert cut.status_code == 404
    assert nobody.get("/energy/api/v1/docs", headers={"X-Forwarded-Prefix": "/energy"}).status_code == 200


def test_assets_are_packed_and_cached(nobody: httpx.Client) -> None:
    answer = nobody.get("/assets/index-AbCdEf12.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.text == "console.log(1);" * 50
    plain = nobody.get("/assets/index-AbCdEf12.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    again = nobody.get("/assets/index-AbCdEf12.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_is_get_without_the_body(nobody: httpx.Client) -> None:
    answer = nobody.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_unknown_things_and_methods_are_problems(person: httpx.Client) -> None:
    missing = person.get("/api/v1/nothing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    wrong = person.put("/api/v1/points", json={})
    assert (wrong.status_code, wrong.json()["title"]) == (405, "This method is not supported here")


def test_options_are_answered(nobody: httpx.Client) -> None:
    for path in ("/api/v1/sites", "/api/v1/sites/999999", "/api/v1/session"):
        answer = nobody.options(path)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
        assert "OPTIONS" in answer.headers["allow"]


def test_large_answers_are_packed(house: Any, person: httpx.Client) -> None:
    with person.stream("GET", "/api/v1/openapi.json") as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert msgspec.json.decode(gzip.decompress(raw))["openapi"] == "3.1.0"


def test_the_reference_needs_nobody_else(nobody: httpx.Client) -> None:
    page = nobody.get("/api/v1/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "://" not in page.text
    for name in ("reference.js", "reference.css"):
        assert f"docs/{name}" in page.text
        found = nobody.get(f"/api/v1/docs/{name}")
        assert found.status_code == 200
        assert "://" not in found.text
    assert nobody.get("/api/v1/docs/page.py").status_code == 404


def test_the_document_served_is_the_one_exported(nobody: httpx.Client) -> None:
    assert nobody.get("/api/v1/openapi.json").json() == msgspec.json.decode(openapi.text())
