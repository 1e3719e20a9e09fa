"""Wire: questions and blocks to ClickHouse's HTTP and the bytes of its answers, at the least cost; reads none of them.

Questions are many and small: what a driver, or a client for any server, does around each costs as much as the store
needs for some of them. Blocks are few and large, and go as they lie in memory. All else goes by the driver.
"""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import SplitResult, unquote, urlencode

import httptools
import msgspec

from wattstead.series.native import Piece

_SUMMARY = b"x-clickhouse-summary"
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
    """Kept connections to one address with the settings of one kind of statement, from any thread."""

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
        self._target, self._lines = f"POST /?{urlencode(settings)}", f" HTTP/1.1\r\n{lines}Content-Length: "
        self._head = f"{self._target}{self._lines}".encode("latin-1")
        self._lock = threading.Lock()
        self._rest: list[socket.socket] = []
        self._closed = False

    def ask(self, sql: str) -> bytes:
        """The answer in ClickHouse's Native format. Raises `Refusal`, and `NoAnswer` where there is none."""
        body = f"{sql}\nFORMAT Native".encode()
        return self._answered([b"%b%d\r\n\r\n%b" % (self._head, len(body), body)]).body

    def give(self, insert: str, block: Sequence[Piece], settings: Mapping[str, object]) -> int:
        """The rows that were written of a block in Native format: ``insert`` is ``INSERT INTO t (a, b)``. The block may
        be given twice, where a connection ends before its answer. Raises what `ask` raises."""
        statement = f"{insert} FORMAT Native\n".encode()
        size = len(statement) + sum(map(len, block))
        head = f"{self._target}&{urlencode(settings)}{self._lines}{size}\r\n\r\n".encode("latin-1")
        return self._answered([head + statement, *block]).written

    def _answered(self, request: Sequence[Piece]) -> _Answer:
        try:
            answer = self._asked(request)
        except _Closed:  # a kept connection that the store had closed, as it has perhaps all of them
            answer = self._asked(request, kept=False)
        if answer.status != 200:
            text = answer.body.decode("utf-8", "replace").strip() or f"HTTP status {answer.status} without a word"
            raise Refusal(text, answer.code)
        return answer

    def close(self) -> None:
        """Gives up the connections that rest; one that is being used closes when it is given back."""
        with self._lock:
            resting, self._rest, self._closed = self._rest, [], True
        for connection in resting:
            connection.close()

    def _asked(self, request: Sequence[Piece], kept: bool = True) -> _Answer:
        with self._lock:
            connection = self._rest.pop() if self._rest and kept else None
        connection = connection or self._connected()
        answer = _Answer()
        try:
            _send(connection, request, answer)
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


def _send(connection: socket.socket, request: Sequence[Piece], answer: _Answer) -> None:
    """Send a request; the store may answer before it has read all of it, and close: then the answer is taken."""
    try:
        for piece in _sent(request):
            connection.sendall(piece)
    except ConnectionError:
        with suppress(OSError, NoAnswer):
            while not answer.complete:
                answer.take(connection.recv(_PIECE))
        if not answer.complete:
            raise
        answer.keeps = False


def _sent(request: Sequence[Piece]) -> Iterator[Piece]:
    """What is sent at one time: small pieces together, large ones as they lie in memory."""
    small: list[Piece] = []
    for piece in request:
        if len(piece) < _PIECE:
            small.append(piece)
            continue
        yield b"".join(small)
        yield piece
        small = []
    yield b"".join(small)


class _Answer:
    """An answer as it comes in; the parser calls what begins with ``on_``."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self.begun = self.complete = self.keeps = False
        self.status = self.written = 0
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
        name = name.lower()
        if name == _CODE and value.isdigit():
            self.code = int(value)
        elif name == _SUMMARY:
            self.written = msgspec.json.decode(value, type=_Summary, strict=False).written_rows

    def on_body(self, piece: bytes) -> None:
        self._parts.append(piece)

    def on_message_complete(self) -> None:
        self.status, self.keeps = self._parser.get_status_code(), self._parser.should_keep_alive()
        self.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self.complete = True


class _Summary(msgspec.Struct):
    written_rows: int = 0
