"""Polling: asks a server what a plan says, page by page, hands on what is new, and waits for the next time.

What is asked and what answers mean is each protocol's affair; so is what `wattstead.ingest.fetched.fetching` does.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.fetched.fetching import Fetcher
from wattstead.ingest.fetched.plan import Plan, Request
from wattstead.ingest.reception import present_us
from wattstead.ingest.sources.source_protocol import Found, Message, SourceFailed, Unreadable, Way
from wattstead.metering.wording import counted

_MOST_PAGES = 200
_EARLY, _LATE = 0.01, 60.0
Kept = dict[tuple[int, int], bytes]
"""What was kept last, by request and page, as a digest."""


async def polled(plan: Plan, ca: str, every_s: float, way: Way) -> None:
    """`poll` with a fetcher of its own, which knows servers by ``ca``."""
    await poll(Fetcher(ca), plan, every_s, way)


async def looked(plan: Plan, ca: str) -> Sequence[Found]:
    """`seen` at present, with a fetcher of its own."""
    return await seen(Fetcher(ca), plan, present_us())


async def poll(fetcher: Fetcher, plan: Plan, every_s: float, way: Way) -> None:
    """Ask, keep, wait, until cancelled; raises `SourceFailed`. What cannot be read becomes a dead letter."""
    kept: Kept = {}
    while True:
        await one_round(fetcher, plan, way, kept)
        await asyncio.sleep(until_next_s(way.present_us() / 1e6, every_s, str(id(way))))


def until_next_s(now_s: float, every_s: float, who: str) -> float:
    """Seconds until the next multiple of ``every_s``, a little after it, by as much as suits ``who``.

    So not everybody asks in the same second.

    >>> until_next_s(3_590.0, 3_600.0, "a") == until_next_s(3_590.0, 3_600.0, "a")
    True
    >>> 10 <= until_next_s(3_590.0, 3_600.0, "a") <= 70 + 3_600
    True
    """
    late_s = (zlib.crc32(who.encode()) % 1000) / 1000 * min(_LATE, every_s / 10)
    waited_s = every_s - (now_s - late_s) % every_s
    return waited_s if waited_s > every_s * _EARLY else waited_s + every_s


async def one_round(fetcher: Fetcher, plan: Plan, way: Way, kept: Kept) -> None:
    """Ask for everything once. ``kept`` knows what was kept before, so that the same is not kept again."""
    for at, first in enumerate(plan.requests(way.present_us())):
        request: Request | None = first
        for page in range(_MOST_PAGES):
            assert request is not None
            answer = await fetcher.get(request)
            way.connected(urlsplit(request.url).netloc)
            if answer is None:
                break
            message = Message(answer.raw, answer.request.shown, way.present_us())
            try:
                columns, said = await asyncio.to_thread(_read, plan.decode, message)
                if kept.get((at, page)) != said:
                    await way.keep(columns, message)
                    kept[at, page] = said
                request = plan.after(answer)
            except Unreadable as fault:
                way.refuse(message, str(fault))
                break
            if request is None:
                break
        else:
            raise SourceFailed(f"{first.url} has more than {_MOST_PAGES} pages; ask for less", retry_after_s=600)


def _read(decode: Callable[[Message], Columns | Few], message: Message) -> tuple[Columns | Few, bytes]:
    """What an answer says, and its digest; for a thread: a short answer may stand for very many readings."""
    columns = decode(message)
    return columns, _digest(columns)


def _digest(columns: Columns | Few) -> bytes:
    """What tells readings and their faults from others, whatever else an answer says."""
    whole = columns.columns() if isinstance(columns, Few) else columns
    names = [whole.names.address(row) for row in range(len(whole))]
    faults = [str(one) for one in whole.rejected.listed]
    told = hashlib.sha256(repr((names, faults)).encode())
    told.update(whole.time_us.tobytes() + whole.value.tobytes())
    return told.digest()


async def seen(fetcher: Fetcher, plan: Plan, now_us: int) -> Sequence[Found]:
    """What the first answer says, point by point: its address, its first value and how many. Raises `SourceFailed`."""
    for request in plan.requests(now_us):
        answer = await fetcher.get(request)
        if answer is None:
            continue
        try:
            return await asyncio.to_thread(_found, plan.decode, Message(answer.raw, answer.request.shown, now_us))
        except Unreadable as fault:
            raise SourceFailed(f"{urlsplit(request.url).netloc} answers, and {fault}") from None
    return []


def _found(decode: Callable[[Message], Columns | Few], message: Message) -> list[Found]:
    few = decode(message)
    columns = few.columns() if isinstance(few, Few) else few
    counts: dict[str, int] = {}
    first: dict[str, int] = {}
    for row in range(len(columns)):
        address = columns.names.address(row)
        counts[address] = counts.get(address, 0) + 1
        first.setdefault(address, row)
    units = columns.units or [""] * len(columns)
    found = [
        Found(where=address, name=counted(counts[address], "value"), value=f"{columns.value[row]:g}", unit=units[row])
        for address, row in first.items()
    ]
    return found + [Found(where=one.place, fault=one.reason) for one in columns.rejected.listed[:20]]
