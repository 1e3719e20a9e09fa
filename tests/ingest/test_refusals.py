"""What is too much: bodies, bombs, rates, a full or broken journal; each is refused with words and nothing is kept."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from wattstead.ingest.http.asgi import Receive, Scope, Send
from wattstead.ingest.http.swift import SwiftProtocol
from wattstead.ingest.limits import MB, IngestLimits
from wattstead.stream import JournalLimits

if TYPE_CHECKING:
    from conftest import Door

OWN, V1, V2, BULK = "/api/v1/readings", "/write", "/api/v2/write", "/input/bulk"
ROW = b'{"point":"a","value":1}'


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // MB):
        yield b"x" * MB


@pytest.mark.parametrize("route", [OWN, V1, V2, BULK])
@pytest.mark.parametrize("announced", [True, False])
def test_bodies_of_100_mb(door: Door, bearer: dict[str, str], route: str, announced: bool) -> None:
    content = b"x" * 100 * MB if announced else pieces(100 * MB)
    answer = door.http.post(route, content=content, headers=bearer)
    assert answer.status_code == 413
    limit = "8,000,000" if route == BULK else "32,000,000"
    assert f"more than {limit} bytes" in answer.text
    assert door.http.post(OWN, content=ROW, headers=bearer).status_code == 200
    assert door.app.reception.room.held_bytes == 0


def until(reached: Callable[[], bool]) -> None:
    """Wait for the server to get there; the time limit only ends a test that has failed."""
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.005)


def zstd_bomb(size: int) -> bytes:
    packed: bytes = pa.compress(b"\0" * size, codec="zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("route", [OWN, V1, V2])
@pytest.mark.parametrize(
    "encoding, pack",
    [
        ("gzip", lambda size: gzip.compress(b"\0" * size)),
        ("gzip", lambda size: gzip.compress(b"\0" * MB) * (size // MB)),
        ("deflate", lambda size: zlib.compress(b"\0" * size)),
        ("zstd", zstd_bomb),
    ],
)
def test_bombs(open_door: Callable[..., Door], route: str, encoding: str, pack: Callable[[int], bytes]) -> None:
    door = open_door(IngestLimits(unpacked_bytes=4 * MB))
    headers = {"Authorization": f"Bearer {door.key}", "Content-Encoding": encoding}
    answer = door.http.post(route, content=pack(100 * MB), headers=headers)
    assert answer.status_code == 413 and "more than 4,000,000 bytes" in answer.text


def test_bombs_inside_bulk_and_arrow(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(unpacked_bytes=4 * MB))
    headers = {"Authorization": f"Bearer {door.key}"}
    packed = zlib.compress(b"[" + b" " * 100 * MB + b"]")
    assert door.http.post("/input/bulk?cb=1", content=packed, headers=headers).status_code == 413
    assert door.http.post("/input/bulk?c=1", data={"data": packed.hex()}, headers=headers).status_code == 413
    packed = zlib.compress(b"[" + b'[0,"a",1],' * 900_000 + b'[0,"a",1]]')
    assert "8,000,000 bytes" in door.http.post("/input/bulk?cb=1", content=packed, headers=headers).text
    table = pa.table({"point": ["a"] * 1_000_000, "value": pa.nulls(1_000_000, pa.float64())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    kind = {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = door.http.post(OWN, content=sink.getvalue().to_pybytes(), headers=headers | kind)
    assert answer.status_code == 413 and "the stream, unpacked," in answer.text


def test_compressed_bodies_cut_short_or_with_too_many_members(door: Door, bearer: dict[str, str]) -> None:
    headers = bearer | {"Content-Encoding": "gzip"}
    packed = gzip.compress(ROW * 100)
    assert "ends too early" in door.http.post(OWN, content=packed[:-9], headers=headers).text
    answer = door.http.post(OWN, content=gzip.compress(b"") * 2_000, headers=headers)
    assert answer.status_code == 400 and "gzip members" in answer.text


def test_a_key_that_sends_too_fast(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(key_rate=10, burst_s=1))
    headers = {"Authorization": f"Bearer {door.key}"}
    many = {"point": ["a"] * 400, "time": list(range(400)), "value": [1] * 400}
    assert door.http.post(OWN, json=many, headers=headers).status_code == 200
    for route in (OWN, V1, V2, "/input/post?csv=1"):
        answer = door.http.post(route, headers=headers)
        assert answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= 39
        assert "more than 10 readings a second" in answer.text
    other = {"Authorization": f"Bearer {door.other_key}"}
    assert door.http.post(OWN, content=ROW, headers=other).status_code == 200


def test_a_full_journal(open_door: Callable[..., Door]) -> None:
    door = open_door(journal_limits=JournalLimits(waiting_requests=0))
    headers = {"Authorization": f"Bearer {door.key}"}
    for route, body in ((OWN, ROW), (V1, b"a b=1"), (V2, b"a b=1"), ("/input/post?csv=1", b"")):
        answer = door.http.post(route, content=body, headers=headers)
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
        assert "in the journal" in answer.text


def test_more_bodies_at_once_than_memory_allows(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(waiting_bytes=1_000))
    headers = {"Authorization": f"Bearer {door.key}"}
    with socket.create_connection(("127.0.0.1", door.server.port), 30) as slow:
        head = f"POST {OWN} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\nContent-Length: 900\r\n\r\n"
        slow.sendall(head.encode() + ROW[:1] + b" " * (900 - len(ROW)))
        until(lambda: door.app.reception.room.held_bytes > 0)
        answer = door.http.post(OWN, content=ROW + b" " * 200, headers=headers)
        assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
        slow.sendall(ROW[1:])
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
    assert door.http.post(OWN, content=ROW + b" " * 200, headers=headers).status_code == 200
    assert door.app.reception.room.held_bytes == 0


def test_a_body_that_is_only_announced_takes_no_room(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(waiting_bytes=1_000))
    headers = {"Authorization": f"Bearer {door.key}"}
    with socket.create_connection(("127.0.0.1", door.server.port), 30) as silent:
        head = f"POST {OWN} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\nContent-Length: 900\r\n\r\n"
        silent.sendall(head.encode() + b"{")
        until(lambda: door.app.reception.room.held_bytes > 0)
        assert door.http.post(OWN, content=ROW + b" " * 200, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /input/po",
        b"POST /input/post HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{",
        b"POST /input/post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncsv",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\nGET /pi",
        b"LONG",
    ],
)
def test_a_sender_that_is_silent_amid_a_request_is_let_go(
    door: Door, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(SwiftProtocol, "looks_s", 0.05)
    if sent == b"LONG":
        head = f"POST /write HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\nContent-Type: text/plain\r\n"
        sent = f"{head}Content-Length: 900\r\n\r\na b=1\n".encode()
    with socket.create_connection(("127.0.0.1", door.server.port), 30) as silent:
        silent.sendall(sent)
        while silent.recv(65_536):
            pass
    until(lambda: door.app.reception.room.held_bytes == 0)


class Looked:
    """A sender whose patience is looked at when the test says so, after its bytes have come in."""

    def __init__(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SwiftProtocol, "looks_s", 3_600.0)
        self.socket = socket.create_connection(("127.0.0.1", door.server.port), 30)
        name = self.socket.getsockname()
        until(lambda: any(found.client == name for found in door.server.connections))
        self._at_server = next(found for found in door.server.connections if found.client == name)

    def sends(self, data: bytes) -> None:
        self.socket.sendall(data)
        until(lambda: self._at_server.patience.came > 0)

    def look(self) -> None:
        looked = threading.Event()

        def look() -> None:
            self._at_server.look()
            looked.set()

        self._at_server.loop.call_soon_threadsafe(look)
        assert looked.wait(30)

    def rest(self) -> bytes:
        found = b""
        while part := self.socket.recv(65_536):
            found += part
        self.socket.close()
        return found


LONG_HEAD = "POST /write HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\n"
OWN_HEAD = f"POST {OWN} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {{}}\r\n"


def test_a_slow_sender_of_honest_pace_is_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Looked(door, monkeypatch)
    lines = [b"#" + b"-" * 380 + b"\na b=%d\n" % second for second in range(20)]
    slow.sends(f"{LONG_HEAD.format(door.key)}Content-Length: {sum(map(len, lines))}\r\n\r\n".encode())
    for silent, line in enumerate(lines[:-1]):
        slow.look()
        if silent == 7:
            slow.look()
        slow.sends(line)
    slow.socket.sendall(lines[-1])
    assert slow.socket.recv(12) == b"HTTP/1.1 204"
    slow.socket.close()


@pytest.mark.parametrize("head", [LONG_HEAD, OWN_HEAD, OWN_HEAD + "Transfer-Encoding: chunked\r\n\r\n4\r\n["])
def test_a_sender_that_drips_is_told_and_let_go(door: Door, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    begun = head if "chunked" in head else f"{head}Content-Length: 900\r\n\r\n"
    dripping = Looked(door, monkeypatch)
    dripping.sends(begun.format(door.key).encode())
    for _ in range(3):
        dripping.look()
        dripping.sends(b"#" if head is LONG_HEAD else b" ")
    dripping.look()
    answer = dripping.rest()
    assert answer.startswith(b"HTTP/1.1 408 ") and b"too slowly" in answer and b"connection: close" in answer
    until(lambda: door.app.reception.room.held_bytes == 0)


def test_senders_that_leave_before_their_answers(
    open_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several requests at once, and gone before the first is answered: that is told, the others are not begun."""
    door = open_door()
    begun, told = threading.Event(), []

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        begun.set()
        told.append((await receive())["type"])

    monkeypatch.setattr(door.server, "app", late)
    with socket.create_connection(("127.0.0.1", door.server.port), 30) as gone:
        gone.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        assert begun.wait(30)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until(lambda: not door.server.connections)
    until(lambda: not door.server.tasks)
    assert told == ["http.disconnect"] and door.server.usual == 1


def test_a_sender_that_goes_away(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.server.port), 30) as gone:
        head = f"POST {OWN} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\nContent-Length: 900\r\n\r\n"
        gone.sendall(head.encode() + ROW)
        until(lambda: door.app.reception.room.held_bytes > 0)
    until(lambda: door.app.reception.room.held_bytes == 0)
    assert not door.stored()
