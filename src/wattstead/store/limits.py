"""StoreLimits: every figure that bounds the store process; does not read settings files."""

from __future__ import annotations

import os

import msgspec

KEY_VARIABLE = "WATTSTEAD_STORE_KEY"
"""The environment variable that hands the key to the process."""


def _readers() -> int:
    return (os.cpu_count() or 1) + 1


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one store process; every field can be given on the command line as JSON (``--limits``)."""

    memory_bytes: int = 640 << 20
    """All memory of the process, as the engine counts it, mapped program pages included."""
    read_memory_bytes: int = 256 << 20
    """One question in the read lane."""
    slow_memory_bytes: int = 400 << 20
    """One question in the slow lane, one statement in the write lane."""
    mark_cache_bytes: int = 16 << 20
    index_cache_bytes: int = 16 << 20
    answer_bytes: int = 64 << 20
    """Largest answer; larger ones are to be asked for in pages."""
    body_bytes: int = 32 << 20
    """Largest request body; a block takes about ten times its size while it is stored."""
    readers: int = msgspec.field(default_factory=_readers)
    slow: int = 2
    read_queue: int = 256
    slow_queue: int = 8
    write_queue: int = 32
    admin_queue: int = 64
    """Requests waiting in a lane beyond those being worked on; one more is answered 503."""
    read_time_s: int = 30
    slow_time_s: int = 1200
    write_time_s: int = 1200
    admin_time_s: int = 10
    merge_threads: int = 2
    """Background merges at a time."""
    merge_bytes: int = 10 << 30
    """Largest merge."""
    broken_parts: int = 10_000
    """Broken parts with which the engine still opens a table; a power cut may leave some, none of them acknowledged."""
