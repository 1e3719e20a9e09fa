"""The nearest reading before or after an instant, of each of many points: from the coarsest rows that still tell it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wattstead.series.connection import Connection
from wattstead.series.native import Columns
from wattstead.series.questions.question import Piece
from wattstead.series.rows import filled
from wattstead.series.tiers import Tier, within


def nearest(
    connection: Connection, points: Sequence[int] | None, pieces: Sequence[Piece], last: bool = True
) -> Columns:
    """The last (or first) reading of each point inside the pieces: columns ``point``, ``time`` (µs), ``value``.

    Points without a reading there have no row. In order of points.
    """
    if not pieces:
        return {"point": np.zeros(0, np.uint32), "time": np.zeros(0, np.int64), "value": np.zeros(0)}
    selects = [_select(piece, points, last) for piece in pieces]
    edge, pick = ("max", "argMax") if last else ("min", "argMin")
    together = "\nUNION ALL\n".join(selects)
    if len(selects) > 1:
        together = f"SELECT point, {edge}(at) AS time, {pick}(is, at) AS value\nFROM\n(\n{together}\n)\nGROUP BY point"
    found = connection.columns(together, slow=points is None)
    if not found:
        return nearest(connection, points, (), last)
    order = np.argsort(found["point"])
    return {name: values[order] for name, values in zip(("point", "time", "value"), found.values(), strict=True)}


def _select(piece: Piece, points: Sequence[int] | None, last: bool) -> str:
    where = within(piece.tier, piece.start_us, piece.end_us, points)
    pick, edge = ("argMax", "max") if last else ("argMin", "min")
    if piece.tier is Tier.RAW:
        tie = "version" if last else "-toInt64(version)"
        return filled("nearest_reading", where=where, pick=pick, edge=edge, tie=tie)
    which = "last" if last else "first"
    return filled("nearest_row", table=piece.tier.value, where=where, pick=pick, edge=edge, which=which)
