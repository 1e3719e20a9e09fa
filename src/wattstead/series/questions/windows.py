"""Windows: many short pieces of one tier asked together, for questions with hundreds of edges anywhere; asks nothing.

Near each edge a few finer rows are wanted. Asked piece by piece each would cost more than all their rows: so they are
asked by the blocks of time in which they lie, and what lies beside them is left out of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.rollup import DAY_US
from wattstead.series.native import Columns
from wattstead.series.questions.question import Piece
from wattstead.series.rows import unsettled_rows
from wattstead.series.tiers import ROLLUPS, Tier, within

_S = 1_000_000
_HOUR_S = 3_600
_LONGEST_US = {Tier.RAW: _HOUR_S * _S, Tier.MINUTE: DAY_US, Tier.QUARTER: 62 * DAY_US}
"""Longer ones are asked alone: there are few of them, at the end, where coarser rows are still to be made. Days are
always asked together."""
_BLOCK_S = {Tier.MINUTE: 900, Tier.QUARTER: 4 * _HOUR_S}


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Parts of the time, [start, end) in µs and in order, that one tier answers."""

    tier: Tier
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]

    def statement(self, points: Sequence[int]) -> str:
        """Asks for all rows in these windows, and some beside them, with all their versions."""
        where = [within(self.tier, int(self.start_us[0]), int(self.end_us[-1]), points)]
        if self.tier is Tier.RAW:
            where.append(f"toStartOfMinute(time) IN ({self._blocks(60, 60)})")
        elif self.tier in _BLOCK_S:
            block_s = _BLOCK_S[self.tier]
            if self.tier is Tier.MINUTE:  # which the table is sorted by
                where.append(f"toStartOfHour(start) IN ({self._blocks(_HOUR_S, _HOUR_S)})")
            where.append(f"intDiv(toUnixTimestamp(start), {block_s}) IN ({self._blocks(block_s, 1)})")
        return unsettled_rows(self.tier, " AND ".join(where))

    def inside(self, columns: Columns) -> Columns:
        """The rows of an answer that begin in one of the windows."""
        if not columns:
            return columns
        time_us = columns["time"] if self.tier is Tier.RAW else columns["start"].astype(np.int64) * _S
        at = np.searchsorted(self.start_us, time_us, side="right") - 1
        there = (at >= 0) & (time_us < self.end_us[at])
        return {name: values[there] for name, values in columns.items()}

    def _blocks(self, block_s: int, worth: int) -> str:
        """The blocks of so many seconds that the windows touch, as their numbers times ``worth``."""
        first, last = self.start_us // _S // block_s, (self.end_us - 1) // _S // block_s
        length = last - first + 1
        within_each = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        return ", ".join(map(str, (np.unique(np.repeat(first, length) + within_each) * worth).tolist()))


def gathered(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Windows]]:
    """Pieces in order of time as those that are asked alone, and the windows of each tier.

    >>> alone, windows = gathered([Piece(Tier.RAW, 0, 30), Piece(Tier.MINUTE, 60_000_000, 120_000_000)])
    >>> alone, [str(one.tier) for one in windows]
    ([], ['minute', 'reading'])
    """
    alone: list[Piece] = []
    short: dict[Tier, list[tuple[int, int]]] = {}
    for piece in pieces:
        if piece.end_us - piece.start_us > _LONGEST_US.get(piece.tier, piece.end_us):
            alone.append(piece)
        else:
            short.setdefault(piece.tier, []).append((piece.start_us, piece.end_us))
    windows = [(tier, np.array(short[tier], np.int64)) for tier in (*ROLLUPS, Tier.RAW) if tier in short]
    return alone, [Windows(tier, ends[:, 0], ends[:, 1]) for tier, ends in windows]
