"""Challenges: what is answered on port 80 to an authority that asks whether a name is ours; asks nobody itself."""

from __future__ import annotations

import threading

PATH = "/.well-known/acme-challenge/"
"""Below it an authority asks."""


class Challenges:
    """What an authority is answered that asks whether a name is ours."""

    def __init__(self) -> None:
        self._answers: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, path: str, answer: bytes) -> None:
        """Answer so on that path."""
        with self._lock:
            self._answers[path] = answer

    def drop(self, path: str) -> None:
        """Answer there no more."""
        with self._lock:
            self._answers.pop(path, None)

    def get(self, path: str) -> bytes | None:
        """The answer on a path; None where nothing was asked for."""
        with self._lock:
            return self._answers.get(path)
