"""Dead letters of a source: what could not be kept, as it came, with the reason; decoded again after a fix.

They hold readings: only who may see those of the site sees them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from wattstead.ingest.sources.letters import Letter
from wattstead.ingest.sources.running import Looked
from wattstead.registry.policy import SEE_READINGS, Action, Resource
from wattstead.web.access.gate import needs, require
from wattstead.web.access.places import require_at
from wattstead.web.access.viewer import Viewer
from wattstead.web.api.sources.connections import CHANGE, SEE
from wattstead.web.api.sources.shown import instant, opened
from wattstead.web.problem import Refused, not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms

_SHOWN_BYTES = 4_000


class LetterAnswer(msgspec.Struct, kw_only=True):
    """A message of which something could not be kept."""

    id: int
    received: datetime | None
    where: str
    """Where it came on: a topic, a queue, an address."""
    reason: str
    tries: int
    """How often it was decoded again without success."""
    size_bytes: int
    whole: bool
    """Whether all of it was kept; a message of more than a megabyte is cut, and cannot be decoded again."""
    text: str | None
    """The message where it is text; in a list at most its first 4,000 bytes."""
    hex: str | None
    """The message where it is not."""


class LetterPage(msgspec.Struct, kw_only=True):
    """A page of letters, newest first."""

    rows: list[LetterAnswer]
    total: int
    lost: int
    """How many newer ones took the place of."""
    cursor: str | None


class Chosen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which letters."""

    ids: Annotated[list[int], msgspec.Meta(max_length=1_000)] | None = None
    """Default: all."""


class ReplayAnswer(msgspec.Struct, kw_only=True):
    """What became of letters that were decoded again."""

    gone: int
    """Letters of which everything is kept now."""
    left: int
    """Letters of which something is still wrong, with its new reason."""
    readings: int
    """Readings kept; those that were there already count once."""


@get("/{source_id:int}/letters", opt=needs(Action.SEE, Resource.READING), summary="Dead letters", tags=["sources"])
async def letters(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    source_id: FromPath[int],
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=20)] = "",
    limit: Annotated[int, QueryParameter(description="How many at most.", ge=1, le=200)] = 50,
) -> LetterPage:
    """What could not be kept, newest first; needs the right to see the site's readings."""
    await _require_readings(rooms, viewer, source_id)
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 18):
        raise Refused(400, "cursor: does not belong to this list; begin without one")
    shelf = opened(rooms).letters
    found = await rooms.registry_threads.run(shelf.page, source_id, int(cursor) if cursor else None, limit + 1)
    held = shelf.held(source_id)
    rows = [_answer(one, _SHOWN_BYTES) for one in found[:limit]]
    return LetterPage(
        rows=rows, total=held.letters, lost=held.lost, cursor=str(rows[-1].id) if len(found) > limit else None
    )  # fmt: skip


@get(
    "/{source_id:int}/letters/{letter_id:int}", opt=needs(Action.SEE, Resource.READING), summary="A dead letter",
    tags=["sources"],
)  # fmt: skip
async def letter(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int], letter_id: FromPath[int]
) -> LetterAnswer:
    """One letter, whole."""
    await _require_readings(rooms, viewer, source_id)
    if not 0 <= letter_id < 2**63:
        raise not_found("letter", letter_id)
    found = await rooms.registry_threads.run(opened(rooms).letters.one, source_id, letter_id)
    if found is None:
        raise not_found("letter", letter_id)
    return _answer(found, len(found.message.raw))


@post(
    "/{source_id:int}/letters/replay", opt=needs(Action.CHANGE, Resource.SOURCE), status_code=200,
    summary="Decode dead letters again", tags=["sources"],
)  # fmt: skip
async def replay(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int], data: JSONBody[Chosen]
) -> ReplayAnswer:  # fmt: skip
    """Under the settings as they are now. What is whole then is kept, and its letter goes; the rest stays."""
    await require(rooms, viewer, CHANGE, source_id)
    try:
        found = await opened(rooms).replay(source_id, data.ids)
    except Looked as error:
        raise Refused(409, str(error)) from None
    return ReplayAnswer(gone=found.gone, left=found.left, readings=found.readings)


@delete("/{source_id:int}/letters", opt=needs(Action.CHANGE, Resource.SOURCE), summary="Throw all dead letters away",
        tags=["sources"])  # fmt: skip
async def delete_letters(rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int]) -> None:
    """What they hold is gone for good."""
    await require(rooms, viewer, CHANGE, source_id)
    await rooms.registry_threads.run(opened(rooms).letters.remove, source_id)


@delete(
    "/{source_id:int}/letters/{letter_id:int}", opt=needs(Action.CHANGE, Resource.SOURCE),
    summary="Throw a dead letter away", tags=["sources"],
)  # fmt: skip
async def delete_letter(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, source_id: FromPath[int], letter_id: FromPath[int]
) -> None:
    """What it holds is gone for good."""
    await require(rooms, viewer, CHANGE, source_id)
    removed = 0
    if 0 <= letter_id < 2**63:
        removed = await rooms.registry_threads.run(opened(rooms).letters.remove, source_id, [letter_id])
    if not removed:
        raise not_found("letter", letter_id)


async def _require_readings(rooms: Rooms, viewer: Viewer, source_id: int) -> None:
    await require(rooms, viewer, SEE, source_id)
    found = await rooms.registry_threads.run(rooms.registry.source, source_id)
    await require_at(rooms, viewer, SEE_READINGS, found.site_id)


def _answer(letter: Letter, most_bytes: int) -> LetterAnswer:
    raw = letter.message.raw[:most_bytes]
    text = _text(raw, len(letter.message.raw) > most_bytes)
    return LetterAnswer(
        id=letter.id,
        received=instant(letter.message.received_us),
        where=letter.message.where,
        reason=letter.reason,
        tries=letter.tries,
        size_bytes=len(letter.message.raw),
        whole=letter.whole,
        text=text,
        hex=raw.hex(" ") if text is None else None,
    )


def _text(raw: bytes, cut: bool) -> str | None:
    """The bytes as text; None where they are none."""
    for end in range(4 if cut else 1):  # the cut may go through a character
        try:
            text = raw[: len(raw) - end].decode()
        except UnicodeDecodeError:
            continue
        return text if all(one.isprintable() or one in "\r\n\t" for one in text) else None
    return None


dead_letters = Router("/sources", route_handlers=[letters, letter, replay, delete_letters, delete_letter])
