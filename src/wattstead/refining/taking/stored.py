"""What the store knows of the newest readings, taken over as the latest; of what was foreseen, what has come."""

from __future__ import annotations

import time

import numpy as np

from wattstead.refining.columns import Columns
from wattstead.refining.foreseen import SLACK_US
from wattstead.refining.latest import Latest, Readings
from wattstead.series import LatestColumns, Series


def take_stored(latest: Latest, series: Series, stored: LatestColumns) -> None:
    """Take over the newest readings of points; where they lie ahead, those that have come, and expect the others."""
    now_us = time.time_ns() // 1000
    ahead = stored.time_us > now_us + SLACK_US
    _take(latest, LatestColumns(stored.point[~ahead], stored.time_us[~ahead], stored.value[~ahead]))
    if ahead.any():
        latest.foreseen.expect(stored.point[ahead], stored.time_us[ahead])
        take_come(latest, series)


def take_come(latest: Latest, series: Series, stored_us: int = 0) -> Readings:
    """Of what was foreseen take over what has come meanwhile; answers what of it is newer than what was known.

    What was received before ``stored_us`` is in the store: points of which nothing is expected beyond it are forgotten.
    """
    now_us, points = time.time_ns() // 1000, latest.foreseen.points()
    found = _take(latest, series.latest_until(points, now_us))
    latest.foreseen.passed(min(now_us, stored_us))
    return found


def _take(latest: Latest, stored: LatestColumns) -> Readings:
    zeros = np.zeros(len(stored), np.uint64)
    newer, _ = latest.take(Columns(stored.point, stored.time_us, stored.value, zeros.astype(np.uint8), zeros))
    return Readings(stored.point[newer], stored.time_us[newer], stored.value[newer])
