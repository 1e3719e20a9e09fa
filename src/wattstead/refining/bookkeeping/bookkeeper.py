"""Bookkeeper: keeps store, rollups and saved position in step, call by call; decides no times and tries nothing again.

The order is what a crash cannot break: readings go to the store, then the rollups they touch are computed, then the
position is saved. Readings of minutes that are not closed yet may be left, since a minute is closed from all readings,
and the store remembers which minutes are. Whatever is done twice ends the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from wattstead.metering.rollup import MINUTE_US
from wattstead.refining.bookkeeping.adoption import Adoption
from wattstead.refining.bookkeeping.retention import Retention, expire
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.minutes.spans import DirtySpans, Spans
from wattstead.refining.taking.intake import Chunk
from wattstead.series import Series
from wattstead.series.errors import StoreRefused
from wattstead.stream import Position, PositionFile

_log = structlog.get_logger("wattstead.refining")
_LONGEST_PAUSE_S = 30.0
"""Between two times of rolling up late minutes, however long the store took, as after it hung."""


class Bookkeeper:
    """The storing end of the refinery, synchronous, one thread at a time.

    Each method may raise a `WattsteadError` of the store, and may then be called again with the same arguments.
    """

    def __init__(
        self,
        series: Series,
        positions: PositionFile,
        adoption: Adoption,
        minutes: OpenMinutes,
        limits: RefiningLimits,
        retention: Retention,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._series, self._positions, self._adoption, self._minutes = series, positions, adoption, minutes
        self._limits, self._retention, self._clock = limits, retention, clock
        self._dirty = DirtySpans(limits.dirty_spans)
        self._settle_at = 0.0
        self._settling: Spans | None = None
        self._position = self._saved = positions.register()
        self.closed_us = 0
        self.stored_rows = 0
        self.replaced_rows = 0

    def begin(self, first_us: int) -> None:
        """Find out how far rollups are; in a store without any they begin with ``first_us``, its first reading."""
        self._adoption.refresh()
        self.closed_us = self._series.reach.minute_us
        if not self.closed_us:
            begin_us = first_us // MINUTE_US * MINUTE_US
            self._series.roll(begin_us - MINUTE_US, begin_us)
            self.closed_us = begin_us
        self._minutes.close(self.closed_us)

    @property
    def saved(self) -> Position:
        """The position last saved: everything before it is stored and rolled up, or will be with its minute."""
        return self._saved

    @property
    def dirty_spans(self) -> int:
        """Spans of late readings that wait to be rolled up again."""
        return len(self._dirty)

    @property
    def stored(self) -> Position:
        """Everything before this position is in the store."""
        return self._position

    def late_us(self, points: Collection[int], start_us: int, end_us: int) -> int:
        """How much of [start, end) has late readings of one of those points that are not rolled up yet, at most."""
        late_us = self._dirty.spans().within_us(points, start_us, end_us)
        settling = self._settling
        return late_us if settling is None else max(late_us, settling.within_us(points, start_us, end_us))

    def late(
        self, points: Collection[int], start_us: NDArray[np.int64], end_us: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which of the buckets [start, end) have late readings of those points that are not rolled up yet."""
        late = self._dirty.touch(points, start_us, end_us)  # first: what leaves there is in the other by then
        settling = self._settling
        return late if settling is None else late | settling.touch(points, start_us, end_us)

    def store(self, chunk: Chunk) -> None:
        """Put a chunk's readings into the store; those in closed minutes make the minutes dirty, and that before they
        can be found: whoever finds some of them must be able to tell that others are not rolled up.
        """
        columns = chunk.columns()
        if len(columns):
            late = columns.time_us < self.closed_us
            if late.any():
                self._dirty.add(columns.point[late], columns.time_us[late])
            self.replaced_rows += self._series.append(columns.batches(), chunk.repeated())
            self.stored_rows += len(columns)
        self._position = chunk.position

    def close(self, complete_us: int) -> bool:
        """Roll up minutes that ended before that instant less the grace; True when there are more than went in one."""
        grace_us, most_us = round(self._limits.grace_s * 1e6), round(self._limits.close_s * 1e6)
        until_us = (complete_us - grace_us) // MINUTE_US * MINUTE_US
        if self.closed_us < until_us:
            end_us = min(until_us, self.closed_us + most_us)
            if self.closed_us < self._minutes.from_us:
                end_us = min(end_us, self._minutes.from_us)
                self._series.close_minutes(self.closed_us, end_us)
            else:
                era = self._series.era
                if era != self._minutes.era:
                    self._minutes.distrust(era)
                self._series.close_minutes(self.closed_us, end_us, self._minutes.until(end_us))
            self.closed_us = end_us
            self._minutes.close(end_us)
        return self.closed_us < until_us

    def settle(self, now: bool = False) -> None:
        """Roll up dirty minutes again, unless that was done only just now in relation to how long it took."""
        begun = self._clock()
        if not self._dirty or (
            not now and begun < self._settle_at and len(self._dirty) < self._limits.dirty_spans // 2
        ):
            return
        self._settling = spans = self._dirty.spans()
        self._dirty.clear()
        try:
            self._series.roll_spans(spans.point, spans.start_us, spans.end_us)
        except BaseException:
            self._dirty.put_back(spans)
            raise
        finally:
            self._settling = None
        ended = self._clock()
        self._settle_at = ended + min(self._limits.dirty_pause * (ended - begun), _LONGEST_PAUSE_S)

    def save(self) -> None:
        """Save the position, unless late readings before it are not rolled up yet."""
        if self._dirty:
            return
        if self._saved != self._position:
            self._positions.save(self._position)
            self._saved = self._position

    def remove(self, points: Sequence[int], span_us: tuple[int, int] | None) -> StoreRefused | None:
        """Remove readings of points in [start, end) for good, or everything about them; to be called after `save`.

        Answers why the store will not do it, however often it is asked; what it cannot do now is raised.
        """
        try:
            if span_us is None:
                self._series.erase(points)
            else:
                self._series.remove(points, *span_us)
        except StoreRefused as refused:
            return refused
        self._adoption.look_again(points)
        return None

    def follow(self) -> None:
        """Take over what changed about points, before their readings are rolled up."""
        self._adoption.refresh()

    def adopt(self) -> bool:
        """Roll up one piece of the history of changed points; False when there is none to do."""
        return self._adoption.work()

    def expire(self) -> None:
        """Have removed what is older than it is kept."""
        touched = expire(self._series, self._retention, self._adoption.points, time.time_ns() // 1000)
        if touched:
            _log.info("readings_expired", parts=touched)
