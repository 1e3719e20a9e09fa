"""Asking a real server: only for what is new, not too soon, not too much, not elsewhere; and no secret is told."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from typing import Any

import pytest
from tests.ingest.fetched.web_server import Asked, Reply, WebServer
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.fetched import fetching
from wattstead.ingest.fetched.fetching import Fetcher
from wattstead.ingest.fetched.plan import Answer, Plan, Request
from wattstead.ingest.fetched.polling import one_round, poll, seen
from wattstead.ingest.reception import present_us
from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.life import Life
from wattstead.ingest.sources.outward import Outward, networks
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable


async def failure(request: Request) -> SourceFailed:
    with pytest.raises(SourceFailed) as failed:
        await Fetcher().get(request)
    return failed.value


async def test_only_what_is_new(server: WebServer) -> None:
    def answers(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"1"':
            return Reply(status=304)
        return Reply(b"new", headers={"ETag": '"1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})

    server.answers = answers
    fetcher, request = Fetcher(), Request(f"{server.url}/p?a=1", {"b": "x y"}, {"key": "hush"})
    first = await fetcher.get(request)
    assert first is not None and first.raw == b"new" and "hush" not in first.request.shown
    assert await fetcher.get(request) is None
    assert server.asked[1].headers["if-modified-since"] == "Wed, 21 Oct 2015 07:28:00 GMT"
    assert server.asked[0].query == {"a": "1", "b": "x y", "key": "hush"}
    assert server.asked[0].headers["host"] == server.url.removeprefix("http://")
    assert await fetcher.get(Request(server.url)) is not None, "another address is asked for whole"


async def test_what_is_packed(server: WebServer) -> None:
    server.says(gzip.compress(b"x" * 1000), Content_Encoding="gzip")
    answer = await Fetcher().get(Request(server.url))
    assert answer is not None and answer.raw == b"x" * 1000
    server.says(b"no gzip", Content_Encoding="gzip")
    assert "cannot be unpacked" in str(await failure(Request(server.url)))


async def test_too_much(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_LARGEST", 100_000)
    monkeypatch.setattr(fetching, "_LARGEST_UNPACKED", 200_000)

    def endless(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                out.write(b"x" * 10_000)
        except OSError:
            return

    server.answers = lambda asked: Reply(write=endless)
    assert "more than 100,000 bytes" in str(await failure(Request(server.url)))
    server.says(gzip.compress(bytes(300_000)), Content_Encoding="gzip")
    assert "200,000 bytes" in str(await failure(Request(server.url)))


async def test_too_slow(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_WHOLE_S", 0.2)
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def never(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
        out.flush()
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(60)

    server.answers = lambda asked: Reply(write=never)
    assert "no whole answer" in str(await failure(Request(server.url)))
    release.set()


@pytest.mark.parametrize(
    ("reply", "after_s", "said", "hopeless"),
    [
        (Reply(b"", 429, {"Retry-After": "3600"}), 3600, "429", False),
        (Reply(b"busy", 503), 30, "busy", False),
        (Reply(b"who are you, hush?", 401), 0, "401", True),
        (Reply(b'{"reason": "no such variable"}', 400), 600, "no such variable", False),
        (Reply(write=lambda out: out.write(b"this is no HTTP\r\n\r\n")), 30, "no HTTP", False),
        (Reply(b"", 302, {"Location": "https://elsewhere.example/?key=hush"}), 600, "redirects", False),
        (Reply(b"", 302, {"Location": "file:///etc/passwd"}), 600, "redirects", False),
        (Reply(b"", 302, {"Location": "/again"}), 600, "more than 3 redirects", False),
    ],
)
async def test_who_says_no(server: WebServer, reply: Reply, after_s: float, said: str, hopeless: bool) -> None:
    server.answers = lambda asked: reply
    failed = await failure(Request(server.url, secret={"key": "hush"}))
    assert said in str(failed) and "hush" not in str(failed)
    assert (failed.retry_after_s, failed.hopeless) == (after_s, hopeless)


async def test_no_part_of_a_long_secret_is_told(server: WebServer) -> None:
    """Neither by the library, of a token with the line end that it was copied with, nor by a server that repeats it."""
    secret = "s3cret" * 100
    broken = await failure(Request(server.url, headers={"Authorization": f"Bearer {secret}\n"}))
    assert "Illegal header value" in str(broken) and "s3cret" not in str(broken)
    server.answers = lambda asked: Reply(b"x" * 100 + secret.encode() + b" is none", 400)
    for request in (Request(server.url, secret={"key": secret}),
                    Request(server.url, headers={"Authorization": f"Bearer {secret}"})):  # fmt: skip
        refused = await failure(request)
        assert "is none" in str(refused) and "s3cret" not in str(refused)


async def test_a_redirect_on_the_same_server(server: WebServer) -> None:
    server.answers = lambda asked: Reply(b"here") if asked.path == "/b" else Reply(b"", 301, {"Location": "/b"})
    answer = await Fetcher().get(Request(f"{server.url}/a"))
    assert answer is not None and answer.raw == b"here"


async def test_nobody_there() -> None:
    failed = await failure(Request("http://127.0.0.1:1/"))
    assert "127.0.0.1:1: cannot be reached" in str(failed) and not failed.hopeless
    assert "cannot be found" in str(await failure(Request("http://nowhere.invalid/")))


async def test_networks_that_are_not_to_be_reached(server: WebServer) -> None:
    """Also by a name that leads there: it is the address connected to that is looked at."""
    local = server.url.replace("127.0.0.1", "localhost")
    with Outward(networks("127.0.0.0/8, ::1/128")).applied():
        for url in (server.url, local):
            failed = await failure(Request(url))
            assert failed.hopeless and "not to be reached" in str(failed)
    assert not server.asked
    assert await Fetcher().get(Request(local)) is not None, "elsewhere it may be"


async def test_through_the_proxy_of_the_environment(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    server.says(b"by proxy")
    answer = await Fetcher().get(Request("http://weather.invalid/x"))
    assert answer is not None and answer.raw == b"by proxy"
    assert server.asked[0].headers["host"] == "weather.invalid"


def decode(message: Message) -> Any:
    gathered = Gathered(message.received_us)
    try:
        gathered.put("x", float(message.raw), message.received_us)
    except ValueError:
        raise Unreadable("no number") from None
    return gathered.columns()


async def test_page_by_page_and_again(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pages = {"/": b"1", "/2": b"2", "/3": b"rubbish"}
    server.answers = lambda asked: Reply(pages[asked.path])

    def after(answer: Answer) -> Request | None:
        return Request(f"{server.url}/{int(answer.raw) + 1}")

    way = RecordingWay()
    plan = Plan(lambda present_us: [Request(f"{server.url}/", secret={"key": "hush"})], decode, after)
    polling = asyncio.create_task(poll(Fetcher(), plan, 3_600, way))
    await way.until(lambda way: way.refused)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert [one.value for one in way.kept] == [1, 2]
    message, reason = way.refused[0]
    assert (message.raw, message.where, reason) == (b"rubbish", f"{server.url}/3", "no number")
    assert "hush" not in caplog.text


async def test_nobody_waits_while_an_answer_is_read(server: WebServer) -> None:
    """However short it is, it may stand for very many readings."""
    server.says(b"1")
    readers: list[threading.Thread] = []

    def read(message: Message) -> Columns:
        readers.append(threading.current_thread())
        return decode(message)

    plan = Plan(lambda present_us: [Request(server.url)], read)
    way = RecordingWay()
    await one_round(Fetcher(), plan, way, {})
    assert way.kept and await seen(Fetcher(), plan, present_us())
    assert len(readers) == 2 and threading.main_thread() not in readers


async def test_pages_without_end(server: WebServer) -> None:
    server.says(b"1")
    plan = Plan(lambda present_us: [Request(server.url)], decode, lambda answer: Request(server.url))
    with pytest.raises(SourceFailed, match="more than 200 pages"):
        await poll(Fetcher(), plan, 3_600, RecordingWay())


async def test_a_source_waits_as_long_as_it_is_asked_to() -> None:
    life = Life(1, Figures(), {}, present_us)

    async def run() -> None:
        raise SourceFailed("429 Too Many Requests", retry_after_s=3_600)

    life.begin(run)
    async with asyncio.timeout(60):
        while not life.retry_us:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    assert life.retry_us - present_us() > 3_000_000_000
    await life.end()
