"""How many bytes of the journal lie behind a position; opens files to look at their ends, changes nothing."""

from __future__ import annotations

from pathlib import Path

from wattstead.stream import JournalBroken, JournalCorrupt, Mark, Position, files


def bytes_behind(journal: Path, position: Position) -> int:
    """Bytes of batches after that position, of all workers; files that cannot be read count with their size."""
    return sum(
        _worker_bytes(journal, worker, position.marks.get(worker) or Mark(0, 0)) for worker in files.workers(journal)
    )


def _worker_bytes(journal: Path, worker: int, mark: Mark) -> int:
    total = 0
    for start in files.starts(journal, worker):
        if start >= mark.file:
            path = files.path_of(journal, worker, start)
            try:
                end_bytes = files.read_end(path).end_bytes
            except (JournalCorrupt, JournalBroken):
                end_bytes = files.disk_bytes(path)
            except FileNotFoundError:
                continue
            total += end_bytes - (mark.end_bytes if start == mark.file else 0)
    return total
