"""LiveCertificate: the pair that new connections are greeted with, exchanged while the others go on.

When a pair is due and where it comes from is its source's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog

from wattstead.certificates.errors import CertificateError
from wattstead.certificates.sources import Source

_log = structlog.get_logger("wattstead.certificates")
T = TypeVar("T")


def present() -> datetime:
    """The present by this machine's clock."""
    return datetime.now(UTC)


class LiveCertificate:
    """One source's pair, in a TLS context that stays the same while pairs come and go."""

    def __init__(self, source: Source, now: Callable[[], datetime] = present) -> None:
        """Blocks until there is a first pair; raises `CertificateError` where there is none."""
        self._source, self._now = source, now
        self.trouble = ""
        """Why the newest pair is not in use; empty when all is well."""
        self.exchanged = 0
        """How often a pair has followed another."""
        self.pair = source.first(now())
        self._greeting = self.pair.context()
        self.context = self.pair.context()
        # Not load_cert_chain on the living context: that keeps the old pair beside a new one of another kind of key.
        self.context.sni_callback = self._greet

    @property
    def days_left(self) -> float:
        """Days until the pair in use ends."""
        return (self.pair.ends - self._now()).total_seconds() / 86_400

    @property
    def public(self) -> bool:
        """Whether an authority that clients know anyway has vouched for the pair in use."""
        return self._source.public and not self.pair.own

    @property
    def well(self) -> bool:
        """Whether nothing has to be done by a person."""
        return not self.trouble and self.days_left > 0

    @property
    def text(self) -> str:
        """How it stands, one sentence."""
        if self.days_left <= 0:
            held = f"the certificate ended at {self.pair.ends:%Y-%m-%d %H:%M} UTC: clients refuse it"
        else:
            held = f"the certificate holds until {self.pair.ends:%Y-%m-%d}"
        return f"{held}; a newer one is not in use: {self.trouble}" if self.trouble else held

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Newer pairs are taken while this is open."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def look(self) -> bool:
        """Look once for a newer pair; False when there is one that cannot be used."""
        try:
            found = await _aside(partial(self._source.newer, self.pair, self._now()))
        except Exception as error:  # whatever it is, there is a pair to go on with
            expected = isinstance(error, CertificateError)
            told = str(error) if expected else f"{type(error).__name__}: {error}"
            if told != self.trouble:
                _log.error("the certificate stays as it is", reason=told, exc_info=None if expected else error)
            self.trouble = told
            return False
        self.trouble = ""
        if found is not None:
            self._greeting, self.pair = found.context(), found
            self.exchanged += 1
            _log.info("a new certificate is in use", ends=found.ends.isoformat(), names=sorted(found.names)[:20])
        return True

    async def _keep(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._source.wait_s(self.pair, failures, self._now()))
            failures = 0 if await self.look() else failures + 1

    def _greet(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._greeting


async def _aside(work: Callable[[], T]) -> T:
    """Work in a thread that does not hold up the end of the process: an authority may be slow to answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(found: T | None, error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(found)  # type: ignore[arg-type]

    def run() -> None:
        found, error = None, None
        try:
            found = work()
        except BaseException as met:
            error = met
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(finish, found, error)

    threading.Thread(target=run, name="certificate", daemon=True).start()
    return await done
