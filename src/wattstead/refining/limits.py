"""RefiningLimits: how often and how much; the defaults suit 48,000 readings a second on two cores."""

from __future__ import annotations

import msgspec


class RefiningLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are rows of readings unless named otherwise, spans are seconds."""

    poll_s: float = 1.0
    """The journal is looked at after this long at the latest; a wake-up comes earlier …"""
    rest_s: float = 0.1
    """… but this long after the last look at the earliest …"""
    busy_rest_s: float = 0.5
    """… or this long when that look brought more than ``busy_rows``: a look costs as much as thousands of readings."""
    busy_rows: int = 2_000
    read_bytes: int = 1_200_000
    """Encoded batches taken from the journal in one look."""
    store_every_s: float = 5.0
    """Readings wait at most this long for the store …"""
    store_rows: int = 250_000
    """… or until so many have come together."""
    waiting_rows: int = 2_000_000
    """Readings that may wait in memory; more stay in the journal, which then holds senders back."""
    grace_s: float = 10.0
    """A minute is rolled up so long after its end; what comes later is late and rolled up again."""
    close_s: float = 86_400.0
    """Minutes that are closed in one go after a standstill."""
    dirty_spans: int = 20_000
    """Spans of late readings that are remembered apart; more are joined over the gaps between them."""
    dirty_pause: float = 3.0
    """Late minutes are rolled up again no sooner than this many times the duration of the last time."""
    retry_s: float = 0.2
    """The first wait after an error of the store; doubled each time …"""
    retry_most_s: float = 10.0
    """… up to this."""
    rules_s: float = 1.0
    """How often changed points are looked for."""
    foreseen_s: float = 15.0
    """How often the next of what was foreseen, such as the price of the next hour, is looked for."""
    retention_s: float = 3600.0
    """How often expired readings are removed."""
    subscription_rows: int = 10_000
    """Readings that may wait for one watcher."""
