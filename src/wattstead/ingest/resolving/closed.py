"""ClosedPoints: points whose device does not post at present; asked for each batch, so it costs nothing while empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray


class ClosedPoints:
    """Devices and points that are closed; made anew at each change, never changed.

    >>> closed = ClosedPoints([4], {17: 4})
    >>> bool(closed), closed.among([16, 17]), closed.mask(np.array([16, 17, 90], np.uint32)).tolist()
    (True, True, [False, True, False])
    """

    def __init__(self, devices: Iterable[int] = (), points: Mapping[int, int] | None = None) -> None:
        """``points`` gives the device of each."""
        self.devices = frozenset(devices)
        self._device_of = dict(points or {})
        self._points = frozenset(self._device_of)
        self._column = np.zeros(max(self._points, default=0) + 1, np.bool_)
        self._column[list(self._points)] = True

    def __bool__(self) -> bool:
        return bool(self._points)

    def among(self, points: list[int]) -> bool:
        """Whether one of a few points is closed."""
        return not self._points.isdisjoint(points)

    def mask(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of many points are closed."""
        inside = points < len(self._column)
        return inside & self._column[np.where(inside, points, 0)]

    def reason(self, point: int) -> str:
        """Why a reading of that point is not kept, and what to do."""
        return (
            f"device {self._device_of.get(point, 0)} may not post: its posting is disabled; "
            "enable it on the page of the device"
        )


NOTHING = ClosedPoints()
