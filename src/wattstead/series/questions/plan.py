"""Plan: which tier answers which part of a question, by where the edges lie, what is rolled up and what has expired.

Pure arithmetic on instants; asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.rollup import QUARTER_US
from wattstead.series.marks import Reach
from wattstead.series.questions.question import Piece
from wattstead.series.rules import NOTHING_EXPIRED, Expired
from wattstead.series.tiers import FIRST_US, LAST_US, LONGEST_DAY_US, Tier

Instants = NDArray[np.int64]
MOST_PIECES = 12
"""Pieces of one question; a plan of more gives up its coarsest tier where finer rows are left."""
MANY_PIECES = 24
"""More than a plan has with the pieces beside its ends, but where it may have any number."""
MOST_ROWS = 20_000_000
"""Rows one question may read of a tier; beyond, edges count as if they lay on the next coarser grid."""
_MOST_SOON = 1_000_000
"""Rows that are rather read than the finer ones near each edge alone, of which there may be `MOST_NEAR`."""
MOST_NEAR = 400_000
_FEW_SECONDS, _FEW_QUARTERS = 100_000, 10_000
"""Of all points: so much time is looked through for a first reading by readings, or by quarter hours, alone."""
_S = 1_000_000
_ROLLED = (Tier.DAY, Tier.QUARTER, Tier.MINUTE)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The edges of a tier's buckets around a span."""

    tier: Tier
    days_us: Instants

    def floor(self, time_us: Instants) -> Instants:
        """The last edge at or before each instant."""
        if self.tier is Tier.DAY:
            return self.days_us[np.searchsorted(self.days_us, time_us, side="right") - 1]
        return time_us // self.tier.length_us * self.tier.length_us

    def ceil(self, time_us: Instants) -> Instants:
        """The first edge at or after each instant."""
        if self.tier is Tier.DAY:
            return self.days_us[np.searchsorted(self.days_us, time_us, side="left")]
        return -(-time_us // self.tier.length_us) * self.tier.length_us


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """What a tier has: rows that begin in [from_us, until_us), and the instant before which nothing finer is left."""

    grid: Grid
    from_us: int
    until_us: int
    last_resort_us: int


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Parts of the time, [start, end) in order, that one tier answers; no two of them touch."""

    tier: Tier
    start_us: Instants
    end_us: Instants


def plan(
    edges: Instants, reach: Reach, zone: str = "UTC", expired: Expired = NOTHING_EXPIRED, points: int = 1,
    has_days: bool = True, windows: bool = False,
) -> tuple[Piece, ...]:  # fmt: skip
    """The pieces that answer buckets between ``edges`` (strictly growing), in order of time.

    Each bucket is covered by the coarsest rows that fit into it: local days of ``zone``, quarter hours, minutes, and
    readings for the rest and for what is not rolled up yet. Where finer rows have expired, or would be too many to
    read, a row counts in the bucket it begins in. Without ``has_days`` the stored days are another zone's and answer
    only where nothing finer is left. With ``windows`` there may be any number of pieces, for `windows.gathered`, where
    fewer would be too many rows.

    >>> hour, minute = 3_600_000_000, 60_000_000
    >>> plan(np.array([0, hour]), Reach(minute_us=50 * minute, quarter_us=45 * minute))
    (Piece(tier=<Tier.QUARTER: 'quarter'>, start_us=0, end_us=2700000000), \
Piece(tier=<Tier.MINUTE: 'minute'>, start_us=2700000000, end_us=3000000000), \
Piece(tier=<Tier.RAW: 'reading'>, start_us=3000000000, end_us=3600000000))
    """
    edges = np.clip(edges, FIRST_US, LAST_US)
    starts, ends = edges[:-1][edges[:-1] < edges[1:]], edges[1:][edges[:-1] < edges[1:]]
    if not len(starts):
        return ()
    shelved = _shelves(int(starts[0]), int(ends[-1]), reach, zone, expired)
    if not has_days and not expired.quarter_us:
        shelved = shelved[1:]
    near: list[_Runs] = []
    for number, shelves in enumerate(_attempts(shelved)):
        found = _cover(starts, ends, shelves, expired)
        rows = sum(_rows(runs, reach) for runs in found) * points
        few = sum(len(runs.start_us) for runs in found) <= MOST_PIECES
        if few and rows <= (_MOST_SOON if near else MOST_ROWS):
            break
        if windows and number == 0 and rows <= MOST_NEAR:
            near = found
        if near and number == len(shelved):
            return _pieces(near)
    return _pieces(found)


def before(at_us: int, reach: Reach) -> tuple[Piece, ...]:
    """Pieces that together hold the last reading before an instant on a quarter hour, of any zone; they overlap."""
    quarter_us, minute_us = min(reach.quarter_us, at_us), min(reach.minute_us, at_us)
    return _kept(
        (Tier.DAY, FIRST_US, at_us - LONGEST_DAY_US),
        (Tier.QUARTER, quarter_us - LONGEST_DAY_US, quarter_us),
        (Tier.MINUTE, quarter_us, minute_us),
        (Tier.RAW, minute_us, at_us),
    )


def after(at_us: int, reach: Reach, expired: Expired | None = None, points: int = 1) -> tuple[Piece, ...]:
    """Pieces that together hold the first reading from an instant on a quarter hour on, of any zone; they overlap.

    As few as there can be where that is not long ago, so that so many points have few finer rows since, and it is told
    what of them has ``expired``.
    """
    quarter_us, minute_us = max(reach.quarter_us, at_us), max(reach.minute_us, at_us)
    gone = expired or Expired(LAST_US, LAST_US, LAST_US)

    def few(since_us: int, gone_us: int, pace_us: int, most: int) -> bool:
        return since_us >= gone_us and (minute_us - since_us) // pace_us * points <= most

    if few(at_us, gone.raw_us, _S, _FEW_SECONDS):
        return _kept((Tier.RAW, at_us, LAST_US))
    behind: tuple[tuple[Tier, int, int], ...] = (Tier.MINUTE, quarter_us, minute_us), (Tier.RAW, minute_us, LAST_US)
    if few(quarter_us, gone.raw_us, _S, _FEW_SECONDS):
        behind = ((Tier.RAW, quarter_us, LAST_US),)
    if few(at_us, gone.quarter_us, QUARTER_US, _FEW_QUARTERS):
        return _kept((Tier.QUARTER, at_us, quarter_us), *behind)
    return _kept(
        (Tier.QUARTER, at_us, min(at_us + LONGEST_DAY_US, reach.quarter_us)),
        (Tier.DAY, at_us, LAST_US),
        (Tier.QUARTER, max(at_us, reach.quarter_us - LONGEST_DAY_US), reach.quarter_us),
        *behind,
    )


def _kept(*pieces: tuple[Tier, int, int]) -> tuple[Piece, ...]:
    """Those pieces that are not empty."""
    return tuple(Piece(tier, max(a, FIRST_US), b) for tier, a, b in pieces if max(a, FIRST_US) < b)


def _rows(runs: _Runs, reach: Reach) -> float:
    """The rows a point usually has there, as far as coarser ones could stand for them; a reading a second."""
    pace_us, until_us = runs.tier.length_us, reach.quarter_us
    if runs.tier is Tier.RAW:
        pace_us, until_us = 1_000_000, reach.minute_us
    return float(np.maximum(np.minimum(runs.end_us, until_us) - runs.start_us, 0).sum()) / pace_us


def _attempts(shelves: list[Shelf]) -> Iterator[list[Shelf]]:
    """All tiers; then without the coarsest, so that there are fewer pieces; then rows as they lie, finest first."""
    without = [replace(shelf, until_us=min(shelf.until_us, shelf.last_resort_us)) for shelf in shelves]
    for given_up in range(len(shelves) + 1):
        yield without[:given_up] + shelves[given_up:]
    lying = [replace(shelf, last_resort_us=LAST_US) for shelf in shelves]
    for at in reversed(range(len(shelves))):
        yield without[:at] + lying[at:]


def _shelves(start_us: int, end_us: int, reach: Reach, zone: str, expired: Expired) -> list[Shelf]:
    """The rolled tiers, coarsest first. What lies outside [start, end) may stand there as its nearest end."""
    days = np.unique(np.clip(edges_us(zone, start_us, end_us, Step.DAY), FIRST_US, None))
    froms = {Tier.DAY: 0, Tier.QUARTER: expired.quarter_us, Tier.MINUTE: expired.minute_us}
    finer = {Tier.DAY: min(expired.raw_us, expired.minute_us, expired.quarter_us),
             Tier.QUARTER: min(expired.raw_us, expired.minute_us), Tier.MINUTE: expired.raw_us}  # fmt: skip
    shelves = []
    for tier in _ROLLED:
        grid = Grid(tier, days)
        rolled_us = reach.minute_us if tier is Tier.MINUTE else reach.quarter_us
        shelves.append(
            Shelf(
                grid,
                _from(grid, froms[tier], start_us, end_us),
                int(grid.floor(np.array([min(max(rolled_us, start_us), end_us)]))[0]),
                _from(grid, finer[tier], start_us, end_us),
            )
        )
    return shelves


def _from(grid: Grid, time_us: int, start_us: int, end_us: int) -> int:
    """The first edge of the grid at or after the instant; 0 when all of [start, end) is."""
    return 0 if time_us <= start_us else int(grid.ceil(np.array([min(time_us, end_us)]))[0])


def _cover(starts: Instants, ends: Instants, shelves: list[Shelf], expired: Expired) -> list[_Runs]:
    """Each [start, end) cut into what each tier can answer, coarsest first, the rest left to readings."""
    found: list[_Runs] = []
    for shelf in shelves:
        rest = shelf.last_resort_us
        low = np.where(starts < rest, starts, shelf.grid.ceil(starts))
        high = np.where(ends <= rest, ends, np.maximum(shelf.grid.floor(ends), rest))
        low, high = np.maximum(low, shelf.from_us), np.minimum(high, shelf.until_us)
        fits = low < high
        found.append(_runs(shelf.grid.tier, low[fits], high[fits]))
        left = np.concatenate([starts[~fits], starts[fits], high[fits]])
        right = np.concatenate([ends[~fits], low[fits], ends[fits]])
        starts, ends = left[left < right], right[left < right]
    starts = np.maximum(starts, expired.raw_us)
    kept = starts < ends
    return [*found, _runs(Tier.RAW, starts[kept], ends[kept])]


def _runs(tier: Tier, starts: Instants, ends: Instants) -> _Runs:
    """Parts of the time that do not overlap, neighbours as one: of hundreds few are left."""
    order = np.argsort(starts)
    starts, ends = starts[order], ends[order]
    apart = starts[1:] != ends[:-1]
    return _Runs(tier, starts[np.append(True, apart)[: len(starts)]], ends[np.append(apart, True)[: len(ends)]])


def _pieces(found: list[_Runs]) -> tuple[Piece, ...]:
    """All of them in order of time."""
    pieces = [
        Piece(runs.tier, start_us, end_us)
        for runs in found
        for start_us, end_us in zip(runs.start_us.tolist(), runs.end_us.tolist(), strict=True)
    ]
    return tuple(sorted(pieces, key=lambda piece: piece.start_us))
