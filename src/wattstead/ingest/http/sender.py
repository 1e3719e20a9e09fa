"""The HTTP protocol of the server for senders as they are: they leave early, say no more, fall silent, or drip.

uvicorn's protocol does the rest; what is asked, and how it is answered, is not known here.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from wattstead.ingest.errors import TooSlow
from wattstead.ingest.http.asgi import Answer
from wattstead.ingest.http.patience import LOOKS_S, SILENT_BODY_LOOKS, SILENT_LOOKS, Patience, Verdict
from wattstead.ingest.http.told import refuse


class SenderProtocol(HttpToolsProtocol):
    """One sender's connection."""

    looks_s = LOOKS_S

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.amid = False
        """Whether a request of the usual way is coming in."""
        self.patience = Patience()
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; those behind it wait."""
        self._half = False
        """Whether the sender has said all it will, and still listens."""
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        self._look = self.loop.call_later(self.looks_s, self.look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended: what is being answered is told, and what waits behind it is not begun."""
        self._unwatched()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The sender has said all it will; what it has asked is answered first. TLS cannot be half open."""
        if self.scheme == "https" or not self.owes_answer():
            return None
        self._half = True
        return True

    def handle_websocket_upgrade(self) -> None:
        """The connection is another protocol's from here on."""
        self._unwatched()
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """A request of the usual way is begun to be answered."""
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        """A request of the usual way begins."""
        self.amid = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """A request of the usual way is complete."""
        self.amid = False
        self.patience.anew()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer of the usual way has been sent."""
        super().on_response_complete()
        self.over()

    def look(self) -> None:
        """Let a sender go that owes the rest of a request and is silent or drips; who waits for us may be silent."""
        verdict = self.patience.look(self.may_be_silent())
        if verdict is not Verdict.STAYS:
            if verdict is Verdict.SLOW and not self._answering():
                self.transport.write(wire(refuse(TooSlow()), True))
            self.transport.close()
            return
        self._look = self.loop.call_later(self.looks_s, self.look)

    def may_be_silent(self) -> int:
        """How many looks in a row the sender may be silent, as things are; 0: as long as it likes."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.flow.read_paused:
            return 0
        if cycle is None or cycle.response_complete:
            return 0 if self.timeout_keep_alive_task is not None else SILENT_LOOKS
        return SILENT_BODY_LOOKS if cycle.more_body and not cycle.waiting_for_100_continue else 0

    def _answering(self) -> bool:
        """Whether an answer has begun, or is that of an earlier request: none can be given to what is coming in."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        return cycle.response_started or cycle is not self._running

    def _unwatched(self) -> None:
        if self._look is not None:
            self._look.cancel()

    def owes_answer(self) -> bool:
        """Whether a request that has come whole waits for its answer; a stream that has begun ends with its reader."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.pipeline:
            return True
        if cycle is None or cycle.response_complete or cycle.more_body:
            return False
        return not (cycle.response_started and cycle.chunked_encoding)

    def over(self) -> None:
        """Close a half open connection when nothing is left to be answered."""
        if self._half and not self.owes_answer():
            self.transport.close()


@lru_cache(1000)
def _start(status: int, headers: tuple[tuple[bytes, bytes], ...], close: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [name + b": " + value for name, value in headers]
    if close:
        lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def wire(given: Answer, close: bool) -> bytes:
    """An answer as it goes over the wire.

    >>> wire(Answer(200, [(b"content-length", b"2")], b"ok"), False)
    b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'
    """
    return _start(given.status, tuple(given.headers), close) + given.body
