"""Windows: averages of single addresses, made while their readings pass; the readings of all others go by at once.

What is open is a few numbers for each address, kept on disk with how far sending is. A level becomes its mean, a
register its last reading; changes of a state, and the two readings around a register's fall, pass at once, so that no
energy is made or lost. Amounts wait here, each for itself: `wattstead.edge.amounts` sums them. What is of an unknown
kind passes, and so does a mean over the time since the reading before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import numpy as np

from wattstead.edge.thinning import UNKNOWN, Meaning, chosen, joined
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Kind, Quality
from wattstead.metering.rollup import settle

_SECOND_US = 1_000_000
END_OF_TIME_US = 1 << 62


class Window(msgspec.Struct, array_like=True):
    """One average in the making."""

    due_us: int
    """When it is over, by the time at which readings are received: a device that tells late has as long as others."""
    first_us: int
    last_us: int
    last: float
    quality: int
    """Of the last reading."""
    sum: float = 0.0
    count: int = 0
    amounts: dict[int, float] = {}
    """Of amounts: each with its instant."""

    def rows(self, kind: Kind | None) -> list[tuple[int, float, int]]:
        """Time, value and quality of what it has come to."""
        waited = [(time_us, value, int(Quality.RAW)) for time_us, value in sorted(self.amounts.items())]
        if not self.count or kind is Kind.DELTA:
            return waited
        if self.count == 1 or kind in (Kind.REGISTER, Kind.STATE):
            return [*waited, (self.last_us, self.last, self.quality)]
        return [*waited, (self.first_us, self.sum / self.count, int(Quality.ESTIMATED))]


Open = dict[int, dict[int, Window]]
"""Windows by series and the start (µs) of their bucket."""


def folded(
    windows: Open, batch: ReadingBatch, width_s: Callable[[int], int], meanings: Mapping[int, Meaning], now_us: int
) -> ReadingBatch:
    """What of a batch passes at once, in its order; the rest goes into ``windows``. ``now_us``: when it was received.

    >>> minute: Open = {}
    >>> seconds = ReadingBatch.of([1] * 60, [s * 1_000_000 for s in range(60)], [10.0, 20.0] * 30)
    >>> level = {1: Meaning.guessed("power", "W")}
    >>> len(folded(minute, seconds, lambda series: 60, level, 59_000_000))
    0
    >>> closed(minute, level, 120_000_000).value.tolist()
    [15.0]
    """
    kinds = {int(series): meanings.get(int(series), UNKNOWN).kind for series in np.unique(batch.point)}
    widths = {series: 0 if kind in (None, Kind.MEAN) else width_s(series) for series, kind in kinds.items()}
    if not any(widths.values()):
        return batch
    width_us = np.array([widths[int(series)] for series in batch.point], np.int64) * _SECOND_US
    free = width_us == 0
    held = settle([chosen(batch, ~free)])
    width_us = np.array([widths[int(series)] for series in held.point], np.int64) * _SECOND_US
    start_us = held.time_us // width_us * width_us
    begins = np.flatnonzero(np.append(True, (held.point[1:] != held.point[:-1]) | (start_us[1:] != start_us[:-1])))
    passing = [chosen(batch, free)]
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(held)], strict=True):
        series, start, width = int(held.point[begin]), int(start_us[begin]), int(width_us[begin])
        rows = slice(begin, end)
        part = ReadingBatch(held.point[rows], held.time_us[rows], held.value[rows], held.quality[rows])
        own = windows.setdefault(series, {})
        window = own.get(start)
        if window is None:
            window = own[start] = Window(
                max(start, now_us) + width, int(part.time_us[0]), -END_OF_TIME_US, 0.0, Quality.RAW
            )
        passing.append(_taken(window, part, kinds[series]))
    return joined([one for one in passing if len(one)])


def closed(
    windows: Open, meanings: Mapping[int, Meaning], now_us: int, ended: list[tuple[int, int]] | None = None
) -> ReadingBatch:
    """The averages that are over when everything before ``now_us`` was received, and the amounts; ``windows`` has them
    no longer. Series and start of each go to ``ended``."""
    rows: list[tuple[int, int, float, int]] = []
    for series in sorted(windows):
        for start in sorted(start for start, window in windows[series].items() if window.due_us <= now_us):
            window = windows[series].pop(start)
            if ended is not None:
                ended.append((series, start))
            rows += [(series, *row) for row in window.rows(meanings.get(series, UNKNOWN).kind)]
        if not windows[series]:
            del windows[series]
    if not rows:
        return ReadingBatch.of([], [], [])
    point, time_us, value, quality = zip(*rows, strict=True)
    return ReadingBatch.of(point, time_us, value, np.array(quality, np.uint8))


def _taken(window: Window, part: ReadingBatch, kind: Kind | None) -> ReadingBatch:
    """Put readings of one series and bucket, in order of time, into their window; those that pass at once."""
    passing = chosen(part, np.zeros(len(part), np.bool_))
    if kind is Kind.DELTA:
        window.amounts.update(zip(part.time_us.tolist(), part.value.tolist(), strict=True))
        return passing
    if kind is Kind.GAUGE:
        window.sum += float(part.value.sum())
    else:
        part = chosen(part, part.time_us > window.last_us)
        before = window.last if window.count else (part.value[0] if kind is Kind.REGISTER and len(part) else np.nan)
        stepped = np.append(before, part.value)
        turns = stepped[1:] < stepped[:-1] if kind is Kind.REGISTER else stepped[1:] != stepped[:-1]
        passing = chosen(part, turns if kind is Kind.STATE else turns | np.append(turns[1:], False))
        if kind is Kind.REGISTER and len(turns) and turns[0]:
            last = ReadingBatch.of(
                [int(part.point[0])], [window.last_us], [window.last], np.array([window.quality], np.uint8)
            )
            passing = joined([last, passing])
    if len(part):
        window.count += len(part)
        window.first_us = min(window.first_us, int(part.time_us[0]))
        if int(part.time_us[-1]) >= window.last_us:
            window.last_us, window.last = int(part.time_us[-1]), float(part.value[-1])
            window.quality = int(part.quality[-1])
    return passing
