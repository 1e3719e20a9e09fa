"""The port that devices publish to: acknowledged from the journal, by a write key, and nothing else goes there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import names_of
from wattstead.ingest.errors import IngestError
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.mqtt.decode import reader_of
from wattstead.ingest.mqtt.port import packets
from wattstead.ingest.mqtt.port.decode import decode
from wattstead.ingest.mqtt.port.port import MqttPort
from wattstead.ingest.mqtt.port.settings import PortSettings
from wattstead.ingest.reception import Reception
from wattstead.ingest.resolving.pointmap import PointMap
from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.source_protocol import Message
from wattstead.ingest.sources.way import SourceWay
from wattstead.ingest.sources.window import Window
from wattstead.registry.records import KeyGrant, Scope, Source
from wattstead.stream import Journal, JournalLimits, JournalReader

KEY, READ_KEY = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


class House:
    """A port over a real journal."""

    def __init__(self, folder: Path) -> None:
        reader_of.cache_clear()  # what another house's addresses were is remembered with its topics
        names_of.cache_clear()
        self.folder = folder
        self.points = PointMap()
        self.points.add_key(KEY, KeyGrant(1, 7, 1, Scope.WRITE, 20_000))
        self.points.add_key(READ_KEY, KeyGrant(2, 7, 1, Scope.READ, 0))
        self.journal = Journal.open(folder, 0, JournalLimits())
        self.reception = Reception(self.journal, self.points, IngestLimits())
        self.port = MqttPort(self.reception, "127.0.0.1", 0, None, self._made, most=20)
        self.letters = Letters(folder / "letters.db")
        self.figures, self.failures = Figures(), list[str]()
        own = KeyGrant(3, 7, 1, Scope.WRITE, 20_000)
        self.way = SourceWay(
            5, own, self.reception, self.letters, self.figures, Window.of(400, 86_400), 50_000.0, lambda to: None,
            failed=self.failures.append,
        )  # fmt: skip

    def _made(self, site_id: int, protocol: str, name: str) -> Source:
        raise AssertionError(f"the row of site {site_id} is open")

    async def open(self) -> None:
        """The site's row is open, and the port."""
        self.row = asyncio.create_task(self.port.run(PortSettings(), self.way))
        await asyncio.sleep(0)
        await self.port.start()

    async def close(self) -> None:
        await self.port.stop()
        self.row.cancel()
        self.letters.close()
        self.reception.close()
        await self.journal.close()

    def stored(self) -> list[tuple[str, float]]:
        """Address and value of all readings, in order."""
        names = {point: address for address, point in self.points.addresses(7).items()}
        reader = JournalReader(self.folder)
        found: list[tuple[str, float]] = []
        while entries := reader.read(10_000_000):
            for entry in entries:
                found += zip((names[p] for p in entry.batch.point.tolist()), entry.batch.value.tolist(), strict=True)
        reader.close()
        return found

    async def publish(self, topic: str, payload: str, *more: str, password: str = KEY) -> int:
        """By Mosquitto's client; its exit code."""
        words = [
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port.number),
            "-t",
            topic,
            "-m",
            payload,
            "-u",
            "any",
            "-P",
            password,
        ]
        done = await asyncio.create_subprocess_exec("mosquitto_pub", *words, *more, stderr=asyncio.subprocess.DEVNULL)
        return await asyncio.wait_for(done.wait(), 60)

    async def until_connected(self, most: int) -> None:
        """Once there are no more connections than that."""
        while True:
            if len(self.port) <= most:
                return
            await asyncio.sleep(0.01)

    async def until_stored(self, count: int) -> list[tuple[str, float]]:
        """All readings once there are so many."""
        async with asyncio.timeout(60):
            while True:
                found = await asyncio.to_thread(self.stored)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    await house.open()
    try:
        yield house
    finally:
        await house.close()


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
async def test_a_device_publishes(tmp_path: Path, version: str, qos: str) -> None:
    async with opened(tmp_path) as house:
        assert await house.publish("emon/tx/power", "812.5", "-V", version, "-q", qos, "-r") == 0
        assert await house.publish("cellar", '{"pump":1,"name":"x","level":2.5}', "-V", version, "-q", qos) == 0
        assert await house.publish("cellar/door", "open", "-V", version, "-q", qos) == 0
        found = await house.until_stored(4)
    assert sorted(found) == [
        ("cellar/door", 1.0),
        ("cellar/level", 2.5),
        ("cellar/pump", 1.0),
        ("emon/tx/power", 812.5),
    ]


def read(raw: bytes) -> Columns:
    found = decode(Message(raw, "cellar", 7), PortSettings())
    return found.columns() if isinstance(found, Few) else found


@pytest.mark.unit
def test_a_time_among_other_fields_is_no_point() -> None:
    for body, time_us, untimed in (
        ('{"pump":1,"Timestamp":1764547200,"level":2.5}', 1_764_547_200_000_000, False),
        ('{"ts":1764547200123,"pump":1,"level":2.5}', 1_764_547_200_123_000, False),
        ('{"pump":1,"level":2.5,"time":"2025-12-01T00:00:00Z"}', 1_764_547_200_000_000, False),
        ('{"pump":1,"level":2.5,"time":"00:12"}', 7, True),
    ):
        found = read(body.encode())
        assert sorted(map(found.names.address, range(len(found)))) == ["cellar/level", "cellar/pump"], body
        assert set(found.time_us.tolist()) == {time_us} and np.all(found.untimed) == untimed
    own = read(b'{"t":21.5,"epoch":12}')
    assert own.value.tolist() == [21.5, 12.0], "neither is a time"


async def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        for number in range(20):
            assert await house.publish("emon/a/x", str(number), "-q", "1") == 0
            assert house.stored()[-1] == ("emon/a/x", float(number))


@pytest.mark.parametrize("password", ["wrong", "", READ_KEY])
async def test_never_without_a_write_key(tmp_path: Path, password: str) -> None:
    async with opened(tmp_path) as house:
        assert await house.publish("emon/a/x", "1", "-q", "1", password=password) != 0
        assert await house.publish("emon/a/x", "1", "-q", "1", "-V", "mqttv5", password=password) != 0
        assert not house.stored() and house.reception.tally.refused_requests == 2


async def test_nobody_subscribes(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        words = ["-h", "127.0.0.1", "-p", str(house.port.number), "-t", "#", "-u", "x", "-P", KEY]
        done = await asyncio.create_subprocess_exec("mosquitto_sub", *words, stderr=asyncio.subprocess.PIPE)
        _, said = await asyncio.wait_for(done.communicate(), 60)
        assert b"denied" in said


async def test_garbage_ends_its_connection_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        for raw in (
            b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20,
            b"\x10\xff\xff\xff\xff",
            b"\x30\x04\0\x01aX",
            b"\x10\x7f" + b"x" * 127,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number)
            writer.write(raw)
            assert await asyncio.wait_for(reader.read(), 60) == b""
            writer.close()
        assert await house.publish("emon/a", "{", "-q", "1") == 0, "unreadable, and not sent again for ever"
        (letter,) = house.letters.page(5)
        assert letter.message.raw == b"{" and letter.message.where == "emon/a" and "no JSON" in letter.reason
        assert await house.publish("emon/a/x", "1", "-q", "1") == 0
        assert house.stored() == [("emon/a/x", 1.0)]
        assert not house.failures, "who has shown no key is nobody's"


async def test_a_silent_device_is_let_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number)
        writer.write(connect(keepalive_s=1))
        assert await reader.readexactly(4) == b"\x20\x02\0\0"
        writer.write(b"\xc0\0")
        assert await reader.readexactly(2) == b"\xd0\0"
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()


async def test_who_does_not_sign_in_keeps_no_device_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        strangers = [await asyncio.open_connection("127.0.0.1", house.port.number) for _ in range(250)]
        assert await asyncio.wait_for(strangers[0][0].read(), 60) == b"", "the oldest made room"
        assert len(house.port) <= 200
        assert await house.publish("emon/a/x", "1", "-q", "1") == 0
        for _, writer in strangers:
            writer.transport.abort()


async def test_more_devices_than_there_is_room_for_are_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        devices = [await asyncio.open_connection("127.0.0.1", house.port.number) for _ in range(21)]
        for reader, writer in devices[:20]:
            writer.write(connect())
            assert await reader.readexactly(4) == b"\x20\x02\0\0"
        reader, writer = devices[20]
        writer.write(connect())
        assert await asyncio.wait_for(reader.read(), 60) == b"\x20\x02\0\x03"
        devices[0][1].transport.abort()
        async with asyncio.timeout(60):
            await house.until_connected(19)
        assert await house.publish("emon/a/x", "1", "-q", "1") == 0
        for _, writer in devices:
            writer.transport.abort()


async def test_few_large_messages_wait_no_more_than_many_small_ones(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number)
        writer.write(connect())
        await reader.readexactly(4)
        (connection,) = house.port._devices
        large = b"\x30\xa0\x8d\x06" + b"\0\x03a/b" + b" " * 99_995  # no reading: what is kept is not the question
        connection.data_received(large * 2)
        assert connection.transport.is_reading()
        connection.data_received(large)
        assert not connection.transport.is_reading()
        writer.write(b"\x32\x09\0\x03a/b\0\x0112")
        assert await asyncio.wait_for(reader.readexactly(4), 60) == b"\x40\x02\0\x01"
        assert connection.transport.is_reading() and connection._waiting_bytes == 0
        assert house.stored() == [("a/b", 12.0)]
        writer.close()


async def test_many_small_messages_in_one_piece_are_read_little_by_little(tmp_path: Path) -> None:
    """Else they fill the memory, and nobody else is served meanwhile; who has gone by then is read to the end."""
    async with opened(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number)
        writer.write(connect())
        await reader.readexactly(4)
        (connection,) = house.port._devices
        connection.data_received(b"\x30\x07\0\x03a/b12" * 20_000)
        assert len(connection._waiting) < 1_000 and not connection.transport.is_reading()
        writer.transport.abort()
        assert len(await house.until_stored(20_000)) == 20_000
        await house.until_connected(0)


async def test_who_takes_no_answers_is_not_read(tmp_path: Path) -> None:
    """Else each request would lengthen what waits for it in memory."""
    async with opened(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number, limit=1_000)
        writer.write(connect())
        assert await reader.readexactly(4) == b"\x20\x02\0\0"
        (connection,) = house.port._devices
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10_000)
        sent = 0
        while writer.transport.get_write_buffer_size() < 200_000 and sent < 10_000_000:  # it does not read on
            writer.write(b"\xc0\0" * 20_000)
            sent += 40_000
            await asyncio.sleep(0)
        assert connection.transport.get_write_buffer_size() < 1_000_000
        writer.transport.abort()


async def test_a_key_that_ends_ends_its_connections(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port.number)
        writer.write(connect())
        await reader.readexactly(4)
        house.points.revoke_key(KEY)
        writer.write(b"\x32\x0a\0\x03a/b\0\x01\x31\x32\x33")
        assert await asyncio.wait_for(reader.read(), 60) == b"", "not acknowledged"
        writer.close()


def connect(keepalive_s: int = 0, key: str = KEY) -> bytes:
    """A CONNECT of MQTT 3.1.1 with the key."""
    texts = b"".join(struct.pack("!H", len(one)) + one for one in (b"id", b"any", key.encode()))
    body = b"\0\x04MQTT\x04\xc2" + struct.pack("!H", keepalive_s) + texts
    return bytes((0x10, len(body))) + body


@pytest.mark.unit
@given(st.binary(max_size=60), st.integers(1, 15), st.sampled_from([3, 4, 5]))
def test_any_bytes_are_packets_or_named(raw: bytes, flags: int, version: int) -> None:
    buffer = bytearray(raw)
    with contextlib.suppress(IngestError):
        while packets.cut(buffer, 100):
            pass
    for work in (
        lambda: packets.connect_of(raw),
        lambda: packets.publish_of(flags, raw, version),
        lambda: packets.subscriptions_of(raw, version),
        lambda: packets.number_of(raw),
    ):
        with contextlib.suppress(IngestError):
            work()
