"""IngestApp: the ASGI application of the hot routes; what it does not serve is for the application behind it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import structlog

from wattstead.ingest.errors import IngestError, MethodUnknown, PortNotClear, SenderGone
from wattstead.ingest.http.asgi import Answer, Receive, Request, Scope, Send, reply
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.routes import HttpProtocol, Route, Unavailable, Unexpected
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.protocols import PROTOCOLS
from wattstead.ingest.reception import Reception, present_us
from wattstead.ingest.resolving.resolver import Resolver
from wattstead.metering.errors import WattsteadError
from wattstead.stream.journal import Journal

_log = structlog.get_logger("wattstead.ingest")


class IngestApp:
    """Plain ASGI: dispatches to the routes of the protocols; an answer means that the readings are durable.

    Journal and resolver stay the caller's to close, after this application has been shut down.
    """

    def __init__(
        self,
        journal: Journal,
        resolver: Resolver,
        limits: IngestLimits | None = None,
        protocols: Sequence[HttpProtocol] = PROTOCOLS,
        clock_us: Callable[[], int] = present_us,
    ) -> None:
        self.reception = Reception(journal, resolver, limits or IngestLimits(), clock_us)
        self.routes: tuple[Route, ...] = tuple(
            route for protocol in protocols for route in protocol.routes(self.reception)
        )
        self._exact = {route.path: route for route in self.routes}
        self._below = tuple((f"{route.path}/", route) for route in self.routes if route.below)

    def serves(self, method: str, path: str) -> bool:
        """Whether a request is for this application; ``path`` without any prefix of a proxy."""
        route = self._route(path)
        return route is not None and (route.sole or method in route.methods)

    def close(self) -> None:
        """End what this application started."""
        self.reception.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; a path that is not served gets 404."""
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        prefix: str = scope.get("root_path", "")
        if prefix and path.startswith(prefix):
            path = path[len(prefix) :]
        route = self._route(path)
        if route is None:
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        request = Request(scope, receive, self.reception.room, path)
        try:
            _admit(route, request)
            given = await route.handle(request)
        except MethodUnknown as error:
            status, headers, body = route.refuse(error)
            given = Answer(status, [*headers, (b"allow", error.allowed.encode())], body)
        except SenderGone:
            return
        except IngestError as error:
            self.reception.tally.refuse(error)
            given = route.refuse(error)
        except WattsteadError as error:
            given = route.refuse(Unavailable(error) if error.retryable else _unexpected(path, error))
        except Exception as error:
            given = route.refuse(_unexpected(path, error))
        finally:
            request.done()
            if request.key_id:
                self.reception.resolver.traffic.add(request.key_id, request.wire_bytes)
        await reply(send, given)

    def _route(self, path: str) -> Route | None:
        route = self._exact.get(path)
        if route is None:
            for start, below in self._below:
                if path.startswith(start):
                    return below
        return route

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            raise ValueError(f"connection of type {scope['type']!r}; only http is served here")
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self.close()
                return


def _admit(route: Route, request: Request) -> None:
    if request.clear is Clear.NEVER:
        raise PortNotClear
    if request.method not in route.methods:
        raise MethodUnknown(request.method, ", ".join(route.methods))


def _unexpected(path: str, error: Exception) -> Unexpected:
    number = secrets.token_hex(6)
    _log.error("request broke", request=number, path=path, exc_info=error)
    return Unexpected(number)
