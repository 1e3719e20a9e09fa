"""What changed while nobody was connected: read from the server's history, or said to be a gap."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from tests.ingest.opcua.servers import Meters
from tests.ingest.opcua.test_receiving import running, settings
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.opcua.decoding import decode
from wattstead.ingest.opcua.history import HeardFile

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECOND = datetime.timedelta(seconds=1)


async def test_what_changed_meanwhile_is_read_from_the_history(server: Meters) -> None:
    made = settings(server.url, await server.add("Kept", 0.0), prefix="kept/")
    await server.keep_history("Kept")
    way, begin = RecordingWay(), datetime.datetime.now(datetime.UTC)
    async with running(made, way):
        await way.until(lambda way: bool(way.readings("kept/Kept")))
        await server.set("Kept", 1.0, at=begin + SECOND)
        await way.until(lambda way: way.readings("kept/Kept")[-1][1] == 1.0)
    for at in range(2, 50):
        await server.record("Kept", float(at), begin + at * SECOND)
    again = RecordingWay()
    async with running(made, again):
        await again.until(lambda way: len(way.readings("kept/Kept")) >= 48)
        await server.set("Kept", 50.0, at=begin + 50 * SECOND)
        await again.until(lambda way: way.readings("kept/Kept")[-1][1] == 50.0)
    found = dict(again.readings("kept/Kept"))
    assert sorted(found.values()) == [float(at) for at in range(2, 51)]
    assert list(found) == sorted(found), "in their order"
    columns, message = again.messages[0]
    assert message.where == "history" and decode(message, made).value.tolist() == columns.value.tolist()
    assert again.refused == []


async def test_a_server_that_gives_little_at_once_is_asked_for_the_rest(server: Meters) -> None:
    made = settings(server.url, await server.add("Slow history", 0.0), prefix="slow/")
    await server.keep_history("Slow history")
    storage = server.server.iserver.history_manager.storage
    most, storage.max_history_data_response_size = storage.max_history_data_response_size, 10
    way, begin = RecordingWay(), datetime.datetime.now(datetime.UTC)
    try:
        async with running(made, way):
            await way.until(lambda way: bool(way.readings("slow/Slow history")))
        for at in range(1, 36):
            await server.record("Slow history", float(at), begin + at * SECOND)
        again = RecordingWay()
        async with running(made, again):
            await again.until(lambda way: len(way.readings("slow/Slow history")) >= 35)
    finally:
        storage.max_history_data_response_size = most
    assert sorted(set(dict(again.readings("slow/Slow history")).values())) == [float(at) for at in range(1, 36)]


async def test_a_server_without_history_has_a_gap_and_it_is_said(server: Meters) -> None:
    made = settings(server.url, await server.add("Forgot", 0.0), prefix="forgot/")
    way = RecordingWay()
    async with running(made, way):
        await way.until(lambda way: bool(way.readings("forgot/Forgot")))
    file = HeardFile(made, way.source_id)
    file.heard.alive_us -= 3_600_000_000
    file.save()
    await server.set("Forgot", 1.0)
    await server.set("Forgot", 2.0)
    again = RecordingWay()
    async with running(made, again):
        await again.until(lambda way: bool(way.refused) and bool(way.readings("forgot/Forgot")))
    ((message, reason),) = again.refused
    assert message.where == "history" and "is not known of 1 nodes: the server keeps no history" in reason
    assert [value for _, value in again.readings("forgot/Forgot")] == [2.0]


async def test_a_clock_that_was_ten_years_ahead_hides_no_past(server: Meters) -> None:
    """Else nothing would be asked of the history for ten years."""
    made = settings(server.url, await server.add("Ahead", 0.0), prefix="ahead/")
    await server.keep_history("Ahead")
    way, begin = RecordingWay(), datetime.datetime.now(datetime.UTC)
    async with running(made, way):
        await way.until(lambda way: bool(way.readings("ahead/Ahead")))
        await server.set("Ahead", 1.0, at=begin + datetime.timedelta(days=3_653))
        await way.until(lambda way: way.readings("ahead/Ahead")[-1][1] == 1.0)
    await server.record("Ahead", 2.0, begin + SECOND)
    await server.record("Ahead", 3.0, begin + 2 * SECOND)
    again = RecordingWay()
    async with running(made, again):
        await again.until(lambda way: {2.0, 3.0} <= {value for _, value in way.readings("ahead/Ahead")})


async def test_a_file_that_cannot_be_read_costs_the_past_alone() -> None:
    made = settings("opc.tcp://nowhere:4840", prefix="x/")
    file = HeardFile(made, 1)
    file.heard.nodes["a"] = 5
    file.save()
    assert HeardFile(made, 1).heard.nodes == {"a": 5}
    assert file._file is not None
    file._file.write_bytes(b"{")
    assert HeardFile(made, 1).heard.nodes == {}


async def test_sources_of_one_server_and_prefix_hear_each_for_itself() -> None:
    made = settings("opc.tcp://twice:4840", prefix="x/")
    first = HeardFile(made, 1)
    first.heard.nodes["a"] = 5
    first.save()
    assert HeardFile(made, 2).heard.nodes == {} and HeardFile(made, 1).heard.nodes == {"a": 5}
    name = hashlib.sha256(b"opc.tcp://twice:4840\nx/").hexdigest()[:16]
    assert first._file is not None
    first._file.with_name(f"heard-{name}.json").write_bytes(b'{"nodes":{"b":7}}')  # as it was named before
    assert HeardFile(made, 2).heard.nodes == {"b": 7} and HeardFile(made, 1).heard.nodes == {"a": 5}
