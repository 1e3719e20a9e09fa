"""The row of Modbus in the table of sources."""

from __future__ import annotations

from wattstead.ingest.modbus.layout import decode
from wattstead.ingest.modbus.look import look
from wattstead.ingest.modbus.meters import check, completed, spelt_out
from wattstead.ingest.modbus.polling import run
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import SourceProtocol

MODBUS = SourceProtocol(
    "modbus", "docs/modbus.md", "Modbus", ModbusSettings, decode, run, look,
    complete=completed, check=check, spelt_out=spelt_out,
)  # fmt: skip
