"""Patience: how long one sender may take over its requests, told by regular looks; what follows is not decided here."""

from __future__ import annotations

from enum import Enum

LOOKS_S = 15.0
"""How often it is looked."""
SILENT_LOOKS = 5
"""A sender that was silent so many looks in a row amid a request, or before its first, is let go …"""
SILENT_BODY_LOOKS = 2
"""… and after so many one whose body is waited for by a request of the usual way, which holds memory for it."""
STRETCH_LOOKS, STRETCH_BYTES = 4, 1_000
"""In so many looks so many bytes come at least: a sixtieth of what the slowest mobile network carries."""
LONGEST_LOOKS = 240
"""A request is complete after so many: an hour, in which that network carries four megabytes."""


class Verdict(Enum):
    """What a look has shown."""

    STAYS = "stays"
    SILENT = "silent"
    SLOW = "slow"


class Patience:
    """With one connection; time is told by the looks.

    >>> patience, dripping = Patience(), []
    >>> for _ in range(4):
    ...     patience.came += 1
    ...     dripping.append(patience.look(SILENT_LOOKS).value)
    >>> dripping, [patience.look(SILENT_BODY_LOOKS).value for _ in range(2)]
    (['stays', 'stays', 'stays', 'slow'], ['stays', 'silent'])
    """

    __slots__ = ("_looks", "_silent", "_stretch", "came")

    def __init__(self) -> None:
        self.came = 0
        """Bytes since the last look."""
        self._stretch = self._looks = self._silent = 0

    def anew(self) -> None:
        """A request is complete, or nothing of one is awaited: what comes next has all its time."""
        self.came = self._stretch = self._looks = self._silent = 0

    def look(self, most_silent: int) -> Verdict:
        """How it stands with a sender that owes the rest of a request and may be silent for so many looks; 0: it owes
        nothing."""
        if not most_silent:
            self.anew()
            return Verdict.STAYS
        self._silent = 0 if self.came else self._silent + 1
        self._stretch += self.came
        self._looks += 1
        self.came = 0
        if self._silent >= most_silent:
            return Verdict.SILENT
        if self._looks >= LONGEST_LOOKS:
            return Verdict.SLOW
        if self._looks % STRETCH_LOOKS == 0:
            enough, self._stretch = self._stretch >= STRETCH_BYTES, 0
            return Verdict.STAYS if enough else Verdict.SLOW
        return Verdict.STAYS
