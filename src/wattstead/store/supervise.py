"""Keeping a store process alive: start, readiness, restart when it dies or falls silent, stop; speaks no SQL.

The process is spawned, never forked: the engine hangs after a fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType

import msgspec
import structlog

from wattstead.store.errors import StoreFailed
from wattstead.store.limits import KEY_VARIABLE, StoreLimits
from wattstead.store.pulse import Pulse

_log = structlog.get_logger("store")
_PAUSE_S, _LONGEST_PAUSE_S, _SETTLED_S = 0.2, 30.0, 60.0


class StoreProcess:
    """One store process on ``folder``, restarted when it dies or answers nothing, at an address that stays the same.

    >>> store = StoreProcess(Path("data/store"))  # doctest: +SKIP
    >>> address = await store.start()  # doctest: +SKIP
    >>> await store.stop()  # doctest: +SKIP

    ``port`` 0 takes a free one at the first start. ``backups`` is where BACKUP and RESTORE may reach; by default
    ``folder/backups``. A process that runs and has answered nothing for ``silence_s`` is killed and started again;
    while a long statement is known to run it has that statement's own limit longer. The process stops by itself when
    this one dies.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        limits: StoreLimits | None = None,
        backups: Path | None = None,
        silence_s: float = 60.0,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.limits = limits or StoreLimits()
        self.backups = (backups or self.folder / "backups").absolute()
        self.restarts = 0
        self._key = secrets.token_hex(16)
        self._pulse = Pulse(self._key, silence_s, silence_s + max(self.limits.slow_time_s, self.limits.write_time_s))
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def address(self) -> str:
        """Where the store answers, user and key included; for `series`."""
        return f"http://wattstead:{self._key}@127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """True while the process runs and has said that it is ready."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return self._process.pid if self._process else None

    async def start(self, patience_s: float = 120.0) -> str:
        """Starts the process and returns its address once it answers.

        Raises `StoreFailed` with the process's own reason: folder taken, port taken, engine refuses, too slow.
        """
        if self._keeper is not None:
            return self.address
        await self._launch(patience_s)
        self._keeper = asyncio.create_task(self._keep(patience_s), name="store-keeper")
        return self.address

    async def wait_ready(self) -> None:
        """Returns at once while the process answers, else when it does again."""
        await self._ready.wait()

    async def stop(self, grace_s: float = 15.0) -> None:
        """Asks the process to end, kills it when it has not within the grace; nothing stored is lost either way."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        await self._end(grace_s)

    async def __aenter__(self) -> StoreProcess:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    async def _launch(self, patience_s: float) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wattstead.store", "--follow-stdin"),
            *("--data", str(self.folder), "--port", str(self.port)),
            *("--backups", str(self.backups), "--limits", msgspec.json.encode(self.limits).decode()),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "TZ": "UTC", KEY_VARIABLE: self._key},
        )
        try:
            self.port = await asyncio.wait_for(_read_port(self._process), patience_s)
        except TimeoutError:
            await self._end(grace_s=0.0)
            raise StoreFailed(f"the store did not become ready within {patience_s:g} s; see its log") from None
        except BaseException:
            await self._end(grace_s=5.0)
            raise
        self._ready.set()
        _log.info("store ready", pid=self._process.pid, port=self.port, folder=str(self.folder))

    async def _keep(self, patience_s: float) -> None:
        """Waits for the process to die and starts it again, after a pause that doubles with each quick death."""
        loop = asyncio.get_running_loop()
        pause_s = _PAUSE_S
        while True:
            began = loop.time()
            if self._process is not None:
                status = await self._watched(self._process)
                self._ready.clear()
                pause_s = _PAUSE_S if loop.time() - began > _SETTLED_S else pause_s
                _log.error("the store died and is started again", status=status, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            self.restarts += 1
            try:
                await self._launch(patience_s)
            except (StoreFailed, OSError) as error:
                _log.error("the store cannot be started again yet", reason=str(error), pause_s=pause_s)

    async def _watched(self, process: Process) -> int:
        """The status with which the process ends, by itself or because it has fallen silent."""
        died = asyncio.ensure_future(process.wait())
        lost = asyncio.ensure_future(self._pulse.until_lost(self.port))
        try:
            await asyncio.wait((died, lost), return_when=asyncio.FIRST_COMPLETED)
            if not died.done() and lost.exception() is not None:  # then nothing is known, and nobody is ended for it
                _log.error("the store cannot be asked whether it answers", exc_info=lost.exception())
            elif not died.done():
                self._ready.clear()
                _log.error("the store runs and does not answer; it is ended", pid=process.pid, found=lost.result())
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            return await died
        finally:
            for task in (died, lost):
                task.cancel()

    async def _end(self, grace_s: float) -> None:
        process, self._process = self._process, None
        self._ready.clear()
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if grace_s > 0:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), grace_s)
            if process.returncode is None:
                _log.warning("the store does not end and is killed", grace_s=grace_s)
                process.kill()
        await process.wait()


async def _read_port(process: Process) -> int:
    """The port from the process's first line. Raises `StoreFailed` with the reason it gives instead."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    try:
        said = json.loads(line)
        return int(said["ready"])
    except (ValueError, KeyError):
        pass
    if line.startswith(b'{"failed"'):
        raise StoreFailed(said["message"])
    raise StoreFailed(f"the store ended with status {await process.wait()} before it was ready; see its log")
