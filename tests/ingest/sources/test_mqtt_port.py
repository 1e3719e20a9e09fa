"""The MQTT port as a source: a row of each site, and what cannot be kept is a letter before it is acknowledged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from tests.ingest.sources.conftest import until
from tests.ingest.test_mqtt_port import connect

from wattstead.ingest.decoding.gathered import names_of
from wattstead.ingest.mqtt.port.port import MqttPort
from wattstead.ingest.mqtt.port.row import MQTT_PORT
from wattstead.ingest.mqtt.port.settings import PortSettings
from wattstead.ingest.sources.sight import Sight, State
from wattstead.ingest.sources.source_protocol import Way
from wattstead.ingest.sources.table import SOURCES
from wattstead.registry.places.keys import Terms
from wattstead.registry.places.sources import Given
from wattstead.registry.records import Scope

if TYPE_CHECKING:
    from tests.ingest.sources.conftest import House

Open = Callable[..., "House"]
YEARS_S = 3_650 * 86_400


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


class Estate:
    """A house with a port, and another site of somebody else."""

    def __init__(self, open_house: Open, **given: Any) -> None:
        names_of.cache_clear()
        self.port: MqttPort

        async def run(settings: PortSettings, way: Way) -> None:
            await self.port.run(settings, way)

        row = replace(MQTT_PORT, run=run)
        house = self.house = open_house([row if one is MQTT_PORT else one for one in SOURCES], **given)
        self.port = MqttPort(house.reception, "127.0.0.1", 0, None, house.registry.entrance)
        others = house.registry.create_organization("Others")
        self.other_site = house.registry.create_site(others.id, "Theirs", "Europe/Berlin").id
        self.key, self.other_key = self.made(house.site), self.made(self.other_site)

    def made(self, site_id: int, **given: Any) -> str:
        """The secret of a new key."""
        return self.house.registry.create_key(site_id, Scope.WRITE, **given).secret

    def row(self, site_id: int | None = None) -> int:
        """The row of a site."""
        (found,) = self.house.registry.sources(site_id=site_id or self.house.site)
        return found.id

    def sight(self, site_id: int | None = None) -> Sight:
        """How it is doing."""
        found = self.house.sources.sight(self.row(site_id))
        assert found is not None
        return found

    def reasons(self, site_id: int | None = None) -> dict[bytes, str]:
        """Of its letters, oldest first."""
        return {one.message.raw: one.reason for one in reversed(self.house.letters.page(self.row(site_id)))}

    async def publish(self, topic: str, payload: str | bytes, *more: str, key: str = "", stdin: bytes = b"") -> int:
        """By Mosquitto's client, with QoS 1; its exit code, which is 0 once all is acknowledged."""
        words = ["-h", "127.0.0.1", "-p", str(self.port.number), "-u", "any", "-P", key or self.key, "-q", "1", "-t"]
        told = [] if stdin else ["-m", payload]
        client = await asyncio.create_subprocess_exec(
            "mosquitto_pub", *words, topic, *told, *more, stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await asyncio.wait_for(client.communicate(stdin), 60)
        finally:
            if client.returncode is None:
                client.kill()
                await client.wait()
        assert client.returncode is not None
        return client.returncode


@asynccontextmanager
async def estate_of(open_house: Open, **given: Any) -> AsyncIterator[Estate]:
    """An estate whose port is open."""
    made = Estate(open_house, **given)
    await made.house.sources.start()
    await made.port.start()
    try:
        yield made
    finally:
        await made.port.stop()


async def test_a_site_gets_a_row_when_a_key_of_it_signs_in(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        sent = [estate.publish("cellar", f'{{"level":{number}}}') for number in range(5)]
        assert await asyncio.gather(*sent) == [0] * 5
        (row,) = estate.house.registry.sources()
        assert (row.site_id, row.protocol, row.name, row.device_id) == (
            estate.house.site,
            "mqtt-port",
            "MQTT port",
            None,
        )
        sight = await estate.house.is_in(row.id, State.CONNECTED)
        assert sight.connected_to.startswith(f"port {estate.port.number}, devices: ") and not sight.letters
        assert sorted(value for _, _, value in estate.house.stored()) == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert (sight.readings, sight.messages) == (5, 5) and sight.rate_per_s > 0 and sight.last_message_us


async def test_what_cannot_be_kept_is_a_letter_and_is_replayed_after_a_fix(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        house, then_s = estate.house, int(time.time()) - 60
        key = estate.made(house.site, point_limit=1)
        for topic, payload in (
            ("emon/tx", "{"), ("meter", "P=12;"), ("meter", '{"state":"warm"}'), ("$SYS/a", "1"),
            ("meter", json.dumps({"all": {"w": "12.5 W"}, "time": then_s})),
        ):  # fmt: skip
            assert await estate.publish(topic, payload) == 0, "acknowledged, and not sent again for ever"
        assert await estate.publish("many", '{"a":1,"b":2}', key=key) == 0
        told = estate.reasons()
        assert "no JSON" in told[b"{"] and "expected a number" in told[b"P=12;"]
        assert "no number" in told[b'{"state":"warm"}'] and "begin with $" in told[b"1"]
        assert "limit of 1 points" in told[b'{"a":1,"b":2}'] and len(told) == 6
        assert {address for address, _, _ in house.stored()} <= {"many/a", "many/b"}
        row, opened, before = estate.row(), estate.port.row(house.site), len(house.stored())
        mapping = {"topic": "meter", "value": "all.w", "time": "time", "address": "hall/power"}
        house.registry.change_source(row, Given(settings={"mappings": [mapping]}))
        assert (await house.sources.replay(row)).gone == 0, "12.5 W is none yet"
        assert all(one.tries == 1 for one in house.letters.page(row))
        await until(lambda: estate.port.row(house.site) not in (opened, None))
        assert await estate.publish("meter", json.dumps({"all": {"w": 12.5}, "time": then_s})) == 0
        assert house.stored()[before:][-1:] == [("hall/power", then_s * 1_000_000, 12.5)]


async def test_a_mapping_makes_readings_of_letters(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        house, then_s = estate.house, int(time.time()) - 60
        raw = json.dumps({"name": "x", "parts": [{"w": "7"}], "at": {"time": then_s}})
        assert await estate.publish("emon/odd", raw) == 0
        assert not house.stored() and list(estate.reasons()) == [raw.encode()]
        mapping = {"topic": "emon/odd", "value": "parts[*].w", "time": "at.time", "address": "hall"}
        house.registry.change_source(estate.row(), Given(settings={"mappings": [mapping]}))
        told = await house.sources.replay(estate.row())
        assert (told.gone, told.left, told.readings) == (1, 0, 1)
        assert house.stored() == [("hall", then_s * 1_000_000, 7.0)] and not estate.reasons()


@pytest.mark.parametrize("off_s", [-YEARS_S, YEARS_S])
async def test_a_clock_ten_years_off_makes_letters_no_past(open_house: Open, off_s: int) -> None:
    async with estate_of(open_house) as estate:
        house, then_s = estate.house, int(time.time()) + off_s
        lines = [json.dumps({"level": 1.5, "time": then_s}), json.dumps({"level": 2.5, "time": int(time.time())})]
        assert await estate.publish("cellar", "", "-l", stdin="\n".join(lines).encode()) == 0
        assert [value for _, _, value in house.stored()] == [2.5], "the good one beside it is kept"
        ((raw, reason),) = estate.reasons().items()
        assert json.loads(raw)["level"] == 1.5 and "time" in reason
        assert estate.sight().rejected == 1
        if off_s < 0:  # it was no fault: whoever knows lets it in
            house.registry.change_source(estate.row(), Given(past_days=0.0))
            assert (await house.sources.replay(estate.row())).gone == 1
            assert ("cellar/level", then_s * 1_000_000, 1.5) in house.stored()


async def test_nobody_else_sees_a_site_s_letters(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        assert await estate.publish("emon/tx", "{") == 0
        assert await estate.publish("cellar", "1", key=estate.other_key) == 0
        assert list(estate.reasons()) == [b"{"] and not estate.reasons(estate.other_site)
        assert estate.sight(estate.other_site).refused == 0 and estate.sight().refused == 1
        assert not estate.sight(estate.other_site).last_rejected


async def test_what_a_device_s_key_may_not_write_stays_forbidden_when_it_is_replayed(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        house = estate.house
        assert await estate.publish("boiler", "1") == 0
        device = house.registry.create_device(house.site, "Meter").id
        key = house.registry.create_key(house.site, Scope.WRITE, terms=Terms(device_id=device))
        assert await estate.publish("boiler", "2", key=key.secret) == 0
        assert list(estate.reasons()) == [b"2"]
        told = await house.sources.replay(estate.row())
        assert (told.gone, told.left) == (0, 1) and [value for _, _, value in house.stored()] == [1.0]
        assert await estate.publish("own", "x", key=key.secret) == 0
        house.registry.revoke_key(key.key.id)
        assert (await house.sources.replay(estate.row())).left == 2
        assert "has ended" in estate.reasons()[b"2"]


async def test_a_key_that_was_replaced_speaks_for_its_letters(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        house, then_s = estate.house, int(time.time()) - YEARS_S
        device = house.registry.create_device(house.site, "Meter").id
        key = house.registry.create_key(house.site, Scope.WRITE, terms=Terms(device_id=device))
        body = json.dumps({"level": 1.5, "time": then_s})
        assert await estate.publish("cellar", body, key=key.secret) == 0
        assert await estate.publish("hall", body) == 0
        house.registry.rotate_key(key.key.id)
        house.registry.revoke_key(key.key.id)
        for one in house.registry.keys(house.site):
            if one.device_id is None:
                house.registry.revoke_key(one.id)
        house.registry.change_source(estate.row(), Given(past_days=0.0))
        assert (await house.sources.replay(estate.row())).gone == 2
        (point,) = [one for one in house.registry.points() if one.address == "cellar/level"]
        assert point.device_id == device


async def test_a_flood_is_slowed_and_nobody_else_is(open_house: Open) -> None:
    async with estate_of(open_house, rate=5.0) as estate:
        lines = b"\n".join(b"%d" % one for one in range(2_000))
        flood = asyncio.create_task(estate.publish("flood", "", "-l", "-V", "mqttv5", stdin=lines))
        await until(lambda: estate.house.sources.sights() and "is slowed" in estate.sight().waiting_for)
        for number in range(5):
            assert await estate.publish("other", str(number)) == 0
            assert await estate.publish("other", str(number), key=estate.other_key) == 0
        assert not flood.done(), "it would take minutes, and the others do not wait for it"
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        stored = [value for address, _, value in estate.house.stored() if address == "flood"]
        assert stored == [float(one) for one in range(len(stored))] and 0 < len(stored) < 2_000
        assert not estate.reasons(), "who is slowed loses nothing"


async def test_without_a_port_a_row_says_so(open_house: Open) -> None:
    house = open_house()
    row = house.registry.entrance(house.site, "mqtt-port", "MQTT port").id
    assert house.registry.entrance(house.site, "mqtt-port", "another name").id == row
    await house.sources.start()
    assert "no MQTT port" in (await house.is_in(row, State.HOPELESS)).last_error


async def test_a_flood_of_rubbish_is_slowed_and_all_of_it_told(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        began = asyncio.get_running_loop().time()
        assert await estate.publish("emon/x", "", "-l", "-V", "mqttv5", stdin=b"{\n" * 400) == 0
        assert asyncio.get_running_loop().time() - began >= 1.0, "400 letters at 200 a second, but for the last group"
        held = estate.house.letters.held(estate.row())
        assert (held.letters, held.lost, estate.sight().refused) == (400, 0, 400)
        assert estate.sight().state is State.CONNECTED


async def test_nothing_is_acknowledged_while_letters_cannot_be_written(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        house = estate.house
        assert await estate.publish("a", "1") == 0
        with house.letters._access:  # as a disk that does not answer
            reader, writer = await asyncio.open_connection("127.0.0.1", estate.port.number)
            writer.write(connect(key=estate.key))
            assert await reader.readexactly(4) == b"\x20\x02\0\0"
            writer.write(b"\x32\x0d\0\x06emon/x\0\x07{{{")
            await until(lambda: house.sources._running[estate.row()].figures.refused)
            told = asyncio.create_task(reader.readexactly(4))
            done, _ = await asyncio.wait({told}, timeout=0.3)
            assert not done
        assert await asyncio.wait_for(told, 60) == b"\x40\x02\0\x07" and list(estate.reasons()) == [b"{{{"]
        writer.close()


async def test_what_a_device_does_wrong_ends_it_alone_and_is_told(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        assert await estate.publish("a", "1") == 0
        devices = [await asyncio.open_connection("127.0.0.1", estate.port.number) for _ in range(2)]
        for reader, writer in devices:
            writer.write(connect(key=estate.key))
            assert await reader.readexactly(4) == b"\x20\x02\0\0"
        devices[0][1].write(bytes(range(256)))
        assert await asyncio.wait_for(devices[0][0].read(), 60) == b""
        sight = await until(lambda: estate.sight() if estate.sight().failures else None)
        assert sight.last_error.startswith("'id': a packet of kind 0") and sight.state is State.CONNECTED
        devices[1][1].write(b"\xc0\0")
        assert await devices[1][0].readexactly(2) == b"\xd0\0"
        devices[1][1].close()


async def test_a_row_that_is_switched_off_shuts_the_port_to_its_site(open_house: Open) -> None:
    async with estate_of(open_house) as estate:
        reader, writer = await asyncio.open_connection("127.0.0.1", estate.port.number)
        writer.write(connect(key=estate.key) + b"\x32\x09\0\x03a/b\0\x0112")
        assert await reader.readexactly(8) == b"\x20\x02\0\0\x40\x02\0\x01", "it need not wait for the answer"
        estate.house.registry.change_source(estate.row(), Given(enabled=False))
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        assert await estate.publish("a", "1") != 0
        assert await estate.publish("a", "1", key=estate.other_key) == 0
        estate.house.registry.change_source(estate.row(), Given(enabled=True))
        await estate.house.is_in(estate.row(), State.CONNECTED)
        assert await estate.publish("a", "1") == 0
        estate.house.registry.delete_source(estate.row())
        await until(lambda: estate.port.row(estate.house.site) is None)
        assert await estate.publish("a", "2") == 0, "its row comes back"
        assert len(estate.house.registry.sources(site_id=estate.house.site)) == 1


async def test_the_bytes_of_a_client(open_house: Open) -> None:
    raw = (Path(__file__).parents[2] / "payloads" / "mqtt-port" / "mosquitto_pub.bin").read_bytes()
    async with estate_of(open_house) as estate:
        estate.house.now_us = 1_700_000_060_000_000
        reader, writer = await asyncio.open_connection("127.0.0.1", estate.port.number)
        raw = raw.replace(b"0123456789abcdef" * 2, estate.key.encode())
        goodbye = raw[-2:]
        writer.write(raw[:-2])
        assert await reader.readexactly(8) == b"\x20\x02\0\0\x40\x02\0\x01"
        writer.write(goodbye)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        then_us = 1_700_000_000_000_000
        assert sorted(estate.house.stored()) == [("cellar/level", then_us, 2.5), ("cellar/pump", then_us, 1.0)]
