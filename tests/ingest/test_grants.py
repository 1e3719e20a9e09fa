"""Grants: guessing is cheap for us, revoked keys never come back."""

from __future__ import annotations

import pytest

from wattstead.ingest.resolving.grants import Grants
from wattstead.registry.places.keys import secret_hash
from wattstead.registry.records import KeyGrant, KeyState, Scope

pytestmark = pytest.mark.unit
SECRET = "0123456789abcdef" * 2
GRANT = KeyGrant(1, 7, 1, Scope.WRITE, 100)


class Registry:
    """Keys that can be asked for, counting how often."""

    def __init__(self) -> None:
        self.keys: dict[str, KeyGrant] = {}
        self.asked = 0
        self.now_s = 100.0

    def ask(self, secret: str) -> KeyGrant | None:
        self.asked += 1
        return self.keys.get(secret)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def grants(registry: Registry) -> Grants:
    return Grants(registry.ask, lambda: registry.now_s)


def _state(grant: KeyGrant | None, secret: str | None = None) -> KeyState:
    return KeyState(secret_hash=secret_hash(SECRET), grant=grant, key_id=1, secret=secret)


def test_learnt_keys_are_answered_from_memory(registry: Registry, grants: Grants) -> None:
    grants.learn([_state(GRANT, SECRET)])
    assert grants.find(SECRET) == GRANT and registry.asked == 0
    assert grants.used == {1}
    sealed = grants.sealed(1)
    assert sealed is not None and sealed == (GRANT, SECRET)
    grants.learn([_state(None)])
    assert grants.find(SECRET) is None and grants.sealed(1) is None


def test_an_unknown_secret_is_asked_for_once_in_a_while(registry: Registry, grants: Grants) -> None:
    for _ in range(10):
        assert grants.find(SECRET) is None
    assert registry.asked == 1
    registry.now_s += 1.1
    registry.keys[SECRET] = GRANT
    assert grants.find(SECRET) == GRANT and registry.asked == 2


def test_guesses_are_few_a_second(registry: Registry, grants: Grants) -> None:
    for guess in range(1_000):
        assert grants.find(f"{guess:032x}") is None
    assert registry.asked == 50
    registry.now_s += 1.0
    assert grants.find("f" * 32) is None and registry.asked == 51


def test_guesses_do_not_fill_the_memory(registry: Registry, grants: Grants) -> None:
    for guess in range(30_000):
        grants.find(f"{guess:032x}")
        registry.now_s += 0.03
    assert len(grants._unknown) <= 10_000


def test_what_cannot_be_a_secret_is_not_asked_for(registry: Registry, grants: Grants) -> None:
    for secret in ("", "x", SECRET.upper(), SECRET + "0", SECRET + "\n", "\ud800" * 32, "é" * 32):
        assert grants.find(secret) is None
    assert registry.asked == 0


def test_a_key_asked_for_directly_is_not_trusted_for_good(registry: Registry, grants: Grants) -> None:
    registry.keys[SECRET] = GRANT
    assert grants.find(SECRET) == GRANT == grants.find(SECRET) and registry.asked == 1
    registry.keys.clear()
    registry.now_s += 1.1  # it was revoked while the answer was on its way, and that was learnt before
    assert grants.find(SECRET) is None
    registry.keys[SECRET] = GRANT
    registry.now_s += 1.1
    assert grants.find(SECRET) == GRANT
    grants.learn([_state(None)])
    registry.keys.clear()
    assert grants.find(SECRET) is None
