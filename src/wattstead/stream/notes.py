"""Log lines of the journal, which may fail: a log on a full disk must not stop the journal. Nothing else is here."""

from __future__ import annotations

import contextlib
import logging

import structlog

_log = structlog.get_logger("wattstead.stream")


def note(level: int, event: str, **figures: object) -> None:
    """Log an event if the log can be written; ``level`` as in `logging`."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: the log's file is closed
        _log.log(level, event, **figures)


INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR
