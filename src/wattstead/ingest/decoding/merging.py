"""Many small messages as one: their readings as one batch, and what was wrong given back to each.

A journal batch of a thousand readings costs little more than one of ten, and so does finding their points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections
from wattstead.metering.errors import Issue

_MARK = "message "


def merged(parts: Sequence[Columns | Few]) -> Columns:
    """The readings of all parts in their order; what the parts had rejected is left out, and stays with them.

    Parts name points by address. The place of a row says which part it is of: see `by_part`.
    """
    addresses: dict[str, int] = {}
    index: list[int] = []
    times: list[int] = []
    values: list[float] = []
    untimed: list[bool] = []
    units: list[str] = []
    starts: list[int] = []
    for part in parts:
        starts.append(len(values))
        names, count = part.names, len(part.names)
        own = names.addresses if names.index is None else [names.address(row) for row in range(count)]
        index.extend([addresses.setdefault(address, len(addresses)) for address in own])
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
        Names(list(addresses), np.array(index, np.int32)),
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
