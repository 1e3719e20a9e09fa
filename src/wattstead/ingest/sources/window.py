"""The span of time in which a reading of a source may lie; what lies outside is quarantined, not dropped."""

from __future__ import annotations

from typing import NamedTuple

_DAY_US = 86_400_000_000


class Window(NamedTuple):
    """How far from the present a reading may lie, microseconds."""

    past_us: int
    """0: as far as one likes."""
    future_us: int
    earliest_us: int = 0
    """The earliest instant of all."""

    @classmethod
    def of(cls, past_days: float, future_s: float, earliest_us: int = 0) -> Window:
        """From days and seconds.

        >>> Window.of(1, 60).at(10**15)
        (999913600000000, 1000000060000000)
        """
        return cls(int(past_days * _DAY_US), int(future_s * 1e6), earliest_us)

    def at(self, present_us: int) -> tuple[int, int]:
        """The first and the last instant that a reading may have."""
        first = max(self.earliest_us, present_us - self.past_us) if self.past_us else self.earliest_us
        return first, present_us + self.future_us
