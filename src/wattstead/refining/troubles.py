"""Troubles: what of the refinery's work fails at present, said and logged; it tries nothing again.

What readings must pass stands in the way of them all. What is done beside that rests for a while when it fails, and
nothing waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from wattstead.metering.errors import WattsteadError

JOURNAL, STORE = "journal", "store"
"""What every reading passes."""
_log = structlog.get_logger("wattstead.refining")


class Troubles:
    """By what fails: how often in a row, with what error, and until when it rests."""

    def __init__(self, first_rest_s: float, longest_rest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first_s, self._longest_s, self._clock = first_rest_s, longest_rest_s, clock
        self._failed: dict[str, tuple[int, str]] = {}
        self._rests: dict[str, tuple[float, float]] = {}

    @property
    def stands_still(self) -> bool:
        """Whether readings come no further."""
        return JOURNAL in self._failed or STORE in self._failed

    @property
    def worst(self) -> tuple[int, str]:
        """Failed tries in a row, and the error; of what readings must pass before all else. (0, "") when all works."""
        passed = [self._failed[what] for what in (JOURNAL, STORE) if what in self._failed]
        return max(passed or self._failed.values(), default=(0, ""))

    def rests(self, what: str) -> bool:
        """Whether it failed only just now."""
        return self._clock() < self._rests.get(what, (0.0, 0.0))[0]

    def failed(self, what: str, error: Exception) -> None:
        """Note it; log it the first time, the second, the fourth …"""
        tries = self._failed.get(what, (0, ""))[0] + 1
        rest_s = min(2 * self._rests[what][1], self._longest_s) if what in self._rests else self._first_s
        self._failed[what] = (tries, f"{what}: {str(error) or type(error).__name__}")
        self._rests[what] = (self._clock() + rest_s, rest_s)
        if tries & (tries - 1) == 0:
            unexpected = None if isinstance(error, WattsteadError) else error
            event = "refinery_stands_still" if what in (JOURNAL, STORE) else "refinery_leaves_for_later"
            _log.error(event, what=what, tries=tries, error=str(error), exc_info=unexpected)

    def works(self, what: str) -> None:
        """It went well."""
        self._rests.pop(what, None)
        failed = self._failed.pop(what, None)
        if failed:
            _log.info("refinery_goes_on", what=what, failed_tries=failed[0])
