"""Where the rooms below are called: threads of our own, few and with a bounded queue; knows nothing of what they do.

Registry and series block while they wait for a database. Their calls run here, so that the event loop, which also
receives readings, never waits for them.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from wattstead.metering.errors import WattsteadError

P = ParamSpec("P")
R = TypeVar("R")


class Busy(WattsteadError):
    """More questions are waiting than the queue holds."""

    retryable = True

    def __init__(self, noun: str, waiting: int, retry_after_s: float = 1.0) -> None:
        self.waiting, self.retry_after_s = waiting, retry_after_s
        super().__init__(f"{waiting} questions to the {noun} are waiting already; try again in {retry_after_s:g} s")


class Threads:
    """A few threads that answer questions to one room, first come, first served."""

    def __init__(self, noun: str, threads: int, queue: int) -> None:
        """``threads`` work at the same time; with ``queue`` more waiting, `run` raises `Busy`."""
        self.noun, self.most = noun, threads + queue
        self.waiting = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"web-{noun}")

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What ``call`` returns or raises, run in one of the threads; raises `Busy`."""
        with self._lock:
            if self.waiting >= self.most:
                raise Busy(self.noun, self.waiting)
            self.waiting += 1
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, lambda: call(*args, **kwargs))
        future.add_done_callback(lambda _: self._done())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let running calls end and take no more."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _done(self) -> None:
        with self._lock:
            self.waiting -= 1
