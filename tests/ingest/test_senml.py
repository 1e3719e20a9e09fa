"""SenML packs: base fields, times, what is no reading, and what is wrong with single records."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.senml.pack import decode

if TYPE_CHECKING:
    from conftest import Door

NOW_US = 1_700_000_000_000_000


def told(records: list[dict[str, Any]]) -> list[tuple[str, float, float, str]]:
    found = decode(json.dumps(records).encode(), NOW_US)
    return [
        (found.names.address(row).removeprefix("senml/"), (int(found.time_us[row]) - NOW_US) / 1e6,
         float(found.value[row]), (found.units or [])[row])
        for row in range(len(found))
    ]  # fmt: skip


@pytest.mark.unit
def test_base_fields_hold_until_others_come() -> None:
    assert told([
        {"bn": "a/", "bt": 1_700_000_000, "bu": "W", "bv": 100, "n": "x", "v": 1},
        {"n": "y", "u": "V", "t": -2.5, "v": 2}, {"bn": "b/", "bv": 0, "n": "x", "v": 3}, {"n": "z", "u": "lx", "v": 4},
    ]) == [("a/x", 0, 101, "W"), ("a/y", -2.5, 102, "V"), ("b/x", 0, 3, "W"), ("b/z", 0, 4, "")]  # fmt: skip


@pytest.mark.unit
def test_relative_times_and_none() -> None:
    """Both depend on when they are received: posted again, an amount is not known for the same one."""
    found = decode(b'[{"n":"a","t":-60,"v":1},{"n":"b","v":2},{"n":"c","t":1700000000,"v":3}]', NOW_US)
    assert found.time_us.tolist() == [NOW_US - 60_000_000, NOW_US, 1_700_000_000_000_000]
    assert found.untimed.tolist() == [True, True, False]  # type: ignore[union-attr]


@pytest.mark.unit
def test_faulty_records_spoil_nothing_else() -> None:
    body = (
        b'[{"n":"a","v":"x"},{"v":1},{"n":"b","v":1e999},{"n":"c","t":1e15,"v":1},7,'
        b'{"n":"d","v":4,"zz":1},{"n":"e","vs":""}]'
    )
    found = decode(body, NOW_US)
    assert found.names.addresses == ["senml/d"] and found.skipped == 1
    assert [issue.place for issue in found.rejected.listed] == [f"record {at}" for at in range(5)]
    for bad in (b"", b"{}", b"[", b"null", b"\xff", b"[" * 100_000):
        with pytest.raises(BodyInvalid):
            decode(bad, NOW_US)
    with pytest.raises(BodyInvalid, match="version 11"):
        decode(b'[{"bver":11,"n":"a","v":1}]', NOW_US)


def test_over_http(door: Door) -> None:
    head = {"Authorization": f"Bearer {door.key}", "Content-Type": "application/senml+json"}
    pack = gzip.compress(b'[{"bn":"m:","n":"p","u":"kW","t":0,"v":1.5},{"n":"q","v":null,"vs":"off"}]')
    answer = door.http.post("/senml", content=pack, headers={**head, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    assert door.values() == {"senml/m:p": 1.5}
    assert door.http.post("/senml", content=b"[", headers=head).status_code == 400
    cbor = {"Content-Type": "application/senml+cbor"}
    assert door.http.post("/senml", content=b"[]", headers=head | cbor).status_code == 415
    assert door.http.post("/senml", content=b"[]").status_code == 401
    assert door.http.post("/senml", content=b'[{"v":1}]', headers=head).status_code == 422
