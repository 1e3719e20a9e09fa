"""Listener: when sites and devices were last heard of, whether they still report, how much of a day came.

It watches and writes down; nobody is told, and no reading is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from wattstead.metering.errors import WattsteadError
from wattstead.metering.rollup import QUARTER_US
from wattstead.refining.latest import NEVER_US, Latest
from wattstead.registry.points.hearing import Heard, Hearer
from wattstead.registry.registry import Registry
from wattstead.series import Series

_log = structlog.get_logger("wattstead.refining")
_AT_ONCE = 2_000
"""Rows written in one transaction, so that others need not wait for long."""
_QUARTERS = 96
_S = 1_000_000


class ListenerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how long a silence may be; seconds."""

    every_s: float = 60.0
    """Between two looks …"""
    new_s: float = 2.0
    """… and between two glances at whether a point has its first reading, which is looked at without delay …"""
    share: float = 0.05
    """… or so long that looking takes no more than this share of the time."""
    unknown_s: float = 900.0
    """How often something reports of which no template says so."""
    missed: float = 3.0
    """Offline: so many reports in a row did not come …"""
    least_s: float = 300.0
    """… and nothing for so long."""


class Listener:
    """Runs from `start` to `stop`, in one process of an installation."""

    def __init__(
        self,
        registry: Registry,
        series: Series,
        latest: Latest,
        limits: ListenerLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry, self._series, self._latest = registry, series, latest
        self._limits, self._clock = limits or ListenerLimits(), clock
        self._known: dict[bool, dict[int, Heard]] = {False: {}, True: {}}
        self._day: tuple[int, NDArray[np.uint32], NDArray[np.bool_]] | None = None
        self._stamp = (-1, -1)
        """Generation and largest point id that are known."""
        self._hearers: dict[bool, list[Hearer]] = {False: [], True: []}
        self._points = np.zeros((0, 3), np.int64)
        """Point, site and device; 0: none."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        """End; a look that has begun is waited for."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def look(self) -> int:
        """Find out and write down what is new; how many sites and devices that was. Blocks; raises what rooms raise."""
        self._follow()
        points, now_us = self._points, round(self._clock() * 1e6)
        newest = np.full(int(points[:, 0].max(initial=0)) + 1, NEVER_US)
        found = self._latest.of(points[:, 0])
        newest[found.point] = np.minimum(found.time_us, now_us)
        written = 0
        for devices, hearers in self._hearers.items():
            heard = self._heard(hearers, points[:, 0], points[:, 2 if devices else 1], newest, now_us)
            known = self._known[devices]
            new = [one for one in heard if known.get(one.id) != one]
            for at in range(0, len(new), _AT_ONCE):
                self._registry.put_heard(new[at : at + _AT_ONCE], devices=devices)
                known.update((one.id, one) for one in new[at : at + _AT_ONCE])
            written += len(new)
        return written

    async def _run(self) -> None:
        while True:
            begun, known = time.monotonic(), len(self._latest)
            look = asyncio.ensure_future(asyncio.to_thread(self.look))
            try:
                await asyncio.shield(look)
            except asyncio.CancelledError:
                with contextlib.suppress(WattsteadError):
                    await look
                raise
            except WattsteadError as error:
                _log.warning("not found out who was heard of", error=str(error))
            await self._rest((time.monotonic() - begun) / self._limits.share, known)

    async def _rest(self, least_s: float, known: int) -> None:
        """Wait for the next look: until it is due, or points beside the ``known`` ones have a reading."""
        begun, due_s = time.monotonic(), max(self._limits.every_s, least_s)
        while (passed_s := time.monotonic() - begun) < due_s:
            if passed_s >= least_s and len(self._latest) != known:
                return
            await asyncio.sleep(min(self._limits.new_s, due_s - passed_s))

    def _follow(self) -> None:
        """Learn who there is, when that has changed."""
        stamp = self._registry.generation(), self._registry.largest_point_id()
        if stamp == self._stamp:
            return
        only_more = stamp[0] == self._stamp[0]  # then no point has moved
        hearing = self._registry.hearing(int(self._points[:, 0].max(initial=0)) if only_more else 0)
        self._hearers = {False: hearing.sites, True: hearing.devices}
        points = np.array(hearing.points, np.int64).reshape(-1, 3)
        self._points = np.concatenate((self._points, points)) if only_more else points
        self._stamp = stamp

    def _heard(
        self, hearers: Sequence[Hearer], point: NDArray[np.int64], owner: NDArray[np.int64],
        newest: NDArray[np.int64], now_us: int,
    ) -> list[Heard]:  # fmt: skip
        """Of those that have any reading: when, whether they still report, how much of the last day came."""
        if not hearers:
            return []
        ids = np.array([one.id for one in hearers], np.int64)
        place = np.full(max(int(ids.max()), int(owner.max(initial=0))) + 1, -1)
        place[ids] = np.arange(len(ids))
        of = place[owner]
        owned = of >= 0
        last_us = np.full(len(ids), NEVER_US)
        np.maximum.at(last_us, of[owned], newest[point[owned]])
        interval_s = np.array([one.interval_s or self._limits.unknown_s for one in hearers])
        silent_us = np.maximum(interval_s * self._limits.missed, self._limits.least_s) * 1e6
        online = (last_us != NEVER_US) & (now_us - np.maximum(last_us, 0) <= silent_us)
        created_us = np.array([one.created.timestamp() * 1e6 for one in hearers])
        share = self._shares(point[owned], of[owned], interval_s, created_us)
        return [
            Heard(
                hearers[row].id,
                datetime.fromtimestamp(last_us[row] // _S, UTC),
                "online" if online[row] else "offline",
                None if np.isnan(share[row]) else round(float(share[row]), 3),
            )
            for row in np.flatnonzero(last_us != NEVER_US).tolist()
        ]

    def _shares(
        self, point: NDArray[np.int64], of: NDArray[np.int64], interval_s: NDArray[np.float64],
        created_us: NDArray[np.float64],
    ) -> NDArray[np.float64]:  # fmt: skip
        """The share of the quarter hours of the last day in which one heard of each; longer spans where it reports less
        often. Before it was made, and before its first reading, nothing is expected. NaN: nothing expected yet.
        """
        shares = np.full(len(interval_s), np.nan)
        end_us = self._series.reach.quarter_us
        if not end_us:
            return shares
        if self._day is None or self._day[0] != end_us:
            self._day = end_us, *self._series.quarters_heard(end_us)
        _, points, quarters = self._day
        rows = np.full(max(int(point.max(initial=0)), int(points.max(initial=0))) + 1, -1)
        rows[points] = np.arange(len(points))
        there = rows[point] >= 0
        filled = np.zeros((len(shares), _QUARTERS), bool)
        np.logical_or.at(filled, of[there], quarters[rows[point[there]]])
        made = np.floor((created_us - (end_us - _QUARTERS * QUARTER_US)) / QUARTER_US)
        begin = np.where(filled.any(axis=1), np.minimum(filled.argmax(axis=1), made), made).clip(0, _QUARTERS)
        step = np.clip(np.ceil(interval_s / 900), 1, _QUARTERS).astype(int)
        for width in np.unique(step).tolist():
            mine = np.flatnonzero(step == width)
            edges = np.arange(_QUARTERS % width, _QUARTERS, width)
            came = np.logical_or.reduceat(filled[mine], edges, axis=1)
            expected = edges + width > begin[mine, None]
            count = expected.sum(axis=1)
            with np.errstate(invalid="ignore"):
                shares[mine] = np.where(count > 0, (came & expected).sum(axis=1) / count, np.nan)
        return shares
