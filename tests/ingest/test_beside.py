"""Short bodies that unpack to very much are read beside the event loop: other senders are answered meanwhile."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import cramjam
import pytest

from wattstead.ingest.reception import Reception

if TYPE_CHECKING:
    from conftest import Door

T = TypeVar("T")

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
    door: Door, bearer: dict[str, str], path: str, made: Callable[[], bytes], kind: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    body = made()
    assert len(body) < 1_000_000, "short, or it would be taken for a large one"
    begun, others, in_lane = threading.Event(), threading.Event(), Reception.in_lane

    async def held(reception: Reception, work: Callable[[], T]) -> T:
        def after_the_others() -> T:
            begun.set()
            assert others.wait(60)
            return work()

        return await in_lane(reception, after_the_others)

    monkeypatch.setattr(Reception, "in_lane", held)
    with ThreadPoolExecutor(1) as sending:
        told = sending.submit(door.http.post, path, content=body, headers=bearer | kind)
        assert begun.wait(60), "it is read where all are"
        for _ in range(8):
            door.http.get("/input/post", params={"apikey": door.key, "csv": "1"}).raise_for_status()
        others.set()
        assert told.result(60).status_code in (200, 204)
