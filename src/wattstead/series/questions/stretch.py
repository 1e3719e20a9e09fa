"""Stretch: pieces of a question made longer, or put together, so that fewer of them have to be asked, or cut where two
are answered sooner than one; asks nothing.

Each piece costs the store some milliseconds before it has read a row.
"""

from __future__ import annotations

from collections.abc import Iterable

from wattstead.metering.calendar import Step, edges_us
from wattstead.series.marks import Reach
from wattstead.series.questions.question import Piece
from wattstead.series.rules import Expired
from wattstead.series.tiers import FIRST_US, LAST_US, Tier

_FEW_READINGS = 6_000
"""So many readings are sooner read than the minutes that stand for them."""
_PACE_US = 1_000_000


def joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Neighbours of one tier made one piece, in order of time."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.start_us):
        if found and found[-1].tier is piece.tier and found[-1].end_us == piece.start_us:
            found[-1] = Piece(piece.tier, found[-1].start_us, piece.end_us)
        else:
            found.append(piece)
    return tuple(found)


def stretched(
    piece: Piece, zone: str, expired: Expired, reach: Reach, before_us: int | None = None, after_us: int | None = None
) -> Piece | None:
    """The piece made longer to begin at or before one instant, or to end at or after another, by whole rows of its
    tier; None where the tier has not all of that."""
    low, high = piece.start_us, piece.end_us
    if before_us is not None:
        low = max(_edge(piece.tier, zone, before_us, up=False), FIRST_US)
    if after_us is not None:
        high = min(_edge(piece.tier, zone, after_us, up=True), LAST_US)
    kept_us = {Tier.RAW: expired.raw_us, Tier.MINUTE: expired.minute_us, Tier.QUARTER: expired.quarter_us}
    until_us = {Tier.RAW: LAST_US, Tier.MINUTE: reach.minute_us}.get(piece.tier, reach.quarter_us)
    if low < kept_us.get(piece.tier, 0) or (high > until_us and after_us is not None):
        return None
    return Piece(piece.tier, low, high)


def fewer(pieces: tuple[Piece, ...], points: int, expired: Expired) -> tuple[Piece, ...]:
    """Without the minutes that stand beside readings, where the readings themselves are few."""
    found = list(pieces)
    for at in range(len(found)):
        piece = found[at]
        beside = [found[other] for other in (at - 1, at + 1) if 0 <= other < len(found)]
        touches = any(b.tier is Tier.RAW and (b.end_us == piece.start_us or b.start_us == piece.end_us) for b in beside)
        few = (piece.end_us - piece.start_us) // _PACE_US * points <= _FEW_READINGS
        if piece.tier is Tier.MINUTE and touches and few and piece.start_us >= expired.raw_us:
            found[at] = Piece(Tier.RAW, piece.start_us, piece.end_us)
    return joined(found)


def halves(pieces: tuple[Piece, ...], edges_us: tuple[int, ...]) -> list[tuple[Piece, ...]]:
    """The pieces cut in two at the edge in the middle of those inside; in one where there is none.

    >>> early, late = halves((Piece(Tier.QUARTER, 0, 90), Piece(Tier.RAW, 90, 100)), (0, 40, 80, 95, 100))
    >>> [(str(one.tier), one.start_us, one.end_us) for one in early + late]
    [('quarter', 0, 80), ('quarter', 80, 90), ('reading', 90, 100)]
    """
    low, high = pieces[0].start_us, pieces[-1].end_us
    inside = [edge for edge in edges_us if low < edge < high]
    if not inside:
        return [pieces]
    at = inside[len(inside) // 2]
    early = (Piece(one.tier, one.start_us, min(one.end_us, at)) for one in pieces if one.start_us < at)
    late = (Piece(one.tier, max(one.start_us, at), one.end_us) for one in pieces if one.end_us > at)
    return [tuple(early), tuple(late)]


def _edge(tier: Tier, zone: str, time_us: int, up: bool) -> int:
    """The last edge of a tier's rows at or before an instant, or the first at or after it."""
    if tier is Tier.DAY:
        edges = edges_us(zone, time_us, time_us + 1, Step.DAY)
        return int(edges[-1] if up and edges[0] < time_us else edges[0])
    width = tier.length_us
    return -(-time_us // width) * width if up else time_us // width * width
