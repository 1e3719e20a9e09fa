"""Ownership: the site, device and nature of points by id, as arrays; what they lack is asked for elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_FIRST_SIZE = 1024
_T = TypeVar("_T", np.uint32, np.bool_)


class Ownership:
    """Columns over point ids: site (0: not known), device (0: none), whether the point holds amounts per interval."""

    def __init__(self) -> None:
        self._site = np.zeros(_FIRST_SIZE, np.uint32)
        self._device = np.zeros(_FIRST_SIZE, np.uint32)
        self._delta = np.zeros(_FIRST_SIZE, np.bool_)
        self._deltas: frozenset[int] = frozenset()

    def unknown(self, points: NDArray[np.uint32]) -> list[int]:
        """Those of the ids whose site is not known, each once; 0 is no id."""
        inside = points < len(self._site)
        missing = points[~inside | (self._site[np.where(inside, points, 0)] == 0)]
        return [int(point) for point in np.unique(missing) if point]

    def of_site(self, points: NDArray[np.uint32], site_id: int) -> NDArray[np.bool_]:
        """Which ids are points of a site."""
        inside = points < len(self._site)
        theirs: NDArray[np.bool_] = inside & (self._site[np.where(inside, points, 0)] == site_id)
        return theirs

    def of_device(self, points: NDArray[np.uint32], device_id: int) -> NDArray[np.bool_]:
        """Which ids are points of a device."""
        inside = points < len(self._device)
        theirs: NDArray[np.bool_] = inside & (self._device[np.where(inside, points, 0)] == device_id)
        return theirs

    def forget_owners(self) -> None:
        """Points may have been given to other devices: ask again."""
        self._site, self._device = np.zeros(_FIRST_SIZE, np.uint32), np.zeros(_FIRST_SIZE, np.uint32)

    def is_delta(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which ids hold amounts per interval."""
        if not len(points) or int(points.max()) < len(self._delta):
            held: NDArray[np.bool_] = self._delta[points]
            return held
        inside = points < len(self._delta)
        return inside & self._delta[np.where(inside, points, 0)]

    def among_deltas(self, points: Sequence[int]) -> bool:
        """Whether one of a few ids holds amounts per interval: `is_delta` at a fraction of the cost."""
        return not self._deltas.isdisjoint(points)

    def put_owners(self, owners: Mapping[int, tuple[int, int]]) -> None:
        """Learn site and device of points."""
        if owners:
            self._site, self._device = _grown(self._site, max(owners)), _grown(self._device, max(owners))
            ids = np.fromiter(owners, np.int64, len(owners))
            told = np.array(list(owners.values()), np.int64)
            self._site[ids], self._device[ids] = told[:, 0], told[:, 1]

    def put_deltas(self, deltas: Mapping[int, bool]) -> None:
        """Learn which points hold amounts per interval."""
        if deltas:
            delta = _grown(self._delta, max(deltas))
            delta[np.fromiter(deltas, np.int64, len(deltas))] = np.fromiter(deltas.values(), np.bool_, len(deltas))
            self._delta = delta
            self._deltas = frozenset(np.flatnonzero(delta).tolist())


def _grown(column: NDArray[_T], last: int) -> NDArray[_T]:
    """The column, long enough for an id; doubled, so that growing is rare."""
    if last < len(column):
        return column
    grown = np.zeros(max(last + 1, 2 * len(column)), column.dtype)
    grown[: len(column)] = column
    return grown
