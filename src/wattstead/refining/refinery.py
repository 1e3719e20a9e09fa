"""Refinery: the consumer of the journal as tasks of one event loop; one loop takes readings in, the other stores them.

The steps themselves are in `Intake` and `Bookkeeper`; here is when they happen, what is tried again and what is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from wattstead.metering.errors import WattsteadError
from wattstead.metering.point import Point
from wattstead.refining.arrivals import Arrivals
from wattstead.refining.bookkeeping.adoption import Adoption
from wattstead.refining.bookkeeping.bookkeeper import Bookkeeper
from wattstead.refining.bookkeeping.progress import ProgressFile
from wattstead.refining.bookkeeping.removing import Removals
from wattstead.refining.bookkeeping.retention import Retention
from wattstead.refining.latest import Latest
from wattstead.refining.limits import RefiningLimits
from wattstead.refining.live import Live, Subscription
from wattstead.refining.minutes.minutes import OpenMinutes
from wattstead.refining.state import RefineryState
from wattstead.refining.taking.backlog import bytes_behind
from wattstead.refining.taking.intake import Intake
from wattstead.refining.taking.judge import Judge
from wattstead.refining.taking.stored import take_come, take_stored
from wattstead.refining.troubles import JOURNAL, STORE, Troubles
from wattstead.series import Series
from wattstead.stream import JournalReader, PositionFile

CONSUMER = "refining"
"""The name under which the refinery's journal position is kept."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MEASURE_S = 1.0


class Refinery:
    """Brings the journal's readings to store and rollups, keeps the latest values and feeds live pictures.

    ``generation`` gives a number that grows when a point changes or appears, ``points`` those that did since such a
    number (None: all there are; more do no harm); both are called in a thread. `start` it and `stop` it; `state` says
    how it goes.
    """

    def __init__(
        self,
        journal: Path,
        progress: Path,
        series: Series,
        points: Callable[[int | None], Iterable[Point]],
        generation: Callable[[], int],
        limits: RefiningLimits | None = None,
        retention: Retention | None = None,
        future_limit_s: float = 86_400.0,
    ) -> None:
        limits = limits or RefiningLimits()
        positions = PositionFile(journal, CONSUMER)
        self._journal, self._limits, self._series = journal, limits, series
        self.latest = Latest()
        self.live = Live(self.latest, limits.subscription_rows)
        self._judge = Judge(round(future_limit_s * 1e6), retention)
        self._minutes = minutes = OpenMinutes(limits.dirty_spans)
        reader = JournalReader(journal, positions.register())
        self._intake = Intake(reader, self._judge, self.latest, minutes, limits)
        self._adoption = Adoption(series, points, generation, self._judge, self.latest, minutes, ProgressFile(progress))
        self._bookkeeper = Bookkeeper(series, positions, self._adoption, minutes, limits, retention or Retention())
        self._troubles = troubles = Troubles(limits.retry_s, limits.retry_most_s)
        self._arrivals = Arrivals(journal, self._intake, self._bookkeeper, lambda: troubles.stands_still)
        self.pending = self._arrivals.pending
        self.waiting = self._arrivals.waiting
        """Whether an answer lacks what has been received."""
        self._woken, self._enough, self._halt = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._storing_since_us = 0
        self._lag_bytes = 0
        self._expire_at = self._foreseen_at = 0.0
        self._removals = Removals()

    def subscribe(self, points: Iterable[int]) -> Subscription:
        """New readings of those points as an async iterator that begins with their latest values."""
        return self.live.subscribe(points)

    def wake(self) -> None:
        """There may be something new in the journal; from any thread, as often as wanted."""
        if self._loop is not None and not self._woken.is_set():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken.set)

    async def start(self) -> None:
        """Begin; returns at once. Until the store answers nothing is taken from the journal."""
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._task = self._loop.create_task(self._run(), name="refinery")

    async def stop(self) -> None:
        """Store what has been taken, if the store answers at once, save the position and end all subscriptions."""
        self._stopping = True
        for event in (self._woken, self._enough, self._halt):
            event.set()
        if self._task is not None:
            await self._task
            self._task = None
        self.live.close()

    async def remove(self, points: Collection[int], span_us: tuple[int, int] | None = None) -> None:
        """Remove readings of those points in [start, end) for good, or everything about them; returns when they are
        gone and rolled up without. What had been received before is stored first, so that nothing comes back.

        Raises `RefineryStopped`, and `StoreRefused` where the store will never do it.
        """
        if self._stopping:
            raise RefineryStopped
        done = self._removals.add(list(points), span_us)
        self.wake()
        self._enough.set()
        await done

    @property
    def state(self) -> RefineryState:
        """How it goes just now."""
        oldest_us = min((us for us in (self._storing_since_us, self._intake.oldest_us) if us), default=0)
        behind_us = min((us for us in (oldest_us, self._intake.complete_us) if us), default=0)
        tries, error = self._troubles.worst
        return RefineryState(
            running=self._task is not None and not self._task.done(),
            lag_bytes=self._lag_bytes,
            lag_s=max(0.0, time.time() - behind_us / 1e6) if behind_us else 0.0,
            stands_still=self._troubles.stands_still,
            last_error=error,
            failed_tries=tries,
            read_rows=self._intake.read_rows,
            stored_rows=self._bookkeeper.stored_rows,
            waiting_rows=self._intake.waiting_rows,
            replaced_rows=self._bookkeeper.replaced_rows,
            refused=dict(self._judge.refused),
            closed_us=self._bookkeeper.closed_us,
            dirty_spans=self._bookkeeper.dirty_spans,
            generation=self._adoption.generation,
            adopting=self._adoption.pending,
        )

    async def _run(self) -> None:
        with contextlib.suppress(_Stopped):
            await self._insist(self._begin)
            taking = asyncio.create_task(self._take_in(), name="refinery-intake")
            try:
                await self._put_away()
            finally:
                self._stopping = True
                self._removals.give_up(RefineryStopped())
                await taking

    def _begin(self) -> None:
        """What must be known before the first reading is taken: the latest readings, the rules, how far rollups are."""
        stored = self._series.latest()
        take_stored(self.latest, self._series, stored)
        first_us = time.time_ns() // 1000
        self._minutes.begin(stored.point, stored.time_us, first_us, self._series.era)
        if len(stored) and not self._series.reach.minute_us:
            first_us = int(self._series.span(stored.point.tolist()).first_us.min())
        self._bookkeeper.begin(first_us)

    async def _take_in(self) -> None:
        """Read on in the journal and publish what is new, until stopping."""
        pause_s, measure_at = self._limits.retry_s, 0.0
        while not self._stopping:
            begun = time.monotonic()
            self._woken.clear()
            try:
                readings = await asyncio.to_thread(self._intake.take)
                if readings is not None:
                    self.live.publish(readings)
                if readings is None and not self._intake.full and self._bookkeeper.saved == self._intake.position:
                    self._lag_bytes = 0
                elif begun >= measure_at:
                    measure_at = begun + _MEASURE_S
                    self._lag_bytes = await asyncio.to_thread(bytes_behind, self._journal, self._bookkeeper.saved)
            except Exception as error:
                self._troubles.failed(JOURNAL, error)
                await self._sleep(pause_s)
                pause_s = min(2 * pause_s, self._limits.retry_most_s)
                continue
            self._troubles.works(JOURNAL)
            pause_s = self._limits.retry_s
            if self._intake.waiting_rows >= self._limits.store_rows:
                self._enough.set()
            if not self._intake.more:
                await self._nap(begun, 0 if readings is None else len(readings))

    async def _put_away(self) -> None:
        """Store what waits whenever it is due, and what is left to roll up in between; once more when stopping."""
        while True:
            last = self._stopping
            self._enough.clear()
            self._arrivals.storing = chunk = self._intake.cut()
            self._storing_since_us = chunk.oldest_us
            await self._insist(self._bookkeeper.follow)
            await self._insist(self._bookkeeper.store, chunk)
            unclosed = await self._insist(self._bookkeeper.close, chunk.complete_us)
            await self._insist(self._bookkeeper.settle, last)
            await self._insist(self._bookkeeper.save)
            self._arrivals.storing, self._storing_since_us = None, 0
            if last:
                return
            await self._remove(chunk.complete_us)
            await self._between(chunk.complete_us, unclosed)

    async def _remove(self, complete_us: int) -> None:
        """Remove what is asked for; before that the position is behind it, so that no crash brings it back."""
        due = self._removals.due(complete_us)
        if due:
            await self._insist(self._bookkeeper.settle, True)
            await self._insist(self._bookkeeper.save)
        for one in due:
            refused = await self._insist(self._bookkeeper.remove, one.points, one.span_us)
            if refused is None:
                self._troubles.works("removal")
            else:
                self._troubles.failed("removal", refused)
            one.end(refused)

    async def _between(self, complete_us: int, unclosed: bool) -> None:
        """Until the next time to store: close what is left to close, follow changed points, roll up their history."""
        due = time.monotonic() + self._limits.store_every_s
        if self._removals:  # they wait for the journal to be read to where it was when they were asked for
            due = min(due, time.monotonic() + self._limits.poll_s)
        while time.monotonic() < due and not self._enough.is_set() and not self._stopping:
            await self._insist(self._bookkeeper.follow)
            if time.monotonic() >= self._expire_at and await self._beside("expiry", self._bookkeeper.expire):
                self._expire_at = time.monotonic() + self._limits.retention_s
            if time.monotonic() >= self._foreseen_at and self.latest.foreseen.points():
                for come in await self._beside("forecasts", take_come, self.latest, self._series, complete_us):
                    self._foreseen_at = time.monotonic() + self._limits.foreseen_s
                    self.live.publish(come)
            if unclosed:
                unclosed = await self._insist(self._bookkeeper.close, complete_us)
            elif not self._adoption.pending or not any(await self._beside("history", self._bookkeeper.adopt)):
                await self._wait(self._enough, min(self._limits.rules_s, due - time.monotonic()))

    async def _nap(self, begun: float, rows: int) -> None:
        """Until it is time to look at the journal again: after the poll or a wake-up, not too soon after the last."""
        rest_s = self._limits.busy_rest_s if rows > self._limits.busy_rows else self._limits.rest_s
        if not self._woken.is_set():
            await self._wait(self._woken, begun + self._limits.poll_s - time.monotonic())
        await self._wait(self._halt, begun + rest_s - time.monotonic())

    async def _insist(self, step: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do it in a thread until it works; raises `_Stopped` when stopping before that."""
        pause_s = self._limits.retry_s
        while True:
            try:
                done = await asyncio.to_thread(step, *args, **kwargs)
            except Exception as error:
                self._troubles.failed(STORE, error)
                if self._stopping:
                    raise _Stopped from error
                await self._sleep(pause_s)
                pause_s = min(2 * pause_s, self._limits.retry_most_s)
            else:
                self._troubles.works(STORE)
                return done

    async def _beside(self, what: str, step: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> list[_T]:
        """Do in a thread what no reading waits for: what comes of it, alone in a list; nothing where it fails, or rests
        after that."""
        if self._troubles.rests(what):
            return []
        try:
            done = await asyncio.to_thread(step, *args, **kwargs)
        except Exception as error:
            self._troubles.failed(what, error)
            return []
        self._troubles.works(what)
        return [done]

    async def _sleep(self, pause_s: float) -> None:
        await self._wait(self._halt, pause_s)

    async def _wait(self, event: asyncio.Event, timeout_s: float) -> None:
        if timeout_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), timeout_s)


class RefineryStopped(WattsteadError):
    """The server is stopping and removes nothing more."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("the server is stopping; ask again in a moment")


class _Stopped(Exception):
    """The refinery stops before a step could be done."""
