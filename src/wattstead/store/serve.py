"""Running the store process: folder, engine, lanes, front, and its end; who restarts it is `supervise`'s affair."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
import uvloop

from wattstead.store.engine import Engine
from wattstead.store.folder import StoreFolder
from wattstead.store.front import Front
from wattstead.store.limits import StoreLimits
from wattstead.store.open_files import allow_open_files
from wattstead.store.statement import LaneName

_log = logging.getLogger("wattstead.store")
_GRACE_S, _WRITE_GRACE_S, _READ_GRACE_S = 2, 5.0, 0.2
"""At the end: for requests, then for the statement that writes, then for each lane of questions."""


def serve(data: Path, port: int, key: str, limits: StoreLimits, backups: Path, follow_stdin: bool) -> None:
    """Serves the folder on 127.0.0.1 until SIGTERM or SIGINT; with ``follow_stdin`` also until standard input ends.

    Prints one line on standard output when ready: ``{"ready": port}``. Raises `FolderTaken`, `EngineRefused`,
    `EngineMissing`, `OSError` when the port is taken.
    """
    allow_open_files()
    with StoreFolder(data) as folder, _listen(port) as listener:
        folder.configure(limits, backups)
        engine = Engine(folder)
        front = Front(engine, limits, key, folder.path)
        for lane in front.lanes.values():
            lane.open()
        uvloop.run(_run(front, listener, follow_stdin))
        graces = {LaneName.WRITE: _WRITE_GRACE_S}
        ended = [lane.close(graces.get(name, _READ_GRACE_S)) for name, lane in front.lanes.items()]
        if not all(ended):
            _log.warning("a statement is still running and is left behind; nothing acknowledged depends on it")
            os._exit(0)
        engine.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"port {port} on 127.0.0.1 cannot be opened ({error.strerror}); choose another"
        ) from None
    return listener


async def _run(front: Front, listener: socket.socket, follow_stdin: bool) -> None:
    config = uvicorn.Config(
        front,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=256,
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.end)
    if follow_stdin:
        threading.Thread(target=_follow_stdin, args=(loop, server), daemon=True).start()
    await server.serve([listener])


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to us and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    async def main_loop(self) -> None:
        """Until `end`, without looking ten times a second whether it is time."""
        await self.on_tick(0)
        await self._ended.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets:
            print(f'{{"ready": {sockets[0].getsockname()[1]}}}', flush=True)  # noqa: T201
            os.dup2(2, 1)  # nobody reads further lines; what a library may print goes to the log

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()


def _follow_stdin(loop: asyncio.AbstractEventLoop, server: _Server) -> None:
    """Ends the process when the other end of standard input closes, which the death of the parent does."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    _log.info("standard input ended, the store stops")
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(server.end)
    threading.Timer(2 * (_GRACE_S + _WRITE_GRACE_S), os._exit, (1,)).start()
