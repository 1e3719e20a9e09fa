"""Nodes of a real server subscribed to: every value with its time, kept before it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import uuid
from collections.abc import AsyncIterator

import pytest
from asyncua import ua
from tests.ingest.opcua.servers import Meters, Relay, pair
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.opcua import receiving
from wattstead.ingest.opcua.browsing import look
from wattstead.ingest.opcua.decoding import decode
from wattstead.ingest.opcua.receiving import run
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode
from wattstead.ingest.sources.source_protocol import SourceFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOON = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)
NOON_US = 1_777_636_800_000_000


def settings(url: str, *nodes: str, **more: object) -> OpcuaSettings:
    picked = tuple(PickedNode(node=node, name=node.rpartition("=")[2]) for node in nodes)
    given = {"publish_s": 0.1, "sample_s": 0.0, "timeout_s": 5.0, **more}
    return OpcuaSettings(url=url, nodes=picked, **given)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running(made: OpcuaSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run(made, way))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def failure(made: OpcuaSettings, way: RecordingWay) -> SourceFailed:
    with pytest.raises(SourceFailed) as found:
        async with asyncio.timeout(60):
            await run(made, way)
    return found.value


async def test_every_value_comes_with_the_time_of_its_source(server: Meters) -> None:
    way = RecordingWay()
    made = settings(server.url, await server.add("Power", 1500.0), await server.add("Energy", 10_542), queue=100)
    async with running(made, way):
        await way.until(lambda way: bool(way.readings("opcua/Power")) and bool(way.readings("opcua/Energy")))
        for second in range(20):
            await server.set("Power", 100.5 + second, at=NOON + datetime.timedelta(seconds=second))
        await way.until(lambda way: len(way.readings("opcua/Power")) >= 21)
    assert way.others == [server.url]
    assert way.readings("opcua/Energy")[0][1] == 10_542
    assert way.readings("opcua/Power")[-20:] == [(NOON_US + n * 1_000_000, 100.5 + n) for n in range(20)]
    assert not way.refused
    for columns, message in way.messages:
        again = decode(message, made)
        assert (again.value.tolist(), again.time_us.tolist()) == (columns.value.tolist(), columns.time_us.tolist())


async def test_all_kinds_of_numbers_and_what_is_none(server: Meters) -> None:
    way = RecordingWay()
    kinds = {
        "Boolean": True, "SByte": -5, "Byte": 200, "Int16": -300, "UInt16": 60_000, "Int32": -70_000,
        "UInt32": 4_000_000_000, "Int64": -5_000_000_000, "UInt64": 2**60, "Float": 1.5, "Double": 2.25,
    }  # fmt: skip
    others = {
        "String": "a", "DateTime": NOON, "LocalizedText": ua.LocalizedText("x"), "ByteString": b"1",
        "QualifiedName": ua.QualifiedName("q", 1), "NodeId": ua.NodeId("long", 3), "Guid": uuid.UUID(int=5),
        "StatusCode": ua.StatusCode(0), "ExtensionObject": ua.EUInformation(),
    }  # fmt: skip
    nodes = []
    for name, value in (kinds | others).items():
        nodes.append(await server.add(name, ua.Variant(value, ua.VariantType[name])))
    nodes.append(await server.add("Array", ua.Variant([1.0, 2.0], ua.VariantType.Double)))
    async with running(settings(server.url, *nodes), way):
        await way.until(lambda way: all(way.readings(f"opcua/{name}") for name in kinds))
    for name, value in kinds.items():
        assert way.readings(f"opcua/{name}")[0][1] == float(value), name
    assert not any(way.readings(f"opcua/{name}") for name in (*others, "Array"))
    assert sum(columns.skipped for columns, _ in way.messages) == len(others) + 1


async def test_bad_values_are_left_out_and_named_once(server: Meters) -> None:
    way = RecordingWay()
    made = settings(server.url, await server.add("Sick", 1500.0), queue=100)
    async with running(made, way):
        await way.until(lambda way: bool(way.messages))
        await server.set("Sick", 1.0, status=ua.StatusCodes.BadSensorFailure)
        await way.until(lambda way: bool(way.refused))
        for value in (2.0, 3.0):
            await server.set("Sick", value, status=ua.StatusCodes.BadSensorFailure)
            await asyncio.sleep(0.15)
        await server.set("Sick", 4.0)
        await way.until(lambda way: way.readings("opcua/Sick")[-1][1] == 4.0)
    assert [value for _, value in way.readings("opcua/Sick")] == [1500.0, 4.0]
    ((message, reason),) = way.refused
    assert "no good value any more of nsu=urn:tests:meters;s=Sick: BadSensorFailure" in reason
    assert decode(message, made).skipped >= 1


async def test_a_message_is_acknowledged_only_when_it_is_kept(server: Meters) -> None:
    way, inside = RecordingWay(), server.server.iserver.subscription_service.subscriptions
    before = set(inside)
    way.open.clear()
    async with running(settings(server.url, await server.add("Slow", -1.0), queue=100), way):
        await way.until(lambda way: bool(inside.keys() - before))
        subscription = inside[(inside.keys() - before).pop()]
        await way.until(lambda way: bool(subscription._not_acknowledged_results))
        for value in range(10):
            await server.set("Slow", float(value))
        await asyncio.sleep(0.3)
        assert not way.messages and subscription._not_acknowledged_results
        way.open.set()
        expected = [float(value) for value in range(10)]
        await way.until(lambda way: [value for _, value in way.readings("opcua/Slow")][-10:] == expected)
        await way.until(lambda way: len(subscription._not_acknowledged_results) <= 1)


async def test_nodes_that_are_not_there_are_named_and_the_others_received(server: Meters) -> None:
    way = RecordingWay()
    lost = "nsu=urn:tests:meters;s=Lost"
    async with running(settings(server.url, await server.add("Found"), lost), way):
        await way.until(lambda way: bool(way.messages))
    ((_, reason),) = way.refused
    assert reason == f"1 of 2 nodes are refused: {lost}: BadNodeIdUnknown"
    assert "has none of the nodes" in str(await failure(settings(server.url, lost), RecordingWay()))
    assert "no namespace 'urn:x'" in str(await failure(settings(server.url, "nsu=urn:x;s=a"), RecordingWay()))
    assert (await failure(settings(server.url, "nonsense"), RecordingWay())).hopeless


async def test_a_link_that_is_cut_and_comes_back(server: Meters) -> None:
    way, relay = RecordingWay(), Relay(int(server.url.rpartition(":")[2].partition("/")[0]))
    await relay.open()
    made = settings(f"opc.tcp://127.0.0.1:{relay.port}/meters", await server.add("Far", 1.0), timeout_s=2.0)
    async with running(made, way) as task:
        await way.until(lambda way: bool(way.messages))
        await relay.cut()
        with pytest.raises(SourceFailed):
            await asyncio.wait_for(task, 60)
    assert "cannot be reached" in str(await failure(made, RecordingWay()))
    await server.set("Far", 2.0)
    await relay.open()
    async with running(made, way):
        await way.until(lambda way: way.readings("opcua/Far")[-1][1] == 2.0)
    await relay.cut()


async def test_a_server_that_falls_silent_is_given_up(server: Meters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_SIGN_OF_LIFE_S", 0.5)
    way, relay = RecordingWay(), Relay(int(server.url.rpartition(":")[2].partition("/")[0]))
    await relay.open()
    made = settings(f"opc.tcp://127.0.0.1:{relay.port}/meters", await server.add("Mute", 1.0), timeout_s=3.0)
    async with running(made, way) as task:
        await way.until(lambda way: bool(way.messages))
        relay.silent = True
        with pytest.raises(SourceFailed):
            await asyncio.wait_for(task, 120)
    await relay.cut()


async def test_who_is_no_server_is_said_to_be_none() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hangs_up, "127.0.0.1", 0) as listening:
        url = f"opc.tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        error = await failure(settings(url, "i=2258", timeout_s=1.0), RecordingWay())
    assert url in str(error) and not error.hopeless


@pytest.mark.parametrize(
    "policy, mode",
    [
        ("Basic256Sha256", "sign"),
        ("Basic256Sha256", "sign-and-encrypt"),
        ("Aes128Sha256RsaOaep", "sign-and-encrypt"),
        ("Aes256Sha256RsaPss", "sign-and-encrypt"),
    ],
)
async def test_each_policy_with_a_server_that_was_looked_at_first(server: Meters, policy: str, mode: str) -> None:
    way = RecordingWay()
    found = {one.where: one for one in await look(OpcuaSettings(url=server.url), {})}
    given = dict(found[f"{policy} {mode}"].settings)
    async with running(settings(server.url, await server.add(f"{policy} {mode}"), **given), way):
        await way.until(lambda way: bool(way.messages))
    untrusted = await failure(settings(server.url, "i=2258", **{**given, "server_fingerprint": ""}), RecordingWay())
    assert given["server_fingerprint"] in str(untrusted) and "is not trusted yet" in str(untrusted)
    other = await failure(settings(server.url, "i=2258", **{**given, "server_fingerprint": "ab" * 32}), RecordingWay())
    assert "when it was trusted" in str(other) and other.hopeless and untrusted.hopeless


async def test_users_by_password_and_by_certificate(server: Meters, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = server.users.password
    certificate, key = pair("operator", "urn:tests:operator")
    found = {one.where: one for one in await look(OpcuaSettings(url=server.url), {})}
    secured = dict(found["Basic256Sha256 sign-and-encrypt"].settings)
    node = await server.add("Guarded")
    server.users.seen.clear()
    for who in (
        {"user": "reader", "password": secret},
        {"user_certificate": certificate.decode(), "user_key": key.decode()},
    ):
        way = RecordingWay()
        async with running(settings(server.url, node, **secured, **who), way):
            await way.until(lambda way: bool(way.messages))
    assert server.users.seen == ["reader", "certificate"]
    mistaken = settings(server.url, node, **secured, user="reader", password="wrong one")
    wrong = await failure(mistaken, RecordingWay())
    assert wrong.hopeless and "refuses the user 'reader'" in str(wrong) and "wrong one" not in str(wrong)
    clear = await failure(settings(server.url, node, user="reader", password=secret), RecordingWay())
    assert clear.hopeless and "choose a policy with encryption" in str(clear)
    half = settings(server.url, node, **{**secured, "mode": "sign"}, user="reader", password=secret)
    signed = await failure(half, RecordingWay())
    assert signed.hopeless and "choose sign-and-encrypt" in str(signed)
    assert secret not in caplog.text and key.decode() not in caplog.text


async def test_a_policy_that_is_not_offered(server: Meters) -> None:
    error = await failure(settings(server.url, "i=2258", security="Aes256Sha256RsaPss", mode="sign"), RecordingWay())
    assert error.hopeless and "has no Aes256Sha256RsaPss sign; it offers Aes128_Sha256_RsaOaep" in str(error)


async def test_settings_that_only_a_person_can_mend() -> None:
    url = "opc.tcp://127.0.0.1:9"
    assert "no node is picked" in str(await failure(settings(url), RecordingWay()))
    twice = OpcuaSettings(url=url, nodes=(PickedNode(node="i=1", name="a"), PickedNode(node="i=2", name="a")))
    assert (await failure(twice, RecordingWay())).hopeless
    unit = OpcuaSettings(url=url, nodes=(PickedNode(node="i=1", unit="bananas"),))
    assert "bananas" in str(await failure(unit, RecordingWay()))
