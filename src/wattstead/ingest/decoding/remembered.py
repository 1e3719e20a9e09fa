"""What was met lately and need not be worked out again; bounded in bytes, because senders choose what it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
_BESIDE = 200
"""Bytes of what is kept beside the text itself: entry, key, object."""


class Remembered(dict[K, V]):
    """A dictionary that forgets everything when it has come to ``most_bytes``; read it as any other.

    >>> known = Remembered(1_000)
    >>> for name in ("a", "b", "c", "d", "e"):
    ...     known.keep(name, 1, 300)
    >>> known, known.held_bytes
    ({'d': 1, 'e': 1}, 600)
    >>> known.keep("much", 2, 501)
    >>> "much" in known
    False
    """

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self.most_bytes, self.held_bytes = most_bytes, 0

    def keep(self, key: K, found: V, size_bytes: int) -> None:
        """Remember what was found, unless it takes more than half of the room by itself."""
        if size_bytes > self.most_bytes // 2:
            return
        self.grow(size_bytes)
        self[key] = found

    def grow(self, size_bytes: int) -> None:
        """So many bytes more are held, or are about to be."""
        if self.held_bytes + size_bytes > self.most_bytes:
            self.clear()
            self.held_bytes = 0
        self.held_bytes += size_bytes


def size_of(texts: Iterable[str | bytes]) -> int:
    """Roughly the memory of texts that are kept, with what stands beside each.

    >>> size_of(["a" * 1_000]) // 100
    12
    """
    return sum(sys.getsizeof(text) + _BESIDE for text in texts)
