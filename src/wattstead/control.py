"""A socket in the product's folder through which the same user's verbs reach the running server.

Who may open the folder may use it (mode 0600); it carries one JSON line each way, and knows no verb itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from wattstead.metering.errors import WattsteadError

_NAME = "control.sock"
_LONGEST = 100
"""Bytes of a socket's path that every system takes."""
Verb = Callable[[Mapping[str, str]], Awaitable[Mapping[str, object]]]


class NotRunning(WattsteadError):
    """No server runs on that folder."""


class VerbRefused(WattsteadError):
    """The running server says no."""


@asynccontextmanager
async def listening(folder: Path, verbs: Mapping[str, Verb]) -> AsyncIterator[None]:
    """Answer verbs while this is open."""
    path = _path(folder)
    path.unlink(missing_ok=True)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said: Mapping[str, object]
        try:
            asked = json.loads(await reader.readline())
            said = await verbs[asked.pop("verb")](asked)
        except WattsteadError as error:
            said = {"error": str(error)}
        except Exception as error:  # whatever it is, somebody waits for an answer
            said = {"error": f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(said).encode() + b"\n")
        await writer.drain()
        writer.close()

    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(answer, str(path))
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def ask(folder: Path, verb: str, **arguments: str) -> dict[str, object]:
    """What the server running on ``folder`` answers; raises `NotRunning`, `VerbRefused`."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(_path(folder)))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NotRunning(f"no server runs on {folder}") from None
        try:
            line.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            answer = line.makefile("rb").readline()
        except ConnectionError:
            answer = b""
    if not answer:
        raise VerbRefused("the server ended before it answered; see its log, and ask again once it runs")
    said: dict[str, object] = json.loads(answer)
    if "error" in said:
        raise VerbRefused(str(said["error"]))
    return said


def _path(folder: Path) -> Path:
    """The socket's path: in the folder, or through this process's own link to it where that is too long."""
    path = folder.absolute() / _NAME
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    return Path(os.path.relpath(path))
