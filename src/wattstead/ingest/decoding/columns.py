"""Columns: what a decoder found in a body: names, times, values, and what was wrong; no point is known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.errors import Issue

_REMEMBERED_SITES = 20_000
_LISTED = 1_000
FEW = 100
"""Bodies of at most so many readings are cheaper as lists than as arrays."""


Place = int | tuple[int, int]
"""Where addresses are the same points: a site, or a device and a number that grows as its points may have changed."""


class Names:
    """The names of the rows of a body: distinct addresses, and which of them each row has.

    A decoder that sees the same name column again returns the same object, so that the ids found once per site are
    found again without looking at a single name.
    """

    __slots__ = ("_epoch", "_few", "_ids", "_rows", "addresses", "index")

    def __init__(self, addresses: Sequence[str], index: NDArray[np.int32] | None = None) -> None:
        """``index``: position in ``addresses`` per row; None: row i has address i."""
        self.addresses = addresses
        self.index = index
        self._rows = len(addresses) if index is None else len(index)
        self._ids: dict[Place, NDArray[np.uint32]] = {}
        self._few: dict[Place, list[int]] = {}
        self._epoch = 0

    @staticmethod
    def of_rows(rows: Sequence[str]) -> Names:
        """From one address per row.

        >>> Names.of_rows(["a", "b", "a"]).index.tolist()
        [0, 1, 0]
        """
        positions: dict[str, int] = {}
        index = [positions.setdefault(row, len(positions)) for row in rows]
        if len(positions) == len(rows):
            return Names(rows)
        return Names(list(positions), np.array(index, np.int32))

    def __len__(self) -> int:
        return self._rows

    def only(self, rows: NDArray[np.int64]) -> Names:
        """The names of some rows, without the addresses that none of them has."""
        used, index = np.unique(rows if self.index is None else self.index[rows], return_inverse=True)
        return Names([self.addresses[one] for one in used.tolist()], index.astype(np.int32))

    def address(self, row: int) -> str:
        """The address of a row."""
        return self.addresses[row if self.index is None else int(self.index[row])]

    def spread(self, ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Ids per address as ids per row."""
        return ids if self.index is None else ids[self.index]

    def known(self, place: Place, epoch: int) -> NDArray[np.uint32] | None:
        """Ids per row as remembered for a place in this epoch of the resolver."""
        return self._ids.get(place) if epoch == self._epoch else None

    def known_few(self, place: Place, epoch: int) -> list[int] | None:
        """The same as a list, for bodies of a few readings."""
        return self._few.get(place) if epoch == self._epoch else None

    def remember(self, place: Place, ids: NDArray[np.uint32], epoch: int) -> None:
        """Keep ids per row for a place, until an epoch begins in which an address may be another point's."""
        if epoch < self._epoch:
            return
        if epoch > self._epoch or len(self._ids) >= _REMEMBERED_SITES:
            self._ids.clear()
            self._few.clear()
            self._epoch = epoch
        self._ids[place] = ids
        if self._rows <= FEW:
            self._few[place] = ids.tolist()


class Rejections:
    """What was wrong with which reading; the first ones one by one, the rest as a count, so that memory is bounded."""

    __slots__ = ("count", "limit", "listed")

    def __init__(self, limit: int = _LISTED) -> None:
        self.listed: list[Issue] = []
        self.count = 0
        self.limit = limit

    def add(self, place: str, reason: str) -> None:
        """One reading is not kept, because of ``reason``."""
        self.count += 1
        if len(self.listed) < self.limit:
            self.listed.append(Issue(place, reason))

    def add_rows(self, rows: NDArray[np.bool_], place: Callable[[int], str], reason: Callable[[int], str]) -> None:
        """All marked rows are not kept."""
        marked = np.flatnonzero(rows)
        for row in marked[: max(0, self.limit - len(self.listed))].tolist():
            self.listed.append(Issue(place(row), reason(row)))
        self.count += len(marked)

    def __bool__(self) -> bool:
        return self.count > 0


def row_place(row: int) -> str:
    """The place of a row where a sender has no other words for it; the first is row 0, as in JSON and Arrow."""
    return f"row {row}"


@dataclass(slots=True)
class Columns:
    """Readings of one body as columns of one length, not yet resolved to points.

    ``time_us`` int64 microseconds since 1970; ``value`` float64, finite. ``names`` gives the address per row, or
    ``points`` the id per row where a sender names points by id (0: this row is named by ``names``).
    """

    names: Names
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    rejected: Rejections = field(default_factory=Rejections)
    """What was wrong; those readings are not in the columns."""
    untimed: NDArray[np.bool_] | bool = False
    """Rows that came without a time and got the receive time: True for all, or one flag per row."""
    place: Callable[[int], str] = row_place
    """Where a row stood, in the sender's terms."""
    points: NDArray[np.uint32] | None = None
    skipped: int = 0
    """Fields that are no readings and were left out: texts, nulls."""
    units: list[str] | None = None
    """The unit that came with each row, "" where none did; None: with no row. They are all known ones."""
    quality: NDArray[np.uint8] | None = None
    """What the sender says of each row; None: nothing, they are raw."""

    def __len__(self) -> int:
        return len(self.value)

    def keep(self, rows: NDArray[np.bool_]) -> Columns:
        """Only those rows; places stay those of the sender."""
        kept = np.flatnonzero(rows)
        place = self.place
        return Columns(
            self.names.only(kept),
            self.time_us[kept],
            self.value[kept],
            self.rejected,
            self.untimed[kept] if isinstance(self.untimed, np.ndarray) else self.untimed,
            lambda row: place(int(kept[row])),
            None if self.points is None else self.points[kept],
            self.skipped,
            None if self.units is None else [self.units[row] for row in kept.tolist()],
            None if self.quality is None else self.quality[kept],
        )

    def first_units(self) -> dict[str, str]:
        """The first unit that came with each address, for those with which one came."""
        found: dict[str, str] = {}
        for row, symbol in enumerate(self.units or ()):
            if symbol:
                found.setdefault(self.names.address(row), symbol)
        return found


@dataclass(slots=True)
class Few:
    """What `Columns` is, for a post of a few readings of one instant, which are cheaper as lists."""

    names: Names
    time_us: int
    values: list[float]
    rejected: Rejections
    untimed: bool
    place: Callable[[int], str]

    def columns(self) -> Columns:
        """The same as arrays."""
        time_us, value = np.full(len(self.values), self.time_us, np.int64), np.array(self.values, np.float64)
        return Columns(self.names, time_us, value, self.rejected, self.untimed, self.place)


def within(columns: Columns, earliest_us: int, latest_us: int) -> Columns:
    """The columns without the rows outside a window of time, each of which is named as rejected."""
    time_us = columns.time_us
    if not len(time_us) or (int(time_us.min()) >= earliest_us and int(time_us.max()) <= latest_us):
        return columns

    def reason(row: int) -> str:
        found = int(time_us[row])
        side = f"after {shown_time(latest_us)}" if found > latest_us else f"before {shown_time(earliest_us)}"
        return f"time {shown_time(found)} lies {side}; not kept"

    outside = (time_us < earliest_us) | (time_us > latest_us)
    columns.rejected.add_rows(outside, columns.place, reason)
    return columns.keep(~outside)


def shown_time(time_us: int) -> str:
    """An instant for a message, whatever its size.

    >>> shown_time(0), shown_time(2**62)
    ('1970-01-01T00:00:00Z', '4611686018427387904 µs since 1970')
    """
    if -62_135_596_800_000_000 <= time_us <= 253_402_300_799_000_000:
        return f"{np.datetime64(time_us, 'us').astype('datetime64[s]')}Z"
    return f"{time_us} µs since 1970"
