"""The door of a server on a folder, as a process that can be killed: registry, journal and the routes of edges."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from wattstead.ingest.edge.http import EdgeDoor
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.protocols import PROTOCOLS
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.stream import Journal


async def serve(folder: Path, port: int) -> None:
    """Until told to end."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}", seal=Seal.of_file(folder / "seal.key"))
    await answer(registry, folder, port)
    registry.close()


async def answer(
    registry: Registry, folder: Path, port: int, started: Callable[[uvicorn.Server], None] = print
) -> None:
    """Let edges in, until told to end."""
    resolver = RegistryResolver(registry, poll_s=0.1)
    resolver.start()
    journal = Journal.open(folder / "journal", 0)
    edges = EdgeDoor(registry, Seal.of_file(folder / "seal.key").derived("edge configurations"), folder / "journal")
    app = IngestApp(journal, resolver, protocols=(*PROTOCOLS, edges.protocol))
    config = uvicorn.Config(app, port=port, log_level="warning", lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    started(server)
    await server.serve()
    edges.close()
    resolver.close()
    await journal.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
