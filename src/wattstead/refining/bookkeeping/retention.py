"""Retention: how long readings and rollups of which points are kept, and from when on a late reading is refused.

Decides; the store removes. A bucket whose raw readings have expired is never computed again from the few that are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.refining.columns import MAX_POINT, Columns
from wattstead.series import Retention as Expiry
from wattstead.series import Series

EXPIRED = "older than raw readings of its point are kept"
_DAY_US = 86_400_000_000


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: the points it is for, and the days each tier is kept; 0 for ever."""

    quantity: Quantity | None = None
    """Only points of this quantity; None: of any."""
    kind: Kind | None = None
    """Only points of this kind; None: of any."""
    raw_days: int = 0
    minute_days: int = 0
    quarter_days: int = 0
    replaced_days: int = 0
    """Of values that a correction took the place of."""

    def concerns(self, point: Point) -> bool:
        """Whether this rule is for that point."""
        return self.quantity in (None, point.quantity) and self.kind in (None, point.kind)


class Retention(msgspec.Struct, frozen=True):
    """Rules in order; the first that concerns a point is its rule, none keeps all for ever."""

    keeps: tuple[Keep, ...] = ()

    def of(self, point: Point) -> Keep:
        """The rule of a point.

        >>> Retention((Keep(kind=Kind.STATE, raw_days=30), Keep(raw_days=400))).of(Point(id=1)).raw_days
        400
        """
        return next((keep for keep in self.keeps if keep.concerns(point)), Keep())

    def classes(self, points: Iterable[Point]) -> dict[Keep, list[int]]:
        """The points of each rule that removes anything."""
        found: dict[Keep, list[int]] = {}
        for point in points:
            keep = self.of(point)
            if any((keep.raw_days, keep.minute_days, keep.quarter_days, keep.replaced_days)):
                found.setdefault(keep, []).append(point.id)
        return found


def expire(series: Series, retention: Retention, points: Iterable[Point], now_us: int) -> list[str]:
    """Have the store remove what is older than it is kept; answers the parts of tables that were rewritten."""
    touched: list[str] = []
    for keep, ids in retention.classes(points).items():
        before = [
            expiry_us(now_us, days) if days else 0
            for days in (keep.raw_days, keep.minute_days, keep.quarter_days, keep.replaced_days)
        ]
        raw_us, minute_us, quarter_us, replaced_us = before
        touched += series.apply_retention(
            ids, Expiry(raw_us=raw_us, minute_us=minute_us, quarter_us=quarter_us, replaced_us=replaced_us)
        )
    return touched


def expiry_us(now_us: int, days: int) -> int:
    """The instant before which a tier kept for so many days is removed: the beginning of a UTC day."""
    return (now_us // _DAY_US - days) * _DAY_US


class Door:
    """Refuses readings of a time whose raw readings are gone, a day before they go."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._days = np.zeros(0, np.int64)

    def learn(self, points: Sequence[Point]) -> None:
        """Take over how long raw readings of those points are kept."""
        if not self._retention.keeps:
            return
        known = [point for point in points if point.id < MAX_POINT]
        size = max((point.id for point in known), default=-1) + 1
        if size > len(self._days):
            self._days = np.append(self._days, np.zeros(max(size, 2 * len(self._days)) - len(self._days), np.int64))
        for point in known:
            self._days[point.id] = self._retention.of(point).raw_days

    def open_for(self, columns: Columns) -> NDArray[np.bool_] | None:
        """Which rows may come in; None for all."""
        if not len(self._days) or not len(columns) or not self._days.any():
            return None
        inside = columns.point < len(self._days)
        days = np.where(inside, self._days[np.where(inside, columns.point, 0)], 0)
        received_us = (columns.version >> np.uint64(8)).astype(np.int64)
        oldest_us = (received_us // _DAY_US - days + 1) * _DAY_US
        return np.asarray((days == 0) | (columns.time_us >= oldest_us), np.bool_)
