"""Answers that come before the store has read the whole of a block."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

import pytest

from wattstead.series.wire import Refusal, Wire

HEAD = b"HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 252\r\nContent-Length: 14\r\n\r\n"
ANSWER = HEAD + b"Too many parts"


def test_a_refusal_amid_a_block_is_told_and_the_block_not_sent_again() -> None:
    connections = []

    def serve(door: socket.socket) -> None:
        while True:
            try:
                connection = door.accept()[0]
            except OSError:
                return
            connections.append(connection)
            connection.recv(1_000)
            connection.sendall(ANSWER)
            connection.close()  # with bytes unread: a reset

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, args=(door,), daemon=True).start()
        wire = Wire(urlsplit(f"http://127.0.0.1:{door.getsockname()[1]}"), {}, {}, 2, 30, 30)
        with pytest.raises(Refusal, match="Too many parts") as caught:
            wire.give("INSERT INTO t (a)", [bytes(64 << 20)], {})
        wire.close()
    assert caught.value.code == 252 and len(connections) == 1
