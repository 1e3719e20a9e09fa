"""Link: one connection to a NATS server; what goes wrong with it becomes `SourceFailed`. It reads no message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats
from nats.errors import Error, SlowConsumerError

from wattstead.ingest.nats.settings import NatsSettings
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.tls import client_context

_PATIENCE_S = 15
_PING_S = 10
_HOPELESS = ("authorization violation", "authentication expired", "permissions violation", "user authentication")


class Link:
    """An open connection; `lost` is done when it ended or the server complained, with why."""

    def __init__(self, settings: NatsSettings) -> None:
        self.settings = settings
        self.client: Any = None
        self.lost: asyncio.Future[SourceFailed] = asyncio.get_running_loop().create_future()
        self._complaint = ""

    async def open(self) -> None:
        """Connect once and sign in; raises `SourceFailed`."""
        settings = self.settings
        context = client_context(settings.ca, settings.certificate, settings.private_key) if settings.tls else None
        signs_in = {name: value for name in ("user", "password", "token") if (value := getattr(settings, name))}
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        connecting = nats.connect(
            f"{'tls' if settings.tls else 'nats'}://{host}:{settings.at[1]}",
            name="wattstead",
            tls=context,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_PATIENCE_S,
            ping_interval=_PING_S,
            error_cb=self._complained,
            closed_cb=self._closed,
            **signs_in,
        )
        try:
            async with asyncio.timeout(2 * _PATIENCE_S):
                self.client = await connecting
        except (Error, OSError, TimeoutError) as error:
            raise self.failure(self._complaint or _said(error)) from None

    def failure(self, said: str) -> SourceFailed:
        """Why it came to an end, for people; without hope where the server does not know us."""
        hopeless = any(words in said.lower() for words in _HOPELESS)
        return SourceFailed(f"{self.settings.where}: {said or 'cannot be reached, or has gone'}"[:500], hopeless)

    def lose(self, said: str) -> None:
        """It is of no more use."""
        if not self.lost.done():
            self.lost.set_result(self.failure(said))

    async def _complained(self, error: Exception) -> None:
        self._complaint = _said(error)
        if self.client is not None:  # while connecting the last complaint is told by `open`
            self.lose(self._complaint)

    async def _closed(self) -> None:
        self.lose(self._complaint or "the server has ended the connection")

    async def close(self) -> None:
        """End the connection."""
        if self.client is not None:
            with suppress(Exception):
                async with asyncio.timeout(2):
                    await self.client.close()


def _said(error: BaseException) -> str:
    if isinstance(error, SlowConsumerError):
        return "messages came faster than they are kept here, and some are lost; read them from a JetStream stream"
    text = str(error).removeprefix("nats: ").strip()
    return text or type(error).__name__


@asynccontextmanager
async def linked(settings: NatsSettings) -> AsyncIterator[Link]:
    """A connection for as long as it is needed; raises `SourceFailed`."""
    link = Link(settings)
    try:
        await link.open()
        yield link
    finally:
        await link.close()
