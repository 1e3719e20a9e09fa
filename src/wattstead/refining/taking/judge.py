"""Judging (the V of VEE): what is stored with which quality, and what cannot be stored; values are never changed.

Estimating and editing are not here yet.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point, StepMode, step_rule
from wattstead.metering.quantity import Quality, Quantity, unit
from wattstead.metering.step import MAX_COUNT
from wattstead.refining.bookkeeping.retention import EXPIRED, Door, Retention
from wattstead.refining.columns import MAX_POINT, Columns, place_of

NOT_FINITE = "value is not a finite number"
TIME_OUT_OF_RANGE = "time lies outside the years 1970 to 2105"

EARLIEST_US = 0
LATEST_US = 4_260_211_200_000_000
"""The first instant of 2105: later weeks and months have no partition."""

PLAUSIBLE: dict[tuple[Quantity, str], tuple[float, float]] = {
    (Quantity.ELECTRICITY, "W"): (-1e12, 1e12),
    (Quantity.ELECTRICITY, "VA"): (0.0, 1e12),
    (Quantity.ELECTRICITY, "Wh"): (0.0, 1e16),
    (Quantity.ELECTRICITY, "pulse"): (0.0, 1e15),
    (Quantity.HEAT, "W"): (-1e12, 1e12),
    (Quantity.HEAT, "Wh"): (0.0, 1e16),
    (Quantity.COLD, "Wh"): (0.0, 1e16),
    (Quantity.GAS, "m³"): (0.0, 1e12),
    (Quantity.WATER, "m³"): (0.0, 1e12),
    (Quantity.TEMPERATURE, "°C"): (-273.15, 2000.0),
    (Quantity.HUMIDITY, "%"): (0.0, 105.0),
    (Quantity.CHARGE_LEVEL, "%"): (0.0, 105.0),
    (Quantity.IRRADIANCE, "W/m²"): (-20.0, 2000.0),
    (Quantity.WIND, "m/s"): (0.0, 120.0),
    (Quantity.CLOUD, "%"): (0.0, 100.0),
    (Quantity.PRECIPITATION, "mm"): (0.0, 2000.0),
    (Quantity.PRESSURE, "Pa"): (-1.1e5, 1e9),
    (Quantity.VOLTAGE, "V"): (-2e6, 2e6),
    (Quantity.CURRENT, "A"): (-1e6, 1e6),
    (Quantity.FREQUENCY, "Hz"): (0.0, 1e3),
    (Quantity.POWER_FACTOR, ""): (-1.01, 1.01),
    (Quantity.SIGNAL, "dBm"): (-200.0, 50.0),
}
"""What a working meter can show, by quantity, in the base unit; a new row is a new range. Not listed: not judged."""


def plausible_range(point: Point) -> tuple[float, float] | None:
    """Smallest and largest plausible number of a point in its own unit; None when nothing is known.

    >>> plausible_range(Point(id=1, quantity=Quantity.VOLTAGE, unit="kV"))
    (-2000.0, 2000.0)
    """
    own = unit(point.unit)
    found = PLAUSIBLE.get((point.quantity, own.base))
    if found is None:
        return None
    low, high = ((bound - own.offset) / own.factor for bound in found)
    return low, high


def countable(point: Point) -> float:
    """From which number on, in its own unit, a register's or an amount's single steps are counted no more; else none.

    >>> from wattstead.metering.quantity import Kind
    >>> countable(Point(id=1, kind=Kind.REGISTER, unit="kWh", resolution=0.5))
    4503599627370496.0
    """
    rule = step_rule(point)
    return MAX_COUNT * rule.quantum if rule.mode in (StepMode.REGISTER, StepMode.DELTA) else np.inf


class Judge:
    """Gives each reading its quality by what is known of its point, and counts what has to be refused.

    One thread judges, another may tell it what changed.
    """

    def __init__(self, future_limit_us: int = 86_400_000_000, retention: Retention | None = None) -> None:
        self._future_limit_us = future_limit_us
        self._lock = threading.Lock()
        self._door = Door(retention or Retention())
        self._low = np.full(0, np.nan)
        self._high = np.full(0, np.nan)
        self._uncounted = np.full(0, np.inf)
        self.refused: Counter[str] = Counter()
        """Readings that were not stored, by reason."""

    def learn(self, points: Iterable[Point]) -> None:
        """Take over the ranges of those points, and how long they are kept."""
        points = list(points)
        known = [point for point in points if point.id < MAX_POINT]
        size = max((point.id for point in known), default=-1) + 1
        with self._lock:
            self._door.learn(points)
            if size > len(self._low):
                room = max(size, 2 * len(self._low)) - len(self._low)
                self._low = np.append(self._low, np.full(room, np.nan))
                self._high = np.append(self._high, np.full(room, np.nan))
                self._uncounted = np.append(self._uncounted, np.full(room, np.inf))
            for point in known:
                most = self._uncounted[point.id] = countable(point)
                low, high = plausible_range(point) or (np.nan, np.nan)
                self._low[point.id], self._high[point.id] = np.maximum(low, -most), np.minimum(high, most)

    def judge(self, columns: Columns) -> Columns:
        """What may be stored, with its quality: valid or suspect where a range is known, else as it came; suspect too
        where it has more steps than can be counted.

        A quality the sender gave (estimated, edited …) is kept. A time further after its receipt than the limit is
        suspect, unless its sender knows of the future and gave a quality. Refused rows are left out and counted in
        ``refused``.
        """
        with self._lock:
            columns = self._in_retention(self._storable(columns))
            if not len(columns):
                return columns
            quality = self._by_range(columns)
        received_us = int(columns.version.min()) >> 8
        if received_us and int(columns.time_us.max()) - received_us > self._future_limit_us:
            ahead = columns.time_us - (columns.version >> np.uint64(8)).astype(np.int64) > self._future_limit_us
            ahead &= columns.quality == Quality.RAW
            quality = np.where(ahead, np.uint8(Quality.SUSPECT), quality)
        return columns.with_quality(quality)

    def _storable(self, columns: Columns) -> Columns:
        time_us, value = columns.time_us, columns.value
        if not len(columns) or (
            np.isfinite(value.min()) and np.isfinite(value.max())
            and time_us.min() >= EARLIEST_US and time_us.max() < LATEST_US
        ):  # fmt: skip
            return columns
        finite = np.isfinite(value)
        in_time = (time_us >= EARLIEST_US) & (time_us < LATEST_US)
        self.refused[NOT_FINITE] += int((~finite).sum())
        self.refused[TIME_OUT_OF_RANGE] += int((finite & ~in_time).sum())
        return columns.rows(finite & in_time)

    def _in_retention(self, columns: Columns) -> Columns:
        kept = self._door.open_for(columns)
        if kept is None or kept.all():
            return columns
        self.refused[EXPIRED] += int((~kept).sum())
        return columns.rows(kept)

    def _by_range(self, columns: Columns) -> NDArray[np.uint8]:
        point, value = columns.point, columns.value
        if not len(self._low):
            return columns.quality
        known = int(point.max()) < len(self._low)
        place = point if known else np.minimum(point, np.uint32(len(self._low) - 1))
        at = place_of(point) if known else place
        low, high = self._low[at], self._high[at]
        valid = (value >= low) & (value <= high)
        as_they_came = known and not columns.quality.any()
        if as_they_came and valid.all():
            return np.full(len(value), Quality.VALID, np.uint8)
        outside = (value < low) | (value > high) | (np.abs(value) >= self._uncounted[at])
        open_to_judge = (columns.quality == Quality.RAW) & (point == place)
        quality = np.where(open_to_judge & valid, np.uint8(Quality.VALID), columns.quality)
        return np.where(open_to_judge & outside, np.uint8(Quality.SUSPECT), quality)
