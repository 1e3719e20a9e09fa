"""What can go wrong with a mail."""

from __future__ import annotations

from wattstead.metering.errors import WattsteadError


class MailUndelivered(WattsteadError):
    """The server does not take it now; it may later."""

    retryable = True


class MailRefused(WattsteadError):
    """The server will never take it, or it cannot be written."""
