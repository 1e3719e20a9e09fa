"""What a session holds for us while nobody listens, and what becomes of subscriptions that are wanted no more."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import uvloop
from tests.brokers import Mosquitto, mosquitto
from tests.ingest.recording_way import RecordingWay
from tests.ingest.test_mqtt_run import publish, running, settings_for

from wattstead.ingest.mqtt import link as linked
from wattstead.ingest.mqtt import run as receiving
from wattstead.ingest.mqtt import strays
from wattstead.ingest.mqtt.frames import Messages
from wattstead.ingest.mqtt.settings import TopicMapping


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for all tests here."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto") / "data") as running:
        yield running


async def test_what_a_session_held_without_times_is_all_kept(broker: Mosquitto) -> None:
    settings = settings_for(broker, client_id="away")
    async with running(settings, way := RecordingWay()):
        await way.until(lambda way: way.others)
    for at in range(5):
        await publish(broker, "emon/away/x", str(at))
    async with running(settings, again := RecordingWay()):
        await again.until(lambda way: len(way.values().get("emon/away/x", [])) == 5)
    times = [one.time_us for one in again.kept]
    assert again.values() == {"emon/away/x": [0.0, 1.0, 2.0, 3.0, 4.0]} and times == sorted(set(times))


async def test_settings_that_change_leave_the_session_and_not_what_it_had_subscribed_to(broker: Mosquitto) -> None:
    settings = settings_for(broker, client_id="", formats=("emoncms", "tasmota"), tasmota_topic="tele/%topic%")
    way = RecordingWay()
    way.identity = "changed-7"
    async with running(settings, way):
        pass
    await publish(broker, "emon/changed/x", "1")  # while nobody listens
    mapped = TopicMapping(topic="own/#", value="")
    changed = msgspec.structs.replace(settings, formats=("emoncms",), mappings=(mapped,))
    async with running(changed, way):
        await publish(broker, "own/y", "2")
        await way.until(lambda way: len(way.kept) == 2)
    assert [one.value for one in way.kept] == [1.0, 2.0], "the session is the same"
    heard, receive = list[bytes](), receiving._Receiver.receive

    def noted(receiver: receiving._Receiver, messages: Messages) -> None:
        heard.extend(messages.topics)
        receive(receiver, messages)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving._Receiver, "receive", noted)
        async with running(changed, way):
            await publish(broker, "tele/plug/SENSOR", '{"ENERGY":{"Power":51}}')
            await publish(broker, "own/y", "3")
            await way.until(lambda way: len(way.kept) == 3)
    assert heard == [b"own/y"]
    other = RecordingWay()
    other.identity = "changed-8"
    async with running(changed, way), running(changed, other):
        await publish(broker, "own/y", "4")
        await way.until(lambda way: len(way.kept) == 4)
        await other.until(lambda way: way.kept)
    assert len(way.others) == 4 and len(other.others) == 1, "two sources of the same settings throw nobody out"


async def test_what_comes_for_subscriptions_of_before_a_restart_is_a_dead_letter_and_ends(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mapping changed while the program was away, so nobody remembers what its session had subscribed to."""
    before = settings_for(broker, client_id="strays", formats=(), mappings=(TopicMapping(topic="former/+/{x}"),))
    after = msgspec.structs.replace(before, mappings=(TopicMapping(topic="own/#"),))
    async with running(before, RecordingWay()):
        pass
    monkeypatch.setattr(linked, "_subscribed", {})
    monkeypatch.setattr(strays, "MOST_LETTERS", 3)
    for at in range(5):
        await publish(broker, "former/a/b", str(at))
    async with running(after, way := RecordingWay()):
        await way.until(lambda way: len(way.refused) == 4)
        await publish(broker, "own/y", "1")
        await way.until(lambda way: way.kept)
    told = [(message.where, message.raw) for message, _ in way.refused]
    assert told == [("former/a/b", b"0"), ("former/a/b", b"1"), ("former/a/b", b"2"), ("former/a/b", b"4")]
    assert "2 more were left" in way.refused[3][1] and way.values() == {"own/y": [1.0]}
    async with running(after, again := RecordingWay()):
        await publish(broker, "former/a/b", "5")
        await publish(broker, "former/c/d", "6")
        await publish(broker, "own/y", "2")
        await again.until(lambda way: way.kept)
    assert not again.refused, "the subscription is over"
