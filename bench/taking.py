"""A process that takes readings from a broker to the journal, as the server's sources do: no store, no pages.

``python bench/taking.py mqtt|amqp PORT FOLDER COUNT QOS [FIRST]`` says ``ready``, ``warm`` when
FIRST, and ``done`` when COUNT more readings are on disk.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvloop

from wattstead.ingest.amqp.protocol import AMQP
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.mqtt.protocol import MQTT
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.reception import Reception
from wattstead.ingest.resolving.pointmap import PointMap
from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.way import SourceWay
from wattstead.ingest.sources.window import Window
from wattstead.registry.records import KeyGrant, Scope
from wattstead.stream import Journal, JournalLimits


async def take(protocol: str, port: int, folder: Path, count: int, qos: int, first: int) -> None:
    """Until so many readings are durable."""
    journal = Journal.open(folder / "journal", 0, JournalLimits())
    grant = KeyGrant(1, 1, 1, Scope.WRITE, 1_000_000)
    points = PointMap()
    points.add_key("0" * 32, grant)
    reception = Reception(journal, points, IngestLimits())
    letters, figures = Letters(folder / "letters.db"), Figures()
    said: asyncio.Event = asyncio.Event()
    way = SourceWay(1, grant, reception, letters, figures, Window.of(0, 86_400), 1e9, lambda to: said.set())
    settings: Any
    if protocol == "mqtt":
        settings = MqttSettings(
            host="127.0.0.1", port=port, qos=1 if qos else 0, device_rate=100_000.0, client_id="measured"
        )
        task = asyncio.create_task(MQTT.run(settings, way))
    else:
        settings = AmqpSettings(host="127.0.0.1", port=port, password="guest")
        task = asyncio.create_task(AMQP.run(settings, way))
    waits = asyncio.create_task(said.wait())
    await asyncio.wait((task, waits), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    print("ready", flush=True)
    for word, wanted in (("warm", first), ("done", first + count)):
        while True:
            if figures.readings + figures.refused + figures.rejected >= wanted or task.done():
                break
            await asyncio.sleep(0.1)
        print(f"{word} {figures.readings:,} kept, {figures.refused + figures.rejected} not", flush=True)
    await asyncio.sleep(3600)


if __name__ == "__main__":
    kind, where, place, wanted, level, first = [*sys.argv[1:], "0"][:6]
    uvloop.run(take(kind, int(where), Path(place), int(wanted), int(level), int(first)))
