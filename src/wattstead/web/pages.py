"""The front end's built files: kept in memory, packed once, cached by browsers; makes no page itself."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from html import escape
from pathlib import Path
from typing import NamedTuple

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from wattstead.web.access.gate import AnyRequest
from wattstead.web.problem import not_found

_PACKED = frozenset({".html", ".js", ".css", ".svg", ".json", ".txt", ".webmanifest", ".map", ".ico"})
_HASHED = re.compile(r"assets/.+[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_BASE = re.compile(r"<base\s[^>]*>")
_FOREVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_MISSING = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Wattstead</title></head><body>
<h1>Wattstead</h1><p>The server runs, but its pages were not built. Run <code>make frontend</code> and start it again.
The <a href="api/v1/docs">reference of the API</a> works without them.</p></body></html>"""


class Page(NamedTuple):
    """One file: its bytes plain and packed."""

    plain: bytes
    packed: bytes
    media_type: str
    mark: str
    """Its ETag."""
    cache: str


def load(folder: Path) -> dict[str, Page]:
    """Every file below a folder by its relative path; empty when the folder is not there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz")
    return {str(path.relative_to(folder)): _page(path, str(path.relative_to(folder))) for path in files}


def packed(plain: bytes, media_type: str, cache: str = _ASK_AGAIN) -> Page:
    """Bytes made here, as a page."""
    mark = f'"{hashlib.sha256(plain).hexdigest()[:20]}"'
    return Page(plain, gzip.compress(plain, 9, mtime=0), media_type, mark, cache)


def _page(path: Path, name: str) -> Page:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    found = packed(path.read_bytes(), media_type, _FOREVER if _HASHED.fullmatch(name) else _ASK_AGAIN)
    return found if path.suffix in _PACKED else found._replace(packed=b"")


def answer(request: AnyRequest, page: Page) -> Response[bytes]:
    """The file, packed where the browser takes that; 304 where it has it already."""
    headers = {"ETag": page.mark, "Cache-Control": page.cache, "Vary": "Accept-Encoding"}
    if page.mark in request.headers.get("If-None-Match", ""):
        return Response(b"", status_code=304, headers=headers)
    if page.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(page.packed, media_type=page.media_type, headers=headers)
    return Response(page.plain, media_type=page.media_type, headers=headers)


def based(html: bytes, prefix: str) -> bytes:
    """A page whose relative addresses begin at the application's root.

    >>> based(b'<head><base href="/"></head>', "/energy")
    b'<head><base href="/energy/"></head>'
    """
    base = f'<base href="{escape(prefix, quote=True)}/">'
    text = html.decode()
    text = _BASE.sub(base, text, 1) if _BASE.search(text) else text.replace("<head>", f"<head>{base}", 1)
    return text.encode()


@get(["/", "/{path:path}"], include_in_schema=False, packed=True)
async def page(request: AnyRequest, path: FromPath[str] = "/") -> Response[bytes]:
    """A file of the front end, or its one page for every address that the front end itself makes a screen of."""
    pages: dict[str, Page] = request.app.state.pages
    name = path.strip("/")
    found = pages.get(name)
    if found is not None and name != "index.html":
        return answer(request, found)
    if name.startswith(("api/", "assets/")) or ("." in name.rpartition("/")[2] and name != "index.html"):
        raise not_found("page", f"/{name}")
    index = pages["index.html"].plain if "index.html" in pages else _MISSING
    html = based(index, str(request.scope.get("wattstead_prefix", "")))
    return answer(request, packed(html, "text/html"))
