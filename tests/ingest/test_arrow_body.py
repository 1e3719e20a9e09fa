"""Arrow streams of every shape: each row is kept or named, and what is no table of readings is refused in words."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.errors import BodyInvalid, BodyTooLarge, IngestError
from wattstead.ingest.own import arrow_body

pytestmark = pytest.mark.unit

NOW_US = 1_700_000_000_000_000
MOST_BYTES = 10_000_000
TEXTS = st.one_of(st.none(), st.sampled_from(["a", "kWh", "W", "", "Küche"]), st.text(max_size=5))
INTEGERS = [pa.int8(), pa.uint16(), pa.int64(), pa.uint64()]
STAMPS = [pa.timestamp("s", "UTC"), pa.timestamp("ns", "Europe/Paris"), pa.timestamp("us")]
TYPES = [
    *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.null(), pa.bool_(), pa.date32()),
    *(pa.float16(), pa.float64(), pa.list_(pa.int8()), *INTEGERS, *STAMPS),
]


def stream(names: list[str], columns: list[Any], chunk: int | None = None) -> bytes:
    table = pa.Table.from_arrays(columns, names=names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=chunk)
    return bytes(sink.getvalue())


def values(kind: Any) -> st.SearchStrategy[Any]:
    if pa.types.is_integer(kind):
        bits, signed = kind.bit_width, pa.types.is_signed_integer(kind)
        numbers: st.SearchStrategy[Any] = st.integers(-(2 ** (bits - 1)) * signed, 2 ** (bits - signed) - 1)
    elif pa.types.is_timestamp(kind):
        numbers = st.integers(-(2**63), 2**63 - 1)
    elif pa.types.is_floating(kind):
        numbers = st.floats(width=16 if kind == pa.float16() else 64)
    else:
        strange = {pa.binary(): st.binary(max_size=3), pa.null(): st.none(), pa.bool_(): st.booleans()}
        strange |= {pa.date32(): st.integers(0, 10**5), pa.list_(pa.int8()): st.just([1])}
        return strange.get(kind, TEXTS)
    return st.none() | numbers


@st.composite
def arrays(draw: st.DrawFn, rows: int, kinds: list[Any]) -> Any:
    kind = draw(st.sampled_from(kinds))
    made = pa.array(draw(st.lists(values(kind), min_size=rows, max_size=rows)), kind)
    if not draw(st.booleans()) or pa.types.is_nested(kind):
        return made
    index = draw(st.lists(st.none() | st.integers(0, rows - 1), min_size=rows, max_size=rows)) if rows else []
    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), made)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, int]:
    """Mostly such as senders make, with a column in five of any type or name."""
    rows = draw(st.sampled_from([0, 1, 2, 4, 7]))
    usual = {"point": TYPES[:3] + INTEGERS, "value": [pa.float16(), pa.float64(), *INTEGERS],
             "time": STAMPS[:2] + INTEGERS, "unit": TYPES[:3]}  # fmt: skip
    names = ["point", "value", *draw(st.lists(st.sampled_from(["time", "unit"]), max_size=2, unique=True))]
    names += draw(st.sampled_from([[], [], [], ["value"], ["time"], ["note"]]))
    columns = [
        draw(arrays(rows, TYPES if name not in usual or draw(st.integers(0, 9)) == 0 else usual[name]))
        for name in names
    ]
    return stream(names, columns, 3), rows


@given(streams())
def test_each_row_is_kept_or_named(made: tuple[bytes, int]) -> None:
    body, rows = made
    try:
        columns = arrow_body.decode(body, NOW_US, "s", MOST_BYTES)
    except IngestError as error:
        assert str(error)
        return
    assert len(columns) + columns.rejected.count == rows
    assert np.isfinite(columns.value).all()
    assert all(columns.place(row).startswith("row ") for row in range(len(columns)))


@given(streams(), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_a_damaged_stream_is_read_or_refused(made: tuple[bytes, int], damage: list[tuple[int, int]]) -> None:
    body = bytearray(made[0])
    for at, byte in damage:
        body[at % len(body)] = byte
    try:
        arrow_body.decode(bytes(body), NOW_US, "s", MOST_BYTES)
    except IngestError as error:
        assert str(error)


ONE, NAME = pa.array([1.0]), pa.array(["a"])


@pytest.mark.parametrize(
    ("names", "columns", "said"),
    [
        (["point", "value"], [pa.DictionaryArray.from_arrays(pa.array([0]), pa.nulls(1)), ONE], "expected names"),
        (["point", "value"], [pa.array([b"\xff"]).dictionary_encode(), ONE], "expected names"),
        (["point", "value"], [pa.array([5]).dictionary_encode(), ONE], "expected names"),
        (["point", "value", "value"], [NAME, ONE, ONE], "column value is there 2 times"),
        (["point", "value", "time", "time"], [NAME, ONE, ONE, ONE], "column time is there 2 times"),
    ],
)
def test_what_is_no_table_of_readings_is_refused(names: list[str], columns: list[Any], said: str) -> None:
    with pytest.raises(BodyInvalid, match=said):
        arrow_body.decode(stream(names, columns), NOW_US, "s", MOST_BYTES)


def test_a_column_of_nothing_takes_no_memory() -> None:
    schema = pa.schema([("point", pa.null()), ("value", pa.null())])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch([pa.nulls(10**8)] * 2, schema=schema))
    tracemalloc.start()
    try:
        with pytest.raises(BodyInvalid, match="is null; expected"):
            arrow_body.decode(sink.getvalue().to_pybytes(), NOW_US, "s", MOST_BYTES)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoded", [False, True])
def test_texts_that_share_their_bytes_count_in_full(encoded: bool) -> None:
    """A view is sixteen bytes, whatever it shows."""
    text, rows = b"n" * 100_000, 1_000
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
    names = pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(view * rows), pa.py_buffer(text)])
    if encoded:
        names = pa.DictionaryArray.from_arrays(pa.array(range(rows)), names)
    body = stream(["point", "value"], [names, pa.array(np.zeros(rows))])
    with pytest.raises(BodyTooLarge, match="written out"):
        arrow_body.decode(body, NOW_US, "s", MOST_BYTES)


@pytest.mark.parametrize("kind", TYPES[:3])
def test_a_stream_without_rows_is_empty(kind: Any) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array(["a"], kind))
    assert len(arrow_body.decode(stream(["point", "value"], [names, ONE[:0]]), NOW_US, "s", MOST_BYTES)) == 0
