"""Removals: readings that people have removed for good, after everything received before has been stored.

Else a reading that was still on its way would come back; it decides nothing about who may ask for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Removal:
    """Readings of points to be removed in [start, end), or everything about them when there is no span."""

    points: tuple[int, ...]
    span_us: tuple[int, int] | None
    done: asyncio.Future[None]
    asked_us: int = field(default_factory=lambda: time.time_ns() // 1000)

    def end(self, error: Exception | None) -> None:
        """Tell who waits, if anybody still does, that they are gone, or why not."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Removals:
    """What is asked for in the event loop, and taken there when it is due."""

    def __init__(self) -> None:
        self._waiting: list[Removal] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, points: Sequence[int], span_us: tuple[int, int] | None) -> asyncio.Future[None]:
        """Ask for a removal; what is answered is done once the readings are gone."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(Removal(tuple(points), span_us, done))
        return done

    def due(self, complete_us: int) -> list[Removal]:
        """Those before which everything received has been stored; they wait no more."""
        found = [one for one in self._waiting if one.asked_us < complete_us]
        self._waiting = [one for one in self._waiting if one.asked_us >= complete_us]
        return found

    def give_up(self, error: Exception) -> None:
        """Nothing more is removed by this process: whoever waits is told."""
        for one in self._waiting:
            one.end(error)
        self._waiting = []
