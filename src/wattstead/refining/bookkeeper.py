"""Bookkeeper: keeps store, rollups and saved position in step, call by call; decides no times and tries nothing again.

The order is what a crash cannot break: readings go to the store, then the rollups they touch are computed, then
progress and position are saved. Whatever is done twice ends the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from wattstead.metering.rollup import MINUTE_US
from wattstead.refining.adoption import Adoption
from wattstead.refining.intake import Chunk
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.progress import Progress, ProgressFile
from wattstead.refining.spans import DirtySpans
from wattstead.series import Series
from wattstead.stream import Position, PositionFile

_log = structlog.get_logger("wattstead.refining")


class Bookkeeper:
    """The storing end of the refinery, synchronous, one thread at a time.

    Each method may raise a `WattsteadError` of the store, and may then be called again with the same arguments.
    """

    def __init__(
        self,
        series: Series,
        positions: PositionFile,
        progress: ProgressFile,
        adoption: Adoption,
        limits: RefiningLimits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._series, self.positions, self._progress = series, positions, progress
        self._adoption, self._limits, self._clock = adoption, limits, clock
        self._dirty = DirtySpans(limits.dirty_spans)
        self._settle_at = 0.0
        self.position = positions.register()
        """Behind the readings that are in the store."""
        begun = progress.load()
        self._saved = (self.position, begun)
        self.closed_us = begun.closed_us
        self.stored_rows = 0
        self.replaced_rows = 0

    @property
    def saved(self) -> Position:
        """The position last saved: everything before it is stored and rolled up, or will be with its minute."""
        return self._saved[0]

    @property
    def dirty_spans(self) -> int:
        """Spans of late readings that wait to be rolled up again."""
        return len(self._dirty)

    def store(self, chunk: Chunk) -> None:
        """Put a chunk's readings into the store; those in closed minutes make the minutes dirty."""
        columns = chunk.columns()
        if len(columns):
            self.replaced_rows += self._series.append(columns.batches(), chunk.repeated())
            self.stored_rows += len(columns)
            late = columns.time_us < self.closed_us
            if late.any():
                self._dirty.add(columns.point[late], columns.time_us[late])
        self.position = chunk.position

    def close(self, complete_us: int) -> bool:
        """Roll up minutes that ended before that instant less the grace; True when there are more than went in one."""
        grace_us, most_us = round(self._limits.grace_s * 1e6), round(self._limits.close_s * 1e6)
        until_us = (complete_us - grace_us) // MINUTE_US * MINUTE_US
        if until_us - self.closed_us > most_us:
            self.closed_us = max(self.closed_us, min(until_us, self._first_us()))
        if self.closed_us < until_us:
            end_us = min(until_us, self.closed_us + most_us)
            self._series.roll(self.closed_us, end_us)
            self.closed_us = end_us
        return self.closed_us < until_us

    def settle(self, now: bool = False) -> None:
        """Roll up dirty minutes again, unless that was done only just now in relation to how long it took."""
        begun = self._clock()
        if not self._dirty or (
            not now and begun < self._settle_at and len(self._dirty) < self._limits.dirty_spans // 2
        ):
            return
        spans = self._dirty.take()
        try:
            self._series.roll_spans(spans.point, spans.start_us, spans.end_us)
        except BaseException:
            self._dirty.put_back(spans)
            raise
        ended = self._clock()
        self._settle_at = ended + self._limits.dirty_pause * (ended - begun)

    def save(self) -> None:
        """Save progress and position, unless late readings before it are not rolled up yet."""
        if self._dirty:
            return
        progress = Progress(self.closed_us, self._adoption.pending)
        if self._saved[1] != progress:
            self._progress.save(progress)
        if self._saved[0] != self.position:
            self.positions.save(self.position)
        self._saved = (self.position, progress)

    def follow(self) -> None:
        """Take over what changed about points, before their readings are rolled up."""
        self._adoption.refresh()

    def adopt(self) -> bool:
        """Roll up one piece of the history of changed points; False when there is none to do."""
        return self._adoption.work(self.closed_us)

    def _first_us(self) -> int:
        """The first minute from the closed ones on that may hold readings; the far future when none does."""
        first, _ = self._series.span()
        return int(first.min(initial=2**62)) // MINUTE_US * MINUTE_US
