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


@given(st.lists(st.dictionaries(IDS.filter(bool), st.integers(1, 9)), max_size=4), st.lists(ANY), st.integers(1, 9))
def test_sites(learnt: list[dict[int, int]], asked: list[int], site: int) -> None:
    ownership, known = Ownership(), dict[int, int]()
    for sites in learnt:
        ownership.put_sites(sites)
        known.update(sites)
    points = np.array(asked, np.uint32)
    assert ownership.of_site(points, site).tolist() == [known.get(point) == site for point in asked]
    assert ownership.unknown(points) == sorted({point for point in asked if point and point not in known})


@given(st.lists(st.dictionaries(IDS, st.booleans()), max_size=4), st.lists(ANY))
def test_deltas(learnt: list[dict[int, bool]], asked: list[int]) -> None:
    ownership, known = Ownership(), dict[int, bool]()
    for deltas in learnt:
        ownership.put_deltas(deltas)
        known.update(deltas)
    assert ownership.is_delta(np.array(asked, np.uint32)).tolist() == [known.get(point, False) for point in asked]
    assert ownership.among_deltas(asked) == any(known.get(point, False) for point in asked)
