"""Traffic: how many bytes came with each key since somebody last took the sums; whose they are is decided elsewhere.

Counted are request line, headers and body as they came over HTTP, compressed if they were; not TLS, TCP and answers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Traffic:
    """Sums of one process; added to by its event loop, taken by a thread.

    >>> traffic = Traffic()
    >>> traffic.add(7, 200), traffic.add(7, 100)
    (None, None)
    >>> traffic.take(), traffic.take()
    ({7: 300}, {})
    """

    def __init__(self) -> None:
        self._sums: dict[int, int] = {}
        self._lock = threading.Lock()

    def add(self, key_id: int, size: int) -> None:
        """So many bytes came with the key of that id."""
        with self._lock:
            self._sums[key_id] = self._sums.get(key_id, 0) + size

    def take(self) -> dict[int, int]:
        """The bytes by key id; from now on it counts from nothing."""
        with self._lock:
            taken, self._sums = self._sums, {}
        return taken

    def put_back(self, taken: Mapping[int, int]) -> None:
        """What was taken could not be written down; it is counted again with the rest."""
        for key_id, size in taken.items():
            self.add(key_id, size)
