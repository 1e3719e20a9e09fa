"""Listening to a wire that speaks by itself, before anything is saved: what came within some seconds, as it is read.

What is a whole message, and what it says, is each protocol's affair; nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.sources.source_protocol import Found, Message, SourceFailed, Unreadable
from wattstead.ingest.sources.wire import Line, opened

_LONGEST_S = 25.0
_MOST_BYTES = 1_000_000
_SHOWN = 40


async def listen(
    port: str,
    line: Line,
    asked: Mapping[str, Any],
    usual_s: float,
    whole: Callable[[bytes], Sequence[bytes]],
    read: Callable[[Message], Columns],
) -> Sequence[Found]:
    """The numbers of the newest message, each with its address; ``asked``: ``seconds``, how long (``usual_s``).

    ``whole`` cuts messages out of what came. Raises `SourceFailed`, `ParameterInvalid`.
    """
    seconds = asked.get("seconds", usual_s)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_S:
        raise ParameterInvalid("seconds", str(seconds), f"a number of at most {_LONGEST_S:g}")
    said = await _said(port, line, seconds)
    messages = whole(said)
    if not messages:
        raise SourceFailed(_nothing(port, said, seconds))
    now_us = time.time_ns() // 1_000
    try:
        found = read(Message(messages[-1], port, now_us))
    except Unreadable as error:
        raise SourceFailed(f"{port} speaks, and {error}") from None
    units = found.units or [""] * len(found)
    told = [
        Found(where=found.names.address(row), value=f"{value:.12g}", unit=units[row])
        for row, value in enumerate(found.value.tolist())
    ]
    return told + [Found(where=one.place, fault=one.reason) for one in found.rejected.listed]


async def _said(port: str, line: Line, seconds: float) -> bytes:
    """All that comes in so many seconds; less when the other side goes before."""
    said = bytearray()
    async with opened(port, line, lambda: 0) as pieces:
        try:
            async with asyncio.timeout(seconds):
                async for piece in pieces:
                    said += piece.raw
                    if len(said) > _MOST_BYTES:
                        break
        except TimeoutError:
            pass
        except SourceFailed:
            if not said:
                raise
    return bytes(said)


def _nothing(port: str, said: bytes, seconds: float) -> str:
    if not said:
        return f"{port} is open, and said nothing within {seconds:g} s: does the head sit right, is the meter awake?"
    return (
        f"{port} said {len(said):,} bytes within {seconds:g} s, and no whole message of this kind in them: are speed "
        f"and mode right? They begin with {said[:_SHOWN].hex(' ')}"
    )
