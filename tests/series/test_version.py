"""Stored versions: in order, never later than the version, exact where they are no times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.series.appending.version import known_at, stored_version

pytestmark = pytest.mark.unit
versions = st.integers(0, 2**63)


@given(versions, versions)
def test_order_is_kept(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert stored_version(low) <= stored_version(high)
    assert stored_version(a) <= a


@given(st.integers(0, 2**41 - 1))
def test_small_numbers_stay_whole(version: int) -> None:
    assert stored_version(version) == version


@given(st.integers(2**50, 2**51 - 1), st.integers(0, 255), st.integers(0, 10**6))
def test_a_receive_time_keeps_its_milliseconds(received_us: int, worker: int, later_us: int) -> None:
    stored = stored_version((received_us << 8) + worker)
    assert 0 <= received_us - (stored >> 8) < 1024
    assert stored <= known_at(received_us + later_us)
    assert stored > known_at(received_us - 1024)
    assert stored_version(stored) == stored and np.uint64(stored) == stored
