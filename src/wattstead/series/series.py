"""Series: readings of all points and their rollups at one address; every call is here, the work in the packages beside.

Synchronous, for any thread. Times are µs since 1970. It applies no permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.series import schema
from wattstead.series.appending.appending import append
from wattstead.series.connection import Connection, Limits
from wattstead.series.keeping import checking, keeping, removing, retention
from wattstead.series.keeping.checking import SeriesState
from wattstead.series.keeping.retention import Retention
from wattstead.series.marks import ERA, Marks, Reach
from wattstead.series.questions import ends, heard, reading_pages
from wattstead.series.questions.answers import Buckets, LatestColumns, ReplacedColumns, SpanColumns
from wattstead.series.questions.buckets import Asking, to_buckets
from wattstead.series.questions.grouped import Group, by_cell, cells, members
from wattstead.series.rollups.known import KnownMinutes
from wattstead.series.rollups.rolling import Rolled, Roller
from wattstead.series.rollups.spans import Spans
from wattstead.series.rules import Rules
from wattstead.series.tiers import FIRST_US, LAST_US

_AT_ONCE = 4
"""Questions asked at once by one call that needs several."""


class Series:
    """Readings and rollups in a store process or a ClickHouse server.

    ``address`` is ``http://user:key@host:port/database``; the database is ``wattstead`` where none is given. Every
    method may raise `StoreUnavailable` (try again later) and `StoreRefused`.
    """

    def __init__(self, address: str, limits: Limits | None = None) -> None:
        self._connection = Connection(address, limits)
        self._marks = Marks(self._connection)
        self._rules = Rules(self._connection, self._marks)
        self._roller = Roller(self._connection, self._marks, self._rules)
        self._executor = ThreadPoolExecutor(_AT_ONCE, "series")
        self._asking = Asking(self._connection, self._marks, self._rules, self._executor)

    def close(self) -> None:
        """Gives up connections and threads."""
        self._executor.shutdown()
        self._asking.close()
        self._connection.close()

    # Tables and rules

    def migrate(self) -> int:
        """Makes the tables or brings them up to date; their version. Raises `SchemaMismatch` when they are newer."""
        return schema.migrate(self._connection)

    def check(self) -> SeriesState:
        """Versions, parts and sizes, for `wattstead check`; works before `migrate` too."""
        return checking.check(self._connection, self._marks)

    def put_rules(self, points: Iterable[Point]) -> list[int]:
        """Stores step rule and zone of points; answers the ids of those that were new or changed.

        Rollups of a changed point are computed anew by `roll` with its id. Raises `CalendarError` for an unknown zone.
        """
        return self._rules.put(points)

    def differing_rules(self, points: Iterable[Point]) -> list[int]:
        """The ids that `put_rules` would answer; stores nothing, so that a caller can note them down before."""
        return self._rules.differing(points)

    def days_change(self, points: Iterable[int]) -> None:
        """Until `days_stand` this process asks finer rows than local days of those points: their zone has changed."""
        self._rules.days_change(points)

    def days_stand(self, points: Iterable[int]) -> None:
        """The history of those points is rolled up in their present zone."""
        self._rules.days_stand(points)

    # Readings in

    def append(self, batches: Sequence[ReadingBatch], repeated: NDArray[np.bool_] | None = None) -> int:
        """Stores the readings of all batches durably; may be called again with the same batches.

        ``repeated`` (one per row, all batches in order) says which rows may have a reading at their (point, time)
        already: what those replace is written down first, and its number is answered. Without it nothing is looked up.
        Raises `NotAllWritten` (send again), `TimeOutOfRange`.
        """
        return append(self._connection, self._marks, batches, repeated)

    # Rollups

    def close_minutes(self, start_us: int, end_us: int, known: KnownMinutes | None = None) -> Rolled:
        """`roll` of all points, with the rows of these very minutes where the caller has counted them.

        They are computed all the same when readings have been removed or have expired since.
        """
        return self._roller.close(start_us, end_us, known)

    def roll(self, start_us: int, end_us: int, points: Sequence[int] | None = None) -> Rolled:
        """Computes rollups of [start, end): of all points, or again of some.

        Of all points: whole minutes that are not rolled up yet, then the quarter hours and local days that are whole
        with them. Of some: everything that was rolled up before, and rows of buckets that have become empty are
        emptied. What has expired stays as it is. The same again gives the same.
        """
        if points is None:
            return self._roller.close(start_us, end_us)
        ids = np.unique(np.array(points, np.uint32))
        start, end = np.full(len(ids), max(start_us, FIRST_US)), np.full(len(ids), min(end_us, LAST_US))
        return self._roller.again(Spans(ids, start, end), sweep=True)

    def roll_spans(self, point: NDArray[np.uint32], start_us: NDArray[np.int64], end_us: NDArray[np.int64]) -> Rolled:
        """Computes rollups again where late or corrected readings came in: columns of points and their spans.

        Only what was rolled up before; readings that were removed need `roll`.
        """
        return self._roller.again(Spans(point, start_us, end_us), sweep=False)

    @property
    def era(self) -> int:
        """How often readings have been removed; as it is in the store now."""
        self._marks.forget()
        return self._marks.value(ERA)

    @property
    def reach(self) -> Reach:
        """How far minutes and quarter hours of all points are rolled up."""
        return self._marks.reach()

    # Questions

    def latest(self, points: Sequence[int | Point] | None = None) -> LatestColumns:
        """The newest reading of those points (of all) that have one; in the points' own units."""
        return ends.latest(self._connection, self._marks, None if points is None else _ids(points))

    def latest_until(self, points: Sequence[int | Point], at_us: int) -> LatestColumns:
        """The newest reading of those points that is not after an instant, where there is one; in their own units."""
        return ends.latest_until(self._connection, self._marks, _ids(points), at_us)

    def largest_point_id(self) -> int:
        """The largest id of a point that has readings; the registry must have given at least that many."""
        return ends.largest_point(self._connection)

    def quarters_heard(self, end_us: int) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """The points with readings in the day before that instant, which is on a quarter hour, and for each whether in
        each of its 96 quarter hours, oldest first; from what is rolled up."""
        return heard.quarters_heard(self._connection, end_us)

    def span(self, points: Sequence[int | Point]) -> SpanColumns:
        """When the readings of those points begin and end, for the points that have any."""
        return ends.spans(self._connection, self._marks, _ids(points))

    def raw(
        self, point: int | Point, start_us: int, end_us: int, limit: int = 100_000, after_us: int | None = None
    ) -> ReadingBatch:
        """Readings of [start, end) in order of time, at most ``limit``, after ``after_us``; in the point's unit."""
        [point_id] = _ids([point])
        after = None if after_us is None else (point_id, after_us)
        return reading_pages.readings(self._connection, [point_id], start_us, end_us, limit, after)

    def newest(self, point: int | Point, start_us: int, end_us: int, limit: int = 100_000) -> ReadingBatch:
        """The last readings of [start, end), newest first, at most ``limit``; in the point's unit."""
        [point_id] = _ids([point])
        return reading_pages.newest(self._connection, point_id, start_us, end_us, limit)

    def raw_known(
        self, point: int | Point, start_us: int, end_us: int, known_us: int, limit: int = 100_000,
        after_us: int | None = None,
    ) -> ReadingBatch:  # fmt: skip
        """Like `raw`, as it was known at ``known_us``: what came later is left out, what it replaced is in."""
        [point_id] = _ids([point])
        after = None if after_us is None else (point_id, after_us)
        return reading_pages.readings(self._connection, [point_id], start_us, end_us, limit, after, known_us)

    def replaced(self, point: int | Point, start_us: int, end_us: int, limit: int = 1_000) -> ReplacedColumns:
        """What newer readings of [start, end) took the place of, in order of time and of coming; own unit."""
        return reading_pages.replaced(self._connection, _ids([point]), start_us, end_us, limit)

    def page(
        self,
        points: Sequence[int | Point],
        start_us: int,
        end_us: int,
        limit: int,
        after: tuple[int, int] | None = None,
    ) -> ReadingBatch:
        """At most ``limit`` readings of [start, end) in order of (point, time), after that one; own units."""
        return reading_pages.readings(self._connection, _ids(points), start_us, end_us, limit, after)

    def pages(
        self, points: Sequence[int | Point], start_us: int = FIRST_US, end_us: int = LAST_US, rows: int = 200_000
    ) -> Iterator[ReadingBatch]:
        """All readings of those points in order of (point, time), a page at a time; for export."""
        return reading_pages.pages(self._connection, _ids(points), start_us, end_us, rows)

    def buckets(self, points: Sequence[Point], edges_us: NDArray[np.int64], numbers: bool = True) -> list[Buckets]:
        """Each point's buckets between the edges, in base units, the newest reading included.

        Answered from local days, quarter hours, minutes or readings, whatever lies on the edges and is still kept.
        Without ``numbers`` smallest, largest, mean, sum and total may be NaN, and long spans take less.
        Raises `SeriesError` when the edges do not grow, `TooManyBuckets`.
        """
        start_us = np.asarray(edges_us, np.int64)[:-1]
        found: dict[int, Buckets] = {}
        for some, filled in self._asking.whole(list({p.id: p for p in points}.values()), edges_us, numbers):
            found |= {point.id: to_buckets(point, filled, row, start_us) for row, point in enumerate(some)}
        return [found[point.id] for point in points]

    def grouped(
        self,
        groups: Mapping[str, Sequence[Point]],
        edges_us: NDArray[np.int64],
        amounts: bool = True,
        totals: bool = True,
        extremes: bool = True,
    ) -> dict[str, Buckets]:
        """Buckets of groups of points: counts, means and amounts of all together. See `Buckets.total` for power.

        Without ``amounts`` there are no first and last readings and no amounts, and it takes a fifth of the time;
        without ``totals`` neither sums of the points' means, and half of that; then without ``extremes`` neither
        smallest and largest values.
        """
        start_us = np.asarray(edges_us, np.int64)[:-1]
        found = {name: Group(start_us) for name in groups}
        groups_of = members(groups)
        if amounts:
            for some, filled in self._asking.whole(list(groups_of), edges_us):
                rows_of: dict[str, list[int]] = {}
                for row, point in enumerate(some):
                    for name in groups_of[point]:
                        rows_of.setdefault(name, []).append(row)
                for name, rows in rows_of.items():
                    found[name].add([some[row] for row in rows], np.array(rows), filled)
        else:
            cell_of, contents = cells(groups_of)
            asking = self._asking
            answers = asking.cells(cell_of, edges_us) if totals else asking.sums(cell_of, edges_us, extremes)
            for answer in answers:
                for cell, columns in by_cell(answer):
                    names, base = contents[cell]
                    for name in names:
                        add = found[name].add_means if totals else found[name].add_sums
                        add(base, columns)
        return {name: group.buckets() for name, group in found.items()}

    # What is removed

    def apply_retention(self, points: Sequence[int], before: Retention) -> list[str]:
        """Removes what of those points is older than each tier is kept; answers what was rewritten."""
        return retention.apply(self._connection, self._marks, self._rules, points, before)

    def erase(self, points: Sequence[int]) -> None:
        """Removes everything about those points, from the disk too (files some seconds later)."""
        removing.erase(self._connection, self._marks, list(points))

    def remove(self, points: int | Sequence[int], start_us: int, end_us: int) -> Rolled:
        """Removes the readings of points in [start, end) for good and computes their rollups without them."""
        gone = [points] if isinstance(points, int) else list(points)
        if not gone:
            return Rolled()
        removing.remove_span(self._connection, self._marks, gone, start_us, end_us)
        return self.roll(start_us, end_us, gone)

    # Keeping

    def backup(self, folder: Path) -> None:
        """Copies all tables into ``folder``, new and inside the store's folder of backups; nothing stops meanwhile."""
        keeping.backup(self._connection, folder)

    def restore(self, folder: Path) -> None:
        """Puts all tables back as they were in that backup; the rollers of other processes are to be started anew."""
        keeping.restore(self._connection, folder)
        self._marks.forget()
        self._roller.forget()
        self._rules.forget()


def _ids(points: Sequence[int | Point]) -> list[int]:
    return [point.id if isinstance(point, Point) else int(point) for point in points]
