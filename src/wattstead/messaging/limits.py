"""Where mails are handed over, and how patiently; figures alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """An SMTP server and how to speak to it."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """``starttls``: encrypted after the greeting; ``tls``: from the first byte; ``none``: only on this machine."""
    user: str = ""
    password: str = ""
    sender: str = "Wattstead <wattstead@localhost>"
    """From whom mails come."""
    timeout_s: float = 20.0
    authority: str = ""
    """File of certificates to trust beside the system's; empty for none."""

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class OutboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How often is looked, and how long is tried."""

    poll_s: float = 3.0
    """How often the registry is asked for mails that are due."""
    at_once: int = 20
    first_retry: timedelta = timedelta(seconds=30)
    """Doubles with each try."""
    longest_retry: timedelta = timedelta(hours=1)
    give_up: timedelta = timedelta(days=2)
    """A mail that is older and still not taken is dropped."""
