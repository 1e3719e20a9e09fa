"""Segments: readings that wait longer than the journal should hold them, packed file by file, thinned when room ends.

A segment is what one file of the journal held and was not sent; it is whole on disk, or not there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path

import msgspec
import numpy as np

from wattstead.edge.amounts import parted, summed_rows
from wattstead.edge.files import put
from wattstead.edge.thinning import Meaning, chosen, in_order, joined, thinned
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.rollup import MINUTE_US, QUARTER_US
from wattstead.stream import Mark

_ROWS = 20_000


class Level(IntEnum):
    """How much was left out."""

    WHOLE = 0
    MINUTES = 1
    QUARTERS = 2


WIDTH_US = {Level.MINUTES: MINUTE_US, Level.QUARTERS: QUARTER_US}


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the beginning of a segment."""

    start: int
    """Of the file of the journal; segments are in this order."""
    after: Mark
    """The last batch of the journal that is in it or was sent."""
    level: Level
    rows: int
    oldest_us: int
    """When its oldest reading was received."""
    summed: Mapping[int, tuple[int, int]] = {}
    """By series: between which instants, both included, amounts are sums; other amounts are as they came."""


class _File(msgspec.Struct, frozen=True):
    segment: Segment
    parts: list[bytes]


class Segments:
    """The segments in a folder; one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._held: dict[int, tuple[Segment, int]] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix == ".segment":
                self._take(path)
            else:
                path.unlink()  # a power cut left it half made

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def size_bytes(self) -> int:
        """Bytes of all of them."""
        return sum(size for _, size in self._held.values())

    def all(self) -> list[Segment]:
        """All of them, oldest first."""
        return [self._held[start][0] for start in sorted(self._held)]

    def add(self, segment: Segment, batch: ReadingBatch) -> None:
        """Make a segment of readings; raises `OSError`."""
        pieces = [
            ReadingBatch(batch.point[a:b], batch.time_us[a:b], batch.value[a:b], batch.quality[a:b])
            for a, b in ((at, at + _ROWS) for at in range(0, len(batch), _ROWS))
        ]
        parts = [zlib.compress(piece.encode(), 6) for piece in pieces]
        path = self._path(segment.start)
        put(path, msgspec.msgpack.encode(_File(segment, parts)))
        self._take(path)

    def parts(self, segment: Segment) -> Iterator[ReadingBatch]:
        """What is in it, in order."""
        for part in self._read(self._path(segment.start)).parts:
            yield ReadingBatch.decode(zlib.decompress(part))

    def part(self, segment: Segment, number: int) -> tuple[ReadingBatch, bool]:
        """One part of it, and whether more follow."""
        parts = self._read(self._path(segment.start)).parts
        if number >= len(parts):
            return ReadingBatch.of([], [], []), False
        return ReadingBatch.decode(zlib.decompress(parts[number])), number + 1 < len(parts)

    def thin(
        self, segment: Segment, level: Level, meanings: Mapping[int, Meaning], summed: Mapping[int, tuple[int, int]]
    ) -> int:
        """Make less of it; how many readings went. ``summed``: the amounts of which sums may be made."""
        batch = joined(list(self.parts(segment)))
        _, amounts = parted(batch, meanings)
        stays = np.isin(batch.point, amounts.point) & ~summed_rows(batch, summed)
        few = joined([thinned(chosen(batch, ~stays), meanings, WIDTH_US[level]), chosen(batch, stays)])
        few = in_order(few)
        self.add(msgspec.structs.replace(segment, level=level, rows=len(few), summed=summed), few)
        return segment.rows - len(few)

    def remove(self, segment: Segment) -> None:
        """It was sent, or given up."""
        self._path(segment.start).unlink(missing_ok=True)
        self._held.pop(segment.start, None)

    def _take(self, path: Path) -> None:
        segment = self._read(path).segment
        self._held[segment.start] = segment, path.stat().st_size

    def _path(self, start: int) -> Path:
        return self._folder / f"{start}.segment"

    def _read(self, path: Path) -> _File:
        return msgspec.msgpack.decode(path.read_bytes(), type=_File)
