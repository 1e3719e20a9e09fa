"""Rooms: what handlers may ask: the rooms below, the threads they run in, the limits; made once at start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from numpy.typing import NDArray

from wattstead.ingest.sources.running import Sources
from wattstead.metering.batch import ReadingBatch
from wattstead.refining.arrivals import Need
from wattstead.refining.latest import Latest, Readings
from wattstead.refining.live import Live
from wattstead.registry.records import Account
from wattstead.registry.registry import Registry
from wattstead.series import Series
from wattstead.web.access.outside import Outside
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import Watched
from wattstead.web.directory import Directory
from wattstead.web.settings import WebSettings
from wattstead.web.threads import Threads


class StatusPart(msgspec.Struct, frozen=True):
    """How one part of the server is doing."""

    name: str
    """``ingest``, ``journal``, ``store``, ``refining`` …"""
    ok: bool
    text: str
    """One sentence; when not ok, what to do."""
    figures: dict[str, float] = {}
    """Numbers by name, the unit at the end of the name."""


class Pending(Protocol):
    """Whether readings of some points are on their way into `series`, so that an answer about buckets between edges is
    not the whole: called before the question, what it returns is called with the buckets that the answer filled.
    """

    def __call__(
        self, points: Collection[int], edges_us: NDArray[np.int64], need: Need = Need.MOST, since_us: int = 0
    ) -> Callable[[NDArray[np.bool_]], bool]:
        """Both to be called in the event loop; neither waits."""
        ...


class Waiting(Protocol):
    """What of a point has been received and no question finds yet, oldest first; some of it may just be found."""

    def __call__(self, point: int) -> Readings:
        """To be called in the event loop; does not wait."""
        ...


class Keep(Protocol):
    """Makes readings durable; answers their version."""

    def __call__(self, batch: ReadingBatch) -> Awaitable[int]:
        """Raises what the journal raises."""
        ...


class Remove(Protocol):
    """Removes readings of points for good: those of [start, end), or everything about the points."""

    def __call__(self, points: Collection[int], span_us: tuple[int, int] | None = None) -> Awaitable[None]:
        """Returns when they are gone."""
        ...


@dataclass(slots=True)
class Streams:
    """How many live streams are open, in all and for each viewer."""

    open: int = 0
    each: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything a handler needs beside its request."""

    registry: Registry
    series: Series
    live: Live
    streams: Streams
    directory: Directory
    registry_threads: Threads
    series_threads: Threads
    answer_threads: Threads
    """What puts answers together is short, and must not wait again behind the long questions of others."""
    settings: WebSettings
    status: Callable[[], Sequence[StatusPart]]
    pending: Pending
    keep: Keep
    remove: Remove
    waiting: Waiting
    watched: Watched = field(default_factory=Watched)
    outside: Outside | None = None
    """The provider that people may sign in with beside us."""
    opened: Sources | None = None
    """The ways in that this process opens; None: it opens none."""

    @property
    def latest(self) -> Latest:
        """The latest values."""
        return self.live.latest


FromRooms = NamedDependency[SkipValidation[Rooms]]
FromViewer = NamedDependency[SkipValidation[Viewer]]
FromAccount = NamedDependency[SkipValidation[Account]]
