"""Debian's Chromium, as tests start it.

Pages are looked at in its build without windows of its own, which does the same with half the processor time: no bars,
menus and pages of the browser itself are drawn beside ours. What concerns the browser of a person (whom it trusts, its
passkeys) takes the whole of it, and so does everything where the other build is not installed.
"""

from __future__ import annotations

from pathlib import Path

WHOLE = "/usr/bin/chromium"
WITHOUT_WINDOWS = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def for_pages() -> str:
    """The build in which pages are looked at."""
    return WITHOUT_WINDOWS if Path(WITHOUT_WINDOWS).exists() else WHOLE
