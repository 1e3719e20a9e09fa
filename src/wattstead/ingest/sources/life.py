"""Life: one source as long as its settings stand: run, wait after a failure, run again; it never ends the server."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.forms import scrubbed
from wattstead.ingest.sources.sight import State
from wattstead.ingest.sources.source_protocol import SourceFailed

_log = structlog.get_logger("wattstead.sources")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_STEADY_S = 60.0
"""A connection that held for so long was a good one: the next failure begins with the shortest wait."""
_LEAVE_S = 10.0
"""How long a source that is told to end may take."""
Run = Callable[[], Awaitable[None]]


class Backoff:
    """Waits that double from one second to a minute, each made uneven so that many do not come back together.

    >>> backoff = Backoff(lambda low, high: high)
    >>> [backoff.next_s() for _ in range(8)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    """

    def __init__(self, chance: Callable[[float, float], float] = random.uniform) -> None:
        self._chance = chance
        self._wait_s = _FIRST_WAIT_S

    def next_s(self) -> float:
        """Seconds to wait now."""
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, _LONGEST_WAIT_S)
        return max(_FIRST_WAIT_S, self._chance(wait_s / 2, wait_s))

    def reset(self) -> None:
        """Begin anew."""
        self._wait_s = _FIRST_WAIT_S


class Life:
    """Runs a source until it is ended. What it knows of failures is handed on when settings change."""

    def __init__(self, source_id: int, figures: Figures, secrets: dict[str, str], clock_us: Callable[[], int]) -> None:
        """``secrets`` are what no message may hold."""
        self.source_id, self.figures = source_id, figures
        self.state, self.since_us = State.OFF, clock_us()
        self.connected_to = self.last_error = ""
        self.failures = self.faults = self.failed_us = self.retry_us = 0
        self._secrets, self._clock_us = secrets, clock_us
        self._task: asyncio.Task[None] | None = None
        self._run: asyncio.Future[None] | None = None
        self._after: Life | None = None
        self._overrun, self._told_to_end = "", False

    def rest(self, state: State, reason: str = "") -> None:
        """It is not run, for this reason."""
        self._is(state)
        if reason:
            self.last_error = reason

    def begin(self, run: Run | None, after: Life | None = None) -> None:
        """Run it; first ``after``, the same source with other settings, has to be over. None: only that."""
        self._after = after
        if run is not None:
            self._is(State.CONNECTING)
            self._task = asyncio.create_task(self._live(run), name=f"source {self.source_id}")
        elif after is not None:
            self._task = asyncio.create_task(after.end(), name=f"end of source {self.source_id}")

    def connected(self, to: str) -> None:
        """The other side answers."""
        self.connected_to = to[:200]
        self._is(State.CONNECTED)

    def failed(self, reason: str) -> None:
        """One of those at the other side failed, the rest goes on."""
        self._failed(reason)

    def overrun(self, reason: str) -> None:
        """The other side floods us with what is of no use: as if it had failed."""
        if self._run is not None and not self._run.done():
            self._overrun = reason
            self._run.cancel()

    async def end(self) -> None:
        """Returns when it is over, or does not end when told to."""
        task, told, self._told_to_end = self._task, self._told_to_end, True
        if task is not None:
            if not told:
                task.cancel()
            _, running = await asyncio.wait({task}, timeout=_LEAVE_S)
            if running:
                _log.error("a source does not end when told to", source=self.source_id)
        if self._after is not None:
            await self._after.end()

    async def _live(self, run: Run) -> None:
        if self._after is not None:
            await self._after.end()
            self._after = None
        backoff = Backoff()
        while True:
            began = time.monotonic()
            hopeless, retry_after_s = await self._once(run)
            if time.monotonic() - began >= _STEADY_S:
                backoff.reset()
            self.figures.waiting_for, self.figures.slowed, self.connected_to = "", "", ""
            if hopeless:
                self._is(State.HOPELESS)
                return
            wait_s = max(backoff.next_s(), retry_after_s)
            self.retry_us = self._clock_us() + int(wait_s * 1e6)
            self._is(State.WAITING)
            await asyncio.sleep(wait_s)
            self.retry_us = 0
            self._is(State.CONNECTING)

    async def _once(self, run: Run) -> tuple[bool, float]:
        """Run once, to its end; whether trying again is of no use, and the shortest wait until then, seconds."""
        self._overrun = ""
        self._run = asyncio.ensure_future(_awaited(run))
        try:
            await self._run
        except asyncio.CancelledError:
            if not self._overrun or _is_being_cancelled():
                await self._over()
                raise
            self._failed(self._overrun)
        except Exception as error:
            failed = failure_of(error)
            if failed is not None:
                self._failed(str(failed))
                return failed.hopeless, failed.retry_after_s
            self._broke(error)
        else:
            self._failed("the other side has ended the connection")
        return False, 0.0

    async def _over(self) -> None:
        """The run is cancelled with us, and must be over before a successor opens the same port."""
        run = self._run
        if run is not None and not run.done():
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await run

    def _failed(self, reason: str) -> None:
        told = scrubbed(reason, self._secrets)[:1000]
        if told != self.last_error:
            _log.warning("source failed", source=self.source_id, reason=told)
        self.last_error, self.failed_us = told, self._clock_us()
        self.failures += 1

    def _broke(self, error: Exception) -> None:
        trace = scrubbed("".join(traceback.format_exception(error)), self._secrets)
        _log.error("source broke", source=self.source_id, trace=trace)
        self.faults += 1
        self.last_error = ""
        self._failed(f"this is a fault of the program ({type(error).__name__}); its log has the rest")

    def _is(self, state: State) -> None:
        if state is not self.state:
            self.state, self.since_us = state, self._clock_us()


async def _awaited(run: Run) -> None:
    await run()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def failure_of(error: BaseException) -> SourceFailed | None:
    """The failure itself, or the one in a group of exceptions, as groups of tasks raise them."""
    if isinstance(error, SourceFailed):
        return error
    found: Any = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((failed for one in found if (failed := failure_of(one)) is not None), None)
