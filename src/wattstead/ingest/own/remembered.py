"""Remembered: name columns of regular senders by the bytes they arrived as; forgets the least recently seen."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")
_PER_NAME_BYTES = 120


class Remembered(Generic[T]):
    """What was made of some bytes, found again by the same bytes, within a limit of memory.

    >>> seen = Remembered[int](1000)
    >>> seen.keep(b"abc", 7, rows=1)
    >>> seen.get(b"abc"), seen.get(b"abd")
    (7, None)
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._found: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def get(self, text: bytes) -> T | None:
        """What is remembered for those bytes."""
        found = self._found.get(text)
        if found is None:
            return None
        self._found.move_to_end(text)
        return found[0]

    def keep(self, text: bytes, made: T, rows: int) -> None:
        """Remember what was made of those bytes, ``rows`` names."""
        size = len(text) + rows * _PER_NAME_BYTES
        if size > self._limit_bytes // 4 or text in self._found:
            return
        self._found[text] = (made, size)
        self._held_bytes += size
        while self._held_bytes > self._limit_bytes:
            _, (_, gone) = self._found.popitem(last=False)
            self._held_bytes -= gone
