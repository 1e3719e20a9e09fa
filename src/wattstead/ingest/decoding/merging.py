"""Many small messages as one: their readings as one batch, and what was wrong given back to each.

A journal batch of a thousand readings costs little more than one of ten, and so does finding their points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Few, Names, Place, Rejections
from wattstead.metering.errors import Issue

_MARK = "message "
_MANY = 16
"""Points of messages of more readings are put together as arrays sooner than one by one."""


class Joined(Names):
    """The names of many messages after one another; what each of them knows of its points stays with it."""

    __slots__ = ("_made", "parts")

    def __init__(self, parts: Sequence[Names], rows: int) -> None:
        """``rows``: of all parts together."""
        self.parts, self._rows = parts, rows
        self._ids, self._few, self._epoch = {}, {}, 0
        self._made: Names | None = None

    def _whole(self) -> Names:
        """The same from one address per row: made when somebody asks for addresses, which usually nobody does."""
        if self._made is None:
            self._made = Names.of_rows([part.address(row) for part in self.parts for row in range(len(part))])
        return self._made

    @property
    def addresses(self) -> Sequence[str]:  # type: ignore[override]
        return self._whole().addresses

    @property
    def index(self) -> NDArray[np.int32] | None:  # type: ignore[override]
        return self._whole().index

    def known(self, place: Place, epoch: int) -> NDArray[np.uint32] | None:
        """The points of all rows, when each of the messages knows its own."""
        if self._rows > _MANY * len(self.parts):
            return self._known_of_many(place, epoch)
        found = [part._few.get(place) for part in self.parts if part._epoch == epoch]
        try:  # what is None is noticed by going through it, which costs nothing
            return np.fromiter(chain.from_iterable(found), np.uint32, self._rows)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return self._known_of_many(place, epoch)

    def _known_of_many(self, place: Place, epoch: int) -> NDArray[np.uint32] | None:
        """`known`, where messages have too many readings for `known_few`, or new ones."""
        found: list[NDArray[np.uint32]] = []
        for part in self.parts:
            points = part.known(place, epoch)
            if points is None:
                return None
            found.append(points)
        return np.concatenate(found)

    def remember(self, place: Place, ids: NDArray[np.uint32], epoch: int) -> None:
        at = 0
        for part in self.parts:
            part.remember(place, ids[at : at + len(part)], epoch)
            at += len(part)


def merged(parts: Sequence[Columns | Few]) -> Columns:
    """The readings of all parts in their order; what the parts had rejected is left out, and stays with them.

    Parts name points by address. The place of a row says which part it is of: see `by_part`.
    """
    times: list[int] = []
    values: list[float] = []
    untimed: list[bool] = []
    units: list[str] = []
    starts: list[int] = []
    for part in parts:
        starts.append(len(values))
        count = len(part.names)
        if isinstance(part, Few):
            times += [part.time_us] * count
            values += part.values
            untimed += [part.untimed] * count
            units += [""] * count
        else:
            times += part.time_us.tolist()
            values += part.value.tolist()
            untimed += part.untimed.tolist() if isinstance(part.untimed, np.ndarray) else [part.untimed] * count
            units += part.units or [""] * count
    start_of = np.array(starts, np.int64)

    def place(row: int) -> str:
        at = int(np.searchsorted(start_of, row, "right")) - 1
        return f"{_MARK}{at}: {parts[at].place(row - starts[at])}"

    return Columns(
        Joined([part.names for part in parts], len(values)),
        np.array(times, np.int64),
        np.array(values, np.float64),
        Rejections(limit=len(values)),
        np.array(untimed, np.bool_) if any(untimed) else False,
        place,
        units=units if any(units) else None,
    )


def by_part(rejected: Rejections) -> dict[int, list[Issue]]:
    """What became of `merged` readings that were not kept, by the number of the part that they were in."""
    found: dict[int, list[Issue]] = {}
    for issue in rejected.listed:
        part, _, place = issue.place.removeprefix(_MARK).partition(": ")
        found.setdefault(int(part), []).append(Issue(place, issue.reason))
    return found
