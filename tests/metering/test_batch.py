"""ReadingBatch: what is encoded comes back, and nothing else decodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.metering.batch import BatchError, ReadingBatch
from wattstead.metering.quantity import Quality

pytestmark = pytest.mark.unit

rows = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1), st.floats(), st.sampled_from(list(Quality)))
)


def batch_of(columns: list[tuple[int, int, float, Quality]], version: int = 0) -> ReadingBatch:
    point, time_us, value, quality = zip(*columns, strict=True) if columns else ((), (), (), ())
    return ReadingBatch.of(list(point), list(time_us), list(value), np.array(quality, np.uint8), version)


@given(rows, st.booleans(), st.integers(0, 2**64 - 1))
def test_encode_and_decode(columns: list[tuple[int, int, float, Quality]], one_time: bool, version: int) -> None:
    if one_time and columns:
        columns = [(p, columns[0][1], v, q) for p, _, v, q in columns]
    batch = batch_of(columns, version)
    back = ReadingBatch.decode(batch.encode())
    assert back.version == version
    for name in ("point", "time_us", "value", "quality"):
        assert getattr(back, name).tobytes() == getattr(batch, name).tobytes()
    assert ReadingBatch.decode(batch.encode(), version=9).version == 9


@given(st.binary(max_size=60))
def test_other_bytes_are_an_error(blob: bytes) -> None:
    with pytest.raises(BatchError):
        ReadingBatch.decode(blob)


@given(rows.filter(bool), st.data())
def test_cut_or_longer_bytes_are_an_error(columns: list[tuple[int, int, float, Quality]], data: st.DataObject) -> None:
    blob = batch_of(columns).encode()
    with pytest.raises(BatchError):
        ReadingBatch.decode(blob[: data.draw(st.integers(0, len(blob) - 1))])
    with pytest.raises(BatchError):
        ReadingBatch.decode(blob + b"x")


def test_columns_of_different_lengths_are_an_error() -> None:
    with pytest.raises(BatchError):
        ReadingBatch.of([1], [1, 2], [1.0])


def test_neighbouring_points_and_times_take_few_bytes() -> None:
    one_time = ReadingBatch.of(range(1000), [5] * 1000, [1.0] * 1000).encode()
    assert len(one_time) < 10_000 + 40
    many_times = ReadingBatch.of(range(1000), range(1000), [1.0] * 1000).encode()
    assert len(many_times) < 14_000 + 40


@given(
    st.integers(0, 2**32 - 70_000),
    st.integers(-(2**63), 2**63 - 2**33),
    st.lists(st.tuples(st.integers(0, 66_000), st.integers(0, 2**32 + 5)), min_size=1, max_size=40),
)
def test_columns_of_neighbours_come_back(point: int, time_us: int, steps: list[tuple[int, int]]) -> None:
    batch = ReadingBatch.of([point + a for a, _ in steps], [time_us + b for _, b in steps], [0.5] * len(steps))
    back = ReadingBatch.decode(batch.encode())
    for name in ("point", "time_us", "value", "quality"):
        assert getattr(back, name).tobytes() == getattr(batch, name).tobytes()
        assert getattr(back, name).dtype == getattr(batch, name).dtype


@given(rows.filter(bool))
def test_a_few_rows_encode_to_the_same_batch(columns: list[tuple[int, int, float, Quality]]) -> None:
    point, times_us, value, quality = zip(*columns, strict=True)
    back = ReadingBatch.decode(ReadingBatch.encode_instant(point, times_us[0], value, quality[0]))
    batch = ReadingBatch.of(point, [times_us[0]] * len(point), value, quality[0])
    for name in ("point", "time_us", "value", "quality"):
        assert getattr(back, name).tobytes() == getattr(batch, name).tobytes()


@pytest.mark.parametrize("columns", [([], 1, []), ([1], 1, [1.0, 2.0]), ([-1], 1, [1.0]), ([1], 2**63, [1.0])])
def test_rows_that_do_not_fit_are_an_error(columns: tuple[list[int], int, list[float]]) -> None:
    with pytest.raises(BatchError):
        ReadingBatch.encode_instant(*columns)
