"""Passwords that cost little in the tests' own processes: each join and each sign-in would take 30 ms of one core.

The products that tests start hash them as they are shipped.
"""

from __future__ import annotations

from argon2 import PasswordHasher

from wattstead.registry.people.proofs import passwords

SHIPPED = passwords._HASHER
"""How the product hashes."""


def cheaply() -> None:
    """From now on passwords are hashed in this process with the least that the algorithm takes."""
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # type: ignore[misc]
    passwords._of_nobody.cache_clear()
