"""Sight: how one source is doing, as people and the status page are told."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """What a source does at present."""

    OFF = "off"
    """Somebody has switched it off."""
    CLOSED = "closed"
    """Its site is disabled, or its device may not post: nothing is taken, so nothing is asked for."""
    ELSEWHERE = "elsewhere"
    """A machine on site runs it, and says itself how it is doing."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """It failed, and is tried again in a while."""
    HOPELESS = "hopeless"
    """It failed, and is not tried again before somebody has changed it."""


TROUBLED = frozenset({State.WAITING, State.HOPELESS})


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Counts are since the server's start; instants are microseconds since 1970, 0 for never."""

    state: State
    since_us: int
    """Since when it is in this state."""
    connected_to: str = ""
    last_error: str = ""
    """Why it last failed."""
    failed_us: int = 0
    """When it last failed."""
    retry_us: int = 0
    """When it is tried again."""
    failures: int = 0
    """How often it failed in all."""
    faults: int = 0
    """How often of these it was a fault of the program."""
    waiting_for: str = ""
    """Why it takes no readings at this moment, or not at once those of all, though it is connected."""
    messages: int = 0
    readings: int = 0
    rejected: int = 0
    refused: int = 0
    rate_per_s: float = 0.0
    """Readings a second, mean of the last minute."""
    last_message_us: int = 0
    last_rejected: str = ""
    lag_s: float | None = None
    """How far behind the other side it is; None where the protocol does not tell."""
    letters: int = 0
    letters_lost: int = 0
    """Dead letters that newer ones took the place of."""
