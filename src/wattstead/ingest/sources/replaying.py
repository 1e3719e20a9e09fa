"""Decoding dead letters again, under the settings as they stand now: what is right now is kept and its letter goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.sources.letters import Letter, Letters
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.ingest.sources.way import SourceWay, reasons
from wattstead.registry.records import KeyGrant

Decode = Callable[[Message], Columns | Few]


class Replayed(msgspec.Struct, frozen=True):
    """What became of letters that were decoded again."""

    gone: int
    """Letters of which everything is kept now."""
    left: int
    """Letters of which something is still wrong; they say what."""
    readings: int
    """Readings that are kept; those that were there already are among them and count once."""


Sender = Callable[[int, int], KeyGrant | None]


async def replay(
    source_id: int, letters: Letters, ids: Iterable[int], decode: Decode, way: SourceWay, sender: Sender
) -> Replayed:
    """Decode letters again, oldest first; one that still says nothing, or has a fault, stays where it is.

    ``sender``: what the key may write that a message was sent with to the source; None where that has ended.
    """
    own = way.grant
    gone = left = readings = 0
    for letter_id in sorted(ids):
        letter = await asyncio.to_thread(letters.one, source_id, letter_id)
        if letter is None:
            continue
        key_id = letter.message.sender
        grant = await asyncio.to_thread(sender, source_id, key_id) if key_id else own
        if grant is None:
            kept, reason = 0, "the key that it was sent with has ended, and was one device's: it is nobody's any more"
        else:
            way.grant = grant
            kept, reason = await _again(letter, decode, way)
        readings += kept
        if reason:
            left += 1
            await asyncio.to_thread(letters.still, letter_id, reason)
        else:
            gone += 1
            await asyncio.to_thread(letters.remove, source_id, [letter_id])
    return Replayed(gone, left, readings)


async def _again(letter: Letter, decode: Decode, way: SourceWay) -> tuple[int, str]:
    """How many readings were kept, and what is still wrong; empty when nothing is."""
    if not letter.whole:
        return 0, "only the beginning of this message is here, so it cannot be read again"
    try:
        columns: Any = decode(letter.message)
    except Unreadable as error:
        return 0, str(error)
    except Exception as error:
        return 0, f"this is a fault of the program ({type(error).__name__}) in reading it"
    kept = await way.keep_whole(columns)
    if kept is None:
        return 0, way.figures.last_rejected
    if kept.rejected:
        return kept.accepted, reasons(kept.rejected)
    return kept.accepted, "" if kept.accepted else "there is no reading in it under the present settings"
