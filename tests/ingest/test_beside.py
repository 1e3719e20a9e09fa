"""Short bodies that unpack to very much are read beside the event loop: other senders are answered meanwhile."""

from __future__ import annotations

import struct
import threading
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import cramjam
import pytest

if TYPE_CHECKING:
    from conftest import Door

BULK, PROMETHEUS = "/input/bulk?cb=1&time=5", "/api/v1/write"


def bulk() -> bytes:
    return zlib.compress(b"[" + b'[0,"a",1],' * 300_000 + b'[1,"a",1]]')


def prometheus() -> bytes:
    label = bytes([10, 14, 10, 8]) + b"__name__" + bytes([18, 2]) + b"up"
    series = label + (bytes([18, 11, 9]) + struct.pack("<d", 1.5) + bytes([16, 7])) * 300_000
    size, length = len(series), b""
    while size:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
    return bytes(cramjam.snappy.compress_raw(b"\x0a" + length + series))


@pytest.mark.parametrize(("path", "made", "kind"), [
    (BULK, bulk, {"Content-Type": "application/x-www-form-urlencoded"}),
    (PROMETHEUS, prometheus, {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}),
])  # fmt: skip
def test_others_are_answered_meanwhile(
    door: Door, bearer: dict[str, str], path: str, made: Callable[[], bytes], kind: dict[str, str]
) -> None:
    body = made()
    assert len(body) < 1_000_000, "short, or it would be taken for a large one"
    told: list[tuple[int, float]] = []

    def send() -> None:
        answer = door.http.post(path, content=body, headers=bearer | kind)
        told.append((answer.status_code, time.monotonic()))

    sending = threading.Thread(target=send)
    sending.start()
    answered = []
    while sending.is_alive():
        door.http.get("/input/post", params={"apikey": door.key, "csv": "1"}).raise_for_status()
        answered.append(time.monotonic())
    sending.join()
    ((status, end_s),) = told
    assert status in (200, 204)
    assert sum(one < end_s for one in answered) >= 8, "all waited for it"
