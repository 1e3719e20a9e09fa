"""Ownership: the arrays say what a dictionary would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.resolving.ownership import Ownership

pytestmark = pytest.mark.unit
IDS = st.integers(0, 5_000)
ANY = st.one_of(IDS, st.integers(0, 2**32 - 1))


OWNERS = st.tuples(st.integers(1, 9), st.integers(0, 9))


@given(st.lists(st.dictionaries(IDS.filter(bool), OWNERS), max_size=4), st.lists(ANY), st.integers(1, 9))
def test_owners(learnt: list[dict[int, tuple[int, int]]], asked: list[int], one: int) -> None:
    ownership, known = Ownership(), dict[int, tuple[int, int]]()
    for owners in learnt:
        ownership.put_owners(owners)
        known.update(owners)
    points = np.array(asked, np.uint32)
    assert ownership.of_site(points, one).tolist() == [known.get(point, (0, 0))[0] == one for point in asked]
    assert ownership.of_device(points, one).tolist() == [known.get(point, (0, 0))[1] == one for point in asked]
    assert ownership.unknown(points) == sorted({point for point in asked if point and point not in known})


@given(st.lists(st.dictionaries(IDS, st.booleans()), max_size=4), st.lists(ANY))
def test_deltas(learnt: list[dict[int, bool]], asked: list[int]) -> None:
    ownership, known = Ownership(), dict[int, bool]()
    for deltas in learnt:
        ownership.put_deltas(deltas)
        known.update(deltas)
    assert ownership.is_delta(np.array(asked, np.uint32)).tolist() == [known.get(point, False) for point in asked]
    assert ownership.among_deltas(asked) == any(known.get(point, False) for point in asked)
