"""The conveyor: the journal that makes readings durable before a sender hears "ok", and its consumers' positions.

What the readings mean, and where they are stored for good, is no affair of this room.
"""

from wattstead.stream.errors import (
    BatchTooLarge,
    JournalBroken,
    JournalClosed,
    JournalCorrupt,
    JournalFull,
    JournalGap,
    JournalInUse,
    PositionCorrupt,
)
from wattstead.stream.journal import Journal
from wattstead.stream.limits import JournalLimits
from wattstead.stream.position import Mark, Position, PositionFile
from wattstead.stream.reader import Entry, JournalReader

__all__ = [
    "BatchTooLarge",
    "Entry",
    "Journal",
    "JournalBroken",
    "JournalClosed",
    "JournalCorrupt",
    "JournalFull",
    "JournalGap",
    "JournalInUse",
    "JournalLimits",
    "JournalReader",
    "Mark",
    "Position",
    "PositionCorrupt",
    "PositionFile",
]
