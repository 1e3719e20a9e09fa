"""Mails that wait to be sent."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """What to write to whom."""

    to: str
    subject: str
    text: str


class DueMail(msgspec.Struct, frozen=True):
    """A mail that is to be sent now, by whoever was given it."""

    id: int
    letter: Letter
    created: datetime
    tries: int
    """How often it was tried before."""
