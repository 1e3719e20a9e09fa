"""What senders' bytes are counted as: exactly what went over the wire, whichever way a request takes."""

from __future__ import annotations

import gzip
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.registry.records import Scope
from wattstead.registry.registry import Registry

if TYPE_CHECKING:
    from conftest import Door

NOW_S = 1_700_000_000


class Wire:
    """A connection on which every byte that is sent is counted."""

    def __init__(self, door: Door) -> None:
        self.door, self.sent = door, 0
        self._socket = socket.create_connection(("127.0.0.1", door.server.port), 30)

    def post(self, path: str, body: bytes, more: str = "", method: str = "POST") -> int:
        """The status of the answer."""
        length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
        request = f"{method} {path} HTTP/1.1\r\nHost: meter.example\r\n{more}{length}\r\n".encode() + body
        self._socket.sendall(request)
        self.sent += len(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65_536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while len(rest) < int(lengths[0] if lengths else 0):
            rest += self._socket.recv(65_536)
        return int(head.split(b" ")[1])


def counted(door: Door) -> int:
    """Bytes of this door's write key; those of other tests stay counted."""
    grant = door.points.key(door.key)
    assert grant is not None
    taken = door.points.traffic.take()
    found = taken.pop(grant.id, 0)
    door.points.traffic.put_back(taken)
    return found


def test_posts_count_the_same_the_usual_way_and_the_short(door: Door) -> None:
    wire, usual = Wire(door), door.server.usual
    for second in range(3):
        line = f"meter power={second} {NOW_S + second}".encode()
        assert wire.post("/api/v2/write?precision=s", line, f"Authorization: Token {door.key}\r\n") == 204
        query = f"apikey={door.key}&node=tx&csv={second}&time={NOW_S + second}"
        assert wire.post(f"/input/post?{query}", b"", method="GET") == 200
    assert door.server.usual == usual + 2, "the first of each goes the usual way"
    assert counted(door) == wire.sent


def test_json_bulk_and_compressed_bodies(door: Door) -> None:
    wire = Wire(door)
    bearer = f"Authorization: Bearer {door.key}\r\nContent-Type: application/json\r\n"
    body = b'{"point": "kitchen", "value": 230.5, "time": %d}' % NOW_S
    assert wire.post("/api/v1/readings", body, bearer) == 200
    packed = gzip.compress(body + b" " * 10_000)
    assert wire.post("/api/v1/readings?time_unit=s", packed, f"{bearer}Content-Encoding: gzip\r\n") == 200
    assert wire.post(f"/input/bulk.json?apikey={door.key}&time={NOW_S}", b"data=[[0,17,3.5]]") == 200
    assert wire.post("/api/v1/readings", b"nonsense", bearer) == 400, "it came over the air all the same"
    assert counted(door) == wire.sent < 2_000


def test_nothing_is_counted_without_a_write_key(door: Door) -> None:
    wire = Wire(door)
    for key in ("f" * 32, door.read_key):
        assert wire.post("/api/v2/write", b"meter power=1", f"Authorization: Token {key}\r\n") in (401, 403)
    assert counted(door) == 0


def test_the_registry_learns_at_the_end_at_the_latest(tmp_path: Path) -> None:
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=lambda: datetime(2026, 3, 1, tzinfo=UTC)) as registry:
        registry.migrate()
        registry.first_owner("ada@example.org", "correct horse battery")
        site = registry.create_site(1, "Mill", "Europe/Paris")
        device = registry.create_device(site.id, "meter")
        key = registry.create_key(site.id, Scope.WRITE)
        resolver = RegistryResolver(registry, poll_s=3_600)
        resolver.start()
        resolver.traffic.add(key.key.id, 300)
        resolver.close()
        assert registry.device(device.id).mobile_bytes == 300
