"""The row of OPC UA in the table of sources."""

from __future__ import annotations

from wattstead.ingest.opcua.decoding import check, decode
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.source_protocol import SourceProtocol

OPCUA = SourceProtocol(
    "opcua",
    "docs/opcua.md",
    "OPC UA",
    OpcuaSettings,
    decode,
    Late("wattstead.ingest.opcua.receiving", "run"),
    Late("wattstead.ingest.opcua.browsing", "look"),
    check=check,
    extra="edge-opcua",
)
