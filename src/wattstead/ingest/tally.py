"""Tally: how much of what senders sent was not kept since the start, and why; for the people who run the server.

It counts and says; what is kept is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from wattstead.ingest.decoding.columns import Rejections
from wattstead.ingest.errors import ClearRefused, IngestError

_log = structlog.get_logger("wattstead.ingest")
_SAY_EVERY_S = 60.0
_MOST_KEYS = 10_000
_SHOWN = 5


class Tally:
    """Counts of one process. The log hears of each key at most once a minute, with how many there were meanwhile.

    >>> tally = Tally()
    >>> tally.reject(7, Rejections())
    >>> tally.rejected_readings, tally.last
    (0, '')
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rejected_readings = 0
        """Readings that were named to their senders as not kept."""
        self.refused_requests = 0
        """Whole requests that were refused for what they are, not for the moment they came at."""
        self.last = ""
        """The key and the reason of the last reading that was not kept."""
        self.shown_keys: dict[int, int] = {}
        """Keys that were sent without TLS and may not be, with how often; the last one is the last."""
        self._clock = clock
        self._unsaid: dict[int, int] = {}
        self._said_at: dict[int, float] = {}

    def reject(self, key: int, rejected: Rejections) -> None:
        """Readings sent with the key of that id are not kept."""
        if not rejected:
            return
        self.rejected_readings += rejected.count
        shown = "; ".join(f"{issue.place}: {issue.reason}" for issue in rejected.listed[:_SHOWN])
        self.last = f"key {key}, {shown}"[:500]
        self._unsaid[key] = self._unsaid.get(key, 0) + rejected.count
        now = self._clock()
        if now - self._said_at.get(key, -_SAY_EVERY_S) < _SAY_EVERY_S:
            return
        if len(self._said_at) >= _MOST_KEYS:
            self._said_at.clear()
        self._said_at[key] = now
        _log.warning("readings_not_kept", key=key, readings=self._unsaid.pop(key), places=shown[:1000])

    def refuse(self, error: IngestError) -> None:
        """A request is refused as a whole; one that may come again unchanged is not counted."""
        if not error.retryable:
            self.refused_requests += 1
        if isinstance(error, ClearRefused) and len(self.shown_keys) < _MOST_KEYS:
            if error.key_id not in self.shown_keys:
                _log.warning("key_sent_without_tls", key=error.key_id, reason=str(error))
            self.shown_keys[error.key_id] = self.shown_keys.pop(error.key_id, 0) + 1
