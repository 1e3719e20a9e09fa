"""Prometheus remote write: a request recorded from Prometheus, what is no reading, and bodies that break off."""

from __future__ import annotations

import base64
import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.errors import BodyInvalid, BodyTooLarge
from wattstead.ingest.prometheus.decode import decode, unpacked

if TYPE_CHECKING:
    from conftest import Door

RECORDED = Path(__file__).parent.parent / "payloads" / "prometheus" / "write.bin"
SCRAPED_US = 1_796_132_105_683_000
EXPECTED = {
    r"prometheus/house_power_watts,circuit=kitchen\, left,instance=house,job=house,phase=L1": 230.5,
    "prometheus/house_power_watts,circuit=cellar,instance=house,job=house,phase=L2": 12.0,
    "prometheus/meter_energy_kwh_total,instance=house,job=house": 10_234.25,
    "prometheus/up,instance=house,job=house": 1.0,
}
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


def packed(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def field(number: int, raw: bytes) -> bytes:
    """A field of bytes, shorter than 128."""
    return bytes([number << 3 | 2, len(raw)]) + raw


def series(name: str, *samples: tuple[float, int]) -> bytes:
    told = field(1, field(1, b"__name__") + field(2, name.encode()))
    for value, time_ms in samples:
        varint, rest = b"", time_ms & (2**64 - 1)
        while rest > 127:
            varint, rest = varint + bytes([rest & 127 | 128]), rest >> 7
        told += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint + bytes([rest]))
    return field(1, told)


@pytest.mark.unit
def test_the_recorded_request() -> None:
    found = decode(unpacked(RECORDED.read_bytes(), 10_000))
    assert {found.names.address(row): value for row, value in enumerate(found.value.tolist())} == EXPECTED
    assert set(found.time_us.tolist()) == {SCRAPED_US} and found.skipped == 1 and not found.rejected


@pytest.mark.unit
def test_what_is_no_reading() -> None:
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    body = series("a", (1.0, -5), (stale, 1), (math.nan, 2), (math.inf, 3), (2.0, 2**62), (3.0, 4)) + field(
        3, b"\x08\x01"
    )
    found = decode(body)
    assert found.value.tolist() == [1.0, 3.0] and found.time_us.tolist() == [-5_000, 4_000]
    assert found.skipped == 2 and [issue.place for issue in found.rejected.listed] == ["prometheus/a"] * 2


@pytest.mark.unit
def test_bodies_that_are_none() -> None:
    whole = series("up", (1.0, 1))
    for at in range(1, len(whole)):
        with pytest.raises(BodyInvalid):
            decode(whole[:at])
    for body in (b"", b"\xff" * 20, b"\x05abc", packed(whole)[:-3]):
        with pytest.raises(BodyInvalid):
            unpacked(body, 10_000)
    with pytest.raises(BodyTooLarge):
        unpacked(packed(bytes(20_000)), 10_000)


@pytest.mark.unit
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (decode, lambda raw: unpacked(raw, 1_000)):
        try:
            read(body)
        except (BodyInvalid, BodyTooLarge) as error:
            assert str(error)


def test_over_http(door: Door) -> None:
    door.server.now_us = SCRAPED_US + 1_000_000
    basic = base64.b64encode(f"any:{door.key}".encode()).decode()
    for authorization in (f"Bearer {door.key}", f"Basic {basic}"):
        answer = door.http.post(
            "/api/v1/write", content=RECORDED.read_bytes(), headers={**HEADERS, "Authorization": authorization}
        )
        assert (answer.status_code, answer.content) == (204, b"")
    assert door.values() == EXPECTED
    head = {**HEADERS, "Authorization": f"Bearer {door.key}"}
    some = packed(series("half", (math.inf, SCRAPED_US // 1000), (7.0, SCRAPED_US // 1000)))
    answer = door.http.post("/api/v1/write", content=some, headers=head)
    assert answer.status_code == 400 and answer.text.startswith("1 kept, 1 rejected\nprometheus/half: value is inf")
    assert door.values()["prometheus/half"] == 7.0
    second = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
    assert door.http.post("/api/v1/write", content=some, headers=head | second).status_code == 415
    assert door.http.post("/api/v1/write", content=some, headers=head | {"Content-Encoding": "gzip"}).status_code == 415
    assert door.http.post("/api/v1/write", content=b"\xff", headers=head).status_code == 400
    assert door.http.post("/api/v1/write", content=some, headers=HEADERS).status_code == 401
