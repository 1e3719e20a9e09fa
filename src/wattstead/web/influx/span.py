"""From which instant to which a SELECT asks, and the edges of its buckets; knows no reading."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import CalendarError, wall_edges_us, zone_info
from wattstead.web.influx.question import Select
from wattstead.web.influx.tokens import ParseError

MOST_BUCKETS = 50_000
"""Time buckets of one series in one answer."""
_QUARTER_US = 900_000_000


def bucket_edges_us(select: Select, start_us: int, end_us: int) -> NDArray[np.int64]:
    """Edges of the time buckets that touch [start, end); the span itself without GROUP BY time.

    Buckets are counted from 1970, by the wall clock of the zone of ``tz()`` when that is given, as InfluxDB 1.8 does:
    over a change of the clock a bucket is longer or shorter, unless it is no longer than the change. An offset is
    counted from there in elapsed time. Raises `ParseError` beyond `MOST_BUCKETS`.
    """
    if end_us <= start_us:
        return np.zeros(0, np.int64)
    every = select.every_us
    if not every:
        return np.array([start_us, end_us], np.int64)
    if (end_us - start_us) // every > MOST_BUCKETS:
        found = (end_us - start_us) // every
        raise ParseError(f"max-select-buckets limit exceeded: ({found}/{MOST_BUCKETS}); use a longer GROUP BY time()")
    if select.zone == "UTC" or every < _QUARTER_US:  # no zone changes by less
        shift = select.offset_us - _offset_us(select, start_us)
        first = (start_us - shift) // every
        last = -(-(end_us - shift) // every)
        return np.arange(first, last + 1, dtype=np.int64) * every + shift
    try:
        offset = select.offset_us
        return wall_edges_us(zone(select), start_us - offset, end_us - offset, every) + offset
    except CalendarError as error:
        raise ParseError(str(error)) from error


def zone(select: Select) -> str:
    """The zone of ``tz()``; `ParseError` when there is none of that name."""
    try:
        zone_info(select.zone)
    except CalendarError:
        raise ParseError(f"unable to find time zone {select.zone}") from None
    return select.zone


def _offset_us(select: Select, at_us: int) -> int:
    if select.zone == "UTC":
        return 0
    offset = datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(zone_info(zone(select))).utcoffset()
    return round(offset.total_seconds() * 1e6) if offset is not None else 0
