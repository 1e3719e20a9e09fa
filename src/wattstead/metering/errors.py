"""The one base class of errors and the report of a batch; each room adds a class per thing a caller can act on."""

from __future__ import annotations

import msgspec


class WattsteadError(Exception):
    """Base of every error of ours; the message says what was found, what was expected, what to do."""

    retryable: bool = False
    """True when the same call may succeed later without being changed."""


class Issue(msgspec.Struct, frozen=True):
    """One thing wrong with one place of a batch; the rest of the batch is not lost because of it."""

    place: str
    """Where, in the sender's own terms: ``line 3``, ``row 17``, ``readings[4].time``."""
    reason: str
    """What was found and what was expected, one sentence."""
