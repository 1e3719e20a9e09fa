"""Stretches of time, both ends included, in µs and in order; pure. Many become fewer, which take in more."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MOST = 100
Stretches = list[tuple[int, int]]


def added(stretches: Iterable[tuple[int, int]], first_us: int, last_us: int) -> Stretches:
    """With one more; what touches is one, and beyond `MOST` those that are nearest to each other.

    >>> added([(0, 9), (30, 39)], 10, 19)
    [(0, 19), (30, 39)]
    """
    merged: Stretches = []
    for first, last in sorted([*stretches, (first_us, last_us)]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    while len(merged) > MOST:
        at = min(range(len(merged) - 1), key=lambda at: merged[at + 1][0] - merged[at][1])
        merged[at : at + 2] = [(merged[at][0], merged[at + 1][1])]
    return merged


def within(time_us: NDArray[np.int64], stretches: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which instants lie in one.

    >>> within(np.array([4, 10, 12]), [(0, 4), (12, 20)]).tolist()
    [True, False, True]
    """
    found = np.zeros(len(time_us), np.bool_)
    for first_us, last_us in stretches:
        found |= (time_us >= first_us) & (time_us <= last_us)
    return found
