"""Where the readings of points begin and end: their newest readings, their spans; in the points' own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wattstead.metering.rollup import QUARTER_US
from wattstead.series.connection import Connection
from wattstead.series.marks import Marks
from wattstead.series.questions.answers import LatestColumns, SpanColumns
from wattstead.series.questions.nearest import nearest
from wattstead.series.questions.plan import after, before
from wattstead.series.questions.question import Piece
from wattstead.series.rows import text
from wattstead.series.tiers import FIRST_US, LAST_US, Tier

_AT_A_TIME = 10_000
_RECENT_US = 10 * 60_000_000
_FEW = 20


def largest_point(connection: Connection) -> int:
    """The largest number of a point that has a reading or a day; 0 when none has."""
    return int(connection.value(text("largest_point")))


def latest(connection: Connection, marks: Marks, points: Sequence[int] | None) -> LatestColumns:
    """The newest reading of those points, or of all."""
    reach = marks.reach()
    if points is None:
        return _latest(connection, None, before(LAST_US, reach))
    found: list[LatestColumns] = []
    for at in range(0, len(points), _AT_A_TIME):
        asked = points[at : at + _AT_A_TIME]
        if reach.minute_us:
            recent = _latest(connection, asked, _recent(reach.minute_us, len(asked)))
            found.append(recent)
            asked = sorted(set(asked) - set(recent.point.tolist()))
        if asked:
            found.append(_latest(connection, asked, before(LAST_US, reach)))
    return _joined(found)


def latest_until(connection: Connection, marks: Marks, points: Sequence[int], at_us: int) -> LatestColumns:
    """The newest reading of those points that is not after an instant."""
    reach, quarter_us = marks.reach(), at_us // QUARTER_US * QUARTER_US
    pieces = (*before(quarter_us, reach), Piece(Tier.RAW, quarter_us, at_us + 1))
    cuts = range(0, len(points), _AT_A_TIME)
    return _joined([_latest(connection, points[at : at + _AT_A_TIME], pieces) for at in cuts])


def spans(connection: Connection, marks: Marks, points: Sequence[int]) -> SpanColumns:
    """The first and the newest time of the readings of those points."""
    last = latest(connection, marks, points)
    pieces = after(FIRST_US, marks.reach())
    first = _first(connection, last.point.tolist(), pieces)
    early = last.point[~np.isin(last.point, first.point)]  # their days are still to be made
    if len(early):
        first = _joined([first, _first(connection, early.tolist(), (Piece(Tier.RAW, FIRST_US, LAST_US),))])
    both = np.isin(last.point, first.point)
    return SpanColumns(last.point[both], first.time_us, last.time_us[both])


def _first(connection: Connection, points: Sequence[int], pieces: Sequence[Piece]) -> LatestColumns:
    cuts = range(0, len(points), _AT_A_TIME)
    found = [nearest(connection, points[at : at + _AT_A_TIME], pieces, last=False) for at in cuts]
    return _joined([LatestColumns(part["point"], part["time"], part["value"]) for part in found])


def _recent(minute_us: int, points: int) -> tuple[Piece, ...]:
    """Where the newest reading of a point that is alive lies; of few points readings alone, which is one table less."""
    if points <= _FEW:
        return (Piece(Tier.RAW, max(minute_us - _RECENT_US, FIRST_US), LAST_US),)
    return (Piece(Tier.MINUTE, max(minute_us - _RECENT_US, FIRST_US), minute_us), Piece(Tier.RAW, minute_us, LAST_US))


def _latest(connection: Connection, points: Sequence[int] | None, pieces: Sequence[Piece]) -> LatestColumns:
    found = nearest(connection, points, pieces)
    return LatestColumns(found["point"], found["time"], found["value"])


def _joined(parts: Sequence[LatestColumns]) -> LatestColumns:
    if not parts:
        return LatestColumns(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0))
    point = np.concatenate([p.point for p in parts])
    order = np.argsort(point, kind="stable")
    time_us, value = (np.concatenate([getattr(p, name) for p in parts])[order] for name in ("time_us", "value"))
    return LatestColumns(point[order], time_us, value)
