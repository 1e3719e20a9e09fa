"""The table of EmonCMS's reading actions and the one handler that serves them, at ``/`` and below ``/emoncms``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from wattstead.web.access.gate import AnyRequest
from wattstead.web.emoncms import feed_history, feeds, inputs, people
from wattstead.web.emoncms.asked import Asked, KeyInvalid, asked
from wattstead.web.emoncms.feed_history import Csv
from wattstead.web.emoncms.php import Json, json
from wattstead.web.readings.history import OnTheirWay
from wattstead.web.rooms import FromRooms

Action = Callable[[Asked], Awaitable[Json | Csv | str]]

ACTIONS: dict[str, Action] = {
    "input/list": inputs.listed,
    "input/get": inputs.get,
    "input/getinputs": inputs.get_inputs,
    "input/get_inputs": inputs.get_inputs,
    "feed/list": feeds.listed,
    "feed/listwithmeta": feeds.listed,
    "feed/aget": feeds.aget,
    "feed/get": feeds.get,
    "feed/value": feeds.value,
    "feed/timevalue": feeds.timevalue,
    "feed/fetch": feeds.fetch,
    "feed/getid": feeds.get_id,
    "feed/getmeta": feeds.get_meta,
    "feed/create": feeds.create,
    "feed/data": feed_history.answered,
    "feed/average": feed_history.answered,
    "feed/csvexport": feed_history.answered,
    "user/auth": people.auth,
    "user/session": people.session,
    "user/getuuid": people.get_uuid,
    "user/timezone": people.timezone,
    "user/gettimezone": people.get_timezone,
}
"""Every action that is answered; a new one is a row here."""
_PLAIN = frozenset({"feed/getid", "feed/data", "feed/average", "feed/csvexport"})
"""Where a text is told as it is, not as JSON."""
_FOR_WRITERS = frozenset({"feed/create", "input/get", "user/session", "user/auth"})
_CORS = {"Access-Control-Allow-Origin": "*"}
_REALM = 'Bearer realm="API KEY", error="invalid_apikey", error_description="Invalid API key"'
_CONTROLLERS = ("feed", "input", "user")


def handler(controller: str) -> HTTPRouteHandler:
    """The handler of all actions of a controller."""

    @route(f"/{controller}/{{path:path}}", http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.OPTIONS],
           status_code=200, include_in_schema=False, name=None)  # fmt: skip
    async def serve(request: AnyRequest, rooms: FromRooms, path: FromPath[str]) -> Response[str]:
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "Authorization"}
            return Response("", headers=_CORS | allowed, media_type="text/plain")
        return await answered(request, controller, path, rooms)

    return serve


async def answered(request: AnyRequest, controller: str, path: str, rooms: FromRooms) -> Response[str]:
    """The answer to one request in EmonCMS's own form, errors included."""
    try:
        question = await asked(request, controller, path, rooms)
    except KeyInvalid as error:
        realm = 'Bearer realm="API KEY", error="invalid_apikey", error_description="Invalid API key"'
        return Response(
            str(error), status_code=401, media_type="text/plain", headers=_CORS | {"WWW-Authenticate": realm}
        )
    name = f"{controller}/{question.action}"
    act = ACTIONS.get(name)
    if act is None:
        return _json({"success": False, "message": "406 Not Acceptable. Route not found"}, 406)
    if question.viewer is not None and question.reader is None and name not in _FOR_WRITERS:
        return _json({"success": False, "message": "This is a write key; reading needs a read key of the site"}, 401)
    try:
        found = await act(question)
    except OnTheirWay as error:
        refused = _json({"success": False, "message": str(error)}, 503)
        refused.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
        return refused
    return await _told(found, name in _PLAIN, rooms)


async def _told(found: Json | Csv | str, plain: bool, rooms: FromRooms) -> Response[str]:
    """An action's answer as a file, as plain text or as JSON."""
    if isinstance(found, Csv):
        headers = {"Content-Disposition": f"attachment; filename={found.name}", "Content-Description": "File Transfer"}
        return Response(found.text, media_type="application/octet-stream", headers=_CORS | headers)
    if isinstance(found, str) and plain:
        return Response(found, media_type="text/plain", headers=_CORS)
    text = await rooms.answer_threads.run(json, found)
    return Response(text, media_type="application/json", headers=_CORS)


def _json(found: Json, status: int) -> Response[str]:
    return Response(json(found), status_code=status, media_type="application/json", headers=_CORS)


routes = [Router(prefix, route_handlers=[handler(c) for c in _CONTROLLERS]) for prefix in ("/", "/emoncms")]
