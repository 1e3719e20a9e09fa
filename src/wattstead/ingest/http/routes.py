"""Route: one path of one protocol, who handles it and how its refusals are worded; routes are data, not a framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from wattstead.ingest.errors import IngestError
from wattstead.ingest.http.asgi import Answer, Request
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.reception import Reception
from wattstead.metering.errors import WattsteadError

Handle: TypeAlias = Callable[[Request], Awaitable[Answer]]
Refuse: TypeAlias = Callable[[IngestError], Answer]


class Plain(NamedTuple):
    """What a simple request says: the bytes of its query, its body and its Authorization header; and how it came."""

    query: bytes
    body: bytes
    authorization: bytes
    clear: Clear = Clear.NO


class Ready(NamedTuple):
    """Readings encoded for the journal, and the answer once they are durable."""

    encoded: bytes
    answer: Answer
    key_id: int
    """Whose bytes these were."""


AtOnce: TypeAlias = Callable[[Plain], "Ready | None"]
"""Handles a simple request without waiting for anything; None: it is not so simple, and nothing has happened yet."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path that this room serves."""

    path: str
    methods: tuple[str, ...]
    handle: Handle
    refuse: Refuse
    below: bool = False
    """Also every path below it."""
    sole: bool = True
    """False: other methods on this path belong to another room."""
    at_once: AtOnce | None = None
    """The same for simple requests, for `wattstead.ingest.http.swift`."""
    kinds: tuple[bytes, ...] = (b"", b"application/x-www-form-urlencoded")
    """Content types of bodies that it takes as they are."""


@dataclass(frozen=True, slots=True)
class HttpProtocol:
    """A row of the table of protocols."""

    name: str
    page: str
    """Where it is documented, below the project's folder."""
    routes: Callable[[Reception], Sequence[Route]]


class Unavailable(IngestError):
    """Another room cannot take readings at present; the same request may succeed later."""

    status = 503
    retryable = True

    def __init__(self, cause: WattsteadError) -> None:
        self.retry_after_s = float(getattr(cause, "retry_after_s", 0.0)) or 2.0
        super().__init__(str(cause))


class Unexpected(IngestError):
    """A fault of ours; the cause is in the log under the request's number."""

    status = 500

    def __init__(self, request: str) -> None:
        self.request = request
        super().__init__(f"the server could not answer; its log has the cause under request {request}")
