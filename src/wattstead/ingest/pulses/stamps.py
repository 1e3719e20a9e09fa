"""Stamps: the instant of each blink, in whole milliseconds and each once, from when its line came in.

Lines that come together (a port read late, a machine that slept) are set apart by what the meter itself says; it does
not mend the meter's milliseconds, which are kept as they came.
"""

from __future__ import annotations

from collections.abc import Sequence

from wattstead.ingest.pulses.lines import Blink


class Stamps:
    """Remembers the last stamp of each meter."""

    def __init__(self) -> None:
        self._last_ms: dict[int, int] = {}

    def of(self, blinks: Sequence[Blink], came_ms: int) -> list[int]:
        """Milliseconds since 1970 for blinks whose lines came at one moment, in order of the lines.

        The last blink of a meter has the moment itself, each before it as much less as the one after it says; a meter's
        stamps grow, whatever the clock of the machine does.

        >>> Stamps().of([Blink(1, 500), Blink(1, 200), Blink(2, 90)], 10_000)
        [9800, 10000, 10000]
        """
        found = [0] * len(blinks)
        following: dict[int, int] = {}
        for place in range(len(blinks) - 1, -1, -1):
            blink = blinks[place]
            stamp_ms = following.get(blink.meter, came_ms)
            found[place] = stamp_ms
            following[blink.meter] = stamp_ms - blink.since_ms
        for place, blink in enumerate(blinks):
            last_ms = self._last_ms.get(blink.meter)
            if last_ms is not None and found[place] <= last_ms < found[place] + _SET_BACK_MS:
                found[place] = last_ms + 1
            self._last_ms[blink.meter] = found[place]
        return found


_SET_BACK_MS = 60_000
"""A clock that was set back by more than this is believed: stamps go back with it."""
