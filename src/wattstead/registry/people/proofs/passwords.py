"""Hashing and checking passwords in a small pool of their own, so that logins never starve the rest."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wattstead.registry.errors import LoginBusy, PasswordInvalid

SHORTEST, LONGEST = 10, 1000
_AT_ONCE, _WAITING = 2, 30
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id, 19 MiB, two passes, one lane: OWASP's password storage recommendation."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class PasswordPool:
    """Two low-priority threads and a short queue; what finds the queue full is told so at once."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, "password", initializer=_step_back)
        self._places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)

    def submit(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run work that checks a password; raises `LoginBusy`."""
        if not self._places.acquire(blocking=False):
            raise LoginBusy(_WAITING)
        future = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: self._places.release())
        return future

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Give this thread way to all others; where the system has no priorities of threads, it stays as it is."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def hashed(password: str) -> str:
    """The argon2id hash of a new password; raises `PasswordInvalid`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordInvalid(len(password), SHORTEST, LONGEST)
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the hashed one; takes as long when there is no hash, so that time tells nothing."""
    nobodys = _of_nobody()  # asked for each time: the first one waits for it, whoever that is
    try:
        _HASHER.verify(password_hash or nobodys, password[: LONGEST + 1].encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@functools.cache
def _of_nobody() -> str:
    """The hash of a password that nobody has."""
    return _HASHER.hash(secrets.token_hex(16))


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def random_password() -> str:
    """A password to print once: 20 characters without look-alikes, about 98 bits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ["".join(secrets.choice(letters) for _ in range(5)) for _ in range(4)]
    return "-".join(groups)
