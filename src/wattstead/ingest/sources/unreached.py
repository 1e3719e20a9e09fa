"""Unreached: why a connection did not come about, in the system's own words, whichever library tells of it."""

from __future__ import annotations

import os
import ssl


def why(error: BaseException) -> str:
    """What the system says; else what the error says, or its kind.

    >>> why(ConnectionRefusedError(111, "Connect call failed ('10.0.0.5', 502)")), why(TimeoutError())
    ('Connection refused', 'TimeoutError')
    """
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0 and not isinstance(error, ssl.SSLError):  # its numbers are others
        return os.strerror(number)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
