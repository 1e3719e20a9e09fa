"""Amounts: how each amount leaves an edge, so that one that is delivered again is counted once all the same.

A reading as it came may be sent twice: it is the same reading. A sum may not, and so an amount that is in one never
leaves again: the whole sum does, at its own instant, where the server puts it in the place of the former. Where
nobody can tell any more whether an amount is in a sum, it is doubtful, and stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.edge.stretches import Stretches, added, within
from wattstead.edge.sums import Sum, Sums
from wattstead.edge.thinning import UNKNOWN, Meaning, chosen, joined, rows_of
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Kind, Quality
from wattstead.metering.rollup import settle

LONG_AGO_US = -(1 << 62)
_APART_US = 3_600_000_000
"""Amounts further apart are looked for each by itself."""
DOUBTFUL = (
    "what was measured then has left as a sum or an average, and it cannot be told any more whether this is in it: "
    "nothing is counted twice"
)


class Left(msgspec.Struct, kw_only=True):
    """What is known of the amounts that left, by series; instants in µs."""

    as_came: dict[int, int] = {}
    """The newest that left as it came by the first lane …"""
    live: dict[int, int] = {}
    """… and by the second, as long as there is one …"""
    live_from: int = 0
    """… which sends nothing older than this."""
    summed: dict[int, int] = {}
    """The newest that is in a sum."""
    closed: dict[int, Stretches] = {}
    """In which no amount is told apart any more."""
    thinned: dict[int, int] = {}
    """The newest in a segment that was thinned, sent or not."""
    doubtful: list[tuple[int, int, float]] = []
    """Series, time and value of what stays here, until it is among the dead letters."""


Width = Callable[[int], int]
"""The width (µs) of the buckets in which the amounts of a series leave; 0: each leaves as it came."""


class Amounts:
    """The amounts of one edge; one thread at a time."""

    def __init__(self, sums: Sums, left: Left) -> None:
        self.sums, self.left = sums, left
        known = sums.newest()
        for series in left.summed.keys() - known.keys():  # the file was lost
            self.close(series, LONG_AGO_US, left.summed[series])
        for series, newest in known.items():
            left.summed[series] = max(newest, left.summed.get(series, LONG_AGO_US))

    def leaving(self, batch: ReadingBatch, meanings: Mapping[int, Meaning], width_us: Width) -> ReadingBatch:
        """What of amounts, and of what may be amounts, leaves by the first lane."""
        return self._leaving(batch, meanings, width_us, self.left.as_came)

    def leaving_live(self, batch: ReadingBatch, meanings: Mapping[int, Meaning]) -> ReadingBatch:
        """The same by the second lane, which makes no sums."""
        return self._leaving(batch, meanings, lambda series: 0, self.left.live)

    def live_ended(self) -> None:
        """The first lane has come to where the second is."""
        _raise(self.left.as_came, self.left.live)
        self.left.live = {}

    def close(self, series: int, first_us: int, last_us: int) -> None:
        """Tell amounts of that stretch apart no longer; the nearest stretches become one where there are many."""
        self.left.closed[series] = added(self.left.closed.get(series, []), first_us, last_us)
        _raise(self.left.summed, {series: last_us})

    def free(
        self, batch: ReadingBatch, meanings: Mapping[int, Meaning], held: Mapping[int, int], until_us: int
    ) -> dict[int, tuple[int, int]]:
        """Which amounts of a segment may be summed: none that may have left, or wait elsewhere; first and last of each.

        ``held``: the newest in an open window by series. All are known as met from now on.
        """
        found: dict[int, tuple[int, int]] = {}
        left = self.left
        known = (left.as_came, left.summed, left.thinned, held)
        for series in _amounts_of(batch, meanings):
            times = batch.time_us[batch.point == series]
            after_us = max(one.get(series, LONG_AGO_US) for one in known)
            free = times[(times > after_us) & (times < until_us)]
            if len(free):
                found[series] = int(free.min()), int(free.max())
            _raise(left.thinned, {series: int(times.max())})
        return found

    def met(self, batch: ReadingBatch, meanings: Mapping[int, Meaning]) -> None:
        """These wait, and leave as they came, or in sums of their own."""
        for series in _amounts_of(batch, meanings):
            _raise(self.left.thinned, {series: int(batch.time_us[batch.point == series].max())})

    def save_before(self) -> Callable[[], None]:
        """Put sums on disk, before what has become of them is; what is to be done when that is, too."""
        self.sums.flush()
        beyond = self.sums.beyond()
        for one in beyond:
            self.close(one.series, one.first_us, one.last_us)
        return lambda: self.sums.forget(beyond) if beyond else None

    def _leaving(
        self, batch: ReadingBatch, meanings: Mapping[int, Meaning], width_us: Width, came: dict[int, int]
    ) -> ReadingBatch:
        if not len(batch):
            return batch
        used, index = np.unique(batch.point, return_inverse=True)
        oldest, newest = np.full(len(used), 1 << 62, np.int64), np.full(len(used), LONG_AGO_US, np.int64)
        np.minimum.at(oldest, index, batch.time_us)
        np.maximum.at(newest, index, batch.time_us)
        odd: list[int] = []
        for at, series in enumerate(used.tolist()):
            sums = meanings.get(series, UNKNOWN).kind is Kind.DELTA and width_us(series) > 0
            if sums or oldest[at] <= self.left.summed.get(series, LONG_AGO_US):
                odd.append(at)
            else:
                _raise(came, {series: int(newest[at])})
        if not odd:
            return batch
        parts = [chosen(batch, ~np.isin(index, odd))]
        for at in odd:
            meaning = meanings.get(int(used[at]), UNKNOWN)
            summed = meaning.kind is Kind.DELTA
            width, quantum = (width_us(int(used[at])), meaning.rule.quantum) if summed else (0, 0.0)
            own = self._told_apart(settle([chosen(batch, index == at)]))
            apart = np.flatnonzero(np.diff(own.time_us) > max(width, _APART_US)) + 1
            stretches = np.split(np.arange(len(own)), apart)
            parts += [self._decided(rows_of(own, rows), quantum, width, came) for rows in stretches]
        return joined(parts)

    def _told_apart(self, batch: ReadingBatch) -> ReadingBatch:
        """What of one series can be told apart; the rest is doubtful."""
        closed = within(batch.time_us, self.left.closed.get(int(batch.point[0]), []))
        self.doubt(chosen(batch, closed))
        return chosen(batch, ~closed)

    def doubt(self, batch: ReadingBatch) -> None:
        """These stay here."""
        columns = batch.point.tolist(), batch.time_us.tolist(), batch.value.tolist()
        self.left.doubtful += list(zip(*columns, strict=True))

    def _decided(self, batch: ReadingBatch, quantum: float, width: int, came: dict[int, int]) -> ReadingBatch:
        """What leaves of one series, a stretch of which some may have left in sums."""
        if not len(batch):
            return batch
        series = int(batch.point[0])
        start_us = batch.time_us // width * width if width else batch.time_us
        near = self.sums.near(series, int(start_us[0]), int(batch.time_us[-1]))
        of = np.full(len(batch), -1)
        for at, one in enumerate(near):
            begin, end = np.searchsorted(batch.time_us, [one.time_us[0], one.time_us[-1] + 1])
            of[begin:end][np.isin(batch.time_us[begin:end], one.time_us)] = at
        as_came = (of < 0) & self._sent_before(batch, width)
        buckets = {(one.start_us, one.end_us): at for at, one in enumerate(near)}
        for start in np.unique(start_us[(of < 0) & ~as_came]).tolist():
            rows = (of < 0) & ~as_came & (start_us == start)
            at = buckets.get((start, start + width), len(near))
            if at == len(near):
                near.append(Sum(series, start, start + width, int(batch.time_us[rows][0])))
            of[rows] = at
        for newest, rows in ((came, as_came), (self.left.summed, ~as_came)):
            if rows.any():
                _raise(newest, {series: int(batch.time_us[rows].max())})
        touched = list[Sum]()
        for at in np.unique(of[~as_came]).tolist():
            near[at].take(batch.time_us[of == at], batch.value[of == at])
            self.sums.put(near[at])
            touched.append(near[at])
        quality = [Quality.RAW if len(one.value) == 1 else Quality.ESTIMATED for one in touched]
        return joined([
            chosen(batch, as_came),
            ReadingBatch.of([series] * len(touched), [one.at_us for one in touched],
                            [one.total(quantum) for one in touched], np.array(quality, np.uint8)),
        ])  # fmt: skip

    def _sent_before(self, batch: ReadingBatch, width: int) -> NDArray[np.bool_]:
        """Which of one series leave as they came, for they may have done so before, or nothing is summed."""
        if not width:
            return np.ones(len(batch), np.bool_)
        series, left = int(batch.point[0]), self.left
        live = (batch.time_us >= left.live_from) & (batch.time_us <= left.live.get(series, LONG_AGO_US))
        return live | (batch.time_us <= left.as_came.get(series, LONG_AGO_US))


def parted(batch: ReadingBatch, meanings: Mapping[int, Meaning]) -> tuple[ReadingBatch, ReadingBatch]:
    """What is no amount, and what is one or may be."""
    maybe = [int(one) for one in np.unique(batch.point) if meanings.get(int(one), UNKNOWN).kind in (Kind.DELTA, None)]
    rows = np.isin(batch.point, maybe)
    return chosen(batch, ~rows), chosen(batch, rows)


def summed_rows(batch: ReadingBatch, summed: Mapping[int, tuple[int, int]]) -> NDArray[np.bool_]:
    """Which readings of a thinned segment are sums."""
    found = np.zeros(len(batch), np.bool_)
    for series, (first_us, last_us) in summed.items():
        found |= (batch.point == series) & (batch.time_us >= first_us) & (batch.time_us <= last_us)
    return found


def _amounts_of(batch: ReadingBatch, meanings: Mapping[int, Meaning]) -> list[int]:
    return [int(one) for one in np.unique(batch.point) if meanings.get(int(one), UNKNOWN).kind is Kind.DELTA]


def _raise(newest: dict[int, int], others: Mapping[int, int]) -> None:
    for series, time_us in others.items():
        newest[series] = max(time_us, newest.get(series, LONG_AGO_US))
