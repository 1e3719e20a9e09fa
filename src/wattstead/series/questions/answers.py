"""The shapes of answers: buckets, latest readings, spans; columns only, nothing is asked or computed here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of one point, or of several together, as columns of one length; in base units (W, Wh, °C, m³).

    Where a bucket has no reading, count is 0, the numbers are NaN and the times 0. ``amount`` is also known where a
    register was silent between two readings, and NaN for what has no amount. It is exact: ``steps`` are whole steps of
    the point, any run of buckets adds up to the difference at its ends.
    """

    start_us: Ints
    count: Ints
    min: Floats
    mean: Floats
    """Of all readings in the bucket."""
    sum: Floats
    """Of all readings in the bucket, as it was added up; the mean times the count may differ in the last digit."""
    max: Floats
    first: Floats
    last: Floats
    first_time_us: Ints
    last_time_us: Ints
    total: Floats
    """The sum over the points of their means: the power of all together. Of one point its mean."""
    amount: Floats
    """Energy in Wh, volume in m³, pulses."""
    steps: Ints
    """The amount in steps of the point; 0 in answers about several points, whose steps may differ."""
    flags: NDArray[np.uint16]
    """`metering.step.StepFlag` of everything that makes up the amount."""

    def __len__(self) -> int:
        return len(self.start_us)

    @staticmethod
    def empty(start_us: Ints) -> Buckets:
        """Buckets without a reading."""
        size = len(start_us)

        def none() -> Floats:
            return np.full(size, np.nan)

        def zero() -> Ints:
            return np.zeros(size, np.int64)

        return Buckets(
            start_us=start_us, count=zero(), min=none(), mean=none(), sum=none(), max=none(), first=none(), last=none(),
            first_time_us=zero(), last_time_us=zero(), total=none(), amount=none(), steps=zero(),
            flags=np.zeros(size, np.uint16),
        )  # fmt: skip

    def rows(self, chosen: slice) -> Buckets:
        """Those buckets alone."""
        return Buckets(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class LatestColumns:
    """The newest reading of each point that has one, in order of points; values in the point's own unit."""

    point: NDArray[np.uint32]
    time_us: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.point)


@dataclass(frozen=True, slots=True)
class SpanColumns:
    """When the readings of each point that has any begin and end, in order of points."""

    point: NDArray[np.uint32]
    first_us: Ints
    last_us: Ints

    def __len__(self) -> int:
        return len(self.point)


@dataclass(frozen=True, slots=True)
class ReplacedColumns:
    """Readings that newer ones took the place of; instants in µs, values in the point's own unit."""

    time_us: Ints
    value: Floats
    quality: NDArray[np.uint8]
    received_us: Ints
    replaced_us: Ints

    def __len__(self) -> int:
        return len(self.time_us)
