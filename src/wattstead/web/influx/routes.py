"""``/query``: InfluxQL over HTTP as InfluxDB 1.8 answers it, so that Grafana's data source works unchanged."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qsl

import msgspec
from litestar import HttpMethod, Router, route
from litestar.response import Response

from wattstead.metering.errors import WattsteadError
from wattstead.web.access.gate import COOKIE, AnyRequest, bearer
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import watch_list, watch_points
from wattstead.web.http.large import large
from wattstead.web.influx import select as selects
from wattstead.web.influx import shown as shows
from wattstead.web.influx.catalogue import Listed, listed
from wattstead.web.influx.instant import EPOCHS
from wattstead.web.influx.parse import parse
from wattstead.web.influx.question import Done, Select, Show, Statement
from wattstead.web.influx.table import Result, Table, encoded
from wattstead.web.influx.tokens import ParseError
from wattstead.web.problem import request_number, status_of
from wattstead.web.readings.instants import now_us
from wattstead.web.rooms import FromRooms, Rooms

_MOST_PARAMETERS = 100


@route("/query", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, include_in_schema=False, packed=True)
async def query(request: AnyRequest, rooms: FromRooms) -> Response[bytes]:
    """Statements in ``q``, answered in order; a fault of one does not stop the others."""
    given = await _parameters(request)
    viewer = await _viewer(request, given, rooms)
    if isinstance(viewer, str):
        return _error(request, viewer, 401)
    try:
        statements = _statements(given)
    except ParseError as error:
        return _error(request, str(error), 400)
    if not viewer.may_read and not all(map(_for_writers, statements)):
        return _error(request, "authorization failed: this key may only write, use a read key", 401)
    points = await _points(rooms, viewer, given.get("db", ""))
    results = [await _result(i, one, rooms, viewer, points, given) for i, one in enumerate(statements)]
    pretty = given.get("pretty") == "true"
    answer = await large(request, rooms.answer_threads, lambda: encoded(results, pretty))
    answer.headers.update(_headers(request))
    return answer


def _statements(given: dict[str, str]) -> list[Statement]:
    """The statements asked for; raises `ParseError` with the whole sentence of the answer."""
    if not given.get("q"):
        raise ParseError('missing required parameter "q"')
    if given.get("epoch", "ms") not in EPOCHS:
        raise ParseError(f"invalid epoch {given['epoch'][:20]!r}: use ns, u, ms, s, m or h")
    try:
        return parse(given["q"], now_us())
    except ParseError as error:
        text = str(error)
        raise ParseError(text if text.startswith("error parsing") else f"error parsing query: {text}") from None


async def _result(
    number: int, statement: Statement, rooms: Rooms, viewer: Viewer, points: list[Listed], given: dict[str, str]
) -> Result:
    """One statement's answer, or what is wrong with it."""
    tables: list[Table] = []
    try:
        if isinstance(statement, Show):
            await watch_list(rooms, viewer, given["q"])
            sites = await rooms.directory.site_names(viewer)
            tables = shows.answered(statement, sites.values(), points)
        elif isinstance(statement, Select):
            found = await rooms.answer_threads.run(selects.chosen, statement, points)
            await watch_points(rooms, viewer, [one.row for one in found], given["q"])
            tables = await selects.answered(statement, rooms, found, given.get("epoch", ""), now_us())
    except WattsteadError as error:
        if not isinstance(error, ParseError) and status_of(error) == 500:
            raise
        return Result(number, error=str(error))
    return Result(number, tables)


async def _points(rooms: Rooms, viewer: Viewer, database: str) -> list[Listed]:
    """The points of a database: those of the site of that name, else all."""
    sites = await rooms.directory.site_names(viewer)
    named = [site.id for site in sites.values() if site.name == database]
    return await rooms.directory.made_of_sites(viewer, named or None, "listed", lambda rows: listed(rows.values()))


async def _parameters(request: AnyRequest) -> dict[str, str]:
    """Parameters of the query, and of a form body, which win."""
    text = request.scope["query_string"].decode("latin-1")
    given = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    if request.method == "POST" and "form-urlencoded" in request.headers.get("Content-Type", ""):
        body = (await request.body()).decode("utf-8", "replace")
        given |= dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    return given


async def _viewer(request: AnyRequest, given: dict[str, str], rooms: Rooms) -> Viewer | str:
    """Who asks, or Influx's words for nobody: a read key as password, token or bearer, or a session."""
    secret = _secret(request) or given.get("p", "") or given.get("u", "")
    if secret:
        viewer = await rooms.directory.viewer_of_key(secret)
    elif token := request.cookies.get(COOKIE, ""):
        viewer = await rooms.directory.viewer_of_session(token)
    else:
        return "unable to parse authentication credentials"
    if viewer is None:
        return "authorization failed"
    return viewer


def _for_writers(statement: Statement) -> bool:
    """What clients send with their write key before they write."""
    return isinstance(statement, Done) or (isinstance(statement, Show) and statement.subject == "DATABASES")


def _secret(request: AnyRequest) -> str:
    kind, _, told = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(told, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password or user
    if kind.lower() == "token":
        return told.strip().rpartition(":")[2]
    return bearer(request)


def _error(request: AnyRequest, text: str, status: int) -> Response[bytes]:
    headers = _headers(request)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="InfluxDB"'
    body = msgspec.json.encode({"error": text}) + b"\n"
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _headers(request: AnyRequest) -> dict[str, str]:
    number = request_number(request)
    return {"X-Influxdb-Version": "1.8.10", "X-Influxdb-Build": "Wattstead", "Request-Id": number}


routes = Router("/", route_handlers=[query])
