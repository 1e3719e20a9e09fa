"""Floods: a device that sends more than its rate is slowed and named, no other is, and what was promised is kept."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator

import pytest
import uvloop
from tests.brokers import Mosquitto, mosquitto
from tests.ingest.recording_way import RecordingWay
from tests.ingest.test_mqtt_run import publish, running, settings_for

from wattstead.ingest.mqtt import run as receiving
from wattstead.ingest.mqtt.decode import reader_of
from wattstead.ingest.mqtt.frames import Messages
from wattstead.ingest.mqtt.link import Link
from wattstead.ingest.mqtt.rate import SHOWN_S
from wattstead.ingest.mqtt.settings import MqttSettings


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for all tests here."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto") / "data") as running:
        yield running


async def test_a_flood_from_one_device_harms_no_other(broker: Mosquitto) -> None:
    way = RecordingWay()
    async with running(settings_for(broker, client_id="flooded", device_rate=20.0, qos=0), way):
        lines = "\n".join(str(at) for at in range(3_000))
        flood = await asyncio.create_subprocess_exec(
            "mosquitto_pub", "-p", str(broker.port), "-t", "emon/loud/x", "-l", stdin=asyncio.subprocess.PIPE
        )
        sent = asyncio.create_task(flood.communicate(lines.encode()))
        for at in range(5):
            await publish(broker, "emon/quiet/x", str(at), qos=0)
        await sent
        await way.until(lambda way: len(way.kept) + told_of(way) == 3_005)
    values = way.values()
    assert values["emon/quiet/x"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert 200 <= len(values["emon/loud/x"]) < 3_000
    assert len(way.refused) < 60, "a letter a second, not one for each message"


async def test_a_flood_that_was_acknowledged_is_kept_whole(broker: Mosquitto) -> None:
    settings = settings_for(broker, client_id="acknowledged", device_rate=20.0)
    lines = "\n".join(json.dumps({"x": at, "time": 1_700_000_000 + at}) for at in range(3_000))

    async def flood() -> None:
        words = ["-p", str(broker.port), "-q", "1", "-t", "emon/loud", "-l"]
        sent = await asyncio.create_subprocess_exec("mosquitto_pub", *words, stdin=asyncio.subprocess.PIPE)
        await sent.communicate(lines.encode())

    async with running(settings, way := RecordingWay()):
        await flood()
        await publish(broker, "emon/quiet/x", "1")
        await way.until(lambda way: len(way.kept) == 3_001)
        assert way.slowed.startswith("emon/loud (topic emon/loud): more than 20 messages a second")
    assert way.values() == {"emon/loud/x": [float(at) for at in range(3_000)], "emon/quiet/x": [1.0]}
    assert not way.refused


async def test_what_is_beyond_a_device_s_rate_comes_after_what_others_sent() -> None:
    way = RecordingWay()
    settings = MqttSettings(host="127.0.0.1", device_rate=1.0)
    receiver = receiving._Receiver(reader_of(settings), way, Link(settings, "", True, print))
    topics = [b"emon/loud/x"] * 30 + [b"emon/quiet/x"]
    receiver.receive(Messages(topics, [b"%d" % at for at in range(31)], list(range(1, 32))))
    await receiver._handle(receiver._taken())
    assert [address for address, *_ in way.kept[10:12]] == ["emon/quiet/x", "emon/loud/x"]
    assert way.values()["emon/loud/x"] == [float(at) for at in range(30)]
    assert sorted(receiver._settled) == list(range(1, 32))
    receiver._tell_of_floods(time.monotonic())
    assert way.slowed.startswith("emon/loud (topic emon/loud/x): more than 1 messages a second")
    receiver._tell_of_floods(time.monotonic() + 2 * SHOWN_S)
    assert not way.slowed, "it is over"


def told_of(way: RecordingWay) -> int:
    """How many messages the letters of floods speak of."""
    return sum(
        int(found[1].replace(",", ""))
        for _, reason in way.refused
        if (found := re.search(r"more than 20 messages a second: ([\d,]+) were not taken", reason))
    )
