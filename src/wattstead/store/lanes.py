"""Lanes: a bounded queue each, worked off by threads with a connection of their own; knows nothing of SQL or HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import queue
import secrets
import threading
from collections.abc import Callable

from wattstead.store.engine import Connection, Result
from wattstead.store.errors import TOO_MANY_QUERIES, Refused

Work = Callable[[Connection, bytes], Result]
"""What a job does with its connection; the bytes are the mark to put before the statement."""

_RUN = secrets.token_hex(4)
_numbers = itertools.count()


class Job:
    """One piece of work in a lane; ``answer`` is to be awaited in the loop that made it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.mark = f"/*wattstead {_RUN}-{next(_numbers)}*/ "
        """Stands before the statement, so that it can be found among the running ones and ended."""
        self.answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.abandoned = False
        self.running = False

    def run(self, connection: Connection) -> None:
        """Does the work in the lane's thread, unless nobody waits for it any more."""
        if self.abandoned:
            self._report(None, None)
            return
        self.running = True
        try:
            result = self.work(connection, self.mark.encode())
        except Exception as error:  # whatever it is, the caller has to hear it
            self._report(None, error)
        else:
            self._report(result, None)

    def _report(self, result: Result | None, error: Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self.answer.get_loop().call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Result | None, error: Exception | None) -> None:
        self.running = False
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        elif result is not None:
            self.answer.set_result(result)
        else:
            self.answer.cancel()


class Lane:
    """``width`` threads, each with a connection from ``connect``, and at most ``depth`` jobs waiting."""

    def __init__(self, name: str, width: int, depth: int, connect: Callable[[], Connection]) -> None:
        self.name, self.width, self.depth = name, width, depth
        self._connect = connect
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._opened: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"store-{name}-{i}", daemon=True) for i in range(width)
        ]
        self._inside = 0

    def open(self) -> None:
        """Starts the threads; returns when each has its connection, raises what kept one from it."""
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            failed = self._opened.get()
            if failed is not None:
                raise failed

    @property
    def waiting(self) -> int:
        """Jobs that no thread has taken up yet."""
        return self._jobs.qsize()

    @property
    def inside(self) -> int:
        """Jobs waiting or being worked on."""
        return self._inside

    def submit(self, work: Work) -> Job:
        """Queues the work. Raises `Refused` with 503 when the queue is full; to be called in the event loop."""
        if self._inside >= self.width + self.depth:
            raise Refused(
                503, TOO_MANY_QUERIES,
                f"the {self.name} lane's {self.width} connections and {self.depth} places to wait are taken; ask again",
                retry_after_s=1,
            )  # fmt: skip
        job = Job(work)
        self._inside += 1
        job.answer.add_done_callback(self._leave)
        self._jobs.put(job)
        return job

    def close(self, patience_s: float) -> bool:
        """Ends the threads after the jobs they are at and waits for them at most that long; False when one goes on."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(patience_s / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _leave(self, _: asyncio.Future[Result]) -> None:
        self._inside -= 1

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # reported by `open`
            self._opened.put(error)
            return
        self._opened.put(None)
        while (job := self._jobs.get()) is not None:
            job.run(connection)
        connection.close()
