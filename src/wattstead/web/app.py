"""The web application: routes, dependencies, errors and limits put together around the rooms it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import numpy as np
from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.types import ASGIApp
from numpy.typing import NDArray

from wattstead.ingest.sources.running import Sources
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.errors import WattsteadError
from wattstead.refining.arrivals import Need
from wattstead.refining.latest import Readings
from wattstead.refining.live import Live
from wattstead.registry.registry import Registry
from wattstead.series import Series
from wattstead.web import api, pages
from wattstead.web.access.gate import DEPENDENCIES, check_declared, guard
from wattstead.web.access.outside import Outside
from wattstead.web.directory import Directory
from wattstead.web.emoncms import routes as emoncms
from wattstead.web.http.front_door import FrontDoor
from wattstead.web.influx import routes as influx
from wattstead.web.problem import answer
from wattstead.web.pulses.routes import routes as pulses
from wattstead.web.reference import page as reference
from wattstead.web.rooms import Keep, Pending, Remove, Rooms, StatusPart, Streams, Waiting
from wattstead.web.settings import WebSettings
from wattstead.web.threads import Threads

_LARGEST_BODY = 1_000_000
_COMPRESSION = CompressionConfig(
    "gzip", gzip_compress_level=2, minimum_size=2_000, exclude=["^/api/v1/live"], exclude_opt_key="packed"
)


def no_status() -> Sequence[StatusPart]:
    """What is told of the server's parts when nobody was named who knows."""
    return ()


def nothing_pending(
    points: Collection[int], edges_us: NDArray[np.int64], need: Need = Need.MOST, since_us: int = 0
) -> Callable[[NDArray[np.bool_]], bool]:
    """What is told of readings on their way when nobody was named who knows."""
    return lambda filled: False


def nothing_waiting(point: int) -> Readings:
    """What of a point is not stored yet when nobody was named who knows."""
    return Readings(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0))


def never() -> bool:
    """What is told of TLS when nobody was named who knows."""
    return False


async def nothing_kept(batch: ReadingBatch) -> int:
    """What becomes of readings that people add when nobody was named who keeps them."""
    raise NotHere


async def nothing_removed(points: Collection[int], span_us: tuple[int, int] | None = None) -> None:
    """What becomes of removals when nobody was named who does them."""
    raise NotHere


class NotHere(WattsteadError):
    """This process answers questions and writes no readings."""

    def __init__(self) -> None:
        super().__init__("readings are not written by this process; ask the one that receives them")


def create_web(
    registry: Registry,
    series: Series,
    live: Live,
    settings: WebSettings | None = None,
    status: Callable[[], Sequence[StatusPart]] = no_status,
    pending: Pending = nothing_pending,
    keep: Keep = nothing_kept,
    remove: Remove = nothing_removed,
    strict: Callable[[], bool] = never,
    sources: Sources | None = None,
    waiting: Waiting = nothing_waiting,
) -> ASGIApp:
    """The ASGI application that answers everything except the hot routes of ingest.

    ``status`` is called in a thread and tells how the other parts of the process are doing, ``pending`` whether
    readings are on their way that no question finds yet, and ``waiting`` which; ``keep`` and ``remove`` write readings;
    ``strict`` says whether browsers are told to come over TLS alone from now on; ``sources`` runs the ways in that are
    opened here. Rooms given here are the caller's to close, after this application has been shut down.
    """
    settings = settings or WebSettings()
    registry_threads = Threads("registry", settings.registry_threads, settings.registry_queue)
    series_threads = Threads("series", settings.series_threads, settings.series_queue)
    answer_threads = Threads("answering threads", settings.answer_threads, settings.answer_queue)
    directory = Directory(registry, registry_threads)
    outside = Outside(settings.oidc, f"{settings.public_url}/api/v1/session/outside/back") if settings.oidc else None
    rooms = Rooms(
        registry, series, live, Streams(), directory, registry_threads, series_threads, answer_threads, settings,
        status, pending, keep, remove, waiting, outside=outside, opened=sources,
    )  # fmt: skip
    return FrontDoor(_litestar(State({"rooms": rooms, "pages": pages.load(settings.static)})), settings, strict)


def _litestar(state: State) -> Litestar:
    app = Litestar(
        [
            Router("/api/v1", route_handlers=[*api.ROUTES], guards=[guard]),
            reference.routes,
            *emoncms.routes,
            influx.routes,
            *pulses,
            pages.page,
        ],
        state=state,
        dependencies=DEPENDENCIES,
        exception_handlers={Exception: answer},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=_LARGEST_BODY,
        compression_config=_COMPRESSION,
        lifespan=[_threads],
    )
    check_declared(app, "/api/v1/")
    return app


@asynccontextmanager
async def _threads(app: Litestar) -> AsyncGenerator[None, None]:
    """The threads end with the application."""
    try:
        yield
    finally:
        app.state.rooms.registry_threads.close()
        app.state.rooms.series_threads.close()
        app.state.rooms.answer_threads.close()
        if app.state.rooms.outside is not None:
            await app.state.rooms.outside.close()
