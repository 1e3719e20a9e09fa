"""The points a question names, and the sites' zone; the same for every question about readings."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import watch_points, words_of
from wattstead.web.problem import invalid, not_found
from wattstead.web.rooms import Rooms

SpanStart = Annotated[str | None, QueryParameter(description="ISO 8601 or milliseconds; default: a day before end.")]
SpanEnd = Annotated[str | None, QueryParameter(description="ISO 8601 or milliseconds; default: now.")]
MOST_POINTS = 200
"""Points that one question may name."""


def point_ids(text: str, most: int = MOST_POINTS) -> list[int]:
    """The ids in ``1,2,3``; raises `Refused`.

    >>> point_ids("3,1,3")
    [3, 1]
    """
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdecimal() and len(part) < 12 for part in parts):
        raise invalid("points", f"{text[:60]!r} is not a list of point ids such as 1,2,3")
    found = list(dict.fromkeys(int(part) for part in parts))
    if len(found) > most:
        raise invalid("points", f"names {len(found)} points, at most {most} can be asked for at once")
    return found


async def chosen(
    request: AnyRequest, rooms: Rooms, viewer: Viewer, text: str, most: int = MOST_POINTS
) -> list[PointRow]:
    """The points named, all of them the viewer's, whose look at them is kept; raises `Refused` with 404 for the first
    that is not.
    """
    rows = await named(rooms, viewer, text, most)
    await watch_points(rooms, viewer, rows, words_of(request))
    return rows


async def named(rooms: Rooms, viewer: Viewer, text: str, most: int = MOST_POINTS) -> list[PointRow]:
    """`chosen` for who has looked at these points before, and goes on."""
    wanted = point_ids(text, most)
    rows = await rooms.directory.rows(viewer, wanted)
    for point_id in wanted:
        if point_id not in rows:
            raise not_found("point", point_id)
    return list(rows.values())
