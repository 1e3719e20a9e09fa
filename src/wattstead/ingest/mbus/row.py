"""The row of M-Bus in the table of sources."""

from __future__ import annotations

from wattstead.ingest.mbus.decode import decode
from wattstead.ingest.mbus.run import look, run
from wattstead.ingest.mbus.settings import MbusSettings, check
from wattstead.ingest.sources.source_protocol import SourceProtocol

MBUS = SourceProtocol("mbus", "docs/mbus.md", "M-Bus", MbusSettings, decode, run, look, check=check)
