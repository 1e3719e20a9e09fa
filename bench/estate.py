"""What servers hold while they are asked: 6,000 tagged points, two with ten years, one with a month of seconds.

100 million readings from a fixed seed, made in pieces so that they need not fit into memory; sends and stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REGIONS = 20
ZONE = "Europe/Berlin"
_HOUR_S, _DAY_S = 3_600, 86_400
TEN_YEARS_S, MONTH_S = 3_652 * _DAY_S, 31 * _DAY_S
_ROWS_A_PIECE = 300_000


@dataclass(frozen=True, slots=True)
class Kin:
    """Points that are alike: how many, a reading every so many seconds, for how long."""

    name: str
    points: int
    every_s: int
    span_s: int
    is_register: bool = False

    @property
    def readings(self) -> int:
        """Of all of them."""
        return self.points * (self.span_s // self.every_s)


KINS = (
    Kin("home", 600, 1, 27 * _HOUR_S),
    Kin("home", 1_400, 10, 27 * _HOUR_S),
    Kin("home", 2_500, 60, 4 * _DAY_S),
    Kin("home", 1_500, 300, 4 * _DAY_S),
    Kin("energy", 1, 60, TEN_YEARS_S, is_register=True),
    Kin("decade", 1, 60, TEN_YEARS_S),
    Kin("second", 1, 1, MONTH_S),
)
"""Those named ``home`` have a tag ``region`` and are asked together."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Readings of some points over some time: times as a row, values as points × times."""

    kin: Kin
    first: int
    """Number of the first point, from 0."""
    time_s: NDArray[np.int64]
    value: NDArray[np.float64]


class Estate:
    """The same readings for every server, up to ``end_s``; ``share`` 10: a tenth of the points of each kin."""

    def __init__(self, end_s: int, share: int = 1) -> None:
        self.end_s, self.share = end_s, share
        self.kins = tuple(Kin(k.name, max(1, k.points // share), k.every_s, k.span_s, k.is_register) for k in KINS)
        self.readings = sum(kin.readings for kin in self.kins)

    def first_of(self, kin: Kin) -> int:
        """The number of a kin's first point; all points are numbered through."""
        return sum(k.points for k in self.kins[: self.kins.index(kin)])

    def kin(self, name: str) -> Kin:
        """The first kin of that name."""
        return next(kin for kin in self.kins if kin.name == name)

    def tags(self, number: int) -> dict[str, str]:
        """The tags of a point."""
        return {"id": f"m{number:04d}", "region": f"r{number % REGIONS:02d}"}

    def pieces(self) -> Iterator[Piece]:
        """All readings; of each kin in order of time."""
        for place, kin in enumerate(self.kins):
            chance = np.random.default_rng(20240229 + place)
            level = chance.integers(100, 3_000, kin.points).astype(np.float64)
            times = np.arange(self.end_s - kin.span_s, self.end_s, kin.every_s, dtype=np.int64)
            a_piece = max(1, _ROWS_A_PIECE // kin.points)
            for at in range(0, len(times), a_piece):
                time_s = times[at : at + a_piece]
                steps = _steps(chance, kin, len(time_s))
                value = np.abs(level[:, None] + np.cumsum(steps, axis=1))
                level = value[:, -1].copy()
                yield Piece(kin, self.first_of(kin), time_s, value)


def _steps(chance: np.random.Generator, kin: Kin, size: int) -> NDArray[np.int64]:
    """A register grows; power rests for a while and then moves, by whole watts, as that of a house does."""
    shape = (kin.points, size)
    if kin.is_register:
        return chance.integers(0, 30, shape)
    return chance.integers(-40, 41, shape) * (chance.random(shape, np.float32) < 0.3)
