"""Files that were previewed and wait to be taken: in memory, bounded in number and bytes; reads none of them."""

from __future__ import annotations

import secrets
import time
from typing import NamedTuple

_KEPT_S = 1_800.0
MOST_KEPT, MOST_EACH = 20, 3
"""How many files wait at most, and how many of one person."""
MOST_BYTES, MOST_BYTES_EACH = 60_000_000, 20_000_000
"""How large they are together, and those of one person. Room is made among one's own first, the oldest going; a file
that is gone is sent again."""


class _Kept(NamedTuple):
    until_s: float
    account_id: int
    kind: str
    content: bytes


class Waiting:
    """Files that were previewed, in memory for half an hour; each is its person's alone.

    They wait as they were sent: what is read from one may take many times its bytes.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def keep(self, account_id: int, kind: str, content: bytes) -> str:
        """The token with which to take it."""
        now = time.monotonic()
        self._kept = {token: one for token, one in self._kept.items() if one.until_s > now}
        own = [token for token, one in self._kept.items() if one.account_id == account_id]
        self._make_room(own, MOST_EACH, MOST_BYTES_EACH - len(content))
        self._make_room(list(self._kept), MOST_KEPT, MOST_BYTES - len(content))
        token = secrets.token_urlsafe(24)
        self._kept[token] = _Kept(now + _KEPT_S, account_id, kind, content)
        return token

    def take(self, account_id: int, token: str) -> tuple[str, bytes] | None:
        """Kind and file, once."""
        found = self._kept.get(token)
        if found is None or found.account_id != account_id or found.until_s < time.monotonic():
            return None
        del self._kept[token]
        return found.kind, found.content

    def _make_room(self, tokens: list[str], most: int, bytes_left: int) -> None:
        """Let the oldest of these go until one more fits beside them."""
        held = sum(len(self._kept[token].content) for token in tokens)
        for gone, token in enumerate(tokens):
            if len(tokens) - gone < most and held <= bytes_left:
                return
            held -= len(self._kept.pop(token).content)
