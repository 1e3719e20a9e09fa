"""The ports: opened before anything else is started, each with a server of its own while the product runs.

What a port lets in is `wattstead.entrances`' affair, with which certificate `wattstead.securing`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn

from wattstead.certificates import machine
from wattstead.ingest.http.clear import local
from wattstead.metering.errors import WattsteadError
from wattstead.settings import Settings

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
_ANY = ("0.0.0.0", "::")  # noqa: S104 - to be told apart, not to be listened on
"""All addresses of this machine: to listen on, not to go to."""


class PortTaken(WattsteadError):
    """An address to listen on cannot be had."""


class NotWithoutTls(WattsteadError):
    """Pages and passwords would go over the network in the clear."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Open sockets, and the address of the pages."""

    main: socket.socket
    http: socket.socket | None
    """Plain HTTP: the way to https, and what must be reached before it."""
    plain: socket.socket | None
    """Plain HTTP: readings alone."""
    url: str
    own_url: str
    """The same for this machine itself."""

    @property
    def number(self) -> int:
        """The number of the main port."""
        return int(self.main.getsockname()[1])

    def url_of(self, listener: socket.socket | None, settings: Settings) -> str:
        """The address of a plain port; empty for none."""
        if listener is None:
            return ""
        host = (machine.outward() or "localhost") if settings.host in _ANY else settings.host
        return f"http://{_bracketed(host)}:{listener.getsockname()[1]}"


@contextmanager
def open_ports(settings: Settings) -> Iterator[Ports]:
    """All ports that the settings name; raises `PortTaken`, `NotWithoutTls`."""
    mode = settings.tls_mode
    if mode == "off" and not (local(settings.host) or settings.trust_forwarded):
        raise NotWithoutTls(
            f"without TLS, pages and passwords would be read by others on the way to {settings.host}: use --tls auto, "
            "or --trust-forwarded behind a proxy that does TLS; for devices that cannot do TLS add --plain-port"
        )
    with ExitStack() as opened:
        main = opened.enter_context(_listen(settings.host, settings.port, "--port"))
        number = main.getsockname()[1]
        http, plain = settings.http_port_beside(settings.port), settings.plain_port
        yield Ports(
            main,
            None if http is None else opened.enter_context(_listen(settings.host, http, "--http-port")),
            None if plain is None else opened.enter_context(_listen(settings.host, plain, "--plain-port")),
            _url(settings, _name(settings), number),
            _url(settings, "localhost" if settings.host in _ANY else settings.host, number),
        )


class Server(uvicorn.Server):
    """uvicorn that says when it listens, and leaves it to us to end: by itself it would repeat the signal afterwards,
    which ends the process before the rooms are stopped.
    """

    def __init__(
        self, app: Asgi, protocol: Any = "httptools", tls: ssl.SSLContext | None = None, first: bool = True
    ) -> None:
        """``first``: this one hears the signals, and starts and ends what the application has begun."""
        config = uvicorn.Config(
            app,
            loop="none",
            http=protocol,
            ws="none",
            lifespan="on" if first else "off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=8192,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        self.listening = asyncio.Event()
        self._ended = asyncio.Event()
        self._first = first

    async def main_loop(self) -> None:
        """Until `end` or a signal, without looking ten times a second whether it is time."""
        await self.on_tick(0)
        await self._ended.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal."""
        super().handle_exit(sig, frame)
        self._ended.set()

    def end(self) -> None:
        """Stop serving; from the event loop."""
        self.should_exit = True
        self._ended.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let the signals that ask a process to end ask this server alone."""
        if not self._first:
            yield
            return
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:  # whoever asks again while the rooms are stopped does not want to wait for them
            for number in signals:
                loop.remove_signal_handler(number)


@asynccontextmanager
async def beside(server: Server, listener: socket.socket | None) -> AsyncIterator[None]:
    """Another server runs while this is open; none without a port."""
    if listener is None:
        yield
        return
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.end()
        await task


def _listen(host: str, port: int, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else Nagle delays answers
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"{host}:{port} cannot be opened ({error.strerror}); choose another with {option}") from None
    return listener


def _url(settings: Settings, host: str, port: int) -> str:
    return f"{'http' if settings.tls_mode == 'off' else 'https'}://{_bracketed(host)}:{port}{settings.base_path}"


def _name(settings: Settings) -> str:
    """What people who are elsewhere call this machine."""
    if settings.host not in _ANY:
        return settings.host
    return settings.tls_names.partition(",")[0].strip() or machine.neighbourly() or "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
