"""``/blip``: waits with a client for the next pulse of a meter; holds nothing up, all who wait are given it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from wattstead.refining.live import Subscription
from wattstead.web.access.gate import AnyRequest
from wattstead.web.problem import Refused
from wattstead.web.pulses.meters import Meter
from wattstead.web.pulses.pulses import Pulse
from wattstead.web.rooms import Rooms

_LONGEST_S = 3_600.0
"""A client that has heard nothing for so long is answered without a pulse, and asks again: it may be gone unnoticed."""


async def next_pulse(
    request: AnyRequest, rooms: Rooms, meter: Meter | None, again: Callable[[], Awaitable[Meter | None]]
) -> Pulse | None:
    """The first pulse that comes from now on; None when there is no such meter, the client has gone, or none came in an
    hour. ``again`` looks once more whether the client may read, before it is told. Raises `Refused` when too many wait.
    """
    if meter is None:
        return None
    if rooms.streams.open >= rooms.settings.live_streams:
        raise Refused(503, f"{rooms.streams.open} streams are open already; try again later", retry_after_s=20)
    rooms.streams.open += 1
    try:
        known_us = max(rooms.latest.of([meter.ms.point.id]).time_us.tolist(), default=0)
        with rooms.live.subscribe([meter.ms.point.id]) as subscription:
            found = await _first_of(request, subscription, known_us)
    finally:
        rooms.streams.open -= 1
    return found if found is not None and await again() is not None else None


async def _first_of(request: AnyRequest, subscription: Subscription, known_us: int) -> Pulse | None:
    """What comes first: a pulse, or the client's leaving."""
    coming = asyncio.ensure_future(_coming(subscription, known_us))
    leaving = asyncio.ensure_future(_leaving(request))
    try:
        await asyncio.wait({coming, leaving}, timeout=_LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        leaving.cancel()


async def _coming(subscription: Subscription, known_us: int) -> Pulse | None:
    """The first reading after what was known; a subscription begins with that."""
    async for readings in subscription:
        for time_us, value in zip(readings.time_us.tolist(), readings.value.tolist(), strict=True):
            if time_us > known_us:
                return Pulse(time_us // 1_000, round(value))
    return None


async def _leaving(request: AnyRequest) -> None:
    """Returns when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
