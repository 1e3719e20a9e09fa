"""Boxes: some points over one span, cut so that one statement's rows fit into memory; knows no rules and no days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from wattstead.metering.rollup import MINUTE_US
from wattstead.series.connection import Connection
from wattstead.series.errors import StoreUnavailable
from wattstead.series.rollups.levels import Level
from wattstead.series.rows import filled
from wattstead.series.tiers import among, within

_OUT_OF_MEMORY = 241
_SURE_US = 2 * MINUTE_US
"""A box of readings of this length is tried whole before anything is counted."""
_LONGEST_US = 4 * 366 * 86_400_000_000
"""Of one statement: its rows fall into a part per month, and 100 parts are the most."""
_POINTS_AT_A_TIME = 20_000


class Box(msgspec.Struct, frozen=True):
    """Those points, or all, over [start, end)."""

    points: Sequence[int] | None
    start_us: int
    end_us: int


class Boxes:
    """Runs a statement for every part of a box."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def each(self, level: Level, box: Box, statement: Callable[[str, str], str]) -> int:
        """Runs ``statement(where, rule_where)`` for parts that together are the box; answers the rows written."""
        if box.end_us - box.start_us <= _SURE_US:
            try:
                return self._run(level, box, "", statement)
            except StoreUnavailable as error:
                if error.code != _OUT_OF_MEMORY:
                    raise
        return sum(self._run(level, part, ids, statement) for part, ids in self._parts(level, box))

    def _run(self, level: Level, box: Box, ids: str, statement: Callable[[str, str], str]) -> int:
        where = within(level.source, box.start_us, box.end_us, box.points)
        rule_where = ids or ("1" if box.points is None else among(box.points))
        try:
            return self._connection.compute(statement(f"{where} AND {ids}" if ids else where, rule_where))
        except StoreUnavailable as error:
            halves = list(_in_time(level, box, 2))
            if error.code != _OUT_OF_MEMORY or len(halves) == 1:
                raise
        return sum(self._run(level, half, ids, statement) for half in halves)

    def _parts(self, level: Level, box: Box) -> Iterator[tuple[Box, str]]:
        """Parts of the box of at most so many rows of the source, each with a condition on its points."""
        for low in range(box.start_us, box.end_us, _LONGEST_US):
            high = min(low + _LONGEST_US, box.end_us)
            at_a_time = _POINTS_AT_A_TIME if box.points is not None else 1
            pages = [None] if box.points is None else [
                box.points[at : at + at_a_time] for at in range(0, len(box.points), at_a_time)
            ]  # fmt: skip
            for page in pages:
                yield from self._fitting(level, Box(page, low, high))

    def _fitting(self, level: Level, box: Box) -> Iterator[tuple[Box, str]]:
        where = within(level.source, box.start_us, box.end_us, box.points)
        where = f"{where} AND {level.of_zone_sql}" if level.of_zone_sql else where
        found = self._connection.columns(filled("count_rows", table=level.source.value, where=where), slow=True)
        if not found:
            return
        total = np.cumsum(found["rows"].astype(np.int64))
        number = (total - 1) // level.most_rows
        cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(total)]
        for first, last in pairwise(cuts):
            ids = found["point"][first:last]
            part = f"point >= {ids[0]} AND point <= {ids[-1]}"
            rows = int(total[last - 1] - (total[first - 1] if first else 0))
            halves = -(-rows // (2 * level.most_rows)) if last - first == 1 else 1
            yield from ((piece, part) for piece in _in_time(level, box, halves))


def _in_time(level: Level, box: Box, pieces: int) -> Iterator[Box]:
    """The box cut into pieces of about one length, at edges of the level."""
    edges = level.edges_us if level.edges_us is not None else np.array([box.start_us, box.end_us])
    width = (box.end_us - box.start_us) // pieces
    cuts = {box.start_us, box.end_us}
    for number in range(1, pieces):
        at = box.start_us + number * width
        cuts.add(
            int(edges[np.searchsorted(edges, at)]) if level.edges_us is not None else at // 900_000_000 * 900_000_000
        )
    ordered = sorted(cut for cut in cuts if box.start_us <= cut <= box.end_us)
    for low, high in pairwise(ordered):
        yield Box(box.points, low, high)
