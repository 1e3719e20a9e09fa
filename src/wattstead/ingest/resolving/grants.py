"""Grants: all keys in memory, found by the hash of their secret; it learns of changes and makes none."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable

from wattstead.ingest.resolving.resolver import SealedKey
from wattstead.registry.records import KeyGrant, KeyState

_SECRET = re.compile(r"[0-9a-f]{32}")
_UNKNOWN_S = 1.0
"""How long a secret that was not found is taken as unknown without asking again."""
_LATELY_S = 1.0
"""How long a key that was asked for directly is trusted; `learn` brings it for good."""
_MOST_UNKNOWN = 10_000
_MOST_HASHES = 50_000
_ASKED_PER_S = 50
"""Secrets a second that are looked for beyond the memory, so that guessing costs the guesser and nobody else."""


class Grants:
    """What the keys allow. A key made a moment ago is asked for directly; one revoked is gone with the next `learn`."""

    def __init__(
        self,
        ask: Callable[[str], KeyGrant | None],
        clock: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """``ask`` finds a grant in the registry; ``clock`` gives seconds, ``now_s`` those since 1970."""
        self._ask, self._clock, self._now_s = ask, clock, now_s
        self._grants: dict[bytes, KeyGrant] = {}
        self._hashes: dict[str, bytes] = {}
        """Of secrets seen lately that are known: hashing costs as much as finding."""
        self._sealed: dict[int, SealedKey] = {}
        self._lately: dict[bytes, tuple[float, KeyGrant]] = {}
        self._unknown: dict[bytes, float] = {}
        self._second, self._asked = 0.0, 0
        self.used: set[int] = set()
        """Keys seen since someone last emptied this."""

    def __len__(self) -> int:
        return len(self._grants)

    def find(self, secret: str) -> KeyGrant | None:
        """What the key with that secret allows; None when it is unknown, revoked or has ended."""
        hashed = self._hashes.get(secret) or hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        grant = self._grants.get(hashed)
        if grant is None:
            grant = self._find_new(secret, hashed)
        elif secret not in self._hashes:
            if len(self._hashes) >= _MOST_HASHES:
                self._hashes.clear()
            self._hashes[secret] = hashed
        if grant is None or (grant.ends_s and grant.ends_s <= self._now_s()):
            return None
        self.used.add(grant.id)
        return grant

    def sealed(self, key_id: int) -> SealedKey | None:
        """The sealed key of that id; None too when it has ended."""
        found = self._sealed.get(key_id)
        return None if found and found.grant.ends_s and found.grant.ends_s <= self._now_s() else found

    def learn(self, states: Iterable[KeyState]) -> None:
        """Take over what has become of keys."""
        for state in states:
            self._lately.pop(state.secret_hash, None)
            if state.grant is None:
                self._grants.pop(state.secret_hash, None)
                self._sealed.pop(state.key_id, None)
                continue
            self._grants[state.secret_hash] = state.grant
            if state.secret is not None:
                self._sealed[state.key_id] = SealedKey(state.grant, state.secret)
        self._unknown.clear()

    def _find_new(self, secret: str, hashed: bytes) -> KeyGrant | None:
        now = self._clock()
        lately = self._lately.get(hashed)
        if lately is not None and lately[0] > now:
            return lately[1]
        if self._unknown.get(hashed, now) > now or not _SECRET.fullmatch(secret):
            return None
        if now - self._second >= 1.0:
            self._second, self._asked = now, 0
        if self._asked >= _ASKED_PER_S:
            return None
        self._asked += 1
        grant = self._ask(secret)
        if grant is not None:
            if len(self._lately) >= _MOST_UNKNOWN:
                self._lately.clear()
            self._lately[hashed] = (now + _LATELY_S, grant)  # not for good: it may be revoked at this very moment
            return grant
        if len(self._unknown) >= _MOST_UNKNOWN:
            self._unknown.clear()
        self._unknown[hashed] = now + _UNKNOWN_S
        return None
