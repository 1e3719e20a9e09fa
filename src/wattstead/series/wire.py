"""Wire: a question to ClickHouse's HTTP and the bytes of its answer, at the least cost; reads neither of them.

Questions are many and small: what a driver, or a client for any server, does around each costs as much as the store
needs for some of them. What changes something goes by the driver.
"""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlencode

import httptools

_CODE = b"x-clickhouse-exception-code"
_PIECE = 256 << 10


class Refusal(Exception):
    """The store answered with an error; ``code`` is ClickHouse's number, None where it gave none."""

    def __init__(self, text: str, code: int | None) -> None:
        self.code = code
        super().__init__(text)


class NoAnswer(Exception):
    """Nobody answered, or not to the end."""


class _Closed(NoAnswer):
    """The connection was closed before the first byte of an answer."""


class Wire:
    """Kept connections to one address with the settings of one kind of question, from any thread."""

    def __init__(
        self, parts: SplitResult, settings: Mapping[str, object], headers: Mapping[str, str], connections: int,
        connect_s: float, read_s: float,
    ) -> None:  # fmt: skip
        secure = parts.scheme == "https"
        self._address = parts.hostname or "", parts.port or (8443 if secure else 8123)
        self._context = ssl.create_default_context() if secure else None
        self._connect_s, self._read_s, self._most = connect_s, read_s, connections
        who = f"{unquote(parts.username or 'default')}:{unquote(parts.password or '')}"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        told = {"Host": f"{host}:{self._address[1]}", "Authorization": f"Basic {b64encode(who.encode()).decode()}"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**told, **headers}.items())
        self._head = f"POST /?{urlencode(settings)} HTTP/1.1\r\n{lines}Content-Length: ".encode("latin-1")
        self._lock = threading.Lock()
        self._rest: list[socket.socket] = []
        self._closed = False

    def ask(self, sql: str) -> bytes:
        """The answer in ClickHouse's Native format. Raises `Refusal`, and `NoAnswer` where there is none."""
        body = f"{sql}\nFORMAT Native".encode()
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        try:
            answer = self._asked(request)
        except _Closed:  # a kept connection that the store had closed, as it has perhaps all of them
            answer = self._asked(request, kept=False)
        if answer.status != 200:
            text = answer.body.decode("utf-8", "replace").strip() or f"HTTP status {answer.status} without a word"
            raise Refusal(text, answer.code)
        return answer.body

    def close(self) -> None:
        """Gives up the connections that rest; one that is being used closes when it is given back."""
        with self._lock:
            resting, self._rest, self._closed = self._rest, [], True
        for connection in resting:
            connection.close()

    def _asked(self, request: bytes, kept: bool = True) -> _Answer:
        with self._lock:
            connection = self._rest.pop() if self._rest and kept else None
        connection = connection or self._connected()
        answer = _Answer()
        try:
            connection.sendall(request)
            while not answer.complete:
                answer.take(connection.recv(_PIECE))
        except ConnectionError as error:
            raise (NoAnswer if answer.begun else _Closed)(str(error)) from error
        except OSError as error:
            raise NoAnswer(str(error) or type(error).__name__) from error
        finally:
            self._give_back(connection, answer)
        return answer

    def _connected(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, self._connect_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self._read_s)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_hostname=self._address[0])
        except OSError as error:
            raise NoAnswer(f"no connection could be established: {error}") from error
        return connection

    def _give_back(self, connection: socket.socket, answer: _Answer) -> None:
        with self._lock:
            if answer.keeps and not self._closed and len(self._rest) < self._most:
                self._rest.append(connection)
                return
        connection.close()


class _Answer:
    """An answer as it comes in; the parser calls what begins with ``on_``."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self.begun = self.complete = self.keeps = False
        self.status = 0
        self.code: int | None = None
        self.body = b""

    def take(self, piece: bytes) -> None:
        """Bytes that came; none: the connection ended. Raises `NoAnswer`."""
        if not piece:
            raise (NoAnswer if self.begun else _Closed)("the connection was closed before the answer's end")
        self.begun = True
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError as error:
            raise NoAnswer(f"the answer is no HTTP: {error}") from error

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == _CODE and value.isdigit():
            self.code = int(value)

    def on_body(self, piece: bytes) -> None:
        self._parts.append(piece)

    def on_message_complete(self) -> None:
        self.status, self.keeps = self._parser.get_status_code(), self._parser.should_keep_alive()
        self.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self.complete = True
