"""Reading a real RabbitMQ: order kept, acknowledged after keeping, refused ones put aside with their reason."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pika
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from pika.exceptions import ChannelClosedByBroker
from tests.brokers import RabbitMq
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.amqp.decode import decode
from wattstead.ingest.amqp.link import Link
from wattstead.ingest.amqp.look import look
from wattstead.ingest.amqp.run import REASON, run
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


class Sender:
    """A program that publishes, with pika as programs do."""

    def __init__(self, port: int) -> None:
        self.connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
        self.channel = self.connection.channel()

    def send(self, queue: str, *bodies: object) -> None:
        """Publish JSON, or bytes as they are."""
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.channel.basic_publish("", queue, raw, pika.BasicProperties(delivery_mode=2))

    def waiting(self, queue: str) -> int:
        """Messages in a queue that nobody has."""
        count: int = self.channel.queue_declare(queue, passive=True).method.message_count
        return count

    def letters(self, queue: str) -> list[tuple[bytes, str]]:
        """Dead letters with their reasons."""
        found: list[tuple[bytes, str]] = []
        while True:
            method, properties, body = self.channel.basic_get(f"{queue}.dead", auto_ack=True)
            if method is None:
                return found
            found.append((body, properties.headers[REASON]))


@pytest.fixture
def sender(rabbitmq: RabbitMq) -> Iterator[Sender]:
    """A program that publishes."""
    made = Sender(rabbitmq.port)
    yield made
    made.connection.close()


def settings_for(rabbitmq: RabbitMq, queue: str, **more: Any) -> AmqpSettings:
    """A source that reads that queue."""
    return AmqpSettings(host="127.0.0.1", port=rabbitmq.port, password="guest", queue=queue, **more)


@asynccontextmanager
async def running(settings: AmqpSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
    """The source runs, and is connected."""
    before = len(way.others)
    task = asyncio.create_task(run(settings, way))
    try:
        waits = asyncio.create_task(way.until(lambda way: len(way.others) > before))
        await asyncio.wait((task, waits), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waits.cancel()
            task.result()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def reading(device: object, at: float, value: object) -> dict[str, object]:
    """A message."""
    return {"device_id": device, "timestamp": at, "measurement_value": value}


async def test_readings_in_order(rabbitmq: RabbitMq, sender: Sender) -> None:
    way = RecordingWay()
    async with running(settings_for(rabbitmq, "in_order"), way):
        sender.send("in_order", *(reading(at % 3, 1_700_000_000 + at, at / 10) for at in range(3_000)))
        await way.until(lambda way: len(way.kept) == 3_000)
    assert [reading.value for reading in way.kept] == [at / 10 for at in range(3_000)]
    assert way.kept[4] == ("in_order/1/mean_power", 1_700_000_004_000_000, 0.4)
    assert sender.waiting("in_order") == 0, "all acknowledged"


async def test_what_was_not_kept_comes_again(rabbitmq: RabbitMq, sender: Sender) -> None:
    settings = settings_for(rabbitmq, "again")
    way = RecordingWay()
    way.open.clear()
    async with running(settings, way):
        sender.send("again", *(reading("m", 1_700_000_000 + at, at) for at in range(5)))
        await way.until(lambda way: way.waiting)
    assert not way.kept
    second = RecordingWay()
    async with running(settings, second):
        await second.until(lambda way: len(way.kept) == 5)
    assert second.values() == {"again/m/mean_power": [0.0, 1.0, 2.0, 3.0, 4.0]}


async def test_refused_messages_are_put_aside_with_the_reason(rabbitmq: RabbitMq, sender: Sender) -> None:
    way = RecordingWay()
    way.not_kept = lambda columns: "time lies after tomorrow" if columns.time_us.max() > 2e15 else ""
    async with running(settings_for(rabbitmq, "faulty"), way):
        late = reading("m", 4_000_000_000, 1)
        sender.send("faulty", b"\xff\xfe", reading("m", 1, 1.5), reading("m", 2, "much"), late, reading("m", 3, 2))
        await way.until(lambda way: len(way.kept) == 2 and len(way.refused) == 3)
        sender.send("faulty", reading("m", 4, 3))
        await way.until(lambda way: len(way.kept) == 3)  # what was before it has been put aside
    letters = sender.letters("faulty")
    assert sorted(body for body, _ in letters) == sorted(
        [b"\xff\xfe", json.dumps(reading("m", 2, "much")).encode(), json.dumps(late).encode()]
    )
    assert any("expected a number" in reason for _, reason in letters)
    assert any("after tomorrow" in reason for _, reason in letters)
    assert sender.waiting("faulty") == 0


async def test_a_queue_that_exists_is_read_as_it_is(rabbitmq: RabbitMq, sender: Sender) -> None:
    sender.channel.queue_declare("as_it_is", durable=True, arguments={"x-max-length": 10})
    sender.send("as_it_is", reading(1, 1_700_000_000_500, 2))
    way = RecordingWay()
    async with running(settings_for(rabbitmq, "as_it_is", meaning="kwh-per-reading", prefix="meters"), way):
        await way.until(lambda way: way.kept)
    assert way.kept == [("meters/1/energy", 1_700_000_000_500_000, 2.0)]


async def test_a_wrong_password_is_hopeless(rabbitmq: RabbitMq) -> None:
    settings = AmqpSettings(host="127.0.0.1", port=rabbitmq.port, password="wrong")
    with pytest.raises(SourceFailed) as failed:
        await run(settings, RecordingWay())
    assert failed.value.hopeless and "wrong" not in str(failed.value)
    with pytest.raises(SourceFailed) as failed:
        await run(
            AmqpSettings(host="127.0.0.1", port=rabbitmq.port, password="guest", virtual_host="x"), RecordingWay()
        )
    assert failed.value.hopeless


async def test_nobody_there() -> None:
    with pytest.raises(SourceFailed, match="cannot be reached") as failed:
        await run(AmqpSettings(host="127.0.0.1", port=1), RecordingWay())
    assert not failed.value.hopeless


async def test_looking_around_takes_nothing(rabbitmq: RabbitMq, sender: Sender) -> None:
    settings = settings_for(rabbitmq, "looked_at")

    async def looked() -> list[tuple[str, str]]:
        return [(one.where, one.value) for one in await look(settings, {})]

    assert await looked() == [("looked_at", "is made with the connection")]
    sender.channel.queue_declare("looked_at", durable=True)
    sender.send("looked_at", reading("m1", 1_700_000_000, 1.0))
    async with asyncio.timeout(60):
        while await looked() != [("looked_at", "1 message waiting")]:  # noqa: ASYNC110 - it is counted a little later
            await asyncio.sleep(0.05)
    assert sender.waiting("looked_at") == 1
    with pytest.raises(SourceFailed, match="refuses user"):
        await look(AmqpSettings(host="127.0.0.1", port=rabbitmq.port, password="wrong"), {})


async def test_who_waited_too_long_for_acknowledgements_is_asked_again() -> None:
    """As RabbitMQ says it after half an hour in which the disk was full: the same code as for a wrong declaration."""
    told = {
        "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms": False,
        "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true'": True,
    }
    for text, hopeless in told.items():
        link = Link(AmqpSettings(host="127.0.0.1"))
        link.lost.set_result(ChannelClosedByBroker(406, text))
        assert link.failure().hopeless is hopeless


async def test_a_queue_that_is_deleted_ends_the_source(rabbitmq: RabbitMq, sender: Sender) -> None:
    async with running(settings_for(rabbitmq, "deleted"), RecordingWay()) as task:
        sender.channel.queue_delete("deleted")
        with pytest.raises(SourceFailed, match="was deleted"):
            await asyncio.wait_for(task, 60)


async def test_a_broker_that_hangs_is_noticed(rabbitmq: RabbitMq) -> None:
    async with running(settings_for(rabbitmq, "hung", heartbeat_s=2), RecordingWay()) as task:
        rabbitmq.send(signal.SIGSTOP)
        try:
            with pytest.raises(SourceFailed):
                await asyncio.wait_for(task, 60)
        finally:
            rabbitmq.send(signal.SIGCONT)


SETTINGS = AmqpSettings(host="localhost", queue="q")


@pytest.mark.unit
@pytest.mark.parametrize(
    "body, reason",
    [
        (reading("m", 1, None), "measurement_value is missing"),
        (reading("m", 1, True), "expected a number"),
        (reading("", 1, 1), "device_id is ''"),
        (reading(None, 1, 1), "device_id is missing"),
        ({"device_id": 1, "measurement_value": 2}, "timestamp is missing"),
        (reading(1, 1e30, 2), "too large"),
        ([1], "expected an object"),
    ],
)
def test_what_cannot_be_read_is_named(body: object, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        decode(Message(json.dumps(body).encode(), "q", 0), SETTINGS)


@pytest.mark.unit
def test_other_names_of_fields() -> None:
    settings = AmqpSettings(host="x", queue="q", device_field="meter", time_field="at", value_field="kW")
    found = decode(Message(b'{"meter":"a","at":"2023-11-14T22:13:20Z","kW":2}', "q", 0), settings)
    columns = found.columns() if isinstance(found, Few) else found
    assert (columns.names.address(0), columns.time_us.tolist()) == ("q/a/mean_power", [1_700_000_000_000_000])


@pytest.mark.unit
@given(st.binary(max_size=80) | st.builds(lambda d: json.dumps(d).encode(), st.dictionaries(
    st.sampled_from(["device_id", "timestamp", "measurement_value"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4), max_size=3)))  # fmt: skip
def test_any_bytes_are_read_or_named(raw: bytes) -> None:
    try:
        found = decode(Message(raw, "q", 0), SETTINGS)
    except Unreadable as fault:
        assert str(fault)
    else:
        assert len(found.names) == 1
