"""Requests and answers over plain ASGI, bodies read up to a limit; which paths exist is no affair of this file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple, TypeAlias

from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.errors import BodyInvalid, BodyTooLarge, SenderGone
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.gate import Room
from wattstead.ingest.limits import IngestLimits

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = "list[tuple[bytes, bytes]]"

CLEAR = "wattstead_clear"
"""Where in the scope the port says how a request came (`Clear`); nothing: not in the clear."""


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    headers: Headers
    body: bytes = b""


def answer(
    status: int, body: bytes = b"", kind: bytes = b"application/json", more: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """An answer with its length and content type.

    >>> answer(204).headers
    []
    """
    if status == 204:
        return Answer(status, list(more))
    return Answer(status, [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *more], body)


async def reply(send: Send, given: Answer) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": given.status, "headers": given.headers})
    await send({"type": "http.response.body", "body": given.body})


class Request:
    """One request: what is asked, and its body on demand."""

    __slots__ = (
        "_body_bytes", "_client", "_head", "_headers", "_held_bytes", "_receive", "_room",
        "clear", "key_id", "method", "path", "query",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, room: Room, path: str) -> None:
        self.method: str = scope["method"]
        self.path = path
        self.query: bytes = scope["query_string"]
        self.clear: Clear = scope.get(CLEAR, Clear.NO)
        self._headers: Headers = scope["headers"]
        self._receive, self._room, self._client = receive, room, scope.get("client")
        self._head: bytes = scope.get("raw_path") or scope["path"].encode()
        self._held_bytes = self._body_bytes = 0
        self.key_id = 0
        """The write key that it came with, once that is known."""

    @property
    def peer(self) -> str:
        """The address it came from; empty where that is not known."""
        return str(self._client[0]) if self._client else ""

    @property
    def wire_bytes(self) -> int:
        """Bytes of request line, headers and what was read of the body, before it was unpacked."""
        line = len(self.method) + len(self._head) + len(self.query) + bool(self.query) + len("  HTTP/1.1\r\n\r\n")
        return line + sum(len(name) + len(value) + 4 for name, value in self._headers) + self._body_bytes

    def header(self, name: bytes) -> str:
        """A header by its name in lower case; empty when it was not sent."""
        for found, value in self._headers:
            if found == name:
                return value.decode("latin-1")
        return ""

    @property
    def bearer(self) -> str:
        """The key that it came with as ``Authorization: Bearer KEY``; empty where none did."""
        kind, _, token = self.header(b"authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    async def unpacked(self, limits: IngestLimits) -> bytes:
        """The whole body, unpacked as its ``Content-Encoding`` says; raises what `body` and `inflated` raise."""
        body = await self.body(limits.body_bytes)
        encoding = self.header(b"content-encoding").strip().lower()
        if encoding:
            body = inflated(body, encoding, limits.unpacked_bytes)
            self.hold(len(body))
        return body

    async def body(self, most_bytes: int) -> bytes:
        """The whole body as it came; what was announced takes no room before it is there. Raises `BodyTooLarge`,
        `TooBusy`, `SenderGone`."""
        length = self.header(b"content-length")
        announced = int(length) if length.isdecimal() else 0
        if announced > most_bytes:
            raise BodyTooLarge("the body", most_bytes)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise SenderGone(size)
            part: bytes = message.get("body", b"")
            size += len(part)
            self._body_bytes = size
            if size > most_bytes:
                raise BodyTooLarge("the body", most_bytes)
            self.hold(len(part))
            parts.append(part)
            more = message.get("more_body", False)
        if announced and size != announced:
            raise BodyInvalid("body", f"has {size:,} bytes, {announced:,} were announced")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def hold(self, size: int) -> None:
        """Count bytes held in memory for this request; raises `TooBusy`."""
        self._room.take(size)
        self._held_bytes += size

    def done(self) -> None:
        """Nothing is held any more."""
        self._room.give_back(self._held_bytes)
        self._held_bytes = 0
