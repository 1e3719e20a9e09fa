"""In which quarter hours of a day points have readings: what completeness is reckoned from; reads rollups alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.rollup import QUARTER_US
from wattstead.series.connection import Connection
from wattstead.series.rows import filled
from wattstead.series.tiers import Tier, within

QUARTERS = 96
_HALF = 48


def quarters_heard(connection: Connection, end_us: int) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The points with readings in the day before ``end_us``, and for each its 96 quarter hours, oldest first."""
    start_us = end_us - QUARTERS * QUARTER_US
    where = within(Tier.QUARTER, start_us, end_us)
    found = connection.columns(filled("quarters_heard", where=where, first=str(start_us // 1_000_000)), slow=True)
    if not found:
        return np.zeros(0, np.uint32), np.zeros((0, QUARTERS), bool)
    place = np.arange(_HALF, dtype=np.uint64)
    halves = [(found[name].astype(np.uint64)[:, None] >> place) & np.uint64(1) for name in ("early", "late")]
    return found["point"], np.concatenate(halves, axis=1).astype(bool)
