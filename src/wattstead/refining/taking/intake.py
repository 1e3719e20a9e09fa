"""Intake: takes batches from the journal, has them judged, keeps the latest values and collects what is to be stored.

It stores nothing, and moves nobody's position.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.refining.columns import Columns
from wattstead.refining.latest import Latest, Readings
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.taking.judge import Judge
from wattstead.stream import Entry, JournalReader, Position


@dataclass(frozen=True, slots=True)
class Chunk:
    """What has come together since the last one, and the journal position behind it."""

    parts: list[tuple[Columns, NDArray[np.bool_]]]
    """Judged readings, and for each whether one may be stored at its (point, time) already."""
    position: Position
    complete_us: int
    """What was received before this instant (µs) has been read: it is in this chunk or in earlier ones."""
    oldest_us: int
    """When the oldest of the readings was received; 0 without readings."""

    def columns(self) -> Columns:
        """All readings of the chunk."""
        return Columns.joined([columns for columns, _ in self.parts])

    def touches(self, points: Collection[int], start_us: int, end_us: int) -> bool:
        """Whether there are readings of those points in [start, end)."""
        wanted = np.array(list(points), np.uint32)
        for columns, _ in self.parts:
            inside = (columns.time_us >= start_us) & (columns.time_us < end_us)
            if bool(np.isin(columns.point[inside], wanted).any()):
                return True
        return False

    def reaches(self, points: Collection[int], start_us: int, end_us: int, beyond_us: int) -> bool:
        """Whether one look at the journal brought readings of one of those points in [start, end) that lie further
        apart than that, the first from the last.
        """
        wanted = np.array(list(points), np.uint32)
        for columns, _ in self.parts:
            if not len(columns) or int(columns.time_us.max()) - int(columns.time_us.min()) <= beyond_us:
                continue
            inside = (columns.time_us >= start_us) & (columns.time_us < end_us) & np.isin(columns.point, wanted)
            point, time_us = columns.point[inside], columns.time_us[inside]
            order = np.lexsort((time_us, point))
            point, time_us = point[order], time_us[order]
            begins = np.flatnonzero(np.append(True, point[1:] != point[:-1])[: len(point)])
            ends = np.append(begins[1:], len(point))[: len(begins)] - 1
            if bool((time_us[ends] - time_us[begins] > beyond_us).any()):
                return True
        return False

    def repeated(self) -> NDArray[np.bool_]:
        """For each row whether one may be stored at its (point, time) already."""
        return np.concatenate([repeated for _, repeated in self.parts]) if self.parts else np.zeros(0, bool)


class Intake:
    """The reading end of the refinery. `take` belongs to one thread at a time, `cut` to any."""

    def __init__(
        self, reader: JournalReader, judge: Judge, latest: Latest, minutes: OpenMinutes, limits: RefiningLimits
    ) -> None:
        self._reader, self._judge, self._latest, self._minutes, self._limits = reader, judge, latest, minutes, limits
        self._lock = threading.Lock()
        self._parts: list[tuple[Columns, NDArray[np.bool_]]] = []
        self.position = reader.position
        """Behind what has been taken."""
        self._entries: list[Entry] = []
        self.complete_us = 0
        """What was received before this instant has been read."""
        self.more = False
        """Whether the last look took so much that there is probably more at once."""
        self.waiting_rows = 0
        """Rows that wait to be cut."""
        self.oldest_us = 0
        """When the oldest of them was received; 0 when none waits."""
        self.caught_up = False
        """Whether the journal has been read to its end since the start."""
        self.read_rows = 0
        """Readings read from the journal since the start."""

    @property
    def full(self) -> bool:
        """Whether so much waits that no more is taken."""
        return self.waiting_rows >= self._limits.waiting_rows

    def take(self) -> Readings | None:
        """Read on in the journal; answers what is newer than all known of its point, and has come. None at the end of
        the journal, or when enough waits. Raises what `JournalReader.read` raises.
        """
        self.more = False
        if self.full:
            return None
        begun_us = time.time_ns() // 1000
        entries = self._entries = self._entries or self._reader.read(self._limits.read_bytes)
        if not entries:
            self.caught_up = True
            with self._lock:
                self.complete_us = begun_us
            return None
        self.more = 40 * sum(len(entry.batch) for entry in entries) > self._limits.read_bytes
        columns = Columns.of([entry.batch for entry in entries])
        self._latest.foreseen.note(columns, begun_us)
        columns = self._judge.judge(columns)
        newer, repeated = self._latest.take_come(columns, begun_us)
        self._minutes.take(columns)
        with self._lock:
            self.position, self._entries = self._reader.position, []
            self.complete_us = _complete_us(entries)
            self.read_rows += sum(len(entry.batch) for entry in entries)
            if len(columns):
                self._parts.append((columns, repeated))
                self.waiting_rows += len(columns)
                self.oldest_us = self.oldest_us or int(columns.version[0]) >> 8
            self.caught_up |= not self.more
        fresh = columns if newer.all() else columns.rows(newer)
        return Readings(fresh.point, fresh.time_us, fresh.value)

    def waiting(self) -> Chunk:
        """What waits to be cut, and goes on waiting."""
        with self._lock:
            return Chunk(list(self._parts), self.position, self.complete_us, self.oldest_us)

    def cut(self) -> Chunk:
        """Everything that waits; nothing waits afterwards."""
        with self._lock:
            chunk = Chunk(self._parts, self.position, self.complete_us, self.oldest_us)
            self._parts, self.waiting_rows, self.oldest_us = [], 0, 0
            return chunk


def _complete_us(entries: list[Entry]) -> int:
    """The earliest of the workers' last receive times: no worker that is being read has older batches left."""
    last: dict[int, int] = {entry.worker: entry.version >> 8 for entry in entries}
    return min(last.values())
