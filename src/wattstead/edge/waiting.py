"""Waiting: what of the journal has not been sent, and what goes next: in order, and new readings first after a silence.

Everything goes in the order in which it was received. When old readings wait, a second lane begins at the journal's
end: it sends what is newer than its beginning at once, the first lane the rest at a bounded rate; where the first lane
comes to what the second has sent, it sends only what that left out. So of two readings of one series and instant the
later received one is always sent last. How far both lanes are is on disk before an upload leaves, with the upload.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from wattstead.edge.amounts import Amounts, Left, parted, summed_rows
from wattstead.edge.averages import Averages, Averaging
from wattstead.edge.files import got, put
from wattstead.edge.names import NameBook
from wattstead.edge.segments import Level, Segment, Segments
from wattstead.edge.sums import MOST_BYTES, Sums
from wattstead.edge.thinning import Meaning, chosen, joined, thinned
from wattstead.edge.windows import END_OF_TIME_US
from wattstead.ingest.edge.wire import Name, Upload, packed
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.errors import WattsteadError
from wattstead.stream import Entry, JournalReader, Mark, Position, PositionFile, files

CONSUMER = "sending"
WORKER = 0
_ROW_BYTES = 12
_MOST_OF_A_BUCKET = 200_000
"""Readings of a bucket that are thinned together, such as an hour of 55 points each second. Parts of it that are
thinned alone are finer than it; more would not fit beside the rest into 120 MB."""
_BEGIN = Mark(0, 0)


class Lanes(msgspec.Struct, kw_only=True):
    """How far sending is, and the upload that is on its way."""

    sequence: int = 0
    pending: bytes = b""
    """The body of upload ``sequence``; empty once the server has it."""
    ordered: Mark = _BEGIN
    """The first lane: up to here of the journal everything was sent, or is in segments."""
    part: int = 0
    """The first lane: parts of the oldest segment that were sent."""
    done: int = 0
    """The first lane: the last segment that was sent to its end."""
    live: Mark | None = None
    """The second lane: up to here what is new was sent; None: there is none."""
    split: Mark = _BEGIN
    """Where the second lane began …"""
    split_us: int = 0
    """… and when: it sends readings of this instant and later."""
    late_us: int = 0
    """Readings before this instant are sent by the first lane, even where the second has been."""
    averaging: Averaging = msgspec.field(default_factory=Averaging)
    """The averages; only the first lane brings readings to them."""
    amounts: Left = msgspec.field(default_factory=Left)
    """What is known of the amounts that left."""
    sent: int = 0
    packed: int = 0
    thinned: int = 0
    lost: int = 0
    broken: int = 0
    """Files of the journal that could not be read to their end."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to send at present."""

    aggregate_s: int = 0
    """Whole buckets of so many seconds are sent, when they are over; 0: readings are."""
    averages: Sequence[tuple[str, int]] = ()
    """Patterns of addresses of which averages are sent, with the seconds; the first that fits counts."""
    old_s: float = 10.0
    """Readings that wait for longer are old: new ones overtake them."""


class Waiting:
    """What waits in an edge's folder; to be used by one thread at a time."""

    def __init__(
        self, folder: Path, names: NameBook, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        sums_bytes: int = MOST_BYTES,
    ) -> None:  # fmt: skip
        """``sums_bytes``: of the sums that left and their amounts, which are remembered."""
        self._journal, self._file, self._names, self._clock_us = folder / "journal", folder / "sending", names, clock_us
        text = got(self._file)
        self.lanes = msgspec.msgpack.decode(text, type=Lanes) if text else Lanes()
        self.amounts = Amounts(Sums(folder / "sums.db", sums_bytes), self.lanes.amounts)
        self.segments = Segments(folder / "segments")
        for segment in self.segments.all():
            self.lanes.ordered = max(self.lanes.ordered, segment.after, key=_place)
        self._forget_sent()
        self._position = PositionFile(self._journal, CONSUMER)
        self._position.register()
        self._saved = self.lanes.ordered
        self._first = self._reader(self.lanes.ordered)
        self._second: JournalReader | None = None if self.lanes.live is None else self._reader(self.lanes.live)
        self._peeked: list[Entry] = []
        self._averages = Averages(names, self.lanes.averaging)
        self._summed: Mapping[int, tuple[int, int]] = {}
        """Of the first lane's last readings: which amounts are sums that were made for want of room."""
        self.oldest_us = 0
        """When the oldest reading that waits was received, as known at the last look; 0: none waits."""
        self.more = False
        """Whether the first lane has more than went into the last upload."""

    def close(self) -> None:
        """Close the files."""
        self.amounts.sums.close()
        self._first.close()
        if self._second is not None:
            self._second.close()

    def next_upload(self, plan: Plan, old_rows: int, new_rows: int, meanings: Mapping[int, Meaning]) -> bytes | None:
        """The body to send: the pending one, or the next with at most about so many readings of each lane.

        None: nothing is to be sent yet. Raises what `JournalReader.read` raises, `OSError` when it cannot be kept: it
        may be sent all the same, and is perhaps sent again.
        """
        lanes = self.lanes
        if lanes.pending:
            return lanes.pending
        if lanes.live is None and not plan.aggregate_s and self._is_old(plan):
            self._split()
        old = self._old(plan, old_rows)  # first: where it cannot be read nothing else may have been begun
        batch = self._leaving(plan, old, self._new(plan, new_rows), meanings)
        if not len(batch):
            if lanes.ordered != self._saved or lanes.amounts.doubtful:
                self.save()
            return None
        used, index = np.unique(batch.point, return_inverse=True)
        names: list[Name] = [self._names.name(number) for number in used.tolist()]
        lanes.sequence += 1
        plain = ReadingBatch(index.astype(np.uint32), batch.time_us, batch.value, batch.quality)
        lanes.pending = packed(Upload(lanes.sequence, names, plain.encode()))
        self.save()
        return lanes.pending

    def renumbered(self, upload: Upload) -> bytes:
        """The pending upload under another number, because the server's count is another."""
        self.lanes.sequence, self.lanes.pending = upload.sequence, packed(upload)
        self.save()
        return self.lanes.pending

    def arrived(self, rows: int) -> None:
        """The server has the pending upload."""
        self.lanes.pending = b""
        self.lanes.sent += rows

    def save(self) -> None:
        """Put the lanes on disk; what they have passed may then go from the journal. Raises `OSError`."""
        forget = self.amounts.save_before()
        put(self._file, msgspec.msgpack.encode(self.lanes))
        forget()
        passed = self._saved = self.lanes.ordered
        if passed.file:
            self._position.save(Position({WORKER: passed}))
        self._forget_sent()

    def told(self, number: int, time_us: int, value: float) -> dict[str, object]:
        """A reading in words."""
        name = self._names.name(number)
        return {"point": name.address, "time_us": time_us, "value": value, "unit": name.unit}

    def unsent(self, entry: Entry) -> ReadingBatch:
        """What of an entry the first lane has to send."""
        lanes, mark = self.lanes, (entry.file, entry.id)
        if lanes.live is None or mark > _place(lanes.live):
            return entry.batch
        if mark <= _place(lanes.split):
            if len(entry.batch):
                lanes.late_us = max(lanes.late_us, int(entry.batch.time_us.max()) + 1)
            return entry.batch
        return chosen(entry.batch, (entry.batch.time_us < lanes.late_us) | self._averages.of(entry.batch))

    def passed(self, mark: Mark) -> None:
        """The first lane is at this place of the journal now."""
        lanes = self.lanes
        lanes.ordered = mark
        if lanes.live is not None and _place(mark) >= _place(lanes.live):
            lanes.live = None
            self.amounts.live_ended()
            if self._second is not None:
                self._second.close()
                self._second = None

    def pass_file(self, segment: Segment, batch: ReadingBatch) -> None:
        """Everything of a file of the journal that was not sent is in a segment from now on; raises `OSError`."""
        if len(batch):
            self.segments.add(segment, batch)
            self.lanes.packed += len(batch)
        self.passed(segment.after)
        self._first.close()
        self._first, self._peeked = self._reader(self.lanes.ordered), []
        self.save()

    def skip_broken(self) -> bool:
        """Leave a file that cannot be read behind; what can be read of it was sent. False: there is no later one."""
        starts = [one for one in files.starts(self._journal, WORKER) if one > self.lanes.ordered.file]
        if not starts:
            return False
        self.lanes.broken += 1
        self.passed(Mark(starts[0], 0))
        self._first.close()
        self._first, self._peeked = self._reader(self.lanes.ordered), []
        self.save()
        return True

    def _old(self, plan: Plan, rows: int) -> ReadingBatch:
        """The next readings of the first lane."""
        self.more, self._summed = False, {}
        segment = next((one for one in self.segments.all() if one.start > self.lanes.done), None)
        if segment is not None:
            return self._of_segment(segment, plan)
        taken: list[ReadingBatch] = []
        count, bucket = 0, 0
        try:
            while entries := self._due(plan, _ROW_BYTES * max(rows - count, rows if plan.aggregate_s else 1)):
                for at, entry in enumerate(entries):
                    own = _bucket(entry, plan)
                    if count >= rows and (own != bucket or not own or count >= _MOST_OF_A_BUCKET):
                        self._peeked, self.more = entries[at:] + self._peeked, True
                        break
                    bucket = own
                    taken.append(self.unsent(entry))
                    count += len(entry.batch)
                    self.passed(Mark(entry.file, entry.id))
                if self.more:
                    break
            self._look()
        except (WattsteadError, OSError):
            if not taken:
                raise
            self.more = True  # what cannot be read is met again when what stands before it was sent
        return joined(taken)

    def _of_segment(self, segment: Segment, plan: Plan) -> ReadingBatch:
        self.oldest_us, self.more, self._summed = segment.oldest_us, True, segment.summed
        batches, count, more = list[ReadingBatch](), 0, True
        while more and (not batches or (plan.aggregate_s and count < _MOST_OF_A_BUCKET)):
            batch, more = self.segments.part(segment, self.lanes.part)
            batches.append(batch)
            count += len(batch)
            self.lanes.part += 1
        if not more:
            self.lanes.done, self.lanes.part = segment.start, 0
        return joined(batches)

    def _forget_sent(self) -> None:
        for segment in self.segments.all():
            if segment.start <= self.lanes.done:
                self.segments.remove(segment)

    def _due(self, plan: Plan, most_bytes: int) -> list[Entry]:
        """The next entries of the journal that are over, at most so many bytes, but one if there is one."""
        entries, self._peeked = self._peeked or self._first.read(max(1, most_bytes)), []
        if not plan.aggregate_s:
            return entries
        width_us = plan.aggregate_s * 1_000_000
        until_us = (self._clock_us() - 1_000_000) // width_us * width_us
        over = next((at for at, entry in enumerate(entries) if entry.version >> 8 >= until_us), len(entries))
        self._peeked = entries[over:]
        return entries[:over]

    def _new(self, plan: Plan, rows: int) -> ReadingBatch:
        """The next readings of the second lane."""
        lanes = self.lanes
        if lanes.live is None or self._second is None or plan.aggregate_s:
            return ReadingBatch.of([], [], [])
        try:
            entries = self._second.read(_ROW_BYTES * rows)
        except (WattsteadError, OSError):
            entries = []  # the first lane comes there too, and says so
        for entry in entries:
            lanes.live = Mark(entry.file, entry.id)
        new = [chosen(entry.batch, entry.batch.time_us >= lanes.split_us) for entry in entries]
        return joined([chosen(one, ~self._averages.of(one)) for one in new])

    def _leaving(
        self, plan: Plan, old: ReadingBatch, new: ReadingBatch, meanings: Mapping[int, Meaning]
    ) -> ReadingBatch:
        """What leaves when the lanes have come to these readings."""
        is_sum = summed_rows(old, self._summed)
        over, sums = joined([]), joined([])
        if self.lanes.live is None:  # other rules wait until the second lane has ended
            over, amounts = parted(self._averages.end(plan.averages, meanings), meanings)
            sums = self.amounts.leaving(amounts, meanings, partial(self._sum_us, plan))
            self._averages.learn(plan.averages)
        ready, late = self._averages.take(chosen(old, ~is_sum), meanings, self.oldest_us or self._clock_us())
        self.amounts.doubt(late)
        levels, amounts = parted(ready, meanings)
        new_levels, new_amounts = parted(new, meanings)
        amounts = self.amounts.leaving(amounts, meanings, partial(self._sum_us, plan))
        for series, (first_us, last_us) in self._summed.items():
            self.amounts.close(series, first_us, last_us)
        levels = joined([over, levels, new_levels, chosen(old, is_sum)])
        if plan.aggregate_s:
            levels = thinned(levels, meanings, plan.aggregate_s * 1_000_000, strictly=True)
        return joined([levels, sums, amounts, self.amounts.leaving_live(new_amounts, meanings)])

    def _sum_us(self, plan: Plan, number: int) -> int:
        """The width of the buckets in which amounts of a series leave."""
        return max(plan.aggregate_s, self._averages.width_s(number)) * 1_000_000

    def room(self, segment: Segment, meanings: Mapping[int, Meaning]) -> Mapping[int, tuple[int, int]]:
        """Of which amounts of a segment sums may be made for want of room; that is on disk then. Raises `OSError`."""
        if segment.level is not Level.WHOLE:
            return segment.summed
        lanes = self.lanes
        half = next((one for one in self.segments.all() if one.start > lanes.done), None) if lanes.part else None
        if half is not None:
            self.amounts.met(joined(list(self.segments.parts(half))), meanings)
        until_us = min(self._clock_us(), lanes.split_us if lanes.live is not None else END_OF_TIME_US)
        found = self.amounts.free(
            joined(list(self.segments.parts(segment))), meanings, self._averages.newest_amounts(), until_us
        )
        self.save()
        return found

    def _is_old(self, plan: Plan) -> bool:
        if any(one.start > self.lanes.done for one in self.segments.all()):
            return True
        self._look()
        return bool(self.oldest_us) and self._clock_us() - self.oldest_us > plan.old_s * 1e6

    def _look(self) -> None:
        """See what the first lane has next."""
        self._peeked = self._peeked or self._first.read(1)
        self.oldest_us = self._peeked[0].version >> 8 if self._peeked else 0

    def _split(self) -> None:
        """Begin the second lane at the journal's end."""
        starts = files.starts(self._journal, WORKER)
        if not starts:
            return
        end = files.read_end(files.path_of(self._journal, WORKER, starts[-1]))
        lanes = self.lanes
        lanes.live = lanes.split = Mark(starts[-1], end.id, end.end_bytes)
        lanes.split_us = lanes.late_us = lanes.amounts.live_from = self._clock_us()
        self._second = self._reader(lanes.live)

    def _reader(self, mark: Mark) -> JournalReader:
        return JournalReader(self._journal, Position({WORKER: mark}) if mark.file else Position())


def _bucket(entry: Entry, plan: Plan) -> int:
    """In which of the plan's buckets it was received; 0: the plan has none."""
    return (entry.version >> 8) // (plan.aggregate_s * 1_000_000) + 1 if plan.aggregate_s else 0


def _place(mark: Mark) -> tuple[int, int]:
    return mark.file, mark.id


__all__ = ["CONSUMER", "WORKER", "Lanes", "Level", "Plan", "Waiting"]
