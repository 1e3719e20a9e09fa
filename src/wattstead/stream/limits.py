"""JournalLimits: how much the journal takes, keeps and lets wait; the defaults suit a machine with 20 GB free."""

from __future__ import annotations

import msgspec

MB = 1_000_000
GB = 1_000_000_000


class JournalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes of batches, spans are seconds; each limit belongs to one receiving process, ``keep`` to all."""

    commit_bytes: int = 8 * MB
    """A commit takes no more waiting requests once it has this many bytes."""
    commit_requests: int = 1_000
    """A commit takes at most this many waiting requests."""
    gather_requests: int = 8
    """After a commit of more requests than these, the next waits a little for company …"""
    gather_s: float = 0.003
    """… this long: a sync and two changes of thread for 60 posts cost half of what they do for 20 posts thrice."""
    batch_bytes: int = 32 * MB
    """A larger batch is refused (`BatchTooLarge`): 1.5 million readings."""
    waiting_bytes: int = 64 * MB
    """Bytes that may wait for a commit in memory; more: `JournalFull`."""
    waiting_requests: int = 50_000
    """Requests that may wait for a commit in memory; more: `JournalFull`."""
    unconsumed_bytes: int = 4 * GB
    """Bytes on disk that some consumer has not passed yet; more: `JournalFull`. About an hour at 48,000 readings/s."""
    rotate_bytes: int = 256 * MB
    """A file that has grown to this is followed by a new one."""
    rotate_s: float = 3600.0
    """A file that is older than this is followed by a new one at the next write."""
    keep_bytes: int = 5 * GB
    """All files together, once consumed; the oldest go first."""
    keep_s: float = 86_400.0
    """How long a consumed file is kept, unless ``keep_bytes`` is reached earlier."""
    checkpoint_bytes: int = 4 * MB
    """Write-ahead log that is copied into its file while later requests wait."""
    retry_s: float = 0.5
    """After a disk error requests are refused at once for this long, then the disk is tried again."""
    upkeep_s: float = 1.0
    """How often consumers' positions are looked at."""
    sweep_s: float = 60.0
    """How often old files are looked for."""
