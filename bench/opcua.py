"""OPC UA: 2,000 nodes, each changing five times a second, to durable; the server runs in a process of its own.

``python bench/opcua.py PORT NODES`` is that process.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop

import machine
from doorway import Doorway, reception
from process import ServerProcess, free_port
from report import Table, figure
from wattstead.ingest.opcua.receiving import run
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode

NODES, CHANGES_PER_S, PUBLISH_S = 2_000, 5, 1.0
_SETTLE_S = 5.0


async def _server(port: int, nodes: int) -> None:
    """Every node gets another value five times a second; the lists of values are made beforehand."""
    from asyncua import Server, ua  # noqa: PLC0415 - only here

    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:bench")
    parent = await server.nodes.objects.add_object(index, "Meters")
    made = [await parent.add_variable(ua.NodeId(f"n{at}", index), f"n{at}", 0.0) for at in range(nodes)]
    ids = [node.nodeid for node in made]
    async with server:
        turn = 0
        while True:
            turn += 1
            due = time.monotonic() + 1 / CHANGES_PER_S
            at = datetime.now(UTC)
            for number, node in enumerate(ids):
                variant = ua.Variant(float(turn + number), ua.VariantType.Double)
                await server.write_attribute_value(node, ua.DataValue(variant, SourceTimestamp=at))
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _ours(folder: Path, port: int, seconds: float) -> tuple[float, float]:
    picked = tuple(PickedNode(node=f"nsu=urn:bench;s=n{at}", name=f"n{at}", unit="V") for at in range(NODES))
    settings = OpcuaSettings(
        url=f"opc.tcp://127.0.0.1:{port}", nodes=picked, publish_s=PUBLISH_S, sample_s=1 / CHANGES_PER_S, timeout_s=60
    )
    async with reception(folder) as way_in:
        way = Doorway(way_in, 0)
        task = asyncio.create_task(run(settings, way))
        try:
            return await _measured(lambda: way.readings, seconds)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _library(port: int, seconds: float) -> tuple[float, float]:
    """The same subscription by the library's own means, its values thrown away."""
    from asyncua import Client  # noqa: PLC0415 - only for comparison

    received = 0

    class Handler:
        def datachange_notification(self, node: object, value: object, data: object) -> None:
            nonlocal received
            received += 1

    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=60, watchdog_intervall=60) as client:
        index = await client.get_namespace_index("urn:bench")
        subscription = await client.create_subscription(PUBLISH_S * 1000, Handler())
        nodes = [client.get_node(f"ns={index};s=n{at}") for at in range(NODES)]
        await subscription.subscribe_data_change(nodes, queuesize=12, sampling_interval=1000 / CHANGES_PER_S)
        return await _measured(lambda: received, seconds)


async def _measured(count: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Values a second, and the part of a core that this process took meanwhile."""
    for _ in range(300):  # 2,000 nodes are subscribed to first
        await asyncio.sleep(0.2)
        if count():
            break
    await asyncio.sleep(_SETTLE_S)
    before, begun, cpu = count(), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    span = time.perf_counter() - begun
    return (count() - before) / span, (time.process_time() - cpu) / span


def bench(folder: Path, seconds: int) -> Table:
    """Ours, and the library's own subscription."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    table = Table(
        "opcua",
        f"OPC UA: {NODES:,} nodes, {CHANGES_PER_S} changes a second each",
        ["what", "values/s", "of a core", "of a core at 10,000/s"],
        "bench/run.py opcua",
        machine.sentence(),
        notes=[
            "To durable: received, decoded, resolved to points, synced to the journal's disk, then acknowledged. The "
            "server is asyncua's in a process of its own, which is not counted; it brings as many changes as one core "
            "of it can. The library's own subscription throws its values away; that is why notifications are decoded "
            "by our own code."
        ],
    )
    for name in ("to durable", "asyncua's subscription, received only"):
        port = free_port()
        with ServerProcess([sys.executable, __file__, str(port), str(NODES)], folder / "server.log") as server:
            server.wait_for(port)
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                ours = name == "to durable"
                case = _ours(Path(fresh), port, seconds) if ours else _library(port, seconds)
                rate, core = uvloop.run(case)
            scaled = f"{core / rate * NODES * CHANGES_PER_S:.1%}" if rate else ""
            table.rows.append([name, figure(rate), f"{core:.1%}", scaled])
    return table


if __name__ == "__main__":
    asyncio.run(_server(int(sys.argv[1]), int(sys.argv[2])))
