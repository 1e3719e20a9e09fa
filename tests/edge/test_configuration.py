"""The configuration: believed with the server's signature alone, applied, tried, and taken back where it fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_agent import COUNTING
from edge_house import expected, fill, until

from wattstead.edge.configuration import Configuration
from wattstead.edge.identity import Identity
from wattstead.edge.link import join
from wattstead.edge.running import Edge
from wattstead.ingest.edge import trust
from wattstead.ingest.edge.configuring import Configuring
from wattstead.ingest.edge.wire import Document, Name, Synced
from wattstead.ingest.sources.table import SOURCES
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.places.sources import Given
from wattstead.registry.records import EdgeRule, PointDeclaration, Treatment
from wattstead.registry.seal import Seal

if TYPE_CHECKING:
    from edge_house import Home

TABLE = (COUNTING,)
START_S = 1_790_000_000
ASKED = "a challenge"


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Edge]:
    """An edge that runs in this process."""
    edge = Edge(folder, TABLE, sync_s=0.1, old_s=1.0, longest_wait_s=0.2)
    task = asyncio.create_task(edge.run())
    try:
        yield edge
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def given(ledger: Path, edge_id: int, **settings: Any) -> Given:
    """A source that counts on site."""
    return Given(name="counter", settings={"ledger": str(ledger), **settings}, edge_id=edge_id, past_days=0)


async def test_what_people_change_is_run_and_what_fails_is_taken_back(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder, send_every_s=0.05, trial_s=1)
    ledger = tmp_path / "ledger"
    source = home.registry.create_source(home.site, "counting", given(ledger, edge_id)).id
    async with running(folder) as edge:
        await until(lambda: home.registry.edge(edge_id).health.sources == {str(source): "connected"})
        await until(lambda: not edge.configuration.on_trial)
        first = edge.configuration.number
        home.registry.change_source(source, given(tmp_path / "nowhere" / "ledger", edge_id))
        await until(lambda: home.registry.edge(edge_id).health.refused == first + 1)
        health = home.registry.edge(edge_id).health
        assert health.applied == first and f"source {source}" in health.refused_why
        await until(lambda: home.registry.edge(edge_id).health.sources == {str(source): "connected"})
        home.registry.change_source(source, given(ledger, edge_id, pause_s=0.02))
        await until(lambda: home.registry.edge(edge_id).health.applied == first + 2)
        await until(lambda: not edge.configuration.on_trial)
    told = home.registry.edge(edge_id)
    assert told.health.refused == 0 and told.wanted == told.health.applied
    third, second, *_ = home.registry.edge_configurations(edge_id)
    assert third.number == first + 2 and third.applied and not third.refused_why and third.sources == ["counter"]
    assert second.number == first + 1 and f"source {source}" in second.refused_why


async def test_what_cannot_be_run_is_refused_and_the_map_goes_on(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder, send_every_s=0.05)
    async with running(folder) as edge:
        await until(lambda: edge.configuration.number)
        home.registry.create_source(home.site, "p1", Given(name="Meter", settings={"host": "x"}, edge_id=edge_id))
        await until(lambda: home.registry.edge(edge_id).health.refused)
        assert "knows no 'p1'" in home.registry.edge(edge_id).health.refused_why
        home.registry.create_points(home.site, [PointDeclaration(address="boiler", name="Boiler", unit="W")])
        await until(lambda: edge.configuration.document and len(edge.configuration.document.points) == 1)
        assert not edge.sources.sights()


def document(home: Home, edge_id: int, challenge: str = ASKED) -> Synced:
    """What the server would send now."""
    configuring = Configuring(home.registry, Seal.of_file(home.folder / "seal.key").derived("edge configurations"))
    offered = configuring.offered(edge_id)
    return Synced(0, offered.tag, offered.document, configuring.signature(offered.document, challenge))


async def test_nothing_is_believed_without_the_servers_signature(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder)
    told = document(home, edge_id)
    configuration = Configuration(folder, Identity.load(folder), TABLE)
    for forged in (
        msgspec.structs.replace(told, document=told.document.replace(b'"disk_mb":2000', b'"disk_mb":2001')),
        msgspec.structs.replace(told, signature=trust.signature(b"k" * 32, trust.document_text(told.document, ASKED))),
        msgspec.structs.replace(told, signature=""),
    ):
        with pytest.raises(trust.NotTrusted):
            configuration.take(forged, (), ASKED)
    assert configuration.number == 0
    assert configuration.take(told, (), ASKED) and configuration.number == 1


async def test_an_answer_of_before_is_no_answer_now(home: Home, tmp_path: Path) -> None:
    """Whoever kept what the server once signed cannot bring it back; a server that goes back says so anew."""
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder)
    configuration = Configuration(folder, Identity.load(folder), TABLE)
    first = document(home, edge_id, "first")
    assert configuration.take(first, (), "first") and configuration.number == 1
    home.registry.create_source(home.site, "counting", given(tmp_path / "ledger", edge_id))
    assert configuration.take(document(home, edge_id, "second"), (), "second") and configuration.number == 2
    with pytest.raises(trust.NotTrusted):
        configuration.take(first, (), "third")
    assert configuration.number == 2 and not configuration.held.refused
    key = Seal.of_file(home.folder / "seal.key").derived("edge configurations")
    again = msgspec.structs.replace(
        first, signature=trust.signature(key, trust.document_text(first.document, "fourth"))
    )
    assert configuration.take(again, (), "fourth") and configuration.number == 1


async def test_a_server_that_was_put_back_gives_a_number_twice(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder)
    told = document(home, edge_id)
    configuration = Configuration(folder, Identity.load(folder), TABLE)
    configuration.take(told, (), ASKED)
    home.registry.create_source(home.site, "counting", given(tmp_path / "ledger", edge_id))
    found = msgspec.json.decode(document(home, edge_id).document, type=Document)
    other = msgspec.json.encode(msgspec.structs.replace(found, number=1))
    key = Seal.of_file(home.folder / "seal.key").derived("edge configurations")
    before = configuration.generation()
    signed = Synced(0, "other", other, trust.signature(key, trust.document_text(other, ASKED)))
    assert configuration.take(signed, (), ASKED) and configuration.number == 1
    assert configuration.generation() > before and len(configuration.sources_since(0)) == 1, "it is run, not just kept"
    assert configuration.take(signed, (), ASKED) and configuration.generation() == before + 1


async def test_secrets_are_for_that_edge_alone_and_closed_on_its_disk(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder)
    secret = "hunter2-und-Ärger"
    told = Given(name="x", settings={"ledger": "x"}, secrets={"password": secret}, edge_id=edge_id)
    source = home.registry.create_source(home.site, "counting", told).id
    found = document(home, edge_id)
    assert secret.encode() not in found.document
    configuration = Configuration(folder, Identity.load(folder), TABLE)
    assert not configuration.take(found, (), ASKED), "a setting that this protocol does not have"
    other = msgspec.structs.replace(Identity.load(folder), sealing_key=b"z" * 32)
    with pytest.raises(trust.NotTrusted):
        trust.opened(other.sealing_key, msgspec.json.decode(found.document)["box"])
    box = trust.opened(Identity.load(folder).sealing_key, msgspec.json.decode(found.document)["box"])
    assert msgspec.json.decode(box) == {str(source): {"password": secret}}
    assert all(secret.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_an_edge_is_told_registers_and_refuses_what_it_has_not_installed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder)
    meter = {"host": "h", "devices": [{"unit_id": 1, "template": "eastron-sdm120"}]}
    home.registry.create_source(home.site, "modbus", Given(name="Meter", settings=meter, edge_id=edge_id))
    wrong = {"host": "h", "devices": [{"unit_id": 1, "template": "nobody-has-this"}]}
    home.registry.create_source(home.site, "modbus", Given(name="Other", settings=wrong, edge_id=edge_id))
    told = msgspec.json.decode(document(home, edge_id).document, type=Document)
    (device,), other = told.sources[0].settings["devices"], told.sources[1].settings
    assert "template" not in device and device["registers"][0]["name"] == "power" and other == wrong
    settings = {"host": "h", "queue": "q"}
    home.registry.create_source(home.site, "amqp", Given(name="Rabbit", settings=settings, edge_id=edge_id))
    monkeypatch.setattr("wattstead.edge.configuration.find_spec", lambda module: None)
    configuration = Configuration(folder, Identity.load(folder), SOURCES)
    assert not configuration.take(document(home, edge_id), (), ASKED)
    assert (
        "RabbitMQ needs more than this edge has: pip install 'wattstead[edge-amqp]'" in configuration.held.refused_why
    )


async def test_readings_are_treated_and_averaged_as_the_rules_say(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    rules = (
        EdgeRule(pattern="power", treatment=Treatment.DROP),
        EdgeRule(pattern="count", treatment=Treatment.SCALE, factor=10.0, offset=1.0),
    )
    edge_id = await home.edge(folder, send_every_s=0.05, rules=rules)
    home.registry.create_source(home.site, "counting", given(tmp_path / "ledger", edge_id))
    async with running(folder):
        await until(lambda: len(home.standing()) > 20)
    found = home.standing()
    assert {name for name, _ in found} == {"count"}
    assert sorted(found.values())[:3] == [11.0, 21.0, 31.0]


async def test_aggregates_alone_leave_a_site_that_wants_it_so(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    await home.edge(folder, send_every_s=0.05, aggregate_s=60)
    home.registry.create_points(
        home.site, [PointDeclaration(address=f"meter/{one}", name="Power", unit="W") for one in range(3)]
    )
    fill(folder, 3, START_S // 60 * 60, 600)
    async with running(folder) as edge:
        await until(lambda: edge.configuration.number)
        edge.waiting._clock_us = lambda: (START_S + 10**9) * 1_000_000
        await until(lambda: len(home.standing()) >= 3 * 10 * 4)
    assert len(home.arrived()) == 3 * 10 * 4, "four of each minute"
    raw = expected(3, START_S // 60 * 60, 600)
    known = [key for key in home.standing() if key in raw]
    assert len(known) == 3 * 10 * 2


async def test_an_edge_that_is_switched_off_keeps_what_it_reads(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder, send_every_s=0.05)
    home.registry.change_edge(edge_id, enabled=False)
    fill(folder, 1, START_S, 5)
    async with running(folder) as edge:
        await until(lambda: "switched off" in edge.sender.trouble)
        home.registry.change_edge(edge_id, enabled=True)
        await until(lambda: home.standing() == expected(1, START_S, 5))


async def test_a_machine_that_was_replaced_is_let_in_no_longer(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    await home.answer()
    edge_id = await home.edge(folder, send_every_s=0.05)
    async with running(folder) as edge:
        await until(lambda: edge.configuration.number)
        code = home.registry.new_edge_code(edge_id).code
        (await join(home.url, code, "")).save(tmp_path / "other")
        await until(lambda: "does not fit" in edge.unasked)
        edge.names.add([Name(0, "meter/0", "")])
        edge.journal.append_sync(ReadingBatch.of([1], [START_S * 1_000_000], [1.0]))
        await until(lambda: "does not fit" in edge.sender.trouble)
    assert home.standing() == {}
