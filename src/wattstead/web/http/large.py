"""Answers that may be large are put together, encoded and packed in a thread, so that nobody waits for them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import msgspec
from litestar.response import Response

from wattstead.web.access.gate import AnyRequest
from wattstead.web.threads import Threads

_PACKED_BYTES = 2_000
JSON = "application/json"


async def large(
    request: AnyRequest, threads: Threads, build: Callable[[], object], media_type: str = JSON
) -> Response[Any]:
    """The answer that ``build`` makes: bytes as they are, anything else as JSON; packed where the client takes that.

    Handlers that use it are declared with ``packed=True``, lest their answers are packed twice.
    """
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    body, is_packed = await threads.run(_made, build, takes_gzip)
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if is_packed else {})
    return Response(body, media_type=media_type, headers=headers)


def _made(build: Callable[[], object], takes_gzip: bool) -> tuple[bytes, bool]:
    found = build()
    body = found if isinstance(found, bytes) else msgspec.json.encode(found)
    if not takes_gzip or len(body) < _PACKED_BYTES:
        return body, False
    return gzip.compress(body, 2, mtime=0), True
