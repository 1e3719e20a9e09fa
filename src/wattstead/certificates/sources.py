"""Where a pair comes from, as a Protocol; and the two that ask nobody: files of somebody else, the local authority."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wattstead.certificates import machine
from wattstead.certificates.authority import Authority
from wattstead.certificates.errors import PairBroken
from wattstead.certificates.pair import Pair, read_pair, save_pair

PAIR = CERTIFICATE, KEY = "server.crt", "server.key"
"""The pair in use, in the folder of certificates."""


class Source(Protocol):
    """Gives pairs; all its methods may block, and are called by one thread at a time."""

    public: bool
    """Whether others than this machine vouch for it."""

    def first(self, now: datetime) -> Pair:
        """The pair to begin with; raises `CertificateError`."""
        ...

    def newer(self, held: Pair, now: datetime) -> Pair | None:
        """A pair to go on with; None to stay. Raises `CertificateError`: then too one stays."""
        ...

    def wait_s(self, held: Pair, failures: int, now: datetime) -> float:
        """Seconds until the next look, after so many failures on end."""
        ...


class Files:
    """Two files that somebody else looks after; looked at every two seconds."""

    public = True

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self._seen: object = None

    def first(self, now: datetime) -> Pair:
        """Raises `PairBroken`; a pair that has ended is better than none."""
        self._seen = self._marks()
        return read_pair(self._certificate, self._key)

    def newer(self, held: Pair, now: datetime) -> Pair | None:
        """Raises `PairBroken` as long as the new files cannot be used, or hold a pair that does not hold now."""
        seen = self._marks()
        if seen == self._seen:
            return None
        found = read_pair(self._certificate, self._key)
        if not found.holds(now) and held.holds(now):
            raise PairBroken(str(self._certificate), f"holds only from {found.begins} to {found.ends}")
        self._seen = seen
        return found

    def wait_s(self, held: Pair, failures: int, now: datetime) -> float:
        """Always the same."""
        return 2.0

    def _marks(self) -> object:
        return tuple(self._mark(path) for path in (self._certificate, self._key))

    def _mark(self, path: Path) -> tuple[int, ...]:
        try:
            found = path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


class Local:
    """The local authority, for the names and addresses that the machine has at the moment."""

    public = False

    def __init__(self, folder: Path, authority: Authority, names: Callable[[], frozenset[str]]) -> None:
        self._folder, self.authority, self._names = folder, authority, names

    def first(self, now: datetime) -> Pair:
        """The pair of last time where it is still good."""
        try:
            kept = read_pair(self._folder / CERTIFICATE, self._folder / KEY)
        except PairBroken:
            return self._made(now)
        return self.newer(kept, now) or kept

    def newer(self, held: Pair, now: datetime) -> Pair | None:
        """Another one when it is due, or the machine has other names."""
        wanted = {name for name in self._names() if self.authority.permits(name)}
        if held.of(self.authority.certificate) and held.names >= wanted and held.begins <= now and not held.due(now):
            return None
        return self._made(now)

    def wait_s(self, held: Pair, failures: int, now: datetime) -> float:
        """A network may change at any time."""
        return 60.0

    def _made(self, now: datetime) -> Pair:
        made = self.authority.leaf(self._names(), now)
        save_pair(made, self._folder / CERTIFICATE, self._folder / KEY)
        return made


def reachable_as(more: frozenset[str]) -> frozenset[str]:
    """Every name and address of this machine, and those of the settings."""
    return machine.names() | more | {str(address) for address in machine.addresses()}
