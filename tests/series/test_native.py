"""Native blocks: what is written is read, and bytes that break off are named."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.series.native import NativeError, decode, encode

pytestmark = pytest.mark.unit


def test_columns_come_back_as_they_went() -> None:
    columns = {
        "point": ("UInt32", np.array([1, 2**32 - 1])),
        "time": ("DateTime64(6, 'UTC')", np.array([-1, 2**62])),
        "value": ("Float64", np.array([0.1, -np.inf])),
        "name": ("String", np.array(["", "Straße " * 40], object)),
    }
    found = decode(encode(columns) * 2)
    for name, (_, values) in columns.items():
        assert found[name].tolist() == values.tolist() * 2


def test_a_block_may_have_no_rows() -> None:
    none = encode({"a": ("UInt64", np.zeros(0)), "b": ("String", np.zeros(0, object))})
    assert [len(values) for values in decode(none).values()] == [0, 0]


def test_no_bytes_are_no_columns() -> None:
    assert decode(b"") == {}


@pytest.mark.parametrize("cut", [1, 5, 12, 30, -1])
def test_a_block_that_breaks_off_is_an_error(cut: int) -> None:
    block = encode({"a": ("UInt64", np.arange(3)), "b": ("String", np.array(["x"] * 3, object))})
    with pytest.raises(NativeError):
        decode(block[:cut])


def test_a_type_that_is_not_read_is_named() -> None:
    with pytest.raises(NativeError, match="Array"):
        decode(b"\x01\x01\x01a\x0cArray(UInt8)")
