"""The routes of the pulse API, at ``/`` and below ``/pulses/SITE``, with the answers that its clients know.

The shape of each answer, status and header is that of the servers these clients were written for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from wattstead.web.access.gate import AnyRequest
from wattstead.web.pulses import pulses
from wattstead.web.pulses.blip import next_pulse
from wattstead.web.pulses.meters import KeyRefused, Meter, meter_asked
from wattstead.web.pulses.pulses import MOST_BUCKETS
from wattstead.web.readings.history import OnTheirWay
from wattstead.web.readings.instants import now_us
from wattstead.web.rooms import FromRooms, Rooms

_DIGITS = re.compile(r"[0-9]+")
_LONGEST = 15
"""Digits of an argument."""
_HEADERS = {
    "Cache-Control": "max-age=0, must-revalidate",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "origin, x-requested-with, accept, authorization",
    "Access-Control-Max-Age": "60",
}
_TYPE = "text/javascript; charset=UTF-8"
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">
<head>
<title>{0}</title>
</head>
<body>
<h1>{0}</h1>
</body>
</html>
"""


class Question(NamedTuple):
    """A request: the meter, None where there is none to be read, and the numbers behind it."""

    rooms: Rooms
    meter: Meter | None
    given: Sequence[int]


class BadRequest(Exception):
    """Arguments that cannot be answered."""


Answer = Callable[[Question], Awaitable[str]]


async def _last(asked: Question) -> str:
    if not asked.given:
        found = None if asked.meter is None else pulses.last(asked.rooms, asked.meter.ms)
        return "[]" if found is None else f"[{found.stamp},{found.ms}]"
    return await _since(asked._replace(given=(_now_ms() - asked.given[0],)))


async def _since(asked: Question) -> str:
    if asked.meter is None:
        return "[]"
    found = await pulses.since(asked.rooms, asked.meter.ms, max(0, asked.given[0]))
    return _listed([f"{one.stamp},{one.ms}" for one in found])


async def _usage(asked: Question) -> str:
    if asked.meter is None:
        return "[0]"
    return f"[{await pulses.count(asked.rooms, asked.meter.ms, max(0, _now_ms() - asked.given[0]))}]"


async def _aggregate(asked: Question) -> str:
    start, interval, count = _slots(asked)
    edges = [start + place * interval for place in range(count + 1)]
    edges = [edge for edge in edges if edge < pulses.END_MS] + [pulses.END_MS] * (edges[-1] >= pulses.END_MS)
    if asked.meter is None or len(edges) < 2:
        return "[]"
    found = await pulses.buckets(asked.rooms, asked.meter.ms, edges)
    return _listed([f"{place * interval},{counted}" for place, counted in found.items()])


async def _aggregate_hourly(asked: Question) -> str:
    start, interval, count = _slots(asked)
    if asked.meter is None:
        return "[]"
    found = await pulses.hours(asked.rooms, asked.meter.ms, start, start + interval * count, 2**31)
    sums: dict[int, float] = {}
    for hour in found:
        place = (hour.stamp - start) // interval
        sums[place] = sums.get(place, 0.0) + hour.mean
    return _listed([f"{place * interval},{_number(total)}" for place, total in sums.items()])


async def _hourly(asked: Question) -> str:
    if asked.meter is None:
        return "[]"
    first, final = asked.given
    found = await pulses.hours(asked.rooms, asked.meter.ms, first, final + 1)
    return _listed([f"{h.stamp},{h.pulses},{_number(h.mean)},{h.min_ms},{h.max_ms}" for h in found])


def _slots(asked: Question) -> tuple[int, int, int]:
    start, interval, count = asked.given
    if count > MOST_BUCKETS or interval == 0:
        raise BadRequest
    return start, interval, count


ANSWERS: dict[str, tuple[tuple[int, ...], Answer | None]] = {
    "blip": ((0,), None),
    "last": ((0, 1), _last),
    "since": ((1,), _since),
    "aggregate": ((3,), _aggregate),
    "aggregate_hourly": ((3,), _aggregate_hourly),
    "hourly": ((2,), _hourly),
    "usage": ((1,), _usage),
}
"""What is answered, and how many numbers may stand behind the meter's; `blip` waits for what comes."""


def _handler(word: str, site: bool) -> HTTPRouteHandler:
    """The handler of one word."""
    path = f"/pulses/{{site:int}}/{word}/{{path:path}}" if site else f"/{word}/{{path:path}}"

    @route(path, http_method=[HttpMethod.GET, HttpMethod.OPTIONS], status_code=200, include_in_schema=False, name=None)
    async def serve(request: AnyRequest, rooms: FromRooms, path: FromPath[str]) -> Response[str]:
        return await answered(request, rooms, word, int(request.path_params.get("site", 0)) if site else 0, path)

    return serve


async def answered(request: AnyRequest, rooms: Rooms, word: str, site_id: int, path: str) -> Response[str]:
    """The answer to one request, errors included."""
    texts = path.strip("/").split("/")
    arities, answer = ANSWERS[word]
    if len(texts) - 1 not in arities or not all(_DIGITS.fullmatch(text) for text in texts):
        return _failed("Not Found", 404)
    if request.method == "OPTIONS":
        return _told("")
    if any(len(text) > _LONGEST for text in texts):
        return _failed("Bad Request", 400)
    number, *given = (int(text) for text in texts)
    try:
        meter = await meter_asked(request, rooms, site_id, number)
        if answer is None:
            found = await next_pulse(request, rooms, meter, lambda: meter_asked(request, rooms, site_id, number))
            return _told(f"[{found.stamp},{found.ms}]") if found else _told("", 204)
        return _told(await answer(Question(rooms, meter, given)))
    except BadRequest:
        return _failed("Bad Request", 400)
    except KeyRefused as error:
        return Response(str(error), status_code=401, media_type="text/plain", headers={
            **_HEADERS, "WWW-Authenticate": 'Bearer realm="wattstead"'})  # fmt: skip
    except OnTheirWay as error:
        return Response(str(error), status_code=503, media_type="text/plain", headers={
            **_HEADERS, "Retry-After": str(max(1, round(error.retry_after_s)))})  # fmt: skip


def _told(text: str, status: int = 200) -> Response[str]:
    return Response(text, status_code=status, headers={**_HEADERS, "Content-Type": _TYPE})


def _failed(title: str, status: int) -> Response[str]:
    return Response(_PAGE.format(title), status_code=status, headers={"Content-Type": "text/html; charset=UTF-8"})


def _listed(rows: Sequence[str]) -> str:
    return f"[{','.join(f'[{row}]' for row in rows)}]"


def _number(value: float) -> str:
    """A number as PostgreSQL writes a double: no more digits than tell it apart.

    >>> _number(3600.0), _number(0.1)
    ('3600', '0.1')
    """
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _now_ms() -> int:
    return now_us() // 1_000


routes = [Router("/", route_handlers=[_handler(word, site) for word in ANSWERS]) for site in (False, True)]
