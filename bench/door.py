"""Wattstead's receiving side as a server of its own: registry, journal and ingest routes, nothing behind them.

Only benchmarks start it; the product always has the refinery behind the journal.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn
import uvloop

from wattstead.certificates.pair import stand_in
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.http.swift import protocol_for
from wattstead.ingest.limits import IngestLimits
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.registry.registry import Registry
from wattstead.stream import Journal, JournalLimits


async def main(folder: Path, port: int, tls: bool) -> None:
    """Serve until SIGTERM; with ``tls`` under a certificate that vouches for itself."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    resolver = RegistryResolver(registry)
    resolver.start()
    journal = Journal.open(folder / "journal", 0, JournalLimits(unconsumed_bytes=100_000_000_000))
    app = IngestApp(journal, resolver, IngestLimits(key_rate=1e7))
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        loop="none",
        http=protocol_for(app),
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=8192,
    )
    config.load()
    config.ssl = stand_in(frozenset({"localhost"})).context() if tls else None
    try:
        await uvicorn.Server(config).serve()
    finally:
        app.close()
        await journal.close()
        resolver.close()
        registry.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls", action="store_true")
    arguments = parser.parse_args()
    uvloop.run(main(arguments.data, arguments.port, arguments.tls))
