"""How many files and connections a process may have open; the usual 1,024 are soon too few."""

from __future__ import annotations

import resource

_WANTED = 65_536


def allow_open_files() -> None:
    """As many as the system lets us have: a merge opens each column of each of its parts, a crowd its connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (_WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED), hard)
    )
