"""From an HTTP request to a question: authorisation, parameters, settings, body; runs nothing."""

from __future__ import annotations

import asyncio
import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from wattstead.store import allowed
from wattstead.store.errors import AUTHENTICATION_FAILED, BODY_TOO_LARGE, SYNTAX_ERROR, Refused, not_served

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Mapping[bytes, bytes]

USER = "wattstead"
_ID = re.compile(r"[A-Za-z0-9_.:-]{0,100}\Z")
_FIELD = re.compile(rb'content-disposition:\s*form-data;\s*name="([^"\r\n]*)"(;\s*filename=)?', re.IGNORECASE)
_BOUNDARY = re.compile(rb'boundary="?([^";,\s]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A request of the served subset: the statement and everything that was said beside it."""

    text: bytes
    params: dict[str, str]
    settings: dict[str, str]
    database: str
    form: str
    lane: str
    id: str


class Gone(Exception):
    """The client closed the connection; nobody waits for an answer."""


def authorise(headers: Headers, expected: bytes) -> None:
    """Raises `Refused`: 401 without a key, 403 with a wrong one."""
    found = headers.get(b"authorization")
    if found is None:
        raise Refused(401, AUTHENTICATION_FAILED, "no Authorization header; the store wants Basic authorisation")
    if not hmac.compare_digest(found, expected):
        raise Refused(
            403, AUTHENTICATION_FAILED, "the user or the key is wrong; the key changes when the store is started"
        )


def authorisation(key: str) -> bytes:
    """The header value that `authorise` expects for a key."""
    return b"Basic " + b64encode(f"{USER}:{key}".encode())


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises `Refused` with 413 above the limit, `Gone` when the client left."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else await asyncio.to_thread(b"".join, chunks)


def _too_large(limit: int) -> Refused:
    return Refused(413, BODY_TOO_LARGE, f"the body is larger than {limit:,} bytes; send it in parts")


def read_question(query: bytes, headers: Headers, body: bytes) -> Question:
    """What is asked for. Raises `Refused`."""
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding != b"identity":
        raise not_served(f"Content-Encoding {encoding[:40].decode('latin-1')}")
    try:
        fields = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2000)
    except ValueError as error:
        raise Refused(400, SYNTAX_ERROR, f"the address's parameters cannot be read: {error}") from None
    kind = headers.get(b"content-type", b"")
    if kind.lower().startswith(b"multipart/form-data"):
        fields += _form(kind, body)
        body = b""
    return _question(fields, headers, body)


def _question(fields: list[tuple[str, str]], headers: Headers, body: bytes) -> Question:
    text, database, form, lane, identity = b"", "default", "TabSeparated", "", ""
    params: dict[str, str] = {}
    settings: dict[str, str] = {}
    for name, value in fields:
        if name.startswith("param_"):
            params[name[6:]] = value
        elif name == "query":
            text += value.encode("utf-8", "surrogateescape")
        elif name == "database":
            database = value or "default"
        elif name == "default_format":
            form = value
        elif name == "lane":
            lane = value
        elif name == "query_id":
            identity = value if _ID.match(value) else ""
        elif name not in allowed.IGNORED and not (name in {"compress", "decompress"} and value == "0"):
            key, kept = allowed.setting(name, value)
            settings[key] = kept
    lane = headers.get(allowed.LANE_HEADER, lane.encode()).decode("latin-1")
    if text and body:
        text += b"\n"
    return Question(text + body, params, settings, database, form, lane, identity)


def _form(kind: bytes, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form: the client sends one when parameters would make the address too long."""
    found = _BOUNDARY.search(kind)
    if found is None:
        raise Refused(400, SYNTAX_ERROR, "a form without a boundary")
    fields: list[tuple[str, str]] = []
    for part in body.split(b"--" + found[1])[1:]:
        if part.startswith(b"--"):
            return fields
        head, gap, value = part.partition(b"\r\n\r\n")
        name = _FIELD.search(head)
        if not gap or name is None or not value.endswith(b"\r\n"):
            break
        if name[2]:
            raise not_served("external tables sent as files of a form")
        fields.append((name[1].decode(errors="replace"), value[:-2].decode("utf-8", "surrogateescape")))
    raise Refused(400, SYNTAX_ERROR, "the form breaks off or has a field without a name")
