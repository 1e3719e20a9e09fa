"""JSON bodies: rows and columns say the same, the fast way and the close look agree, every entry is kept or named."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Columns, Rejections
from wattstead.ingest.emoncms import bulk
from wattstead.ingest.errors import IngestError
from wattstead.ingest.own.items import from_items
from wattstead.ingest.own.json_body import JsonDecoder

pytestmark = pytest.mark.unit

NOW_US = 1_700_000_000_000_000
NAMES = st.sampled_from(["a", "b", "long name", "Küche"])
TIMES = st.one_of(
    st.none(),
    st.integers(-(10**10), 10**10),
    st.floats(-1e10, 1e10),
    st.sampled_from(
        ["2024-01-01T00:00:00Z", "2024-06-01T12:00:00+02:00", "2024-01-01", "soon", "", True, 1e300, 10**30]
    ),
)
NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.sampled_from([None, "1", True, [], {}, 10**400]))
POINTS = st.one_of(NAMES, st.sampled_from([None, 7, 0, -1, 2**32, 1.5, True, ["a"]]))
GOOD = st.lists(st.tuples(NAMES, st.integers(0, 2**31), st.floats(-1e9, 1e9)), min_size=1, max_size=8)


def rows(columns: Columns) -> list[tuple[str, int, int, float, bool]]:
    untimed = np.broadcast_to(np.asarray(columns.untimed), len(columns))
    points = columns.points if columns.points is not None else [0] * len(columns)
    return [
        (columns.names.address(i), int(points[i]), int(columns.time_us[i]), float(columns.value[i]), bool(untimed[i]))
        for i in range(len(columns))
    ]


@given(GOOD, st.sampled_from(["s", "ms", "us", "ns"]), st.booleans())
def test_rows_and_columns_say_the_same(found: list[tuple[str, int, float]], unit: str, timed: bool) -> None:
    names = ("point", "time", "value") if timed else ("point", "value")
    picked = found if timed else [(name, value) for name, _, value in found]
    as_rows = {"readings": [dict(zip(names, one, strict=True)) for one in picked], "time_unit": unit}
    as_columns = dict(zip(names, map(list, zip(*picked, strict=True)), strict=True)) | {"time_unit": unit}
    decoder = JsonDecoder(100_000)
    one = decoder.decode(json.dumps(as_rows).encode(), NOW_US)
    for _ in range(2):
        two = decoder.decode(json.dumps(as_columns).encode(), NOW_US)
        assert rows(one) == rows(two) and not one.rejected and not two.rejected
    items = ((name, time if timed else None, value, None, ("", 0)) for name, time, value in found)
    assert rows(one) == rows(from_items(items, Rejections(), unit, NOW_US))


@given(st.lists(st.tuples(POINTS, TIMES, NUMBERS), max_size=8), st.booleans())
def test_each_entry_is_kept_or_named(found: list[tuple[Any, Any, Any]], in_rows: bool) -> None:
    body: dict[str, Any] = {"readings": [{"point": p, "time": t, "value": v} for p, t, v in found]}
    if not in_rows:
        body = {name: [one[at] for one in found] for at, name in enumerate(("point", "time", "value"))}
    columns = JsonDecoder(100_000).decode(json.dumps(body).encode(), NOW_US)
    assert len(columns) + columns.rejected.count == len(found)
    assert np.isfinite(columns.value).all()
    good = [
        i for i, (point, _, value) in enumerate(found)
        if isinstance(point, str) and type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)
        and (found[i][1] is None or (type(found[i][1]) in (int, float) and abs(found[i][1]) <= 1e10))
    ]  # fmt: skip
    named = {int(issue.place.partition("[")[2].partition("]")[0]) for issue in columns.rejected.listed}
    assert not named & set(good)


FIELDS = st.sampled_from(["readings", "point", "time", "value", "time_unit"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING)
def test_any_json_is_read_or_refused(found: Any) -> None:
    try:
        JsonDecoder(100_000).decode(json.dumps(found).encode(), NOW_US)
    except IngestError as error:
        assert str(error)


@given(ANYTHING, st.integers(0, 200), st.integers(0, 255))
def test_any_json_with_a_byte_changed_is_read_or_refused(found: Any, at: int, byte: int) -> None:
    body = bytearray(json.dumps(found, ensure_ascii=False).encode())
    body[at % len(body)] = byte
    for decode in (lambda: JsonDecoder(100_000).decode(bytes(body), NOW_US), lambda: bulk.decode({}, bytes(body), 0)):
        try:
            decode()
        except IngestError as error:
            assert str(error).encode()


PARTS = st.one_of(NUMBERS, st.text(max_size=4), st.dictionaries(st.text(max_size=3), NUMBERS, max_size=2))
PACKETS = st.lists(st.lists(PARTS, max_size=6) | NUMBERS, max_size=6)


@given(PACKETS, st.sampled_from([{}, {"time": "5"}, {"sentat": "7"}, {"offset": "-3"}]))
def test_any_packets_are_kept_or_named(packets: list[Any], reference: dict[str, str]) -> None:
    try:
        columns = bulk.decode(reference, json.dumps(packets), NOW_US)
    except IngestError as error:
        assert str(error)
        return
    assert len(columns) == len(columns.time_us) == len(columns.names) and np.isfinite(columns.value).all()
    assert all(columns.place(row).startswith("data[") for row in range(len(columns)))
