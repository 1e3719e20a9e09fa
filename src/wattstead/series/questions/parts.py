"""Parts of a question for buckets: points that one plan can answer for, and not too many of them; asks nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import INTEGRATED, Point, StepMode, StepRule, step_rule
from wattstead.metering.rollup import QUARTER_US
from wattstead.series.marks import Reach
from wattstead.series.questions.plan import MANY_PIECES, plan
from wattstead.series.questions.question import Piece
from wattstead.series.questions.stretch import fewer, joined, stretched
from wattstead.series.rules import Expired
from wattstead.series.tiers import FIRST_US, LAST_US, Tier

Instants = NDArray[np.int64]
_POINTS_AT_A_TIME = 10_000
SPLIT_POINTS = 1_000
"""From so many points on a question is asked in two halves at once."""
_NEAR_US = 3_600_000_000


@lru_cache(maxsize=65_536)
def _rule(point: Point) -> StepRule:
    return step_rule(point)


class Part:
    """Some points of one zone and one expiry, and the pieces that answer for them."""

    def __init__(
        self, points: Sequence[Point], edges_us: Instants, reach: Reach, expired: Expired, has_days: bool = True
    ) -> None:
        self.points = points
        self.ids = tuple(p.id for p in points)
        self.rules = {p.id: _rule(p) for p in points}
        self.reach = reach
        self.registers = [p for p, rule in self.rules.items() if rule.mode is StepMode.REGISTER]
        self._asked_us = edges_us
        self._zone, self.expired, self._has_days = points[0].zone, expired, has_days
        gaps_us = [rule.max_gap_us for rule in self.rules.values() if rule.mode in INTEGRATED]
        self._near_us = max([*gaps_us, _NEAR_US] if self.registers else gaps_us, default=0)
        self.edges_us = self._with_neighbours(edges_us)

    @property
    def modes(self) -> tuple[StepMode, ...]:
        """All step modes there are among the points."""
        return tuple(sorted({rule.mode for rule in self.rules.values()}))

    @property
    def rule(self) -> StepRule | None:
        """The rule of all points, where they share one."""
        found = set(self.rules.values())
        return found.pop() if len(found) == 1 else None

    def halved(self) -> tuple[Part, Part]:
        """The same question about one half of the points, and about the other; there are at least two."""
        cut, rest = len(self.points) // 2, (self._asked_us, self.reach, self.expired, self._has_days)
        return Part(self.points[:cut], *rest), Part(self.points[cut:], *rest)

    def midnights(self, start_us: int, end_us: int) -> Instants:
        """Where the local days begin that touch [start, end)."""
        return edges_us(self._zone, start_us, end_us, Step.DAY).clip(min=FIRST_US)

    def pieces(self, beside: bool) -> tuple[Piece, ...]:
        """Which tiers answer for the buckets; ``beside``: and for those next to them, where steps cross the ends."""
        found = self._plan(self.edges_us[1:-1], windows=beside)
        if beside and self._near_us and found:
            found = self._with_start(found)
            found = self._with_end(found)
        return fewer(found, len(self.points), self.expired) if len(found) <= MANY_PIECES else found

    def _plan(self, edges_us: Instants, windows: bool = False) -> tuple[Piece, ...]:
        return plan(edges_us, self.reach, self._zone, self.expired, len(self.points), self._has_days, windows)

    def _with_start(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """With the rows before the first bucket: of the tier that answers there, where it can, so that nothing more has
        to be asked."""
        low, at = int(self.edges_us[0]), int(self.edges_us[1])
        before_us = low if self.registers else at - self._near_us
        longer = stretched(pieces[0], self._zone, self.expired, self.reach, before_us=before_us)
        if longer is None or pieces[0].start_us != at:
            return joined(self._plan(self.edges_us[:2]) + pieces)
        self.edges_us[0] = min(low, longer.start_us)
        return (longer, *pieces[1:])

    def _with_end(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """The same behind the last bucket."""
        high, at = int(self.edges_us[-1]), int(self.edges_us[-2])
        after_us = high if self.registers or high >= LAST_US else at + self._near_us
        longer = stretched(pieces[-1], self._zone, self.expired, self.reach, after_us=after_us)
        if longer is None or pieces[-1].end_us != at:
            return joined(pieces + self._beyond(at, high))
        self.edges_us[-1] = max(high, longer.end_us)
        return (*pieces[:-1], longer)

    def _beyond(self, start_us: int, end_us: int) -> tuple[Piece, ...]:
        """Which tiers answer behind the last bucket. Of what is not rolled up yet, to the end of all times, readings
        do: it is left out of the plan, which would count the midnights until then."""
        planned_us = min(end_us, max(start_us, self.reach.minute_us) // QUARTER_US * QUARTER_US + 2 * QUARTER_US)
        found = self._plan(np.array([start_us, planned_us]))
        rest = Piece(Tier.RAW, max(planned_us, self.expired.raw_us), end_us)
        return joined((*found, rest)) if rest.start_us < end_us else found

    def _with_neighbours(self, edges_us: Instants) -> Instants:
        """The edges with a bucket more at each end, long enough for every gap across which power is integrated."""
        low = (int(edges_us[0]) - self._near_us - 1) // QUARTER_US * QUARTER_US
        high = -(-(int(edges_us[-1]) + self._near_us + 1) // QUARTER_US) * QUARTER_US
        if high >= self.reach.minute_us:
            high = max(LAST_US, high)
        return np.concatenate([[low], edges_us, [high]])


def parts(
    points: Sequence[Point], edges_us: Instants, reach: Reach, expired: Sequence[Expired], most_buckets: int,
    has_days: Callable[[Point], bool] = lambda point: True, split: int = SPLIT_POINTS,
) -> list[Part]:  # fmt: skip
    """The points by zone and expiry, which stand beside them, in parts of at most so many buckets times points.

    ``has_days``: whether the local days of a point are those of its zone; of others finer rows are asked. From
    ``split`` points on a question is asked in two halves at once.
    """
    alike: dict[tuple[str, Expired, bool], list[Point]] = {}
    for point, gone in zip(points, expired, strict=True):
        alike.setdefault((point.zone, gone, has_days(point)), []).append(point)
    most = max(1, min(most_buckets // len(edges_us), _POINTS_AT_A_TIME))
    found = []
    for (_, gone, days), members in alike.items():
        members.sort(key=lambda point: point.id)
        size = min(most, -(-len(members) // 2)) if len(members) >= split else most
        found += [Part(members[at : at + size], edges_us, reach, gone, days) for at in range(0, len(members), size)]
    return found
