"""A CSV file played as one smart meter: the same messages, in order, wherever they go."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import nats
import pika
import pytest
from tests.brokers import RabbitMq, free_port, mosquitto
from tests.ingest.recording_way import RecordingWay

from wattstead.cli.simulation.outlets import OutletFailed, outlet_of
from wattstead.cli.simulation.simulating_device import readings_of
from wattstead.ingest.mqtt.run import run
from wattstead.ingest.mqtt.settings import MqttSettings

Verb = Callable[..., str]
TABLE = "time,kW,other\n2023-11-14T22:13:20Z,1.5,7\n2023-11-14T22:13:21Z,2.25,7\n2023-11-14T22:13:22.500Z,,7\n" \
    "2023-11-14T22:13:23.500Z,0.5,8\n"  # fmt: skip
PLAYED = [
    {"device_id": "m1", "timestamp": 1_700_000_000, "measurement_value": 1.5},
    {"device_id": "m1", "timestamp": 1_700_000_001, "measurement_value": 2.25},
    {"device_id": "m1", "timestamp": 1_700_000_003.5, "measurement_value": 0.5},
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file of one meter."""
    file = tmp_path / "meter.csv"
    file.write_text(TABLE)
    return file


def test_to_rabbitmq(verb: Verb, table: Path, rabbitmq: RabbitMq) -> None:
    said = verb("simulate", "device", "--csv", table, "--device", "m1", "--pace", "0",
                "--to", f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}/%2F?queue=played")  # fmt: skip
    assert "3 readings of m1 handed over; 1 row of meter.csv had none" in said
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq.port))
    channel = connection.channel()
    assert [json.loads(channel.basic_get("played", auto_ack=True)[2]) for _ in PLAYED] == PLAYED
    connection.close()


async def test_to_mqtt_at_its_pace(verb: Verb, table: Path, tmp_path: Path) -> None:
    way = RecordingWay()
    with mosquitto(tmp_path / "broker") as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, client_id="hears")
        hearing = asyncio.create_task(run(settings, way))
        await way.until(lambda way: way.others)
        began = time.monotonic()
        to = f"mqtt://127.0.0.1:{broker.port}"
        words = ("simulate", "device", "--csv", table, "--device", "m1", "--pace", "7", "--to", to)
        await asyncio.to_thread(verb, *words)
        assert time.monotonic() - began >= 3.5 / 7
        await way.until(lambda way: len(way.kept) == 3)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert way.kept == [
        ("device_consumption/m1/power", one["timestamp"] * 1_000_000, one["measurement_value"])
        for one in PLAYED  # type: ignore[operator]
    ]


async def listens(port: int) -> None:
    """Returns when somebody listens there."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_to_nats(table: Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec("nats-server", "-a", "127.0.0.1", "-p", str(port), stderr=-3)
    try:
        await listens(port)
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        heard = await client.subscribe("device_consumption.m1")
        await client.flush()
        readings, _ = readings_of(table, "", "UTC", 1.0)
        async with outlet_of(f"nats://127.0.0.1:{port}", "m1", "", table.parent) as outlet:
            await outlet.send(readings)
        assert [json.loads((await heard.next_msg(60)).data) for _ in PLAYED] == PLAYED
        await client.close()
    finally:
        server.terminate()
        await server.wait()


async def test_more_readings_than_a_broker_lets_wait_for_its_answers(verb: Verb, tmp_path: Path) -> None:
    """Mosquitto allows twenty messages with QoS 1 on their way."""
    table = tmp_path / "meter.csv"
    table.write_text("time,kW\n" + "".join(f"2023-11-14T22:{n:02}:00Z,{n}\n" for n in range(50)))
    with mosquitto(tmp_path / "broker") as broker:
        to = f"mqtt://127.0.0.1:{broker.port}"
        words = ("simulate", "device", "--csv", table, "--device", "m1", "--pace", "0", "--to", to)
        assert "50 readings of m1 handed over" in await asyncio.to_thread(verb, *words)


@pytest.mark.parametrize(
    "to", ["mqtt://127.0.0.1:1", "amqp://127.0.0.1:1", "nats://127.0.0.1:1", "ftp://x", "mqtt://x:y"]
)
def test_nobody_there(table: Path, to: str) -> None:
    async def play() -> None:
        async with outlet_of(to, "m1", "", table.parent):
            pass

    with pytest.raises(OutletFailed):
        asyncio.run(play())


@pytest.mark.parametrize(
    "to", ["amqpx://u:hunter2@h/", "mqtt://u:hunter2#x@h/", "nats://u:hunter2@h:99999", "//u:hunter2@h"]
)
def test_a_password_is_not_repeated(table: Path, to: str) -> None:
    with pytest.raises(OutletFailed) as failed:
        outlet_of(to, "m1", "", table.parent)
    assert "hunter2" not in str(failed.value) and failed.value.__cause__ is None


def test_a_column_and_a_factor(table: Path) -> None:
    assert [one.value for one in readings_of(table, "other", "UTC", 0.001)[0]] == [0.007, 0.007, 0.007, 0.008]
