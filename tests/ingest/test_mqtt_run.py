"""Reading from a real Mosquitto: nothing that was not kept is acknowledged, and nothing is counted twice."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import uvloop
from tests.brokers import Mosquitto, authority, issued, mosquitto, pem
from tests.ingest.recording_way import RecordingWay
from tests.ingest.test_mqtt_sparkplug import BORN, packed

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.mqtt import run as receiving
from wattstead.ingest.mqtt.decode import decode, reader_of
from wattstead.ingest.mqtt.frames import Messages
from wattstead.ingest.mqtt.link import Link
from wattstead.ingest.mqtt.look import look
from wattstead.ingest.mqtt.run import run
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.source_protocol import SourceFailed


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for all tests that do not break it."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto") / "data") as running:
        yield running


def settings_for(broker: Mosquitto, **more: Any) -> MqttSettings:
    """A source that reads that broker."""
    return MqttSettings(**{"host": "127.0.0.1", "port": broker.port, "client_id": "under test", **more})


@asynccontextmanager
async def running(settings: MqttSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
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


async def publish(broker: Mosquitto, topic: str, payload: str, **more: Any) -> None:
    """As a device does."""
    await asyncio.to_thread(broker.publish, topic, payload, **more)


@pytest.mark.parametrize("more", [{}, {"version": "3.1.1"}, {"qos": 0}, {"group": "house"}], ids=str)
async def test_devices_are_read(broker: Mosquitto, more: dict[str, Any]) -> None:
    way = RecordingWay()
    async with running(settings_for(broker, client_id=f"reader {more}", **more), way):
        await publish(broker, "emon/tx/power1", "100")
        await publish(broker, "tele/plug/SENSOR", '{"Time":"2023-11-14T22:13:20Z","ENERGY":{"Power":51}}', qos=0)
        await way.until(lambda way: len(way.kept) == 2)
    assert way.values() == {"emon/tx/power1": [100.0], "tasmota/plug/ENERGY/Power": [51.0]}
    assert way.others == [f"127.0.0.1:{broker.port}"] and not way.refused


async def test_what_was_not_kept_comes_again_and_is_stored_once(broker: Mosquitto) -> None:
    settings = settings_for(broker, client_id="killed")
    way = RecordingWay()
    way.open.clear()
    async with running(settings, way):
        for at in range(3):
            await publish(broker, "emon/k", json.dumps({"x": at, "time": 1_700_000_000 + at}))
        await way.until(lambda way: way.waiting)
    assert way.kept == [], "ended between receiving and keeping"
    await publish(broker, "emon/k", '{"x":3,"time":1700000003}')  # while nobody listens
    again = RecordingWay()
    async with running(settings, again):
        await again.until(lambda way: len(way.kept) == 4)
    assert again.values() == {"emon/k/x": [0.0, 1.0, 2.0, 3.0]}, "in order, each once"
    third = RecordingWay()
    async with running(settings, third):
        await publish(broker, "emon/k", '{"x":4,"time":1700000004}')
        await third.until(lambda way: way.kept)
    assert third.values() == {"emon/k/x": [4.0]}, "what was kept had been acknowledged"


async def test_a_retained_value_without_a_time_is_no_new_reading(broker: Mosquitto) -> None:
    await publish(broker, "emon/old/level", "7", retain=True)
    await publish(broker, "emon/old", '{"level":8,"time":1700000000}', retain=True)
    try:
        for name in ("first", "second"):
            way = RecordingWay()
            async with running(settings_for(broker, client_id=f"retained {name}"), way):
                await publish(broker, "emon/old/level", "9")
                await way.until(lambda way: 9.0 in way.values().get("emon/old/level", []))
            assert sorted(way.values()["emon/old/level"]) == [8.0, 9.0]
    finally:
        await publish(broker, "emon/old/level", "", retain=True)
        await publish(broker, "emon/old", "", retain=True)


async def test_a_retained_value_that_is_replayed_is_no_new_reading_either(broker: Mosquitto, tmp_path: Path) -> None:
    topics = ("emon/mended", "emon/timed")
    await publish(broker, topics[0], '{"level":7', retain=True)
    await publish(broker, topics[1], '{"level":8,"time":1700000000', retain=True)
    try:
        async with running(settings_for(broker, client_id="mended"), way := RecordingWay()):
            await way.until(lambda way: len(way.refused) == 2)
    finally:
        for topic in topics:
            await publish(broker, topic, "", retain=True)
    letters = Letters(tmp_path / "letters.db")
    try:
        for message, reason in way.refused:
            assert letters.put(1, message, reason).result()
        found = [letter.message for letter in letters.page(1)]
        read = [decode(one._replace(raw=one.raw + b"}"), settings_for(broker)) for one in found]
    finally:
        letters.close()
    columns = [one.columns() if isinstance(one, Few) else one for one in read]
    assert [value for one in columns for value in one.value.tolist()] == [8.0]


async def test_garbage_is_refused_with_a_reason_and_acknowledged(broker: Mosquitto) -> None:
    way = RecordingWay()
    async with running(settings_for(broker, client_id="garbage"), way):
        await publish(broker, "emon/g", '{"x":')
        await publish(broker, "emon/g/x", "5")
        await way.until(lambda way: way.kept)
    assert [(message.where, message.raw) for message, _ in way.refused] == [("emon/g", b'{"x":')]
    again = RecordingWay()
    async with running(settings_for(broker, client_id="garbage"), again):
        await publish(broker, "emon/g/x", "6")
        await again.until(lambda way: way.kept)
    assert again.values() == {"emon/g/x": [6.0]} and not again.refused


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_message_that_is_too_large_is_a_dead_letter(broker: Mosquitto, tmp_path: Path, version: Any) -> None:
    way = RecordingWay()
    payload = tmp_path / "payload"
    payload.write_text("9" * 5_000_000)
    settings = settings_for(broker, version=version, client_id=f"large{version[0]}")
    async with running(settings, way):
        words = ["-p", str(broker.port), "-q", "1", "-t", "emon/large/x", "-f", str(payload)]
        sent = await asyncio.create_subprocess_exec("mosquitto_pub", *words)
        assert await sent.wait() == 0
        await publish(broker, "emon/large/y", "1")
        await way.until(lambda way: way.kept and way.refused)
    ((message, reason),) = way.refused
    assert (message.where, message.raw) == ("emon/large/x", b"9" * 1_000)
    assert reason.startswith("a message of 5,000,0") and "at most 4,194,304 are read" in reason
    async with running(settings, way):
        await publish(broker, "emon/large/y", "2")
        await way.until(lambda way: len(way.kept) == 2)
    assert len(way.refused) == 1, "it was acknowledged, and does not come again"


async def test_large_messages_are_left_with_the_broker_while_nothing_is_kept(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_PAUSE_AT_BYTES", 300_000)
    monkeypatch.setattr(receiving, "_RESUME_AT_BYTES", 100_000)
    paused, pause = list[bool](), Link.pause

    def noted(link: Link, told: bool) -> None:
        paused.append(told)
        pause(link, told)

    monkeypatch.setattr(Link, "pause", noted)
    payload = tmp_path / "payload"
    payload.write_text(json.dumps({"time": 1_700_000_000, **{f"x{at}": at for at in range(10_000)}}))
    way = RecordingWay()
    way.open.clear()
    async with running(settings_for(broker, client_id="large"), way):
        for at in range(12):
            words = ["-p", str(broker.port), "-q", "1", "-t", f"emon/large{at}", "-f", str(payload)]
            sent = await asyncio.create_subprocess_exec("mosquitto_pub", *words)
            assert await sent.wait() == 0
        await way.until(lambda way: paused == [True])
        way.open.set()
        await way.until(lambda way: len(way.kept) == 120_000)
    assert paused[-1] is False


async def test_a_sparkplug_node_is_asked_for_its_birth(broker: Mosquitto, tmp_path: Path) -> None:
    way = RecordingWay()
    data, born = tmp_path / "data", tmp_path / "born"
    data.write_bytes(packed(5, {"alias": 1, "float_value": 2.5}))
    born.write_bytes(BORN)
    asked = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(broker.port), "-t", "spBv1.0/plant/NCMD/gate", "-C", "1", "-N",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with running(settings_for(broker, client_id="host"), way):
        for topic, file in (("NDATA", data), ("NBIRTH", born)):
            sent = await asyncio.create_subprocess_exec(
                "mosquitto_pub", "-p", str(broker.port), "-t", f"spBv1.0/plant/{topic}/gate", "-f", str(file)
            )
            await sent.wait()
            if topic == "NDATA":
                command, _ = await asked.communicate()
                assert b"Node Control/Rebirth" in command
        await way.until(lambda way: len(way.kept) == 6)
    assert way.values()["sparkplug/plant/gate/Grid/power"] == [230.1, 2.5], "what waited comes after its birth"


async def test_tls_with_a_client_certificate(tmp_path: Path) -> None:
    root = authority()
    server, client = issued(root, "broker"), issued(root, "wattstead")
    (tmp_path / "ca.pem").write_text(pem(root[0]))
    (tmp_path / "server.pem").write_text(server.certificate)
    (tmp_path / "server.key").write_text(server.key)
    lines = [f"cafile {tmp_path}/ca.pem", f"certfile {tmp_path}/server.pem", f"keyfile {tmp_path}/server.key",
             "require_certificate true", "use_identity_as_username true", "allow_anonymous false"]  # fmt: skip
    with mosquitto(tmp_path / "data", *lines) as broker:
        good = settings_for(
            broker, tls=True, ca=pem(root[0]), certificate=client.certificate, private_key=client.key, port=broker.port
        )
        (tmp_path / "client.pem").write_text(client.certificate)
        (tmp_path / "client.key").write_text(client.key)
        way = RecordingWay()
        async with running(good, way):
            files = ("--cafile", f"{tmp_path}/ca.pem", "--cert", f"{tmp_path}/client.pem",
                     "--key", f"{tmp_path}/client.key")  # fmt: skip
            await asyncio.to_thread(broker.publish, "emon/s/x", "1", 1, False, *files)
            await way.until(lambda way: way.kept)
        foreign = authority()
        for wrong, reason in (
            ({"certificate": "", "private_key": ""}, ""),
            ({"ca": pem(foreign[0])}, "certificate verify failed"),
            ({"ca": "no PEM"}, "no PEM"),
            ({"private_key": server.key}, "do not fit"),
        ):
            with pytest.raises(SourceFailed) as failed:
                await asyncio.wait_for(run(msgspec.structs.replace(good, **wrong), RecordingWay()), 60)
            assert reason in str(failed.value)


async def test_a_wrong_password_is_hopeless(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(passwords), "house", "secret")
    assert await made.wait() == 0
    with mosquitto(tmp_path / "data", f"password_file {passwords}", "allow_anonymous false") as broker:
        for version in ("5", "3.1.1"):
            settings = settings_for(broker, user="house", password="wrong", version=version)
            with pytest.raises(SourceFailed) as failed:
                await run(settings, RecordingWay())
            assert (failed.value.hopeless and "user or password" in str(failed.value)) or "this client" in str(
                failed.value
            )
            assert "wrong" not in str(failed.value)
            async with running(msgspec.structs.replace(settings, password="secret"), RecordingWay()):
                pass


async def test_a_broker_that_is_killed_and_comes_again(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "data")
    broker.start()
    settings = settings_for(broker)
    try:
        way = RecordingWay()
        async with running(settings, way) as task:
            await publish(broker, "emon/a", '{"x":1,"time":1700000001}')
            await way.until(lambda way: way.kept)
            broker.stop(signal.SIGTERM)
            with pytest.raises(SourceFailed, match="closed the connection"):
                await asyncio.wait_for(task, 60)
        with pytest.raises(SourceFailed, match="cannot be reached"):
            await run(settings, way)
        broker.start()
        await publish(broker, "emon/a", '{"x":2,"time":1700000002}')
        async with running(settings, way):
            await publish(broker, "emon/a", '{"x":3,"time":1700000003}')
            await way.until(lambda way: len(set(way.kept)) == 3)
        assert [reading.value for reading in sorted(set(way.kept))] == [1.0, 2.0, 3.0], (
            "the session outlived the broker"
        )
    finally:
        broker.stop()


async def test_a_broker_that_hangs_is_noticed(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "data") as broker:
        way = RecordingWay()
        async with running(settings_for(broker, keepalive_s=5), way) as task:
            broker.send(signal.SIGSTOP)
            with pytest.raises(SourceFailed, match="silent for 5 s"):
                await asyncio.wait_for(task, 60)
            broker.send(signal.SIGCONT)


async def test_who_is_no_broker(tmp_path: Path) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(SourceFailed, match="is it an MQTT broker"):
            await run(MqttSettings(host="127.0.0.1", port=port), RecordingWay())


async def test_looking_around(broker: Mosquitto) -> None:
    await publish(broker, "emon/look/x", "5", retain=True)
    await publish(broker, "factory/line1", '{"kw":3}', retain=True)
    await publish(broker, "factory/line2", '{"kw":3,"t":20.5,"Timestamp":1700000000}', retain=True)
    try:
        found = {one.where: one for one in await look(settings_for(broker), {"seconds": 1})}
    finally:
        await publish(broker, "emon/look/x", "", retain=True)
        await publish(broker, "factory/line1", "", retain=True)
        await publish(broker, "factory/line2", "", retain=True)
    assert (found["emon/look/x"].name, found["emon/look/x"].value) == ("emon/look/x", "5")
    assert found["factory/line1"].settings == {"mappings": [{"topic": "factory/line1", "value": "*"}]}
    timed = {"topic": "factory/line2", "value": "*", "time": "Timestamp"}
    assert found["factory/line2"].settings == {"mappings": [timed]}, "t is a temperature"


async def test_what_is_overdue_is_looked_for_by_the_clock_however_much_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in silence alone, and by how far what came has been read."""
    monkeypatch.setattr(receiving, "_LOOK_S", 0.01)
    link: Any = SimpleNamespace(session_present=False, acknowledge=lambda numbers: None)
    reader = reader_of(MqttSettings(host="h", client_id="x", formats=("emoncms",)))
    looked, enough = list[int](), asyncio.Event()

    class Flooded(RecordingWay):
        async def keep_usual(self, columns: Columns, messages: int) -> bool:
            receiver.receive(Messages([b"emon/a/b"], [b"1"], [0]))
            await asyncio.sleep(0)
            return True

    def overdue(now_us: int) -> list[Any]:
        looked.append(now_us)
        if len(looked) == 3:
            enough.set()
        return []

    receiver = receiving._Receiver(reader, Flooded(), link)
    monkeypatch.setattr(receiver.nodes, "overdue", overdue)
    receiver.receive(Messages([b"emon/a/b"], [b"1"], [0]))
    task = asyncio.create_task(receiver.work())
    async with asyncio.timeout(60):
        await enough.wait()
    task.cancel()
    assert looked == sorted(looked) and looked[-1] <= receiver._arrived[0][1]
