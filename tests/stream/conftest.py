"""What the journal's tests share: small batches, and reading everything that is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Entry, JournalReader, Position


def batch_of(serial: int, rows: int = 1) -> ReadingBatch:
    """A batch that can be told from all others by its point."""
    return ReadingBatch.of([serial] * rows, [serial * 1_000_000 + i for i in range(rows)], [serial + 0.5] * rows)


def read_all(folder: Path, position: Position | None = None, max_bytes: int = 1_000_000) -> list[Entry]:
    """All entries from a position on, read in pieces."""
    reader = JournalReader(folder, position or Position())
    entries: list[Entry] = []
    while piece := reader.read(max_bytes):
        entries += piece
    reader.close()
    return entries


@pytest.fixture
def make_batch() -> Callable[..., ReadingBatch]:
    return batch_of


@pytest.fixture
def everything() -> Callable[..., list[Entry]]:
    return read_all
