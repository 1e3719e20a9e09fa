"""How the server is doing, for the people who keep it."""

from __future__ import annotations

import msgspec
from litestar import get

from wattstead import __version__
from wattstead.registry.policy import Action, Resource
from wattstead.web.access.gate import needs
from wattstead.web.readings.instants import now_us
from wattstead.web.rooms import FromAccount, FromRooms, StatusPart


class StatusAnswer(msgspec.Struct):
    """The state of every part."""

    version: str
    time: int
    """The server's clock, milliseconds since 1970."""
    ok: bool
    parts: list[StatusPart]


@get("/status", opt=needs(Action.SEE, Resource.STATUS), summary="Status", tags=["status"])
async def status(rooms: FromRooms, account: FromAccount) -> StatusAnswer:
    """Receiving, journal, store and rollups: one sentence and some figures each."""
    parts = list(await rooms.registry_threads.run(rooms.status))
    return StatusAnswer(__version__, now_us() // 1000, all(part.ok for part in parts), parts)


routes = status
