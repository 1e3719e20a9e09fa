"""The short way for simple posts: the same answers and readings as the usual way, and the usual way for all else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from wattstead.ingest.limits import IngestLimits
from wattstead.stream import JournalLimits

if TYPE_CHECKING:
    from conftest import Door

NOW_S = 1_700_000_000


class Line:
    """One connection, bytes as they are."""

    def __init__(self, door: Door) -> None:
        self.socket = socket.create_connection(("127.0.0.1", door.server.port), 30)
        self._rest = b""

    def ask(self, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
        for piece in pieces:
            self.socket.sendall(piece)
        return self.answer()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._read()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(status.split(" ")[1]), headers, body

    def _read(self) -> None:
        part = self.socket.recv(65_536)
        assert part, "the server closed the connection"
        self._rest += part


def get(door: Door, query: str, more: str = "", path: str = "/input/post") -> bytes:
    return f"GET {path}?apikey={door.key}&{query} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode()


def form(door: Door, body: str, more: str = "") -> bytes:
    head = f"POST /input/post HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
def line(door: Door) -> Line:
    return Line(door)


def test_the_first_post_goes_the_usual_way_and_the_next_ones_the_short(door: Door, line: Line) -> None:
    usual = door.server.usual
    for second in range(5):
        status, headers, body = line.ask(get(door, f"node=tx&fulljson={{%22power%22:{second}}}&time={NOW_S + second}"))
        assert (status, body) == (200, b'{"success": true}')
        assert headers["content-type"].startswith("text/plain") and headers["access-control-allow-origin"] == "*"
    assert door.server.usual == usual + 1
    assert [(row.time_us // 1_000_000 - NOW_S, row.value) for row in door.stored()] == [(i, i) for i in range(5)]


def test_forms_and_other_requests_on_one_connection(door: Door, line: Line) -> None:
    kind = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
    for value in (1, 2):
        assert line.ask(form(door, f"csv={value}", kind))[2] == b"ok"
        assert line.ask(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 204
        assert line.ask(get(door, "csv=nonsense"))[2].startswith(b'{"success": false')
        assert line.ask(get(door, f"csv={value + 10}"))[2] == b"ok"
    assert [row.value for row in door.stored()] == [1, 11, 2, 12]


@pytest.mark.parametrize(
    "more, body",
    [
        ("Transfer-Encoding: chunked\r\n", b"5\r\ncsv=7\r\n0\r\n\r\n"),
        ("Expect: 100-continue\r\nContent-Length: 5\r\n", b"csv=7"),
        ("content-LENGTH:5\r\n", b"csv=7"),
        ("Content-Length: 5\r\nConnection: keep-alive, TE\r\n", b"csv=7"),
        ("Content-Length: 5\r\nX_Odd: 1\r\n", b"csv=7"),
    ],
)
def test_unusual_heads_are_read_by_a_real_parser(door: Door, line: Line, more: str, body: bytes) -> None:
    line.ask(get(door, "csv=7"))
    status, _, text = line.ask(f"POST /input/post?apikey={door.key} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode() + body)
    if status == 100:
        status, _, text = line.answer()
    assert (status, text) == (200, b"ok") and [row.value for row in door.stored()] == [7, 7]


def test_requests_in_pieces_and_several_at_once(door: Door, line: Line) -> None:
    line.ask(get(door, "csv=0"))
    whole = form(door, "csv=1")
    assert line.ask(whole[:30], whole[30:-2], whole[-2:])[2] == b"ok"
    line.socket.sendall(get(door, "csv=2") + get(door, "csv=3") + get(door, "csv=4")[:20])
    assert [line.answer()[2] for _ in range(2)] == [b"ok", b"ok"]
    assert line.ask(get(door, "csv=4")[20:])[2] == b"ok"
    for value in range(5, 40):
        line.socket.sendall(get(door, f"csv={value}"))
    assert [line.answer()[2] for _ in range(35)] == [b"ok"] * 35
    assert [row.value for row in door.stored()] == list(range(40))


@pytest.mark.parametrize(
    "version, more, stays", [("1.1", "Connection: close\r\n", False), ("1.0", "", False), ("1.1", "", True)]
)
def test_the_connection_ends_as_the_sender_wants(door: Door, line: Line, version: str, more: str, stays: bool) -> None:
    line.ask(get(door, "csv=1"))
    assert line.ask(get(door, "csv=2", more).replace(b"HTTP/1.1", f"HTTP/{version}".encode()))[2] == b"ok"
    if stays:
        assert line.ask(get(door, "csv=3"))[2] == b"ok"
    else:
        assert line.socket.recv(10) == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /input/post?csv=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\ncsv=1",
        b"POST /input/post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\ncsv=1",
        b"POST /input/post HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\ncsv=1",
        b"GET /input/post?csv=1 HTTP/1.1\r\nHost a\r\n\r\n",
        b"GET /input/post?csv=1 HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    ],
)
def test_malformed_heads_are_refused(door: Door, request_bytes: bytes) -> None:
    assert Line(door).ask(request_bytes)[0] == 400
    assert not door.stored()


def test_two_lengths_are_refused_whatever_the_first(door: Door, line: Line) -> None:
    assert line.ask(form(door, "csv=1"))[2] == b"ok"
    known = len(door.stored())
    assert line.ask(form(door, "csv=1", "Content-Length: 0\r\n"))[0] == 400
    assert len(door.stored()) == known


def test_revoked_keys_late_times_and_deltas_go_the_usual_way(door: Door, line: Line) -> None:
    door.declare("emon/0/2", delta=True)
    line.ask(get(door, "csv=1"))
    assert line.ask(get(door, "csv=1&time=noon"))[0] == 400
    assert line.ask(get(door, f"csv=1&time={NOW_S + 10**6}"))[0] == 400
    assert [line.ask(get(door, "csv=1,2"))[2] for _ in range(2)] == [b"ok"] * 2
    assert {row.quality for row in door.stored() if row.address == "emon/0/2"} == {4}
    door.points.revoke_key(door.key)
    assert line.ask(get(door, "csv=1"))[::2] == (401, b"Invalid API key")


@pytest.mark.parametrize(
    "query, good",
    [
        ("csv=100,abc,200", b"ok"),
        ("json={a:1,b:NaN}", b"ok"),
        ("fulljson={%22a%22:1,%22b%22:{%22x%22:1}}", b'{"success": true}'),
        ("csv=abc", b""),
        ("fulljson={%22a%22:{}}", b""),
    ],
)
def test_a_bad_value_is_answered_the_same_on_both_ways(door: Door, line: Line, query: str, good: bytes) -> None:
    """Whatever was kept the short way before: what is wrong is met by the usual way, which names it."""
    for known in ("csv=1,2,3", "fulljson={%22a%22:5,%22b%22:6}"):
        line.ask(get(door, known))
    first = line.ask(get(door, query))
    stored = [(row.address, row.value) for row in door.stored()]
    usual = door.server.usual
    second = line.ask(get(door, query))
    request = f"POST /input/post HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.key}\r\n"
    chunked = f"{request}Transfer-Encoding: chunked\r\n\r\n"
    third = line.ask(f"{chunked}{len(query):x}\r\n{query}\r\n0\r\n\r\n".encode())
    for _, head, _ in (first, second, third):
        head.pop("date", None)
    assert first == second == third and door.server.usual == usual + 2
    assert first[0] == 200 and (first[2] == good if good else first[2].startswith(b'{"success": false'))
    assert ("x-emoncms-message" in first[1]) == bool(good)
    kept = [(row.address, row.value) for row in door.stored()][len(stored) :]
    assert kept == 2 * stored[5:]


def test_a_full_journal_and_a_fast_key(open_door: Callable[..., Door]) -> None:
    door = open_door(IngestLimits(key_rate=0.01, burst_s=200), JournalLimits(waiting_requests=1))
    line = Line(door)
    statuses = [line.ask(get(door, f"csv={i}"))[0] for i in range(8)]
    assert statuses[0] == 200 and statuses[-1] == 429
    door = open_door(journal_limits=JournalLimits(waiting_requests=0))
    for _ in range(2):
        status, headers, body = Line(door).ask(get(door, "csv=1"))
        assert status == 503 and int(headers["retry-after"]) >= 1 and b"success" in body


def lines(door: Door, body: str, more: str = "Content-Type: text/plain\r\n", path: str = "/write") -> bytes:
    head = f"POST {path}?db=x&precision=s HTTP/1.1\r\nHost: a\r\nAuthorization: Token {door.key}\r\n{more}"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


@pytest.mark.parametrize("count", [1, 1_000])
@pytest.mark.parametrize("path", ["/write", "/api/v2/write"])
def test_known_lines_go_the_short_way(door: Door, line: Line, count: int, path: str) -> None:
    usual = door.server.usual

    def body(second: int) -> str:
        return "".join(f"meter,id={one} power={one + second} {NOW_S + second}\n" for one in range(count))

    for second in range(4):
        status, headers, _ = line.ask(lines(door, body(second), path=path))
        assert status == 204 and headers["x-influxdb-version"]
    assert usual < door.server.usual < usual + 4
    stored = [(row.time_us // 1_000_000 - NOW_S, row.value) for row in door.stored()]
    assert sorted(stored) == sorted((second, one + second) for second in range(4) for one in range(count))


def test_lines_that_are_not_as_usual_are_answered_as_always(door: Door, line: Line) -> None:
    good = f"meter,id=1 power=1 {NOW_S}"
    for _ in range(2):
        assert line.ask(lines(door, good))[0] == 204
    for body, words in (
        (f"meter,id=1 power= {NOW_S}", b"missing field value"),
        (f"{good}\nmeter,id=1 power=x {NOW_S}", b"dropped=1"),
        (f"meter,id=1 power=1 {NOW_S * 1000}", b"not kept"),
        ("meter,id=1 power=1 soon", b"bad timestamp"),
    ):
        status, _, answer = line.ask(lines(door, body))
        assert status == 400 and words in answer
    assert line.ask(lines(door, f'meter,id=1 note="x",power=2 {NOW_S + 1}'))[0] == 204
    assert line.ask(lines(door, "meter,id=1 power=3"))[0] == 204
    assert line.ask(lines(door, good).replace(b"precision=s ", b"precision=fortnights "))[0] == 400
    assert line.ask(lines(door, good).replace(door.key.encode(), b"f" * 32))[0] == 401


def long_lines(second: int, count: int = 10_000) -> str:
    return "".join(f"long,id={one} power={one + second} {NOW_S + second}\n" for one in range(count))


def test_long_bodies_in_many_pieces_go_the_short_way(door: Door, line: Line) -> None:
    assert line.ask(lines(door, long_lines(0)))[0] == 204
    usual = door.server.usual
    for second, size in ((1, 300_000), (2, 50_000), (3, 7_001)):
        whole = lines(door, long_lines(second))
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert line.ask(*pieces)[0] == 204
    line.socket.sendall(lines(door, long_lines(4)) + lines(door, long_lines(5)))
    assert [line.answer()[0] for _ in range(2)] == [204, 204]
    assert line.ask(get(door, "csv=7"))[2] == b"ok"
    assert door.server.usual <= usual + 3
    stored = [(row.time_us // 1_000_000 - NOW_S, row.value) for row in door.stored() if row.address[0:4] == "infl"]
    assert len(stored) == 60_000 and len(set(stored)) == 60_000


def test_long_bodies_that_are_not_as_usual(door: Door, line: Line) -> None:
    good = lines(door, long_lines(0))
    assert line.ask(good)[0] == 204
    assert line.ask(good.replace(door.key.encode(), b"f" * 32))[0] == 401
    bad = lines(door, long_lines(1).replace("id=5000 power=5001", "id=5000 power=x"))
    status, _, answer = line.ask(bad[:200_000], bad[200_000:])
    assert status == 400 and b"line 5001" in answer
    gone = Line(door)
    gone.socket.sendall(good[:150_000])
    gone.socket.close()
    assert line.ask(good[:100], good[100:])[0] == 204
    assert len(door.stored()) == 10_000 + 9_999 + 10_000


def test_a_sender_that_says_no_more_gets_its_answers(door: Door, line: Line) -> None:
    line.ask(get(door, "csv=1"))
    for asked in (
        [get(door, "csv=2")],
        [get(door, "csv=3") + get(door, "csv=4")],
        [form(door, "csv=5", "X_Odd: 1\r\n")],
        [form(door, "csv=6", "X_Odd: 1\r\n") + get(door, "csv=7")],
        [form(door, "csv=8"), get(door, "csv=9")[:20]],
    ):
        half = Line(door)
        half.socket.sendall(b"".join(asked))
        half.socket.shutdown(socket.SHUT_WR)
        count = b"".join(asked).count(b"\r\n\r\n")
        assert [half.answer()[2] for _ in range(count)] == [b"ok"] * count
        assert half.socket.recv(1) == b""
    assert [row.value for row in door.stored()] == list(range(1, 9))


def test_half_a_request_and_no_more_ends_the_connection(door: Door, line: Line) -> None:
    line.ask(get(door, "csv=1"))
    for sent in (b"", get(door, "csv=2")[:20], form(door, "csv=2")[:-2], form(door, "csv=2", "X_Odd: 1\r\n")[:-2]):
        half = Line(door)
        half.socket.sendall(sent)
        half.socket.shutdown(socket.SHUT_WR)
        assert half.socket.recv(1) == b""
