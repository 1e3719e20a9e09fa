"""Reading a real NATS server: subjects as they are sent, and a stream whose messages are acknowledged after keeping."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.js import JetStreamContext
from tests.brokers import NatsServer, nats_server
from tests.ingest.recording_way import RecordingWay

from wattstead.cli.simulation.outlets import Reading, outlet_of
from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.nats.decode import decode
from wattstead.ingest.nats.look import look
from wattstead.ingest.nats.run import run
from wattstead.ingest.nats.settings import NatsSettings, SubjectMapping
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable

PAYLOADS = Path(__file__).parent.parent / "payloads" / "nats"
PHASES = SubjectMapping(
    subject="meters.{room}.*.status", address="{room}/{*}/power", value="phases[*].w", time="ts", unit="W"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that has users nobody needs."""
    with nats_server(tmp_path_factory.mktemp("nats")) as started:
        yield started


def payload(name: str) -> Message:
    """A message of the folder: its subject, then its bytes."""
    subject, _, raw = (PAYLOADS / f"{name}.nats").read_bytes().partition(b"\n")
    return Message(raw, subject.decode(), 1)


def settings_for(server: NatsServer, **more: Any) -> NatsSettings:
    return NatsSettings(host="127.0.0.1", port=server.port, **more)


@asynccontextmanager
async def running(settings: NatsSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
    """The source runs, and is connected."""
    task = asyncio.create_task(run(settings, way))
    try:
        waits = asyncio.create_task(way.until(lambda way: way.others))
        await asyncio.wait((task, waits), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waits.cancel()
            task.result()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def stream_of(server: NatsServer, name: str, subject: str) -> AsyncIterator[Any]:
    """A stream of those subjects, and a way to publish into it."""
    client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    stream = client.jetstream()
    await stream.add_stream(name=name, subjects=[subject])
    yield stream
    await client.close()


async def all_acknowledged(stream: Any, name: str) -> None:
    """Returns when it is so."""
    async with asyncio.timeout(60):
        while (await stream.consumer_info(name, "wattstead-1")).num_ack_pending:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def body(at: int, value: object) -> bytes:
    return json.dumps({"device_id": "m", "timestamp": 1_700_000_000 + at, "measurement_value": value}).encode()


@pytest.mark.unit
def test_payloads() -> None:
    played = decode(payload("simulator"), NatsSettings(host="x"))
    assert not isinstance(played, Few)
    assert list(played.names.addresses) == ["device_consumption/m1/power"] and played.units == ["kW"]
    assert (played.value.tolist(), played.time_us.tolist()) == ([1.5], [1_700_000_000_500_000])
    phases = decode(payload("phases"), NatsSettings(host="x", mappings=(PHASES,)))
    assert not isinstance(phases, Few)
    assert list(phases.names.addresses) == ["hall/0/power", "hall/1/power"] and phases.value.tolist() == [230.5, -12]
    nobody = decode(payload("phases"), NatsSettings(host="x"))
    assert len(nobody.names) == 0


@pytest.mark.unit
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xfe", "JSON"), (b"{", "JSON"), (b"[]", "missing"), (body(0, "much"), "expected a number"),
        (b'{"measurement_value": 1}', "timestamp is missing"), (b"", "JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        decode(Message(raw, "device_consumption.m", 0), NatsSettings(host="x"))


async def test_from_the_simulated_meter(server: NatsServer, tmp_path: Path) -> None:
    """`wattstead simulate device --to nats://…` and a source with nothing set but the host."""
    way = RecordingWay()
    async with running(settings_for(server), way):
        async with outlet_of(f"nats://127.0.0.1:{server.port}", "m1", "", tmp_path) as outlet:
            await outlet.send([Reading(1_700_000_000_000_000 + at, at / 4) for at in range(2_500)])
        await way.until(lambda way: len(way.kept) == 2_500)
    assert [one.value for one in way.kept] == [at / 4 for at in range(2_500)], "in their order"
    assert {one.address for one in way.kept} == {"device_consumption/m1/power"}


async def test_acknowledged_after_keeping(server: NatsServer) -> None:
    settings = settings_for(server, stream="AFTER", mappings=(SubjectMapping(subject="after.{meter}"),))
    async with stream_of(server, "AFTER", "after.>") as stream:
        for at in range(5):
            await stream.publish("after.m", str(at).encode())
        way = RecordingWay()
        way.open.clear()
        async with running(settings, way):
            await way.until(lambda way: way.waiting)
            told = await stream.consumer_info("AFTER", "wattstead-1")
            assert told.num_ack_pending == 5, "nothing is acknowledged before it is on disk"
            way.open.set()
            await way.until(lambda way: len(way.kept) == 5)
            await stream.publish("after.m", b"5")
            await way.until(lambda way: len(way.kept) == 6)
            await all_acknowledged(stream, "AFTER")
    assert way.values() == {"after/m": [0, 1, 2, 3, 4, 5]}


async def test_without_a_time_of_its_own_a_message_has_that_of_the_stream(server: NatsServer) -> None:
    """So what waited there is no heap at one instant, and what comes twice is one reading."""
    settings = settings_for(server, stream="UNTIMED", mappings=(SubjectMapping(subject="untimed.{meter}"),))
    async with stream_of(server, "UNTIMED", "untimed.>") as stream:
        before_us = RecordingWay().present_us()
        for at in range(5):
            await stream.publish("untimed.m", str(at).encode())
        after_us = RecordingWay().present_us()
        found: list[list[int]] = []
        for durable in ("first", "second"):
            way = RecordingWay()
            async with running(msgspec.structs.replace(settings, durable=durable), way):
                await way.until(lambda way: len(way.kept) == 5)
            found.append([one.time_us for one in way.kept])
    assert found[0] == found[1] == sorted(set(found[0]))
    assert before_us <= found[0][0] and found[0][-1] <= after_us


async def test_what_comes_while_we_are_away_or_the_server_is_killed(tmp_path: Path) -> None:
    with nats_server(tmp_path / "own") as server:
        settings = settings_for(server, stream="AWAY", mappings=(SubjectMapping(subject="away.*"),))
        way = RecordingWay()
        async with stream_of(server, "AWAY", "away.>") as stream, running(settings, way) as task:
            await stream.publish("away.m", b"1")
            await way.until(lambda way: way.kept)
            for value in (b"2", b"not a number"):
                await stream.publish("away.m", value)
            await way.until(lambda way: way.refused)
            server.stop(signal.SIGKILL)
            with pytest.raises(SourceFailed):
                await task
        server.start()
        async with running(settings, second := RecordingWay()):
            client = await nats.connect(f"nats://127.0.0.1:{server.port}")
            await client.jetstream().publish("away.m", b"3")
            await second.until(lambda way: 3.0 in way.values().get("away/m", []))
            await client.close()
    found = way.values()["away/m"] + second.values()["away/m"]
    assert set(found) == {1.0, 2.0, 3.0}, "nothing is lost"
    assert [message.raw for message, _ in way.refused] == [b"not a number"]
    assert "expected a number" in way.refused[0][1]


async def test_who_is_not_let_in(tmp_path: Path) -> None:
    with nats_server(tmp_path / "closed", 'authorization: {user: "me", password: "right"}') as server:
        for more in ({}, {"user": "me", "password": "wrong"}):
            with pytest.raises(SourceFailed) as failed:
                await run(settings_for(server, **more), RecordingWay())
            assert failed.value.hopeless and "Authorization" in str(failed.value) and "wrong" not in str(failed.value)
        async with running(settings_for(server, user="me", password="right"), RecordingWay()):
            pass


async def test_faults_of_the_settings(server: NatsServer) -> None:
    with pytest.raises(SourceFailed, match="nats stream add NONE"):
        await run(settings_for(server, stream="NONE"), RecordingWay())
    with pytest.raises(ParameterInvalid):
        await run(settings_for(server, mappings=(SubjectMapping(subject="a.>.b"),)), RecordingWay())
    with pytest.raises(SourceFailed) as failed:
        await run(NatsSettings(host="127.0.0.1", port=1), RecordingWay())
    assert not failed.value.hopeless


@pytest.mark.parametrize(("durable", "theirs"), [("one", "other.x"), ("all", ">")])
async def test_a_consumer_of_other_subjects_is_refused(server: NatsServer, durable: str, theirs: str) -> None:
    """It would acknowledge what only another source reads."""
    async with stream_of(server, "OTHER", "other.>") as stream:
        await stream.pull_subscribe("" if theirs == ">" else theirs, durable=durable, stream="OTHER")
        ours = settings_for(server, stream="OTHER", durable=durable, mappings=(SubjectMapping(subject="other.y"),))
        with pytest.raises(SourceFailed, match=rf"\({theirs}\).*nats consumer rm OTHER {durable}") as failed:
            await run(ours, RecordingWay())
    assert failed.value.hopeless


async def test_two_sources_of_one_stream_lose_nothing(server: NatsServer) -> None:
    first, second = RecordingWay(), RecordingWay()
    second.source_id = 2
    async with stream_of(server, "SHARED", "shared.>") as stream:
        settings = settings_for(server, stream="SHARED")
        a = msgspec.structs.replace(settings, mappings=(SubjectMapping(subject="shared.a"),))
        b = msgspec.structs.replace(settings, mappings=(SubjectMapping(subject="shared.b"),))
        async with running(a, first), running(b, second):
            for at in range(20):
                await stream.publish("shared.a", str(at).encode())
                await stream.publish("shared.b", str(at).encode())
            await first.until(lambda way: len(way.kept) == 20)
            await second.until(lambda way: len(way.kept) == 20)
    assert first.values() == {"shared/a": list(range(20))} and second.values() == {"shared/b": list(range(20))}


async def test_an_idle_stream_is_waited_for(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client says so with nothing, or with any of two errors."""
    fetch, idle = JetStreamContext.PullSubscription.fetch, [TimeoutError(), nats.errors.TimeoutError(), None]

    async def idly(self: Any, *args: Any, **more: Any) -> Any:
        if not idle:
            return await fetch(self, *args, **more)
        if (said := idle.pop()) is not None:
            raise said
        return []

    monkeypatch.setattr(JetStreamContext.PullSubscription, "fetch", idly)
    settings, way = settings_for(server, stream="IDLE", mappings=(SubjectMapping(subject="idle.m"),)), RecordingWay()
    async with stream_of(server, "IDLE", "idle.>") as stream, running(settings, way) as task:
        await stream.publish("idle.m", b"1")
        waits = asyncio.create_task(way.until(lambda way: way.kept))
        await asyncio.wait((task, waits), return_when=asyncio.FIRST_COMPLETED)
        assert not task.done()
        await waits


async def test_looking_around(server: NatsServer) -> None:
    async with stream_of(server, "SEEN", "seen.>") as stream:
        looking = asyncio.create_task(look(settings_for(server), {"seconds": 1.0}))

        async def told() -> None:
            while not looking.done():
                await stream.publish("seen.x", b"7")
                await stream._nc.publish("device_consumption.m1", body(0, 2))
                await asyncio.sleep(0.05)

        await told()
    found = {one.where: one for one in looking.result()}
    assert found["stream SEEN"].settings == {"stream": "SEEN"}
    assert found["device_consumption.m1"].name == "device_consumption/m1/power"
    assert found["seen.x"].settings == {"mappings": [{"subject": "seen.x"}]}


async def test_large_messages_that_come_too_fast_do_not_fill_the_memory(server: NatsServer) -> None:
    way = RecordingWay()
    way.open.clear()
    client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    large = body(0, 1.0)[:-1] + b', "more": "' + b"x" * 1_000_000 + b'"}'
    async with running(settings_for(server), way) as task:
        async with asyncio.timeout(120):
            while not way.waiting:  # a message may go to one of the group that is just leaving
                await client.publish("device_consumption.m", body(0, 1.0))
                await client.flush()
                await asyncio.sleep(0.05)
        for _ in range(70):
            await client.publish("device_consumption.m", large)
            await client.flush()
        with pytest.raises(SourceFailed, match="faster than they are kept"):
            await asyncio.wait_for(task, 120)
    await client.close()
