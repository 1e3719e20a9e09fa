"""What can go wrong with the journal, one class per thing a caller can act on; says nothing about HTTP."""

from __future__ import annotations

from pathlib import Path

from wattstead.metering.errors import WattsteadError


class JournalFull(WattsteadError):
    """Too much is waiting already; nothing of this batch was kept. Send it again after ``retry_after_s``."""

    retryable = True

    def __init__(self, what: str, found: int, limit: int, retry_after_s: float) -> None:
        super().__init__(
            f"{found:,} {what} in the journal, the limit is {limit:,}; send again in {retry_after_s:.0f} s"
        )
        self.what, self.found, self.limit, self.retry_after_s = what, found, limit, retry_after_s


class JournalBroken(WattsteadError):
    """The disk refused the batch; it may not have been kept. Send it again after ``retry_after_s``."""

    retryable = True

    def __init__(self, path: Path, reason: str, retry_after_s: float = 1.0) -> None:
        super().__init__(f"journal {path}: {reason}; free space or repair the disk, writing then resumes by itself")
        self.path, self.reason, self.retry_after_s = path, reason, retry_after_s


class JournalClosed(JournalBroken):
    """The journal is closed or closing: this process goes down."""


class BatchTooLarge(WattsteadError):
    """A batch of more bytes than the journal takes in one piece; split it."""

    def __init__(self, found_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"a batch of {found_bytes:,} bytes, at most {limit_bytes:,} are taken in one; split it")
        self.found_bytes, self.limit_bytes = found_bytes, limit_bytes


class JournalInUse(WattsteadError):
    """Another process writes as this worker; each receiving process needs a number of its own."""

    def __init__(self, path: Path, worker: int, pid: str) -> None:
        super().__init__(f"worker {worker} of journal {path} is in use by process {pid or 'unknown'}; take another")
        self.path, self.worker, self.pid = path, worker, pid


class JournalCorrupt(WattsteadError):
    """A file or batch that is not what was written. Reading stops there and does not go on beyond it."""

    def __init__(self, path: Path, id: int, reason: str) -> None:
        super().__init__(f"{path}, batch {id}: {reason}; restore the file, or move it away and forget the position")
        self.path, self.id, self.reason = path, id, reason


class JournalGap(WattsteadError):
    """The files after a position are gone, so batches between were never read by this consumer."""

    def __init__(self, worker: int, file: int, id: int, oldest: int) -> None:
        super().__init__(
            f"worker {worker}: position is batch {id} of file {file}, the oldest file that could follow is {oldest}, "
            "between them files are missing; restore them, or forget the position to start at the oldest"
        )
        self.worker, self.file, self.id, self.oldest = worker, file, id, oldest


class PositionCorrupt(WattsteadError):
    """A position file that cannot be read; the consumer must be told where to begin."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"position {path}: {reason}; remove the file to read the journal from its oldest batch")
        self.path, self.reason = path, reason
