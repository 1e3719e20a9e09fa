"""A real HTTP server of a test, which answers as it is told and writes down what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Reply(NamedTuple):
    """What to answer; ``write`` instead of a body for what no decent server does."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    write: Callable[[Any], None] | None = None


class WebServer:
    """Answers by `answers`; knows every request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: Callable[[Asked], Reply] = lambda asked: Reply()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = urlsplit(self.path)
                asked = Asked(where.path, dict(parse_qsl(where.query)), {k.lower(): v for k, v in self.headers.items()})
                outer.asked.append(asked)
                reply = outer.answers(asked)
                if reply.write is not None:
                    reply.write(self.wfile)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *told: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def says(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer all requests so."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers = lambda asked: Reply(body, status, told)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A server, ended at the end."""
    server = WebServer()
    try:
        yield server
    finally:
        server.close()
