"""Single readings, page by page in order of (point, time), as they stand or as they were known, or the newest ones;
changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from wattstead.metering.batch import ReadingBatch
from wattstead.series.appending.version import RECEIVED_SHIFT, known_at
from wattstead.series.connection import Connection
from wattstead.series.native import Columns
from wattstead.series.questions.answers import ReplacedColumns
from wattstead.series.rows import filled
from wattstead.series.tiers import FIRST_US, LAST_US, Tier, instant, within

_VERSIONS = ("version", "replaced_by")
MOST_READINGS = 1_000_000
"""Of one page; 29 MB."""
_FIRST_LOOK_US = 3_600_000_000


def readings(
    connection: Connection, points: Sequence[int], start_us: int, end_us: int, limit: int,
    after: tuple[int, int] | None = None, known_us: int | None = None,
) -> ReadingBatch:  # fmt: skip
    """The first ``limit`` readings of [start, end), after the (point, time) of the page before; own units.

    ``known_us``: as they were known at that instant. The batch's version is the greatest of its readings.
    """
    start_us, end_us, limit = max(start_us, FIRST_US), min(end_us, LAST_US), max(1, min(limit, MOST_READINGS))
    if not points or start_us >= end_us:
        return ReadingBatch.of([], [], [])
    where = within(Tier.RAW, start_us, end_us, points)
    if after is not None:
        where += f" AND (point, time) > ({after[0]}, {instant(after[1])})"
    found = None
    if known_us is not None:
        sql = filled("readings_known", where=where, limit=str(limit), known=str(known_at(known_us)))
    else:
        sql = filled("readings", where=where, limit=str(limit))
        if len(points) == 1 and _seconds(start_us, end_us) <= min(2 * limit, connection.limits.few_rows):
            found = _few(connection, where, limit)
    if found is None:
        found = connection.columns(sql, slow=len(points) > 1)
    if not found:
        return ReadingBatch.of([], [], [])
    version = int(found["version"].max())
    return ReadingBatch(found["point"], found["time"], found["value"], found["quality"], version)


def _few(connection: Connection, where: str, limit: int) -> Columns | None:
    """All readings of one point where they are few, put in order here, which the store takes longer for than to read
    them; None where they are more."""
    most = connection.limits.few_rows
    found = connection.columns(filled("readings_any", where=where, limit=str(most + 1)))
    if not found:
        return found
    if len(found["time"]) > most:
        return None
    order = np.argsort(found["time"])[:limit]
    return {name: values[order] for name, values in found.items()}


def _seconds(start_us: int, end_us: int) -> float:
    """How many readings a point usually has there at most: one a second until now."""
    return max(0, min(end_us, time.time_ns() // 1000) - start_us) / 1e6


def replaced(
    connection: Connection, points: Sequence[int], start_us: int, end_us: int, limit: int
) -> ReplacedColumns:  # fmt: skip
    """The first ``limit`` readings of [start, end) that newer ones took the place of; own units."""
    where = within(Tier.RAW, max(start_us, FIRST_US), min(end_us, LAST_US), points)
    found = connection.columns(filled("replaced", where=where, limit=str(max(1, min(limit, MOST_READINGS)))))
    if not found:
        none = np.zeros(0, np.int64)
        return ReplacedColumns(none, np.zeros(0), np.zeros(0, np.uint8), none, none)
    received, replaced_at = ((found[name] >> np.uint64(RECEIVED_SHIFT)).astype(np.int64) for name in _VERSIONS)
    return ReplacedColumns(found["time"], found["value"], found["quality"], received, replaced_at)


def newest(connection: Connection, point: int, start_us: int, end_us: int, limit: int) -> ReadingBatch:
    """The last ``limit`` readings of [start, end), newest first; own units.

    Looks back from the last one, further each time, so that a long history costs no more than what is wanted of it.
    """
    start_us, end_us, limit = max(start_us, FIRST_US), min(end_us, LAST_US), max(1, min(limit, MOST_READINGS))
    if start_us < end_us:
        last_us = connection.value(filled("last_reading", where=within(Tier.RAW, start_us, end_us, [point])))
        end_us = start_us if last_us is None else int(last_us) + 1
    look_us = _FIRST_LOOK_US
    while start_us < end_us:
        begin_us = max(start_us, end_us - look_us)
        where = within(Tier.RAW, begin_us, end_us, [point])
        found = connection.columns(filled("readings_newest", where=where, limit=str(limit)))
        if found and (len(found["time"]) == limit or begin_us == start_us):
            version = int(found["version"].max())
            return ReadingBatch(found["point"], found["time"], found["value"], found["quality"], version)
        if begin_us == start_us:
            break
        look_us *= 8
    return ReadingBatch.of([], [], [])


def pages(
    connection: Connection, points: Sequence[int], start_us: int, end_us: int, rows: int = 200_000
) -> Iterator[ReadingBatch]:
    """All readings of those points in [start, end), a page at a time."""
    after: tuple[int, int] | None = None
    ordered = np.unique(np.array(points, np.int64)).tolist()
    while ordered:
        page = readings(connection, ordered, start_us, end_us, rows, after)
        if len(page):
            yield page
        if len(page) < min(rows, MOST_READINGS):
            return
        after = (int(page.point[-1]), int(page.time_us[-1]))
        ordered = [point for point in ordered if point >= after[0]]
