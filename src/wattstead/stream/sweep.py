"""Removal of whole journal files that every consumer has passed; never removes a batch that somebody still needs."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from wattstead.stream import files
from wattstead.stream.limits import JournalLimits
from wattstead.stream.position import registered


class Finished(msgspec.Struct, frozen=True):
    """A file that is followed by another: no batch will be added to it."""

    worker: int
    start: int
    sealed_us: int
    disk_bytes: int


def sweep(journal: Path, limits: JournalLimits) -> list[tuple[int, int]]:
    """Remove files that all registered consumers passed and whose keep span is over; answers (worker, start) of each.

    The keep span ends ``keep_s`` after the file was followed by another, earlier for the oldest files while all
    together are larger than ``keep_bytes``. The newest file of a worker stays, and with no consumer registered all do.
    """
    positions = registered(journal).values()
    if not positions:
        return []
    finished, total_bytes = _finished(journal)
    oldest_us = time.time_ns() // 1000 - int(limits.keep_s * 1e6)
    gone = []
    for file in sorted(finished, key=lambda file: file.start):
        marks = [position.marks.get(file.worker) for position in positions]
        if any(mark is None or mark.file <= file.start for mark in marks):
            continue
        if file.sealed_us < oldest_us or total_bytes > limits.keep_bytes:
            files.remove(files.path_of(journal, file.worker, file.start))
            total_bytes -= file.disk_bytes
            gone.append((file.worker, file.start))
    return gone


def _finished(journal: Path) -> tuple[list[Finished], int]:
    """All files that are followed by another, and the bytes of all files on disk."""
    finished, total_bytes = [], 0
    for worker in files.workers(journal):
        starts = files.starts(journal, worker)
        sizes = [files.disk_bytes(files.path_of(journal, worker, start)) for start in starts]
        total_bytes += sum(sizes)
        finished += [Finished(worker, *three) for three in zip(starts[:-1], starts[1:], sizes[:-1], strict=True)]
    return finished, total_bytes
