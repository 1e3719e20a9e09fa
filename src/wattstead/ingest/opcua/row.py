"""The row of OPC UA in the table of sources; the library is loaded when a source is, for it is large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattstead.ingest.opcua.decoding import decode
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.source_protocol import Found, SourceProtocol, Way


async def _run(settings: OpcuaSettings, way: Way) -> None:
    from wattstead.ingest.opcua.receiving import run  # noqa: PLC0415 - see above

    await run(settings, way)


async def _look(settings: OpcuaSettings, wish: Mapping[str, Any]) -> Sequence[Found]:
    from wattstead.ingest.opcua.browsing import look  # noqa: PLC0415

    return await look(settings, wish)


OPCUA = SourceProtocol("opcua", "docs/opcua.md", "OPC UA", OpcuaSettings, decode, _run, _look)
