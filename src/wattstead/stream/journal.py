"""Journal: takes batches from many senders and answers each once it is on disk; one per receiving process.

It neither judges nor stores for good: consumers read it through `JournalReader`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.errors import WattsteadError
from wattstead.stream.errors import BatchTooLarge, JournalBroken, JournalClosed, JournalFull, JournalInUse
from wattstead.stream.limits import JournalLimits
from wattstead.stream.notes import ERROR, INFO, note
from wattstead.stream.position import make_folder, slowest
from wattstead.stream.sweep import sweep
from wattstead.stream.writer import Writer

_LOCK = "lock"
_FULL_RETRY_S = 5.0

Told: TypeAlias = "Callable[[int, JournalBroken | None], object]"
"""Hears a batch's version once it is on disk, or why it is not there."""
_Waiting: TypeAlias = "tuple[int, bytes, asyncio.AbstractEventLoop | None, Told]"


class Journal:
    """The journal as one receiving process writes it; any thread and any event loop may append."""

    def __init__(self, folder: Path, worker: int, limits: JournalLimits, lock: int) -> None:
        self._folder, self._worker, self._limits, self._lock_file = folder, worker, limits, lock
        self._writer = Writer(folder, worker, limits)
        self._last_us = self._writer.floor_us
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._waiting_bytes = self._waiting_requests = 0
        self._closing = False
        self._broken: JournalBroken | None = None
        self._retry_at = 0.0
        self._unconsumed_bytes = 0
        self._appended = True
        self._listeners: list[Callable[[], object]] = []
        self._upkeep_at = self._sweep_at = 0.0
        self._upkeep()
        self._thread = threading.Thread(target=self._run, name=f"journal-{worker}", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, folder: Path, worker: int, limits: JournalLimits | None = None) -> Journal:
        """The journal in a folder, to be written as ``worker`` (0 to 255), which no other process may be.

        Raises `JournalInUse`, and `OSError` when the folder cannot be made or written.
        """
        if not 0 <= worker <= 255:
            raise ValueError(f"worker {worker}; expected 0 to 255")
        return cls(folder, worker, limits or JournalLimits(), _take(folder, worker))

    async def append(self, batch: ReadingBatch) -> int:
        """Keep a batch; returns its version once it is on disk.

        Raises `JournalFull` (too much unconsumed or waiting), `JournalBroken` (disk), `BatchTooLarge`.
        """
        return await self.submit(batch.encode())

    def submit(self, body: bytes) -> asyncio.Future[int]:
        """Keep an encoded batch; the future of the running loop gets its version, or `JournalBroken`.

        Raises at once what needs no disk: `JournalFull`, `BatchTooLarge`, and `JournalBroken` just after it has failed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._enqueue(body, loop, partial(_resolve, future))
        return future

    def submit_then(self, body: bytes, told: Told) -> None:
        """`submit` for those of whom there are very many: ``told`` is called in the running loop."""
        self._enqueue(body, asyncio.get_running_loop(), told)

    def append_sync(self, batch: ReadingBatch) -> int:
        """`append` for callers without an event loop: waits until the batch is on disk."""
        return self.submit_sync(batch.encode()).result()

    def submit_sync(self, body: bytes) -> Future[int]:
        """`submit` for callers without an event loop, so that several batches may be under way."""
        future: Future[int] = Future()
        self._enqueue(body, None, partial(_resolve, future))
        return future

    def listen(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` from the journal's thread after each commit: a wake-up, and it may be lost."""
        self._listeners.append(callback)

    @property
    def unconsumed_bytes(self) -> int:
        """Bytes of this process's batches that some registered consumer had not passed at the last look."""
        return self._unconsumed_bytes

    @property
    def broken(self) -> JournalBroken | None:
        """Why writing fails at present; None when it works."""
        return self._broken

    async def close(self) -> None:
        """Write what waits, then stop; later appends raise `JournalClosed`."""
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        """`close` for callers without an event loop."""
        with self._lock:
            if not self._closing:
                self._closing = True
                self._wake.put(None)
        self._thread.join()

    def _enqueue(self, body: bytes, loop: asyncio.AbstractEventLoop | None, told: Told) -> None:
        limits, size = self._limits, len(body)
        if size > limits.batch_bytes:
            raise BatchTooLarge(size, limits.batch_bytes)
        if self._unconsumed_bytes > limits.unconsumed_bytes:
            raise JournalFull("bytes not yet consumed", self._unconsumed_bytes, limits.unconsumed_bytes, _FULL_RETRY_S)
        if self._broken is not None and self._refusing():
            raise JournalBroken(self._broken.path, self._broken.reason, limits.retry_s)
        with self._lock:
            if self._closing:
                raise JournalClosed(self._folder, "closed")
            if self._waiting_bytes and self._waiting_bytes + size > limits.waiting_bytes:
                raise JournalFull("bytes waiting for the disk", self._waiting_bytes, limits.waiting_bytes, 1.0)
            if self._waiting_requests >= limits.waiting_requests:
                raise JournalFull("requests waiting for the disk", self._waiting_requests, limits.waiting_requests, 1.0)
            self._waiting_bytes += size
            self._waiting_requests += 1
            self._last_us = last_us = max(time.time_ns() // 1000, self._last_us + 1)
            self._waiting.append((last_us << 8 | self._worker, body, loop, told))
            if len(self._waiting) > 1:
                return
        if loop is None:
            self._wake.put(None)
        else:  # after this turn of the loop: its other requests join, and the threads do not fight for the interpreter
            loop.call_soon(self._wake.put, None)

    def _run(self) -> None:
        closing, crowded = False, False
        while not closing:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=max(0.0, self._upkeep_at - time.monotonic()))
            if crowded:
                time.sleep(self._limits.gather_s)
            with self._lock:
                waiting, self._waiting, closing = self._waiting, [], self._closing
            crowded = len(waiting) > self._limits.gather_requests
            for group in self._cut(waiting):
                self._commit(group)
            if time.monotonic() >= self._upkeep_at:
                self._upkeep()
        self._writer.close()
        os.close(self._lock_file)

    def _cut(self, waiting: list[_Waiting]) -> Iterator[list[_Waiting]]:
        """What waits, in pieces of one commit."""
        group: list[_Waiting] = []
        size = 0
        for one in waiting:
            group.append(one)
            size += len(one[1])
            if size >= self._limits.commit_bytes or len(group) >= self._limits.commit_requests:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _commit(self, group: list[_Waiting]) -> None:
        """Write a group and answer it. Whatever happens, everybody gets an answer and the thread lives on."""
        if self._refusing():
            self._answer(group, self._broken)
            return
        try:
            self._writer.append([(version, body) for version, body, _, _ in group])
        except JournalBroken as error:
            self._fail(group, error)
            return
        except Exception as error:
            self._writer.close()
            self._fail(group, JournalBroken(self._folder, f"unexpected {error!r}", self._limits.retry_s))
            return
        self._appended = True
        mended, self._broken = self._broken is not None, None
        self._answer(group, None)
        if mended:
            note(INFO, "journal_writes_again", folder=str(self._folder), worker=self._worker)
        for callback in self._listeners:
            try:
                callback()
            except Exception as error:
                note(ERROR, "journal_listener_failed", error=repr(error))
        self._writer.settle()

    def _fail(self, group: list[_Waiting], error: JournalBroken) -> None:
        first, self._broken = self._broken is None, error
        self._retry_at = time.monotonic() + self._limits.retry_s
        self._answer(group, error)
        if first:
            note(ERROR, "journal_broken", path=str(error.path), reason=error.reason)

    def _refusing(self) -> bool:
        """True just after the disk has failed: whoever waits or comes is refused before the next attempt."""
        return self._broken is not None and time.monotonic() < self._retry_at

    def _answer(self, group: list[_Waiting], error: JournalBroken | None) -> None:
        """Settle all futures, with one wake-up per event loop."""
        with self._lock:
            self._waiting_bytes -= sum(len(body) for _, body, _, _ in group)
            self._waiting_requests -= len(group)
        loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for waiting in group:
            if waiting[2] is None:
                _settle([waiting], error)
            else:
                loops.setdefault(waiting[2], []).append(waiting)
        for loop, those in loops.items():
            with contextlib.suppress(RuntimeError):  # a loop that was closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, those, error)

    def _upkeep(self) -> None:
        """Look at the consumers' positions and, now and then, for files to remove; never stops the journal."""
        now = time.monotonic()
        self._upkeep_at = now + self._limits.upkeep_s
        try:
            if self._appended or self._unconsumed_bytes:
                self._appended = False
                self._unconsumed_bytes = self._writer.unconsumed_bytes(slowest(self._folder, self._worker))
            if now >= self._sweep_at:
                self._sweep_at = now + self._limits.sweep_s
                gone = sweep(self._folder, self._limits)
                self._writer.forget([start for worker, start in gone if worker == self._worker])
        except (WattsteadError, OSError) as error:
            note(ERROR, "journal_upkeep_failed", folder=str(self._folder), error=str(error))


def _settle(group: list[_Waiting], error: JournalBroken | None) -> None:
    for version, _, _, told in group:
        try:
            told(version, error)
        except Exception as fault:  # of one of them; the others are told all the same
            note(ERROR, "journal_answer_failed", error=repr(fault))


def _resolve(future: asyncio.Future[int] | Future[int], version: int, error: JournalBroken | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(version)
    else:
        future.set_exception(JournalBroken(error.path, error.reason, error.retry_after_s))


def _take(folder: Path, worker: int) -> int:
    """The open, locked file that says this process is the worker; the lock ends with the process."""
    make_folder(folder / str(worker))
    path = folder / str(worker) / _LOCK
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise JournalInUse(path, worker, pid) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle
