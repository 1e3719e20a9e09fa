"""The HTTP protocol of the server with a short way for simple posts; everything else goes the framework's usual way.

A post of a few values costs more in the machinery around it than in itself. A request with nothing unusual in its
head, for a route that can be handled at once, is read here by hand, its readings given to the journal, and answered
when they are durable; the pieces of a longer body are put together once. Anything else, down to the smallest doubt, is
left to uvicorn, which gets the bytes as they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.http.clear import Clear, in_the_clear
from wattstead.ingest.http.head import Heads
from wattstead.ingest.http.patience import SILENT_LOOKS
from wattstead.ingest.http.routes import Plain, Route, Unavailable
from wattstead.ingest.http.sender import SenderProtocol, wire
from wattstead.ingest.http.traffic import Traffic
from wattstead.metering.errors import WattsteadError
from wattstead.stream.journal import Journal

_LONG_BODIES = 64
"""Bodies that are put together at one time; their senders' keys are not known yet, so more go the usual way."""
_AT_ONCE = 1 << 18
"""Bytes that are read at one time."""


class SwiftProtocol(SenderProtocol):
    """A sender's connection with the short way in front; made for one application by `protocol_for`."""

    routes: dict[bytes, Route]
    journal: Journal
    traffic: Traffic
    port: Clear
    trust_forwarded: bool
    heads: Heads
    longest: int
    """The longest body that is taken."""
    long: set[SwiftProtocol]
    """Those that a long body is coming in on."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._answer: bytes | None = None
        self._close = False
        self._held: list[bytes] = []
        self._pieces: list[bytes] = []
        """Of a long body, its head first; and how many bytes are still to come."""
        self._lacking = 0
        self._route: Route | None = None
        self._clear = Clear.NEVER
        self._idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        clear = in_the_clear(self.scheme or "http", self.client[0] if self.client else "")
        self._clear = self.port if clear else Clear.NO

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended; a body that was coming in is forgotten."""
        self._whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the sender."""
        self.patience.came += len(data)
        if self._answer is not None:
            self._held.append(data)
            self.flow.pause_reading()
            return
        if self._pieces:
            self._pieces.append(data)
            self._lacking -= len(data)
            if self._lacking > 0:
                self._wake_after(self._lacking)
                return
            data = self._whole()
        cycle: RequestResponseCycle | None = self.cycle
        at_rest = not self.amid and not self.flow.write_paused and (cycle is None or cycle.response_complete)
        if at_rest and self._taken(data):
            return
        super().data_received(data)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for a while, unless something did: one timer serves many short requests."""
        rest_s = self.timeout_keep_alive - (self.loop.time() - self._idle_since)
        if self._answer is not None or self._pieces or rest_s > 0.001:
            self.timeout_keep_alive_task = self.loop.call_later(max(0.25, rest_s), self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """The server ends: an answer that is under way is sent first, a body that is coming in is answered."""
        if self._answer is None and not self._pieces:
            super().shutdown()
        self._close = True

    def _taken(self, data: bytes) -> bool:
        """Whether the short way takes a request, or what has come of it."""
        head = self.heads.of(data)
        if head is None:
            return False
        lacking = head.body_at + head.headers.length - len(data)
        if lacking < 0 or head.headers.length > self.longest:
            return False
        clear, headers = self._clear, head.headers
        if self.trust_forwarded and headers.forwarded:
            if headers.forwarded != b"https":
                return False
            clear = Clear.NO
        if clear is Clear.NEVER:
            return False
        route = self.routes.get(head.path)
        if route is None or route.at_once is None or headers.kind not in route.kinds:
            return False
        if lacking:
            return self._waits_for(lacking, data)
        try:
            ready = route.at_once(Plain(head.query, data[head.body_at :], headers.authorization, clear))
            if ready is None:
                return False
            self.journal.submit_then(ready.encoded, self._durable)
        except Exception:  # whatever it is, the usual way meets it too, and words it or logs it
            return False
        self.traffic.add(ready.key_id, len(data))
        self._close, self._route = self._close or headers.close, route
        self._answer = wire(ready.answer, self._close)
        return True

    def look(self) -> None:
        """Whether the sender of a long body has gone silent or drips: few bytes are a sign of life too."""
        super().look()
        if self._pieces and not self.transport.is_closing():
            self._wake_after(1)

    def may_be_silent(self) -> int:
        """As things are; 0: as long as it likes."""
        if self._answer is not None:
            return 0
        return SILENT_LOOKS if self._pieces else super().may_be_silent()

    def owes_answer(self) -> bool:
        """Whether a request that has come whole waits for its answer."""
        return self._answer is not None or super().owes_answer()

    def _waits_for(self, lacking: int, first: bytes) -> bool:
        """Whether the rest of a body is waited for here."""
        if len(self.long) >= _LONG_BODIES:
            return False
        self.long.add(self)
        self._pieces, self._lacking = [first], lacking
        self._wake_after(lacking)
        return True

    def _whole(self) -> bytes:
        """What has come in pieces, put together."""
        if not self._pieces:
            return b""
        data, self._pieces = b"".join(self._pieces), []
        self.long.discard(self)
        self.patience.anew()
        self._wake_after(1)
        return data

    def _wake_after(self, size: int) -> None:
        """Have the kernel say that there is something to read only when so much is there: a body costs one waking."""
        raw = None if self.scheme == "https" else self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):  # a connection that has just ended
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, min(size, _AT_ONCE))

    def _durable(self, version: int, error: WattsteadError | None) -> None:
        """The readings are on disk, or the journal has failed."""
        answer, self._answer = self._answer, None
        if error is not None and self._route is not None:
            answer = wire(self._route.refuse(Unavailable(error)), self._close)
        self.server_state.total_requests += 1
        if self.transport.is_closing() or answer is None:
            return
        self.transport.write(answer)
        if self._close:
            self.transport.close()
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        if self._held:
            held, self._held = b"".join(self._held), []
            self.flow.resume_reading()
            self.data_received(held)
        self.over()


def protocol_for(
    app: IngestApp, prefix: str = "", port: Clear = Clear.NEVER, trust_forwarded: bool = False
) -> type[SwiftProtocol]:
    """The protocol for ``uvicorn.Config(http=…)``.

    ``prefix`` is the path prefix of a proxy, also served; ``port`` is what is made of requests in the clear, and
    ``trust_forwarded`` whether a proxy tells which are.
    """
    routes: dict[bytes, Route] = {}
    for route in app.routes:
        if route.at_once is not None:
            routes[route.path.encode()] = routes[(prefix + route.path).encode()] = route
    known = {
        "journal": app.reception.journal, "traffic": app.reception.resolver.traffic, "routes": routes, "port": port,
        "trust_forwarded": trust_forwarded, "heads": Heads(), "long": set(),
        "longest": app.reception.limits.known_bytes,
    }  # fmt: skip
    return type("SwiftProtocol", (SwiftProtocol,), known)
