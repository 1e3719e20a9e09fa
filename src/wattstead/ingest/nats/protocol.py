"""The row of NATS in the table of sources; its library is loaded when a source runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattstead.ingest.nats.decode import decode
from wattstead.ingest.nats.settings import NatsSettings
from wattstead.ingest.sources.source_protocol import Found, SourceProtocol, Way


async def _run(settings: NatsSettings, way: Way) -> None:
    from wattstead.ingest.nats.run import run  # noqa: PLC0415 - see above

    await run(settings, way)


async def _look(settings: NatsSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    from wattstead.ingest.nats.look import look  # noqa: PLC0415

    return await look(settings, asked)


NATS = SourceProtocol("nats", "docs/nats.md", "NATS", NatsSettings, decode, _run, _look)
