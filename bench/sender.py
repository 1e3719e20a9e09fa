"""HTTP senders that cost little: prepared requests over bare connections, keep-alive or one each; 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

_TCP_INFO_SEGMENTS = struct.Struct("=II")
_SEGMENTS_AT = 136
_HEAD_BYTES = 20 + 32
"""IPv4 and TCP with timestamps."""
_CLOSING_SEGMENTS = 3


class SendFailed(Exception):
    """A connection ended before its answer, or the answer was not 2xx."""


class Connection(asyncio.Protocol):
    """One connection; one request under way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._received = b""
        self.received_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by descent
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, request: bytes) -> asyncio.Future[int]:
        """Send a whole request; the future gets the status once the answer is whole."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._answer.set_exception(SendFailed("connection closed"))
        else:
            self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        self._received = self._received + data if self._received else data
        if _is_whole(self._received) and self._answer is not None:
            received, self._received = self._received, b""
            status = int(received[9:12])
            if not self._answer.done():
                if 200 <= status < 300:
                    self._answer.set_result(status)
                else:
                    self._answer.set_exception(SendFailed(received[:500].decode("latin-1")))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(SendFailed(f"connection lost: {exc}"))

    def wire_bytes(self, request_bytes: int) -> int:
        """What both directions took with IP and TCP heads, as the kernel counted segments; read before closing."""
        assert self._transport is not None
        info = self._transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        out, back = _TCP_INFO_SEGMENTS.unpack_from(info, _SEGMENTS_AT)
        return request_bytes + self.received_bytes + (out + back + _CLOSING_SEGMENTS) * _HEAD_BYTES

    @property
    def closed(self) -> bool:
        """Whether the other end has closed it."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _is_whole(answer: bytes) -> bool:
    """Whether an answer has arrived to its end: by its length, by its last chunk, or because it has no body."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    if head[9:12] in (b"204", b"304"):
        return True
    at = head.find(b"content-length:")
    if at >= 0:
        return len(answer) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    return answer.endswith(b"0\r\n\r\n")


@dataclass(slots=True)
class Outcome:
    """What senders saw."""

    latencies_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    wire_bytes: list[int] = field(default_factory=list)
    lasted_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """The latency that ``share`` of all answers stayed below."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 if ordered else float("nan")


async def connect(port: int, tls: bool = False) -> Connection:
    """A new connection; over TLS nobody's name is asked for."""
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port, ssl=context)
    return connection


async def keep_alive(port: int, requests: Iterator[bytes], connections: int, tls: bool = False) -> Outcome:
    """Send all requests as fast as they are answered, over connections that stay open."""
    outcome, began = Outcome(), time.perf_counter()

    async def sender() -> None:
        connection = await connect(port, tls)
        for request in requests:
            sent = time.perf_counter()
            try:
                await connection.post(request)
            except SendFailed as error:
                outcome.failures.append(str(error))
                connection.close()
                connection = await connect(port, tls)
            else:
                outcome.latencies_s.append(time.perf_counter() - sent)
        connection.close()

    await asyncio.gather(*(sender() for _ in range(connections)))
    outcome.lasted_s = time.perf_counter() - began
    return outcome


async def at_pace(port: int, second: Callable[[int], list[bytes]], seconds: int, connections: int) -> Outcome:
    """Send what ``second(n)`` gives evenly within second n, on the clock, however slow the answers are."""
    outcome, began = Outcome(), time.perf_counter()
    idle = [await connect(port) for _ in range(connections)]
    free = asyncio.Semaphore(connections)
    under_way: set[asyncio.Task[None]] = set()

    async def send(request: bytes, due: float) -> None:
        async with free:
            connection = idle.pop()
            if connection.closed:  # by the server, which keeps one that rests for a minute or so, as all servers do
                connection = await connect(port)
            try:
                await connection.post(request)
                outcome.latencies_s.append(time.perf_counter() - due)
            except SendFailed as error:
                outcome.failures.append(str(error))
                connection.close()
                connection = await connect(port)
            idle.append(connection)

    for number in range(seconds):
        requests = second(number)
        for place, request in enumerate(requests):
            due = began + number + place / len(requests)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(send(request, time.perf_counter()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    outcome.lasted_s = time.perf_counter() - began
    for connection in idle:
        connection.close()
    return outcome


async def one_connection_each(port: int, due_s: list[float], request: Callable[[int], bytes]) -> Outcome:
    """Request n on a connection of its own at ``due_s[n]``; latencies count from the call to connect."""
    outcome, began = Outcome(), time.perf_counter()

    async def send(number: int) -> None:
        await asyncio.sleep(max(0.0, began + due_s[number] - time.perf_counter()))
        body, sent = request(number), time.perf_counter()
        try:
            connection = await connect(port)
        except OSError as error:
            outcome.failures.append(str(error))
            return
        try:
            await asyncio.wait_for(connection.post(body), 60)
            outcome.latencies_s.append(time.perf_counter() - sent)
            outcome.wire_bytes.append(connection.wire_bytes(len(body)))
        except (SendFailed, TimeoutError) as error:
            outcome.failures.append(str(error) or "no answer in 60 s")
        connection.close()

    await asyncio.gather(*(send(number) for number in range(len(due_s))))
    outcome.lasted_s = time.perf_counter() - began
    return outcome
