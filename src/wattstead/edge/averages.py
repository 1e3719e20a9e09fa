"""Averages: which addresses are averaged by the rules, what of their readings leaves, and what is too late to.

A level that comes when the average of its time has left can go into it no longer, and beside it would be taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.edge.names import NameBook
from wattstead.edge.stretches import Stretches, added, within
from wattstead.edge.thinning import UNKNOWN, Meaning, chosen, joined
from wattstead.edge.windows import END_OF_TIME_US, Open, closed, folded
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Kind

_SECOND_US = 1_000_000


class Averaging(msgspec.Struct, kw_only=True):
    """What is on disk of it."""

    rules: list[tuple[str, int]] = []
    """Patterns of the addresses that are averaged, with the seconds: the rules by which `windows` were made."""
    windows: Open = {}
    """The averages in the making."""
    left: dict[int, Stretches] = {}
    """Of which time the averages of levels have left, by series."""


class Averages:
    """The averages of one edge; one thread at a time."""

    def __init__(self, names: NameBook, held: Averaging) -> None:
        self._names, self.held = names, held
        self._widths: dict[int, int] = {}

    def width_s(self, number: int) -> int:
        """Over how many seconds a series is averaged; 0: it is not."""
        found = self._widths.get(number)
        if found is None:
            address = self._names.name(number).address
            fitting = (width for pattern, width in self.held.rules if fnmatchcase(address, pattern))
            found = self._widths[number] = next(fitting, 0)
        return found

    def of(self, batch: ReadingBatch) -> NDArray[np.bool_]:
        """Which readings are of addresses that are averaged."""
        if not self.held.rules:
            return np.zeros(len(batch), np.bool_)
        return np.array([self.width_s(int(number)) > 0 for number in batch.point], np.bool_)

    def newest_amounts(self) -> dict[int, int]:
        """The newest amount that waits in a window, by series."""
        waiting = {
            series: [at for one in own.values() for at in one.amounts] for series, own in self.held.windows.items()
        }
        return {series: max(times) for series, times in waiting.items() if times}

    def take(
        self, batch: ReadingBatch, meanings: Mapping[int, Meaning], now_us: int
    ) -> tuple[ReadingBatch, ReadingBatch]:
        """What may leave of readings that were received at ``now_us``, the averages that are over with it; what is too
        late."""
        late = self._late(batch, meanings)
        passing = folded(self.held.windows, chosen(batch, ~late), self.width_s, meanings, now_us)
        return joined([passing, self._over(meanings, now_us)]), chosen(batch, late)

    def end(self, rules: Sequence[tuple[str, int]], meanings: Mapping[int, Meaning]) -> ReadingBatch:
        """What is open is over under other rules than before; `learn` takes them."""
        return self._over(meanings, END_OF_TIME_US) if list(rules) != self.held.rules else joined([])

    def learn(self, rules: Sequence[tuple[str, int]]) -> None:
        """These are the rules from now on; nothing may be open."""
        if list(rules) != self.held.rules:
            self.held.rules, self._widths = list(rules), {}

    def _over(self, meanings: Mapping[int, Meaning], now_us: int) -> ReadingBatch:
        ended: list[tuple[int, int]] = []
        batch = closed(self.held.windows, meanings, now_us, ended)
        for series, start_us in ended:
            width_us = self.width_s(series) * _SECOND_US
            if width_us and meanings.get(series, UNKNOWN).kind is Kind.GAUGE:
                self.held.left[series] = added(self.held.left.get(series, []), start_us, start_us + width_us - 1)
        return batch

    def _late(self, batch: ReadingBatch, meanings: Mapping[int, Meaning]) -> NDArray[np.bool_]:
        late = np.zeros(len(batch), np.bool_)
        for series in np.unique(batch.point).tolist():
            left = self.held.left.get(series)
            if left and self.width_s(series) and meanings.get(series, UNKNOWN).kind is Kind.GAUGE:
                late |= (batch.point == series) & within(batch.time_us, left)
        return late
