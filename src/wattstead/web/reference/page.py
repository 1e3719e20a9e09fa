"""The routes of the reference: the document, the page, and the page's two files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from wattstead.web import pages
from wattstead.web.access.gate import OPEN, AnyRequest
from wattstead.web.openapi import document
from wattstead.web.pages import Page
from wattstead.web.problem import not_found
from wattstead.web.rooms import FromRooms

_FOLDER = Path(__file__).parent


@cache
def _files() -> dict[str, Page]:
    return {name: page for name, page in pages.load(_FOLDER).items() if name.endswith((".html", ".css", ".js"))}


@cache
def _document() -> Page:
    return pages.packed(msgspec.json.encode(document()), "application/json")


@get("/openapi.json", opt=OPEN, include_in_schema=False, packed=True)
async def openapi(request: AnyRequest, rooms: FromRooms) -> Response[bytes]:
    """The OpenAPI 3.1 document."""
    return pages.answer(request, await rooms.registry_threads.run(_document))


@get("/docs", opt=OPEN, include_in_schema=False, packed=True)
async def docs(request: AnyRequest) -> Response[bytes]:
    """The page."""
    return pages.answer(request, _files()["reference.html"])


@get("/docs/{name:str}", opt=OPEN, include_in_schema=False, packed=True)
async def file(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """A file of the page."""
    found = _files().get(name)
    if found is None:
        raise not_found("page", name)
    return pages.answer(request, found)


routes = Router("/api/v1", route_handlers=[openapi, docs, file])
