"""Budget: keeps what waits within the disk that it may take: packs first, then thins the oldest; counts what it does.

Packing loses nothing. What is thinned, and what is given up when even that is too much, is told to the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from wattstead.edge.segments import Level, Segment
from wattstead.edge.thinning import Meaning, joined
from wattstead.edge.waiting import WORKER, Waiting
from wattstead.metering.batch import ReadingBatch
from wattstead.stream import JournalCorrupt, JournalGap, JournalReader, Mark, Position, files

_log = structlog.get_logger("wattstead.edge")
_PACK_AT, _THIN_AT = 0.3, 0.8
"""Shares of the budget at which the journal is packed, and at which the oldest is thinned."""
_READ_BYTES = 4_000_000
_READING_BYTES = 20
"""What a reading takes in the journal, about."""


class Budget:
    """Looks after the disk of one edge; in the thread that uses `Waiting`."""

    def __init__(self, folder: Path, waiting: Waiting) -> None:
        self._journal, self._waiting = folder / "journal", waiting
        self.why = ""
        """Why something was thinned or given up last."""

    def waiting_bytes(self) -> int:
        """Bytes on disk of what waits, whole files of the journal."""
        return self._journal_bytes() + self._waiting.segments.size_bytes

    def waiting_readings(self) -> int:
        """About how many readings these are."""
        packed = sum(one.rows for one in self._waiting.segments.all())
        return packed + self._journal_bytes() // _READING_BYTES

    def enforce(self, limit_bytes: int, meanings: Mapping[int, Meaning]) -> None:
        """Bring what waits below the limit as far as that is possible; raises what the journal and the disk raise."""
        segments, lanes = self._waiting.segments, self._waiting.lanes
        while self._journal_bytes() > _PACK_AT * limit_bytes and self._pack():
            pass
        waited = self._finished_bytes()
        while self._finished_bytes() > _THIN_AT * limit_bytes:
            some = [one for one in segments.all() if one.start > lanes.done][1 if lanes.part else 0 :]
            thick = next((one for level in Level for one in some if one.level == level < Level.QUARTERS), None)
            if thick is not None:
                went = segments.thin(thick, Level(thick.level + 1), meanings, self._waiting.room(thick, meanings))
                lanes.thinned += went
                self.why = f"{waited:,} bytes waited, the budget is {limit_bytes:,}"
                _log.warning("readings_thinned", readings=went, level=thick.level + 1, reason=self.why)
            elif some:
                lanes.lost += some[0].rows
                segments.remove(some[0])
                self.why = f"{waited:,} bytes of aggregates waited, the budget is {limit_bytes:,}"
                _log.error("aggregates_given_up", readings=some[0].rows, reason=self.why)
            elif not self._pack():
                return
            self._waiting.save()

    def _finished_bytes(self) -> int:
        """The same without the file that is being written: nothing can be done about that one."""
        newest = files.starts(self._journal, WORKER)[-1:]
        return self._journal_bytes(newest[0] if newest else 0) + self._waiting.segments.size_bytes

    def _journal_bytes(self, before: int = 1 << 62) -> int:
        ordered = self._waiting.lanes.ordered
        starts = [start for start in files.starts(self._journal, WORKER) if ordered.file <= start < before]
        paths = [files.path_of(self._journal, WORKER, start) for start in starts]
        if starts and starts[0] == ordered.file and files.read_end(paths[0]).id <= ordered.id:
            paths = paths[1:]  # it is passed, and will be removed
        return sum(files.disk_bytes(path) for path in paths)

    def _pack(self) -> bool:
        """Put the oldest finished file of the journal into a segment; False when there is none."""
        ordered = self._waiting.lanes.ordered
        for start in files.starts(self._journal, WORKER)[:-1]:
            if start < ordered.file:
                continue
            end = files.read_end(files.path_of(self._journal, WORKER, start))
            if start > ordered.file or end.id > ordered.id:
                self._put(start, Mark(start, end.id, end.end_bytes), ordered)
                return True
        return False

    def _put(self, start: int, end: Mark, ordered: Mark) -> None:
        begin = ordered if ordered.file == start else Mark(start, 0)
        reader = JournalReader(self._journal, Position({WORKER: begin}))
        batches: list[ReadingBatch] = []
        oldest_us = 0
        try:
            at = begin
            while at.id < end.id:
                for entry in reader.read(_READ_BYTES):
                    if entry.file != start:
                        break
                    oldest_us = oldest_us or entry.version >> 8
                    batches.append(self._waiting.unsent(entry))
                    at = Mark(entry.file, entry.id)
        except (JournalCorrupt, JournalGap) as error:
            if not batches:
                raise
            self._waiting.lanes.broken += 1
            _log.error("journal_not_read", error=str(error))
        finally:
            reader.close()
        batch = joined([one for one in batches if len(one)])
        segment = Segment(start=start, after=end, level=Level.WHOLE, rows=len(batch), oldest_us=oldest_us)
        self._waiting.pass_file(segment, batch)
