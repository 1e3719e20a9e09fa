"""Arrivals: whether an answer of the store lacks readings that have been received; it waits for nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wattstead.refining.bookkeeping.bookkeeper import Bookkeeper
from wattstead.refining.columns import Columns
from wattstead.refining.latest import Readings
from wattstead.refining.taking.backlog import bytes_behind
from wattstead.refining.taking.intake import Chunk, Intake

Missing = Callable[[NDArray[np.bool_]], bool]
_LATE_US = 3_600_000_000


class Need(StrEnum):
    """How much of what has been received an answer has to hold."""

    MOST = "most"
    """Most of its buckets: a picture, that is asked for again."""
    ALL = "all"
    """All of every bucket, but for what may be an hour of one point: a number, that stands for itself."""
    STORED = "stored"
    """The same of single readings, which need no rollups."""


class Arrivals:
    """What is on its way between journal and store. To be asked in the event loop, or wherever `Refinery` runs."""

    def __init__(
        self, journal: Path, intake: Intake, bookkeeper: Bookkeeper, stands_still: Callable[[], bool] = lambda: False
    ) -> None:
        """``stands_still`` tells that nothing comes into the store for now: then what it has is the answer."""
        self._journal, self._intake, self._bookkeeper = journal, intake, bookkeeper
        self._stands_still = stands_still
        self.storing: Chunk | None = None
        """What is being stored just now."""

    def pending(
        self, points: Collection[int], edges_us: NDArray[np.int64], need: Need = Need.MOST, since_us: int = 0
    ) -> Missing:
        """To be called before a question about those points in buckets between these edges; what it returns is called
        with the buckets that the answer filled, and says whether the question had better be asked again.

        True when more buckets are empty for want of rollups that are on their way, or were when the question was put,
        than are filled, as after a first start or an import (a sender that is some minutes late is no reason to wait);
        and when all are empty and readings wait for the store, or may: until the journal has been read to its end for
        the first time, and while it holds what was received before ``since_us``, when the question was first put, and
        has not been looked at. Where more is needed also, whatever is filled, when more than an hour of late readings
        of one point waited for the store, or for rollups. Never while nothing comes into the store, because its disk
        is full, say: what it has is answered then.
        """
        missing = self._missing(points, edges_us, need, since_us)
        return lambda filled: not self._stands_still() and missing(filled)

    def waiting(self, point: int) -> Readings:
        """What of a point has been received and is not stored yet, oldest version first; some of it may just be."""
        parts = [columns for chunk in self._unstored() for columns, _ in chunk.parts]
        found = Columns.joined([columns.rows(columns.point == point) for columns in parts])
        order = np.argsort(found.version, kind="stable")
        return Readings(found.point[order], found.time_us[order], found.value[order])

    def _missing(self, points: Collection[int], edges_us: NDArray[np.int64], need: Need, since_us: int) -> Missing:
        if need is Need.MOST or not points:
            return self._most(points, edges_us, since_us)
        start_us, end_us = int(edges_us[0]), int(edges_us[-1])
        waits = any(chunk.reaches(points, start_us, end_us, _LATE_US) for chunk in self._unstored())
        if need is Need.ALL:
            waits = waits or self._bookkeeper.late_us(points, start_us, end_us) > _LATE_US
            most = self._most(points, edges_us, since_us)
            return lambda filled: waits or most(filled)
        some = any(chunk.touches(points, start_us, end_us) for chunk in self._unstored())
        return lambda filled: (
            waits or (not filled.any() and (some or not self._intake.caught_up or self._unread(since_us)))
        )

    def _most(self, points: Collection[int], edges_us: NDArray[np.int64], since_us: int) -> Missing:
        start_us, end_us = edges_us[:-1], edges_us[1:]
        before = self._bookkeeper.late(points, start_us, end_us)

        def missing(filled: NDArray[np.bool_]) -> bool:
            late = (before | self._bookkeeper.late(points, start_us, end_us)) & ~filled
            long = int((end_us - start_us)[late].sum()) > _LATE_US
            if int(late.sum()) > int(filled.sum()) and (long or not filled.any()):
                return True
            if bool(filled.any()) or not points:
                return False
            span = (points, int(edges_us[0]), int(edges_us[-1]))
            return (
                not self._intake.caught_up
                or self._unread(since_us)
                or self._intake.waiting().touches(*span)
                or (self.storing is not None and self.storing.touches(*span))
            )

        return missing

    def _unread(self, since_us: int) -> bool:
        """Whether there may be something in the journal from before that instant."""
        return self._intake.complete_us < since_us and bytes_behind(self._journal, self._intake.position) > 0

    def _unstored(self) -> Iterator[Chunk]:
        """What waits for the store; looked for the way it goes, so that nothing slips by."""
        yield self._intake.waiting()
        if self.storing is not None and self.storing.position != self._bookkeeper.stored:
            yield self.storing
